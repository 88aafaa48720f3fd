//! Locks that other processes see too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::debug;

const POLL: Duration = Duration::from_millis(20);

/// Takes a lock, or fails with `TimedOut`; `None` where the file system knows no locks.
///
/// `File::lock` would wait on a thread without end, and could not be given up.
pub(super) async fn lock(path: &Path, patience: Duration) -> io::Result<Option<File>> {
    let file = open_lock(path)?;
    give_to_owner_of(path.parent().unwrap_or(path), path);
    take(file, path, patience).await
}

/// The same with the folder itself, for where no file can be made.
pub(super) async fn lock_folder(folder: &Path, patience: Duration) -> io::Result<Option<File>> {
    take(File::open(folder)?, folder, patience).await
}

async fn take(file: File, path: &Path, patience: Duration) -> io::Result<Option<File>> {
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

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Root, in a container, must not take files away from the user whose folder it borrows.
#[cfg(unix)]
pub(super) fn give_to_owner_of(model: &Path, path: &Path) {
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
pub(super) fn give_to_owner_of(_model: &Path, _path: &Path) {}
