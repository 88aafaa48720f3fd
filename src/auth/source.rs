//! Which folder's auth.json an account uses.

use std::path::{Path, PathBuf};

use super::document::Document;
use super::vault;
use super::{LogIn, Variables};

/// The file that holds a login.
pub(super) const FILE: &str = "auth.json";

/// The folder that holds auth.json.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// Ours alone (mode 0700), with a token family that no other program spends.
    Own(PathBuf),
    /// Ours alone too, but what auth.json would hold is in the operating system's keyring.
    Keyring(PathBuf),
    /// Another program's, usually the Codex CLI's: both rotate the same tokens.
    Borrowed(PathBuf),
    /// Borrowed, because this environment variable names it.
    Variable(&'static str, PathBuf),
}

impl Folder {
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(path)
            | Self::Keyring(path)
            | Self::Borrowed(path)
            | Self::Variable(_, path) => path,
        }
    }

    pub fn is_own(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Keyring(_))
    }

    /// Whether there is no login in it.
    pub fn is_empty(&self) -> bool {
        !self.file().exists()
    }

    /// The file whose time stamp tells that the login has changed: auth.json, or what stands for
    /// it where a keyring holds the login.
    pub fn file(&self) -> PathBuf {
        let name = if matches!(self, Self::Keyring(_)) { vault::MARKER } else { FILE };
        self.path().join(name)
    }

    /// Our own folder, whichever way it keeps what it holds.
    pub(super) fn own(path: &Path) -> Self {
        if path.join(vault::MARKER).exists() {
            Self::Keyring(path.to_owned())
        } else {
            Self::Own(path.to_owned())
        }
    }
}

/// Where an account's login is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Our own folder, where it goes before the other one as soon as it holds a login.
    first: Option<PathBuf>,
    folder: Folder,
    /// What messages say is to be typed.
    pub(super) log_in: LogIn,
}

impl Source {
    /// The folder that counts now: `codexway login` and `logout` change it under a running server.
    pub fn folder(&self) -> Folder {
        let own = self.first.as_deref().filter(|own| holds_a_login(own));
        own.map_or_else(|| self.folder.clone(), Folder::own)
    }
}

impl From<Folder> for Source {
    fn from(folder: Folder) -> Self {
        Self { first: None, folder, log_in: LogIn::default() }
    }
}

/// An API key of ours must not hide the ChatGPT login that is borrowed.
fn holds_a_login(own: &Path) -> bool {
    if own.join(vault::MARKER).exists() {
        return true;
    }
    let Ok(bytes) = std::fs::read(own.join(FILE)) else {
        return own.join(FILE).exists();
    };
    Document::parse(&bytes).map_or(true, |document| document.api_key().is_none())
}

/// Where a login may be; read from the environment by the caller.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The account's name.
    pub account: String,
    /// Our own folder for this account.
    pub own: PathBuf,
    /// `$OPENAI_CODEX_PATH`
    pub openai_codex_path: Option<PathBuf>,
    /// `$CODEX_HOME`
    pub codex_home: Option<PathBuf>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// All variables: one may hold an API key, and a child process needs some.
    pub variables: Variables,
}

/// Where the setting `source` says to look: `own`, `auto`, or a folder.
///
/// With `auto` it is our own while there is a login in it. A variable that is set decides even
/// when its folder holds no login: falling through to `~/.codex` would use an account
/// that the user meant to leave alone.
pub fn find(source: &str, places: &Places) -> Source {
    let own = &places.own;
    let (first, folder) = match source {
        "own" => (Some(own.clone()), Folder::Own(own.clone())),
        "auto" => (Some(own.clone()), borrowed(places)),
        path => (None, Folder::Borrowed(folder(expand(Path::new(path), places)))),
    };
    Source { first, folder, log_in: LogIn::to(&places.account) }
}

fn borrowed(places: &Places) -> Folder {
    let variables =
        [("OPENAI_CODEX_PATH", &places.openai_codex_path), ("CODEX_HOME", &places.codex_home)];
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

/// The path with the home folder in the place of a `~` in front.
pub fn expand(path: &Path, places: &Places) -> PathBuf {
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
