//! `docs/clients.md` says what `codexway connect` says; `CODEXWAY_WRITE_DOCS=1` writes it there.

use std::{fmt::Write as _, fs, path::Path};

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::{URL, clients, home, name, told};

const UNTRIED: &str = "from its documentation";

#[cfg(not(target_os = "macos"))]
#[test]
fn the_page_says_what_the_command_says() {
    let page = page();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clients.md");
    let text = fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once("<!-- clients -->\n").unwrap();
    let (written, tail) = rest.split_once("<!-- /clients -->").unwrap();
    if std::env::var_os("CODEXWAY_WRITE_DOCS").is_some() {
        fs::write(file, format!("{head}<!-- clients -->\n{page}<!-- /clients -->{tail}")).unwrap();
    } else {
        assert_eq!(written, page, "see the top of tests/it/connect/docs.rs");
    }
}

fn page() -> String {
    let home = home();
    let clients = clients(&home);
    let mut page = String::from("| client | name | it speaks | tried with | settings |\n");
    page.push_str("|---|---|---|---|---|\n");
    let place = |client: &Value| {
        let file = client["file"].as_str()?;
        Some(file.replace(home.path().to_str().unwrap(), "~"))
    };
    for client in &clients {
        let [title, dialect] = ["title", "dialect"].map(|key| client[key].as_str().unwrap());
        let tried = client["tried"].as_str().unwrap_or(UNTRIED);
        let settings = place(client).map_or("by hand".to_owned(), |file| format!("`{file}`"));
        let name = name(client);
        writeln!(page, "| {title} | `{name}` | {dialect} | {tried} | {settings} |").unwrap();
    }
    for client in &clients {
        let name = name(client);
        // The address of the settings, whoever listens there while this runs.
        let shown = told(&home, &[name, "--url", URL, "--model", "gpt-5.5"]);
        writeln!(page, "\n## {}\n", client["title"].as_str().unwrap()).unwrap();
        match (place(client), client["by_hand"].as_str()) {
            (Some(file), _) => {
                writeln!(page, "`codexway connect {name} --write` puts this into `{file}`:\n")
            }
            (None, why) => writeln!(page, "By hand: {}.\n", why.unwrap()),
        }
        .unwrap();
        let (language, settings) = (shown["language"].as_str(), shown["settings"].as_str());
        let language = language.map(|language| if language == "json" { "jsonc" } else { language });
        writeln!(page, "```{}\n{}```", language.unwrap(), settings.unwrap()).unwrap();
        if let Some(run) = shown["run"].as_str() {
            writeln!(page, "\nThen: `{run}`").unwrap();
        }
        for (index, note) in shown["notes"].as_array().unwrap().iter().enumerate() {
            let gap = if index == 0 { "\n" } else { "" };
            writeln!(page, "{gap}- {}", note.as_str().unwrap()).unwrap();
        }
    }
    page
}
