//! A file replaced whole: whoever reads it sees the old or the new, and so does who starts after
//! a crash at any step.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tracing::{debug, info};

use super::lock::give_to_owner_of;

/// What our temporary files begin with; the Codex CLI's begin with `.auth-`.
const PREFIX: &str = ".codexway-";

/// The steps of a replacement. A process may be killed behind each, and a disk be full at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begun,
    Created,
    Written,
    Synced,
    Renamed,
    Flushed,
}

/// Puts `bytes` into the place of what `file` holds. `version` tells which version of the file
/// they are for, should the process be killed on the way: see [`complete`].
///
/// Whoever calls it holds the locks, so other temporary files of ours are nobody's, and go.
pub(super) fn replace(file: &Path, bytes: &[u8], version: &str) -> io::Result<fs::Metadata> {
    let file = target(file)?;
    let folder = folder_of(&file);
    reached(Step::Begun, &file)?;
    sweep(folder);
    let mut new = temporary(folder, version)?;
    reached(Step::Created, &file)?;
    new.write_all(bytes)?;
    reached(Step::Written, &file)?;
    give_to_owner_of(if file.exists() { &file } else { folder }, new.path());
    new.as_file().sync_all()?;
    reached(Step::Synced, &file)?;
    let metadata = new.as_file().metadata()?;
    new.persist(&file).map_err(|error| error.error)?;
    reached(Step::Renamed, &file)?;
    flush(folder);
    reached(Step::Flushed, &file)?;
    Ok(metadata)
}

/// Whether [`replace`] could write so many bytes now.
///
/// # Errors
/// When it could not.
pub(super) fn rehearse(file: &Path, length: usize) -> io::Result<()> {
    let file = target(file)?;
    reached(Step::Begun, &file)?;
    let mut new = temporary(folder_of(&file), "try")?;
    reached(Step::Created, &file)?;
    new.write_all(&vec![b' '; length])?;
    reached(Step::Written, &file)?;
    new.as_file().sync_all()
}

/// Whether a killed process has left something behind that [`complete`] may end.
pub(super) fn is_broken_off(file: &Path, version: &str) -> bool {
    target(file).is_ok_and(|file| !temporaries(folder_of(&file), version).is_empty())
}

/// Removes what killed processes have left behind. Whoever calls it holds the locks.
pub(super) fn tidy(file: &Path) {
    if let Ok(file) = target(file) {
        sweep(folder_of(&file));
    }
}

/// Ends a replacement of this version of the file that a killed process has left behind; whether
/// there was one whose bytes are `sound`. Whoever calls it holds the locks.
pub(super) fn complete(file: &Path, version: &str, sound: impl Fn(&[u8]) -> bool) -> bool {
    let Ok(file) = target(file) else {
        return false;
    };
    let folder = folder_of(&file);
    for left in temporaries(folder, version) {
        if !fs::read(&left).is_ok_and(|bytes| sound(&bytes)) {
            continue;
        }
        // It may not have been synced before the process was killed.
        let done = File::open(&left).and_then(|left| left.sync_all());
        if done.and_then(|()| fs::rename(&left, &file)).is_ok() {
            flush(folder);
            info!("ended a write of `{}` that was broken off", file.display());
            return true;
        }
    }
    false
}

/// Where auth.json is a link, the file behind it is replaced and the link stays.
fn target(file: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(file.to_owned()),
        found => found,
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// With mode 0600.
fn temporary(folder: &Path, version: &str) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(&format!("{PREFIX}{version}-")).tempfile_in(folder)
}

fn temporaries(folder: &Path, version: &str) -> Vec<PathBuf> {
    let prefix = format!("{PREFIX}{version}");
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&prefix)) && path.is_file()
    };
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(ours).collect()
}

fn sweep(folder: &Path) {
    for left in temporaries(folder, "") {
        match fs::remove_file(&left) {
            Ok(()) => info!("removed `{}`, which a killed process had left", left.display()),
            Err(error) => debug!(%error, "could not remove `{}`", left.display()),
        }
    }
}

/// The new file is in place already; only a power cut could still bring the old one back.
fn flush(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        debug!(%error, "could not flush `{}`", folder.display());
    }
}

#[cfg(not(test))]
fn reached(_step: Step, _file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use faults::{reached, strike};

/// What tests let happen behind a step.
#[cfg(test)]
mod faults {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::{Path, PathBuf, Step, io};

    type Strike = Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>;

    static STRIKES: Mutex<Vec<(PathBuf, Strike)>> = Mutex::new(Vec::new());

    /// From now on `strike` is asked at each step of a write in this folder; the last word counts.
    pub(in crate::auth) fn strike(
        folder: &Path,
        strike: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static,
    ) {
        let folder = folder.canonicalize().expect("the folder of a test exists");
        let mut all = STRIKES.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| *known != folder);
        all.push((folder, Arc::new(strike)));
    }

    pub(in crate::auth) fn reached(step: Step, file: &Path) -> io::Result<()> {
        let all = STRIKES.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(folder, _)| file.starts_with(folder));
        let found = found.map(|(_, strike)| Arc::clone(strike));
        drop(all); // it may never come back
        found.map_or(Ok(()), |strike| strike(step))
    }
}
