//! The floors: which module may use which. The order is written here and nowhere else.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// From the ground up. A module uses modules of lower floors only.
const FLOORS: [(&str, u8); 15] = [
    ("silence", 0),
    ("sse", 0),
    ("protocol", 1),
    ("config", 2),
    ("tokens", 2),
    ("telemetry", 3),
    ("auth", 4),
    ("simulator", 5),
    ("upstream", 5),
    ("models", 6),
    ("state", 6),
    ("shaping", 7),
    ("api", 8),
    ("server", 9),
    ("cli", 10),
];

#[test]
fn no_module_looks_up() {
    let mut faults = Vec::new();
    for file in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = fs::read_to_string(&file).unwrap();
        let Some(module) = module_of(&file) else { continue };
        for used in uses(&text) {
            if let Some(fault) = fault(&module, &used) {
                faults.push(format!("{}: {fault}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_look_upwards_is_noticed() {
    assert_eq!(uses("use crate::api::Error;"), ["api"]);
    assert_eq!(uses("use crate::{\n    auth::{Access, Error},\n    sse,\n};"), ["auth", "sse"]);
    assert_eq!(fault("upstream", "api").unwrap(), "`upstream` looks up at `api`");
    assert_eq!(fault("upstream", "simulator").unwrap(), "`upstream` looks up at `simulator`");
    assert_eq!(fault("api", "upstream"), None);
    assert_eq!(fault("nowhere", "sse").unwrap(), "`nowhere` stands on no floor");
}

fn fault(module: &str, used: &str) -> Option<String> {
    let floor =
        |name: &str| FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor);
    if module == used {
        return None;
    }
    match (floor(module), floor(used)) {
        (None, _) => Some(format!("`{module}` stands on no floor")),
        (_, None) => Some(format!("`{used}`, used by `{module}`, stands on no floor")),
        (Some(own), Some(other)) if other >= own => {
            Some(format!("`{module}` looks up at `{used}`"))
        }
        _ => None,
    }
}

/// The first segment behind every `crate::`.
fn uses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(word(rest)),
            Some(group) => found.extend(names(group)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The names at the top level of a `{…}` group.
fn names(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut expected = true;
    let mut found = Vec::new();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            c if expected && depth == 0 && !c.is_whitespace() => {
                found.push(word(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The top-level module a file belongs to; none for `lib.rs` and `main.rs`.
fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let first =
        inside.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    (!matches!(first.as_str(), "lib" | "main")).then_some(first)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
