//! An account's login on disk: where it is now, who may renew it, and what a renewal puts there.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use tracing::debug;

use super::lock::lock;
use super::place::{Committed, Place, Stamp};
use super::tokens::Login;
use super::{Error, Folder, Source};

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

    pub(super) fn not_logged_in(&self) -> Error {
        let folder = self.source.folder();
        let variable = match folder {
            Folder::Variable(name, _) => Some(name),
            Folder::Own(_) | Folder::Keyring(_) | Folder::Borrowed(_) => None,
        };
        Error::NotLoggedIn { folder: folder.path().to_owned(), variable }
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        self.place().stamp()
    }

    pub(super) fn read(&self) -> Result<(Login, Stamp), Error> {
        let (document, stamp) = self.place().document().map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => self.not_logged_in(),
            _ => Error::Unreadable { file: self.file(), why: error.to_string() },
        })?;
        Ok((Login::read(&document, self)?, stamp))
    }

    /// The right to refresh, among our own processes.
    ///
    /// It is held over the network call because that call is what must not happen twice: a
    /// refresh token is good once, and a second use may end the whole login. The Codex CLI's
    /// locks cannot serve, since it gives up and refreshes again when they stay busy for 5 s.
    /// `None` where there can be no lock, as in a read-only folder: better a race than no token.
    pub(super) async fn lock_refresh(&self) -> Result<Option<File>, Error> {
        let path = self.source.folder().path().join(REFRESH_LOCK);
        match lock(&path, REFRESH_PATIENCE).await {
            Ok(held) => Ok(held),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(Error::Busy { lock: path }),
            Err(error) => {
                debug!(%error, "refreshing without the lock `{}`", path.display());
                Ok(None)
            }
        }
    }

    /// As [`Place::commit`], wherever the login is now.
    pub(super) async fn commit(
        &self,
        spent: &SecretString,
        login: &Login,
        patience: Duration,
    ) -> io::Result<Committed> {
        self.place().commit(spent, login, patience).await
    }
}
