//! Where a client's file is on this machine.
//!
//! `~` is the home folder, and `{VARIABLE|else}` what a variable says, or else what follows it.

use std::path::{Path, PathBuf};

use super::client::File;
use crate::cli::Environment;

/// The file that is there, or would be; links are followed. `None` without a home folder.
pub(super) fn place(file: &File, environment: &Environment) -> Option<PathBuf> {
    let patterns = match cfg!(target_os = "macos") && !file.macos.is_empty() {
        true => &file.macos,
        false => &file.paths,
    };
    let resolve = |pattern: &String| {
        resolve(pattern, environment.home.as_deref(), |name| environment.var(name))
    };
    let places: Vec<PathBuf> = patterns.iter().filter_map(resolve).collect();
    let found = places.iter().find(|place| place.exists()).or_else(|| places.first())?;
    // Dotfiles are often links to where they are kept.
    Some(found.canonicalize().unwrap_or_else(|_| found.clone()))
}

/// As people write it: with `~` where it lies in the home folder.
pub(super) fn shown(place: &Path, environment: &Environment) -> String {
    let home = environment.home.as_deref().filter(|home| *home != Path::new("/"));
    match home.and_then(|home| place.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => place.display().to_string(),
    }
}

fn resolve<'a>(
    pattern: &str,
    home: Option<&Path>,
    var: impl Fn(&str) -> Option<&'a str> + Copy,
) -> Option<PathBuf> {
    if let Some(inner) = pattern.strip_prefix('{') {
        // A variable inside of the other's alternative ends first.
        let (inner, rest) = inner.rsplit_once('}')?;
        let (name, otherwise) = inner.split_once('|')?;
        let base = match var(name) {
            Some(set) => PathBuf::from(set),
            None => resolve(otherwise, home, var)?,
        };
        return Some(base.join(rest.trim_start_matches('/')));
    }
    match pattern.strip_prefix("~/") {
        Some(rest) => Some(home?.join(rest)),
        None => Some(PathBuf::from(pattern)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_win_over_the_home_folder() {
        let home = Some(Path::new("/h"));
        let pattern = "{A|{B|~/c}/d}/e";
        assert_eq!(resolve(pattern, home, |_| None), Some("/h/c/d/e".into()));
        assert_eq!(
            resolve(pattern, home, |name| (name == "A").then_some("/a")),
            Some("/a/e".into())
        );
        assert_eq!(
            resolve(pattern, None, |name| (name == "B").then_some("/b")),
            Some("/b/d/e".into())
        );
        assert_eq!(resolve(pattern, None, |_| None), None);
    }
}
