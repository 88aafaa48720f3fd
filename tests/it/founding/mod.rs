//! What existing setups rely on, as the last section of `docs/compatibility.md` has it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pretty_assertions::assert_eq;

use crate::compatibility::table::{Faults, rows};

/// An OpenAI-compatible endpoint in front of the backend, for agents on top of LiteLLM.
mod agent;
/// The backend's address, headers and body.
mod backend;
/// The catalogue, and what it drives.
mod catalogue;
/// A proxy with capabilities, and how its users told it what they want.
mod connector;
/// Programs that spoke to the backend by themselves.
mod direct;
/// The refusals of a model, and what to do about each.
mod models;
/// What is shown anywhere, and that no secret is.
mod secrets;

const HEADING: &str = "What existing setups rely on";

/// Every file below `folder` that may hold a test.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["fixtures", "target"].contains(&name) {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The names of the functions that are tests, each with the module it stands in, `a::b::name`.
fn tests() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests/it"] {
        sources(&root.join(folder), &mut files);
    }
    let mut names = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            }
            let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some(name) = name.and_then(|rest| rest.split(['(', '<']).next())
                && std::mem::take(&mut is_test)
            {
                names.push(name.to_owned());
            }
        }
    }
    names
}

#[test]
fn each_row_names_tests_that_there_are() {
    let tests = tests();
    assert!(tests.len() > 400, "{} tests were found", tests.len());
    let mut faults = Faults::default();
    let rows = rows(HEADING);
    for row in &rows {
        let named: Vec<&str> = row.whole("test").split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            faults.push(row.fault("it names no test"));
        }
        for name in named {
            let count = tests.iter().filter(|test| *test == name).count();
            if count != 1 {
                faults.push(row.fault(format!("{count} tests are called `{name}`")));
            }
        }
    }
    faults.none();
    assert!(rows.len() > 60, "{} rows", rows.len());
}

#[test]
fn a_function_that_is_no_test_proves_nothing() {
    let tests = tests();
    assert_eq!(
        tests.iter().filter(|name| *name == "each_row_names_tests_that_there_are").count(),
        1
    );
    assert!(!tests.contains(&"sources".to_owned()) && !tests.contains(&"tests".to_owned()));
}
