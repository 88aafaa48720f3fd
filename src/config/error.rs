//! What is wrong with the settings, said so that the user can put it right.

use std::{fmt, path::PathBuf};

/// Why there are no settings. The text stands on its own; several faults take a line each.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}: {reason}", path.display())]
    Read { path: PathBuf, reason: String },
    #[error("both {} and {} exist; keep one of them", first.display(), second.display())]
    TwoFiles { first: PathBuf, second: PathBuf },
    #[error("{origin}: {reason}")]
    Syntax { origin: String, reason: String },
    #[error("{}", lines(.0))]
    Invalid(Vec<Fault>),
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The file, variable or flag that says so.
    pub origin: String,
    /// The dotted key.
    pub key: String,
    pub message: String,
}

impl Fault {
    pub(super) fn new(origin: &str, key: &str, message: String) -> Self {
        Self { origin: origin.to_owned(), key: key.to_owned(), message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}
