//! Writing into a client's file, and taking it back.
//!
//! What was there before lies beside the file; a record in our own folder says which file that is,
//! and what we made of it.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::client::File;
use crate::cli::files::{digest, put_by, replace};

/// What was done to a client's file.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    file: PathBuf,
    /// Where the file as it was is kept; `None` if there was none.
    before: Option<PathBuf>,
    /// The digest of what we wrote.
    written: String,
    /// Whether somebody else has changed the file between two writes of ours.
    changed: bool,
}

/// What writing came to.
#[derive(Debug)]
pub(super) struct Written {
    /// Not if it was all there.
    pub(super) changed: bool,
    /// Where the file as it was is kept.
    pub(super) before: Option<PathBuf>,
}

/// What taking it back came to.
#[derive(Debug)]
pub(super) struct Undone {
    pub(super) file: PathBuf,
    /// Whether there is a file again, or still.
    pub(super) restored: bool,
    /// Where the file is now that somebody had changed since.
    pub(super) kept: Option<PathBuf>,
}

/// Puts `ours` into the file at `place`. `secret` says that it holds a key.
///
/// # Errors
/// When the file cannot be read as what it is, something in it is in the way, or it cannot be
/// written. It is as it was then.
pub(super) fn write(
    records: &Path,
    name: &str,
    facts: &File,
    place: &Path,
    ours: &str,
    secret: bool,
) -> anyhow::Result<Written> {
    let old = match fs::read_to_string(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        read => Some(read.with_context(|| format!("read {}", place.display()))?),
    };
    let text = old.as_deref().unwrap_or_default();
    let new = facts.format.merge(text, ours, &facts.keep).map_err(|refusal| {
        anyhow::anyhow!(
            "{} is left as it is: {refusal}; hint: without `--write`, `codexway connect {name}` prints what belongs there",
            place.display()
        )
    })?;
    let record = recorded(records, name)?.filter(|record| record.file == place);
    if old.as_deref() == Some(&*new) {
        return Ok(Written { changed: false, before: record.and_then(|record| record.before) });
    }
    if old.is_some() && fs::metadata(place)?.permissions().readonly() {
        bail!("{} is read-only, and is left as it is", place.display());
    }
    let record = match (record, &old) {
        (Some(mut record), Some(old)) => {
            record.changed |= digest(old) != record.written;
            Record { written: digest(&new), ..record }
        }
        (_, old) => Record {
            file: place.to_owned(),
            before: match old {
                Some(_) => Some(put_by(place, "before-codexway")?),
                None => None,
            },
            written: digest(&new),
            changed: false,
        },
    };
    // First the record: a backup that nobody knows of could not be put back.
    let json = serde_json::to_string_pretty(&record)?;
    replace(&file_of(records, name), &json, true).context("keep a record of it")?;
    replace(place, &new, secret).with_context(|| format!("write {}", place.display()))?;
    Ok(Written { changed: true, before: record.before })
}

/// Puts back what was there before; `None` where nothing of ours is.
///
/// # Errors
/// When the backup cannot be put back.
pub(super) fn undo(records: &Path, name: &str) -> anyhow::Result<Option<Undone>> {
    let Some(record) = recorded(records, name)? else { return Ok(None) };
    let file = record.file;
    let kept = match fs::read_to_string(&file) {
        Ok(now) if record.changed || digest(&now) != record.written => {
            Some(put_by(&file, "with-codexway")?)
        }
        _ => None,
    };
    let restored = record.before.is_some();
    match record.before {
        Some(before) => {
            fs::rename(&before, &file).with_context(|| format!("put {} back", before.display()))?
        }
        None => match fs::remove_file(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.with_context(|| format!("remove {}", file.display()))?,
        },
    }
    fs::remove_file(file_of(records, name)).context("forget it")?;
    Ok(Some(Undone { file, restored, kept }))
}

fn file_of(records: &Path, name: &str) -> PathBuf {
    records.join(format!("{name}.json"))
}

fn recorded(records: &Path, name: &str) -> anyhow::Result<Option<Record>> {
    let file = file_of(records, name);
    let json = match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("read {}", file.display()))?,
    };
    serde_json::from_slice(&json).map(Some).with_context(|| format!("read {}", file.display()))
}
