//! Which folder's auth.json an account uses.

use std::path::{Path, PathBuf};

/// The folder that holds auth.json.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// Ours alone (mode 0700), with a token family that no other program spends.
    Own(PathBuf),
    /// Another program's, usually the Codex CLI's: both rotate the same tokens.
    Borrowed(PathBuf),
    /// Borrowed, because this environment variable names it.
    Variable(&'static str, PathBuf),
}

impl Folder {
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Borrowed(path) | Self::Variable(_, path) => path,
        }
    }

    pub fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

/// Where a login may be; read from the environment by the caller.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Our own folder for this account.
    pub own: PathBuf,
    /// `$OPENAI_CODEX_PATH`
    pub openai_codex_path: Option<PathBuf>,
    /// `$CODEX_HOME`
    pub codex_home: Option<PathBuf>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
}

/// The folder that the setting `source` means: `own`, `auto`, or a folder.
///
/// With `auto` it is our own if there is a login in it. A variable that is set decides even
/// when its folder holds no login: falling through to `~/.codex` would use an account
/// that the user meant to leave alone.
pub fn find(source: &str, places: &Places) -> Folder {
    match source {
        "own" => Folder::Own(places.own.clone()),
        "auto" if places.own.join("auth.json").exists() => Folder::Own(places.own.clone()),
        "auto" => {
            let variables = [
                ("OPENAI_CODEX_PATH", &places.openai_codex_path),
                ("CODEX_HOME", &places.codex_home),
            ];
            for (name, path) in variables {
                if let Some(path) = path.as_ref().filter(|path| !path.as_os_str().is_empty()) {
                    return Folder::Variable(name, folder(expand(path, places)));
                }
            }
            match &places.home {
                Some(home) => Folder::Borrowed(home.join(".codex")),
                None => Folder::Own(places.own.clone()),
            }
        }
        path => Folder::Borrowed(folder(expand(Path::new(path), places))),
    }
}

fn expand(path: &Path, places: &Places) -> PathBuf {
    match (path.strip_prefix("~"), &places.home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Some people name the file where the folder is wanted.
fn folder(path: PathBuf) -> PathBuf {
    match path.parent() {
        Some(parent) if path.ends_with("auth.json") => parent.to_owned(),
        _ => path,
    }
}
