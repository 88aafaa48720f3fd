//! auth.json, or the keyring in its place: read, and replaced whole under the locks that others
//! take too.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use tracing::debug;

use super::document::Document;
use super::lock::lock;
use super::replace::{complete, is_broken_off, rehearse, replace, tidy};
use super::tokens::Login;
use super::{Folder, vault};

/// The Codex CLI's two: the first while it commits, the second only while it writes.
const COMMIT_LOCK: &str = "auth.lock";
const WRITE_LOCK: &str = "auth.json.lock";

/// As long as the Codex CLI waits.
pub(super) const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

/// What a login may grow by when it is renewed.
const GROWTH: usize = 16 * 1024;

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
    pub(super) fn file(&self) -> PathBuf {
        self.0.file()
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
    /// at the same moment. `commit` is its first lock, if that is held already; the second one is
    /// held for milliseconds only.
    pub(super) async fn commit(
        &self,
        spent: &SecretString,
        login: &Login,
        commit: Option<&File>,
        patience: Duration,
    ) -> io::Result<Committed> {
        if !self.still_holds(spent)? {
            return Ok(Committed::DiskWins);
        }
        let _commit = match commit {
            Some(_) => None,
            None => self.lock_commit(patience).await?,
        };
        if !self.still_holds(spent)? {
            return Ok(Committed::DiskWins);
        }
        let _write = self.lock_write(patience).await?;
        let mut document = match self.document() {
            Ok((document, _)) if holds(&document, spent) => document,
            Ok(_) => return Ok(Committed::DiskWins),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Committed::DiskWins),
            Err(error) => return Err(error),
        };
        document.renew(login);
        self.write(&document.to_json(), &version(spent)).map(Committed::Written)
    }

    /// Whether a renewed login could be written now; a keyring is not asked.
    ///
    /// # Errors
    /// When it could not.
    pub(super) fn rehearse(&self) -> io::Result<()> {
        let length = fs::metadata(self.file()).map_or(0, |metadata| metadata.len());
        rehearse(&self.file(), usize::try_from(length).unwrap_or(0) + GROWTH)
    }

    /// Ends the write of the tokens that `spent` was spent for, if the process that had them was
    /// killed in the midst of it; whether there was one.
    pub(super) async fn recover(&self, spent: &SecretString, commit: Option<&File>) -> bool {
        let version = version(spent);
        if !is_broken_off(&self.file(), &version) {
            return false;
        }
        let _commit = match commit {
            Some(_) => None,
            None => self.lock_commit(COMMIT_PATIENCE).await.ok().flatten(),
        };
        let Ok(_write) = self.lock_write(COMMIT_PATIENCE).await else {
            return false;
        };
        let sound = |bytes: &[u8]| {
            let document = Document::parse(bytes).ok();
            document.is_some_and(|new| new.refresh_token().is_some() && !holds(&new, spent))
        };
        matches!(self.still_holds(spent), Ok(true)) && complete(&self.file(), &version, sound)
    }

    /// The Codex CLI's first lock.
    pub(super) async fn lock_commit(&self, patience: Duration) -> io::Result<Option<File>> {
        lock(&self.0.path().join(COMMIT_LOCK), patience).await
    }

    /// The Codex CLI's second lock.
    async fn lock_write(&self, patience: Duration) -> io::Result<Option<File>> {
        lock(&self.0.path().join(WRITE_LOCK), patience).await
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
        let _commit = self.lock_commit(COMMIT_PATIENCE).await?;
        let _write = self.lock_write(COMMIT_PATIENCE).await?;
        self.write(&document.to_json(), "new").map(drop)
    }

    /// Takes the login away, unless another one is there by now than was `seen`.
    pub(super) async fn remove(&self, seen: Option<&Document>) -> io::Result<bool> {
        let folder = &self.0;
        let _commit = self.lock_commit(COMMIT_PATIENCE).await?;
        let _write = self.lock_write(COMMIT_PATIENCE).await?;
        let now = self.document().ok().map(|(now, _)| now.to_json());
        if now.is_some() && now != seen.map(Document::to_json) {
            return Ok(false);
        }
        if matches!(folder, Folder::Keyring(_)) {
            vault::delete(&self.file())?;
        }
        tidy(&self.file()); // It may hold tokens.
        fs::remove_file(self.file()).map(|()| true)
    }

    fn write(&self, bytes: &[u8], version: &str) -> io::Result<Stamp> {
        let folder = &self.0;
        if folder.is_own() {
            restrict(folder.path());
        }
        let written = match folder {
            Folder::Keyring(_) => {
                vault::write(&self.file(), bytes)?;
                replace(&self.file(), vault::STAND_IN, "marker")
            }
            Folder::Own(_) | Folder::Borrowed(_) | Folder::Variable(..) => {
                replace(&self.file(), bytes, version)
            }
        };
        written.map(|metadata| stamp(&metadata))
    }
}

/// A name for the version of a login with this refresh token, which does not tell the token.
fn version(token: &SecretString) -> String {
    let digest = Sha256::digest(token.expose_secret());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
