//! auth.json on disk: read, and replaced whole under the locks that others take too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::tokens::{Document, Login};
use super::{Error, Folder};

/// Ours: held while a refresh token is being spent, so that no other codexway spends it too.
const REFRESH_LOCK: &str = "codexway-refresh.lock";
/// The Codex CLI's two: the first while it commits, the second only while it writes.
const COMMIT_LOCK: &str = "auth.lock";
const WRITE_LOCK: &str = "auth.json.lock";

/// More than a refresh can take, with its time-out and the commit.
const REFRESH_PATIENCE: Duration = Duration::from_secs(45);
/// As long as the Codex CLI waits.
pub(super) const COMMIT_PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

pub(super) struct Store {
    pub(super) folder: Folder,
}

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

impl Store {
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("auth.json")
    }

    pub(super) fn not_logged_in(&self) -> Error {
        let variable = match self.folder {
            Folder::Variable(name, _) => Some(name),
            Folder::Own(_) | Folder::Borrowed(_) => None,
        };
        Error::NotLoggedIn { folder: self.folder.path().to_owned(), variable }
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        fs::metadata(self.file()).ok().map(|metadata| stamp(&metadata))
    }

    pub(super) fn read(&self) -> Result<(Login, Stamp), Error> {
        let (document, stamp) = self.document().map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => self.not_logged_in(),
            _ => Error::Unreadable { file: self.file(), why: error.to_string() },
        })?;
        Ok((Login::read(&document, self)?, stamp))
    }

    fn document(&self) -> io::Result<(Document, Stamp)> {
        let mut file = File::open(self.file())?;
        let stamp = stamp(&file.metadata()?);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let document =
            Document::parse(&bytes).map_err(|why| io::Error::new(ErrorKind::InvalidData, why))?;
        Ok((document, stamp))
    }

    /// The right to refresh, among our own processes.
    ///
    /// It is held over the network call because that call is what must not happen twice: a
    /// refresh token is good once, and a second use may end the whole login. The Codex CLI's
    /// locks cannot serve, since it gives up and refreshes again when they stay busy for 5 s.
    /// `None` where there can be no lock, as in a read-only folder: better a race than no token.
    pub(super) async fn lock_refresh(&self) -> Result<Option<File>, Error> {
        let lock = self.folder.path().join(REFRESH_LOCK);
        match self.lock(&lock, REFRESH_PATIENCE).await {
            Ok(held) => Ok(held),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(Error::Busy { lock }),
            Err(error) => {
                debug!(%error, "refreshing without the lock `{}`", lock.display());
                Ok(None)
            }
        }
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
        let folder = self.folder.path();
        if !self.still_holds(spent)? {
            return Ok(Committed::DiskWins);
        }
        let _commit = self.lock(&folder.join(COMMIT_LOCK), patience).await?;
        if !self.still_holds(spent)? {
            return Ok(Committed::DiskWins);
        }
        let _write = self.lock(&folder.join(WRITE_LOCK), patience).await?;
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

    fn write(&self, bytes: &[u8]) -> io::Result<Stamp> {
        if self.folder.is_own() {
            restrict(self.folder.path());
        }
        // Where auth.json is a link, the file behind it is replaced and the link stays.
        let file = fs::canonicalize(self.file())?;
        let folder = file.parent().unwrap_or(self.folder.path());
        let mut new = tempfile::Builder::new().prefix(".auth-").tempfile_in(folder)?; // mode 0600
        new.write_all(bytes)?;
        give_to_owner_of(&file, new.path());
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

    /// Takes a lock, or fails with `TimedOut`; `None` where the file system knows no locks.
    ///
    /// `File::lock` would wait on a thread without end, and could not be given up.
    async fn lock(&self, path: &Path, patience: Duration) -> io::Result<Option<File>> {
        let file = open_lock(path)?;
        give_to_owner_of(self.folder.path(), path);
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(POLL).await,
                Err(TryLockError::WouldBlock) => {
                    let why = format!("another program holds `{}`", path.display());
                    return Err(io::Error::new(ErrorKind::TimedOut, why));
                }
                Err(TryLockError::Error(error)) => {
                    debug!(%error, "`{}` cannot be locked, going on without", path.display());
                    return Ok(None);
                }
            }
        }
    }
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

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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

/// Root, in a container, must not take files away from the user whose folder it borrows.
#[cfg(unix)]
fn give_to_owner_of(model: &Path, path: &Path) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (Ok(model), Ok(ours)) = (fs::metadata(model), fs::metadata(path)) else {
        return;
    };
    if model.uid() != ours.uid()
        && let Err(error) = chown(path, Some(model.uid()), Some(model.gid()))
    {
        debug!(%error, "`{}` keeps another owner", path.display());
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_model: &Path, _path: &Path) {}
