//! Why something could not be kept, or found again.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Each message stands alone in front of a user: what is wrong, then what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// In bytes. What it builds on and what is still running count too, because none of them may
    /// make room for it.
    #[error(
        "too large to be kept: with what it builds on and what is still running it takes {bytes} bytes, and `[state] max_bytes` is {max_bytes}; raise that, or send `\"store\": false`"
    )]
    TooLarge { bytes: usize, max_bytes: usize },
    #[error(
        "no space is left for `{}`; free some, or set `[state] store = \"memory\"`",
        .file.display()
    )]
    Full { file: PathBuf },
    #[error(
        "`{}` is damaged: {why}; it was left where it is: move it away, and codexway begins a new one",
        .file.display()
    )]
    Damaged { file: PathBuf, why: String },
    #[error(
        "another process keeps its turns in `{}`; stop that one, or set `[state] store = \"memory\"` for this one",
        .file.display()
    )]
    Locked { file: PathBuf },
    #[error(
        "`{}` was written by another version of codexway (format {found}); run that version, or move the file away",
        .file.display()
    )]
    Version { file: PathBuf, found: u64 },
    #[error(
        "cannot use `{}`: {why}; check the file and its folder, or set `[state] store = \"memory\"`",
        .file.display()
    )]
    Unusable { file: PathBuf, why: String },
}

impl Error {
    pub(super) fn damaged(file: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), why: why.into() }
    }

    pub(super) fn unusable(file: &Path, why: impl Into<String>) -> Self {
        Self::Unusable { file: file.to_owned(), why: why.into() }
    }

    pub(super) fn io(file: &Path, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full { file: file.to_owned() }
            }
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                Self::damaged(file, error.to_string())
            }
            _ => Self::unusable(file, error.to_string()),
        }
    }

    pub(super) fn database(file: &Path, error: impl Into<redb::Error>) -> Self {
        let error = error.into();
        match &error {
            redb::Error::Io(error) => Self::io(file, error),
            redb::Error::DatabaseAlreadyOpen => Self::Locked { file: file.to_owned() },
            redb::Error::UpgradeRequired(found) => {
                Self::Version { file: file.to_owned(), found: u64::from(*found) }
            }
            redb::Error::Corrupted(_)
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. } => Self::damaged(file, error.to_string()),
            _ => Self::unusable(file, error.to_string()),
        }
    }
}
