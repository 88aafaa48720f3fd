//! The operating system's keyring as the place of a login.
//!
//! A file without a secret stands for it in the account's folder: it tells that the keyring is to
//! be asked, and its time stamp tells when what is there has changed.

use std::io;
use std::path::Path;

/// The name of the file that stands for the login.
pub(super) const MARKER: &str = "keyring.json";
/// What is in it.
pub(super) const STAND_IN: &[u8] = b"{\"auth_mode\": \"keyring\"}\n";

#[cfg(test)]
pub(super) use memory::{available, delete, read, write};
#[cfg(not(any(test, feature = "keyring")))]
pub(super) use missing::{available, delete, read, write};
#[cfg(all(feature = "keyring", not(test)))]
pub(super) use system::{available, delete, read, write};

#[cfg(all(feature = "keyring", not(test)))]
mod system {
    use keyring::{Entry, Error};

    use super::{Path, io};

    /// Whether there is a keyring to ask.
    pub(in crate::auth) fn available() -> io::Result<()> {
        apart(|| match Entry::store_status() {
            Ok(()) => Ok(()),
            Err(error) => Err(told(error)),
        })
    }

    pub(in crate::auth) fn read(marker: &Path) -> io::Result<Vec<u8>> {
        ask(marker, |entry| entry.get_secret())
    }

    pub(in crate::auth) fn write(marker: &Path, bytes: &[u8]) -> io::Result<()> {
        ask(marker, |entry| entry.set_secret(bytes))
    }

    pub(in crate::auth) fn delete(marker: &Path) -> io::Result<()> {
        ask(marker, |entry| match entry.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            done => done,
        })
    }

    fn ask<T: Send>(
        marker: &Path,
        what: impl FnOnce(Entry) -> keyring::Result<T> + Send,
    ) -> io::Result<T> {
        available()?;
        let account = marker.parent().unwrap_or(marker).display().to_string();
        apart(|| {
            Entry::new("codexway", &account).and_then(what).map_err(|error| match error {
                Error::NoEntry => io::ErrorKind::NotFound.into(),
                error => told(&error),
            })
        })
    }

    /// Some of the errors hold what was read; their text does not.
    fn told(error: &Error) -> io::Error {
        io::Error::other(format!("the keyring: {error}"))
    }

    /// Runs on a thread of its own, since the keyring's client waits for its own runtime, which
    /// must not happen on a thread of ours. One login is read or written at a time, and rarely.
    fn apart<T: Send>(what: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        std::thread::scope(|scope| scope.spawn(what).join())
            .unwrap_or_else(|_| Err(io::Error::other("the keyring's client gave up")))
    }
}

#[cfg(not(any(test, feature = "keyring")))]
mod missing {
    use super::{Path, io};

    pub(in crate::auth) fn available() -> io::Result<()> {
        Err(unsupported())
    }

    pub(in crate::auth) fn read(_marker: &Path) -> io::Result<Vec<u8>> {
        Err(unsupported())
    }

    pub(in crate::auth) fn write(_marker: &Path, _bytes: &[u8]) -> io::Result<()> {
        Err(unsupported())
    }

    pub(in crate::auth) fn delete(_marker: &Path) -> io::Result<()> {
        Err(unsupported())
    }

    fn unsupported() -> io::Error {
        io::Error::new(
            io::ErrorKind::Unsupported,
            "this build of codexway knows no keyring (it was made without the feature `keyring`)",
        )
    }
}

/// What tests use in the keyring's place.
#[cfg(test)]
mod memory {
    use std::collections::HashMap;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use super::{Path, io};

    static KEPT: Mutex<Option<HashMap<PathBuf, Vec<u8>>>> = Mutex::new(None);

    fn with<T>(ask: impl FnOnce(&mut HashMap<PathBuf, Vec<u8>>) -> T) -> T {
        ask(KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert_default())
    }

    pub(in crate::auth) fn available() -> io::Result<()> {
        Ok(())
    }

    pub(in crate::auth) fn read(marker: &Path) -> io::Result<Vec<u8>> {
        with(|kept| kept.get(marker).cloned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Refuses in a folder that holds a file called `no-keyring`.
    pub(in crate::auth) fn write(marker: &Path, bytes: &[u8]) -> io::Result<()> {
        if marker.with_file_name("no-keyring").exists() {
            return Err(io::Error::other("no keyring runs"));
        }
        with(|kept| kept.insert(marker.to_owned(), bytes.to_owned()));
        Ok(())
    }

    pub(in crate::auth) fn delete(marker: &Path) -> io::Result<()> {
        with(|kept| kept.remove(marker));
        Ok(())
    }
}
