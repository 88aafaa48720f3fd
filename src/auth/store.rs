//! An account's login on disk: where it is now, who may renew it, and what a renewal puts there.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::debug;

use super::lock::{lock, lock_folder};
use super::place::{COMMIT_PATIENCE, Place, Stamp};
use super::tokens::Login;
use super::{Error, Folder, LogIn, Source};

/// Ours: held while a refresh token is being spent, so that no other codexway spends it too.
const REFRESH_LOCK: &str = "codexway-refresh.lock";

/// More than a refresh can take, with its time-out and the commit.
const REFRESH_PATIENCE: Duration = Duration::from_secs(45);

pub(super) struct Store {
    pub(super) source: Source,
}

impl Store {
    /// Where the login is now. Whoever takes several steps takes them all in one place.
    pub(super) fn place(&self) -> Place {
        Place(self.source.folder())
    }

    pub(super) fn file(&self) -> PathBuf {
        self.place().file()
    }

    pub(super) fn log_in(&self) -> LogIn {
        self.source.log_in.clone()
    }

    pub(super) fn not_logged_in(&self) -> Error {
        let folder = self.source.folder();
        let variable = match folder {
            Folder::Variable(name, _) => Some(name),
            Folder::Own(_) | Folder::Keyring(_) | Folder::Borrowed(_) => None,
        };
        Error::NotLoggedIn { folder: folder.path().to_owned(), variable, log_in: self.log_in() }
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        self.place().stamp()
    }

    pub(super) fn read(&self) -> Result<(Login, Stamp), Error> {
        let (document, stamp) = self.place().document().map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => self.not_logged_in(),
            _ => Error::Unreadable {
                file: self.file(),
                why: error.to_string(),
                log_in: self.log_in(),
            },
        })?;
        Ok((Login::read(&document, self)?, stamp))
    }

    /// The right to refresh, among our own processes.
    ///
    /// It is held over the network call because that call is what must not happen twice: a
    /// refresh token is good once, and a second use may end the whole login. The Codex CLI's
    /// locks cannot serve, since it gives up and refreshes again when they stay busy for 5 s.
    /// Where no lock file can be made the folder is locked, and `None` is where that cannot be
    /// done either: better a race than no token.
    pub(super) async fn lock_refresh(&self) -> Result<Option<File>, Error> {
        let folder = self.source.folder();
        let path = folder.path().join(REFRESH_LOCK);
        let mut held = lock(&path, REFRESH_PATIENCE).await;
        if held.as_ref().is_err_and(|error| error.kind() != ErrorKind::TimedOut) {
            held = lock_folder(folder.path(), REFRESH_PATIENCE).await;
        }
        match held {
            Ok(held) => Ok(held),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(Error::Busy { lock: path }),
            Err(error) => {
                debug!(%error, "refreshing without the lock `{}`", path.display());
                Ok(None)
            }
        }
    }

    /// The Codex CLI's first lock, where the login is shared with it: whoever writes new tokens at
    /// this moment is waited for, and so is who keeps it while it refreshes. The Codex CLI itself
    /// waits for it without end, and only to write.
    pub(super) async fn lock_against_others(&self) -> Option<File> {
        let place = self.place();
        if place.0.is_own() {
            return None;
        }
        let held = place.lock_commit(COMMIT_PATIENCE).await;
        held.unwrap_or_else(|error| {
            debug!(%error, "refreshing without the Codex CLI's lock");
            None
        })
    }

    /// Tells our other processes, for as long as it is kept, that the refresh token in this very
    /// version of the file is spent and its successor in this process.
    ///
    /// A lock on the file itself says it where nothing can be written. Nobody else locks it, and
    /// it ends with the process, or when another file takes its place.
    pub(super) fn claim(&self) -> Option<File> {
        let file = advisory(&self.file())?;
        file.try_lock().is_ok().then_some(file)
    }

    /// Whether another process has made that claim.
    pub(super) fn is_claimed(&self) -> bool {
        let file = advisory(&self.file());
        file.is_some_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// The file, to be locked; `None` where a lock would keep others from reading it.
fn advisory(file: &Path) -> Option<File> {
    if cfg!(unix) { File::open(file).ok() } else { None }
}
