//! `docs/clients.md` says what `codexway connect` says, and what `tests/clients/run` saw;
//! `CODEXWAY_WRITE_DOCS=1` writes it there.

use std::{fmt::Write as _, fs, path::Path};

use pretty_assertions::assert_eq;
use serde::Deserialize;
use serde_json::Value;

use super::{URL, clients, home, name, told};

const UNTRIED: &str = "from its documentation";

/// What a run with a real client saw, as `tests/clients/run` writes it down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// Its name for `codexway connect`.
    client: String,
    version: String,
    /// Which of our APIs it spoke.
    dialect: String,
    streaming: bool,
    tools: bool,
    images: bool,
    reasoning: bool,
    /// When, as `2026-11-21`.
    passed: String,
}

/// All of them, by the names of their files.
fn seen() -> Vec<Seen> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/seen");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file| toml_edit::de::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    files.into_iter().map(read).collect()
}

#[test]
fn settings_are_of_the_version_that_the_real_client_has_in_the_tests() {
    let clients = clients(&home());
    let seen = seen();
    assert!(!seen.is_empty());
    for seen in seen {
        let client = clients.iter().find(|client| name(client) == seen.client);
        let tried = client.unwrap()["tried"].as_str().unwrap_or(UNTRIED);
        assert!(tried.contains(&seen.version), "{}: {tried}, not {}", seen.client, seen.version);
    }
}

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
    matrix(&mut page, &clients);
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

/// What the last run with each of the real clients saw.
fn matrix(page: &mut String, clients: &[Value]) {
    page.push_str(
        "\nReal clients, set up as this page says, in the last run that each passed:\n\n",
    );
    page.push_str(
        "| client | version | dialect | streaming | tools | images | reasoning | passed |\n",
    );
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    for seen in seen() {
        let client = clients.iter().find(|client| name(client) == seen.client).unwrap();
        let title = client["title"].as_str().unwrap();
        let Seen { version, dialect, passed, .. } = &seen;
        let mut row = format!("| {title} | {version} | {} ", dialect.replace(' ', " and "));
        for had in [seen.streaming, seen.tools, seen.images, seen.reasoning] {
            row += if had { "| yes " } else { "| – " };
        }
        writeln!(page, "{row}| {passed} |").unwrap();
    }
}
