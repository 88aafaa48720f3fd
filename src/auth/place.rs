//! auth.json, or the keyring in its place: read, and replaced whole under the locks that others
//! take too.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::document::Document;
use super::lock::{give_to_owner_of, lock};
use super::source::FILE;
use super::tokens::Login;
use super::{Folder, vault};

/// The Codex CLI's two: the first while it commits, the second only while it writes.
const COMMIT_LOCK: &str = "auth.lock";
const WRITE_LOCK: &str = "auth.json.lock";

/// As long as the Codex CLI waits.
pub(super) const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

/// The folder that a login is in.
pub(super) struct Place(pub(super) Folder);

/// Tells one version of the file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

pub(super) enum Committed {
    Written(Stamp),
    /// Somebody else put other tokens there, or took the file away.
    DiskWins,
}

impl Place {
    /// The file whose time stamp tells that the login has changed: auth.json, or what stands for
    /// it where a keyring holds the login.
    pub(super) fn file(&self) -> PathBuf {
        match &self.0 {
            Folder::Keyring(folder) => folder.join(vault::MARKER),
            folder => folder.path().join(FILE),
        }
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        fs::metadata(self.file()).ok().map(|metadata| stamp(&metadata))
    }

    pub(super) fn document(&self) -> io::Result<(Document, Stamp)> {
        let path = self.file();
        let mut file = File::open(&path)?;
        let stamp = stamp(&file.metadata()?);
        let mut bytes = Vec::new();
        if path.ends_with(vault::MARKER) {
            bytes = vault::read(&path)?;
        } else {
            file.read_to_end(&mut bytes)?;
        }
        let document =
            Document::parse(&bytes).map_err(|why| io::Error::new(ErrorKind::InvalidData, why))?;
        Ok((document, stamp))
    }

    /// Replaces the tokens on disk if they are still the ones that were spent.
    ///
    /// The order of locks and the two looks at the file are the Codex CLI's, which may commit
    /// at the same moment. The second lock is held for milliseconds only.
    pub(super) async fn commit(
        &self,
        spent: &SecretString,
        login: &Login,
        patience: Duration,
    ) -> io::Result<Committed> {
        let folder = self.0.path();
        if !self.still_holds(spent)? {
            return Ok(Committed::DiskWins);
        }
        let _commit = lock(&folder.join(COMMIT_LOCK), patience).await?;
        if !self.still_holds(spent)? {
            return Ok(Committed::DiskWins);
        }
        let _write = lock(&folder.join(WRITE_LOCK), patience).await?;
        let mut document = match self.document() {
            Ok((document, _)) if holds(&document, spent) => document,
            Ok(_) => return Ok(Committed::DiskWins),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Committed::DiskWins),
            Err(error) => return Err(error),
        };
        document.renew(login);
        self.write(&document.to_json()).map(Committed::Written)
    }

    fn still_holds(&self, token: &SecretString) -> io::Result<bool> {
        match self.document() {
            Ok((document, _)) => Ok(holds(&document, token)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts a new login in the place of whatever is there.
    pub(super) async fn put(&self, document: &Document) -> io::Result<()> {
        let folder = &self.0;
        let _commit = lock(&folder.path().join(COMMIT_LOCK), COMMIT_PATIENCE).await?;
        let _write = lock(&folder.path().join(WRITE_LOCK), COMMIT_PATIENCE).await?;
        self.write(&document.to_json()).map(drop)
    }

    /// Takes the login away, unless another one is there by now than was `seen`.
    pub(super) async fn remove(&self, seen: Option<&Document>) -> io::Result<bool> {
        let folder = &self.0;
        let _commit = lock(&folder.path().join(COMMIT_LOCK), COMMIT_PATIENCE).await?;
        let _write = lock(&folder.path().join(WRITE_LOCK), COMMIT_PATIENCE).await?;
        let now = self.document().ok().map(|(now, _)| now.to_json());
        if now.is_some() && now != seen.map(Document::to_json) {
            return Ok(false);
        }
        if matches!(folder, Folder::Keyring(_)) {
            vault::delete(&self.file())?;
        }
        fs::remove_file(self.file()).map(|()| true)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<Stamp> {
        let folder = &self.0;
        if folder.is_own() {
            restrict(folder.path());
        }
        match folder {
            Folder::Keyring(_) => {
                vault::write(&self.file(), bytes)?;
                replace(&self.file(), vault::STAND_IN)
            }
            Folder::Own(_) | Folder::Borrowed(_) | Folder::Variable(..) => {
                replace(&self.file(), bytes)
            }
        }
    }
}

/// Replaces the file whole: whoever reads it sees the old or the new, and so does who starts
/// after a crash.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<Stamp> {
    // Where auth.json is a link, the file behind it is replaced and the link stays.
    let file = match fs::canonicalize(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => file.to_owned(),
        found => found?,
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".auth-").tempfile_in(folder)?; // mode 0600
    new.write_all(bytes)?;
    give_to_owner_of(if file.exists() { &file } else { folder }, new.path());
    new.as_file().sync_all()?;
    let stamp = stamp(&new.as_file().metadata()?);
    new.persist(&file).map_err(|error| error.error)?;
    if cfg!(unix) {
        // The new file is in place; only a power cut could still bring the old one back.
        File::open(folder).and_then(|folder| folder.sync_all()).unwrap_or_else(|error| {
            debug!(%error, "could not flush `{}`", folder.display());
        });
    }
    Ok(stamp)
}

fn holds(document: &Document, token: &SecretString) -> bool {
    document.refresh_token() == Some(token.expose_secret())
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Stamp { modified: metadata.modified().ok(), length: metadata.len(), inode }
}

/// Makes the folder its owner's alone.
#[cfg(unix)]
fn restrict(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Err(error) = fs::set_permissions(folder, fs::Permissions::from_mode(0o700)) {
        debug!(%error, "`{}` keeps its mode", folder.display());
    }
}

#[cfg(not(unix))]
fn restrict(_folder: &Path) {}
