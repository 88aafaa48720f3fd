//! The user's file: which one it is, and reading it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use config::{FileFormat, Format};

use super::{Error, Sources, shape::Tree};

/// The file that `sources` lead to, and its text.
pub(super) fn find(sources: &Sources) -> Result<Option<(PathBuf, String)>, Error> {
    if let Some(path) = &sources.file {
        return match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some((path.clone(), text))),
            Err(error) => Err(unreadable(path, &error)),
        };
    }
    let mut found: Option<(PathBuf, String)> = None;
    for path in sources.config_dir.iter().flat_map(|dir| candidates(dir)) {
        match (std::fs::read_to_string(&path), &found) {
            (Ok(_), Some((first, _))) => {
                return Err(Error::TwoFiles { first: first.clone(), second: path });
            }
            (Ok(text), None) => found = Some((path, text)),
            (Err(error), _) if error.kind() == ErrorKind::NotFound => {}
            (Err(error), _) => return Err(unreadable(&path, &error)),
        }
    }
    Ok(found)
}

/// Every file that the user's settings may be in: whoever follows them watches these.
pub fn watched(sources: &Sources) -> Vec<PathBuf> {
    match &sources.file {
        Some(file) => vec![file.clone()],
        None => sources.config_dir.iter().flat_map(|dir| candidates(dir)).collect(),
    }
}

/// Where a user's file is looked for first, and where a new one belongs.
pub fn default_file(config_dir: &Path) -> PathBuf {
    let [toml, ..] = candidates(config_dir);
    toml
}

fn candidates(config_dir: &Path) -> [PathBuf; 3] {
    ["config.toml", "config.yaml", "config.yml"].map(|name| config_dir.join("codexway").join(name))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let reason = match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    Error::Read { path: path.to_owned(), reason }
}

/// The settings in `text`; null in YAML leaves a setting as it was.
pub(super) fn parse(path: &Path, text: &str) -> Result<Tree, Error> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let yaml = ["yaml", "yml"].iter().any(|yaml| extension.eq_ignore_ascii_case(yaml));
    let origin = path.display().to_string();
    let text = text.trim_start_matches('\u{feff}');
    if yaml && text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
        return Ok(Tree::new());
    }
    let format = if yaml { FileFormat::Yaml } else { FileFormat::Toml };
    let mut tree = format
        .parse(Some(&origin), text)
        .map_err(|error| Error::Syntax { origin, reason: reason(&error.to_string()) })?;
    drop_nulls(&mut tree);
    Ok(tree)
}

/// The place and the complaint in one line, without the excerpt: it may hold a secret.
fn reason(report: &str) -> String {
    if let Some(rest) = report.strip_prefix("TOML parse error at ") {
        let place = rest.lines().next().unwrap_or_default();
        let excerpt = |line: &str| {
            line.split_once('|')
                .is_some_and(|(number, _)| number.chars().all(|c| c == ' ' || c.is_ascii_digit()))
        };
        let complaint: Vec<_> = rest.lines().skip(1).filter(|line| !excerpt(line)).collect();
        return format!("{place}: {}", complaint.join(", "));
    }
    // yaml-rust2: "did not find expected ',' or ']' at byte 12 line 2 column 3"
    let place = report.split_once(" at byte ").and_then(|(complaint, place)| {
        let (_, place) = place.split_once(" line ")?;
        let (line, column) = place.split_once(" column ")?;
        Some(format!("line {line}, column {column}: {complaint}"))
    });
    place.unwrap_or_else(|| report.trim().to_owned())
}

fn drop_nulls(tree: &mut Tree) {
    tree.retain(|_, value| value.kind != config::ValueKind::Nil);
    for value in tree.values_mut() {
        if let config::ValueKind::Table(table) = &mut value.kind {
            drop_nulls(table);
        }
    }
}
