//! `docs/configuration.md` lists every setting; `CODEXWAY_WRITE_DOCS=1` writes the list there.

use std::fmt::Write as _;
use std::path::Path;

use pretty_assertions::assert_eq;

use super::{
    super::{schema::ROOT, shape::Shape, words},
    *,
};

/// The flags that stand for a setting.
const FLAGS: [(&str, &str); 3] = [
    ("server.listen", "`--listen ADDR:PORT`"),
    ("server.profile", "`--profile NAME`"),
    ("server.keys", "`--key-file FILE`, which makes one where none is set"),
];

/// A line of `default.toml` and what it means.
enum Line<'a> {
    Section { name: &'a str, about: &'a str },
    Setting { section: &'a str, name: &'a str, default: &'a str, about: &'a str },
}

/// `default.toml`, read as the text that it is: each sentence stands above what it is about.
fn lines() -> Vec<Line<'static>> {
    let (mut section, mut about, mut lines) = ("", "", Vec::new());
    for line in default_toml().lines() {
        let optional = line.strip_prefix("# ").filter(|line| line.starts_with("prompt_mode ="));
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            lines.push(Line::Section { name: section, about });
            about = "";
        } else if let Some((name, default)) = optional.unwrap_or(line).split_once(" = ")
            && (optional.is_some() || !line.starts_with('#'))
        {
            let default = if optional.is_some() { "" } else { default };
            lines.push(Line::Setting { section, name, default, about });
        } else {
            about = line.strip_prefix("# ").unwrap_or_default();
        }
    }
    lines
}

/// The form of a setting, by its full name.
fn shape(section: &str, name: &str) -> &'static Shape {
    format!("{section}.{name}").split('.').fold(&ROOT, |shape, part| match shape.below().unwrap() {
        Shape::Table(fields) => &fields.iter().find(|(field, _)| *field == part).unwrap().1,
        Shape::Map(_, shape) => shape,
        _ => panic!("{section}.{name}"),
    })
}

fn variable(section: &str, name: &str) -> String {
    let key = format!("{section}.{name}").replace('.', "__");
    format!("CODEXWAY__{}", key.to_uppercase())
}

/// What it takes, where its sentence does not say so already.
fn takes(shape: &Shape) -> Option<String> {
    let words = |words: &[&str]| words::list(words);
    match shape {
        Shape::Text(text) if text.expected == "text" => None,
        Shape::Choice(choices) => Some(words(choices)),
        Shape::List(Shape::Or(..)) => Some("a list of texts and tables".to_owned()),
        Shape::List(_) => Some("a list of texts".to_owned()),
        Shape::Map(..) => Some("a table of texts".to_owned()),
        Shape::Or(one, _) => Some(format!("{}, or a table", takes(one).unwrap_or_default())),
        Shape::Text(_) | Shape::Whole | Shape::Flag | Shape::Table(_) => Some(shape.expected()),
    }
}

fn list() -> String {
    let mut page = String::new();
    for line in lines() {
        match line {
            Line::Section { name, about } => {
                writeln!(page, "\n### `[{name}]`\n").unwrap();
                if !about.is_empty() {
                    writeln!(page, "{about}\n").unwrap();
                }
            }
            Line::Setting { section, name, default, about } => {
                let default = match default {
                    "" => "not set".to_owned(),
                    default => format!("`{default}`"),
                };
                let mut facts = vec![format!("Default: {default}")];
                facts.extend(takes(shape(section, name)).map(|takes| format!("takes {takes}")));
                facts.push(format!("variable `{}`", variable(section, name)));
                let key = format!("{section}.{name}");
                let flag = FLAGS.iter().find(|(known, _)| *known == key);
                facts.extend(flag.map(|(_, flag)| format!("flag {flag}")));
                let about = about.strip_suffix('.').unwrap_or(about);
                writeln!(page, "- **`{name}`**: {about}.\n  {}.", facts.join("; ")).unwrap();
            }
        }
    }
    page
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_page_lists_every_setting() {
    let text = fs::read_to_string(file("docs/configuration.md")).unwrap();
    let (head, rest) = text.split_once("<!-- settings -->\n").unwrap();
    let (written, tail) = rest.split_once("<!-- /settings -->").unwrap();
    let list = list();
    if std::env::var_os("CODEXWAY_WRITE_DOCS").is_some() {
        let text = format!("{head}<!-- settings -->\n{list}<!-- /settings -->{tail}");
        fs::write(file("docs/configuration.md"), text).unwrap();
    } else {
        assert_eq!(written, list, "see the top of src/config/tests/docs.rs");
    }
}

#[test]
fn the_variable_of_every_setting_is_taken() {
    for line in lines() {
        let Line::Setting { section, name, default, .. } = line else { continue };
        if default.is_empty() {
            continue;
        }
        let variable = variable(section, name);
        let value = default.trim_matches('"');
        let user = User::variables(&[(&variable, value)]);
        assert_eq!(user.settings(), Settings::default(), "{variable}={value}");
        let key = format!("{section}.{name}");
        let told = user.loaded().entries();
        let of_it = told.iter().filter(|entry| entry.key.starts_with(&key));
        if !default.starts_with(['{', '[']) {
            assert!(of_it.into_iter().any(|entry| entry.origin.contains(&variable)), "{variable}");
        }
    }
}

#[test]
fn every_example_of_the_documentation_is_sound() {
    let mut n_examples = 0;
    for name in
        ["README.md", "docs/configuration.md", "docs/upstream.md", "docs/troubleshooting.md"]
    {
        let text = fs::read_to_string(file(name)).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let (example, _) = block.split_once("```").unwrap();
            if example.contains("[model_providers.") {
                continue; // The settings of another program.
            }
            let mut user = User::toml(example).variable("EDITOR_KEY", "secret");
            // What an example names in the reader's home is there.
            user.put(".config/codexway/phone.key", "secret");
            let home = user.folder.path().to_str().unwrap().to_owned();
            user = user.variable("HOME", &home);
            user.loaded();
            n_examples += 1;
        }
    }
    assert!(n_examples >= 4, "{n_examples}");
}
