//! What the books look like in the file.

use serde::{Deserialize, Serialize};

use super::{age::Age, content::Content};

/// A name is good within its scope and its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub(super) struct Name {
    pub(super) scope: String,
    pub(super) kind: Kind,
    pub(super) id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Response,
    Conversation,
}

impl Name {
    pub(super) fn response(scope: &str, id: &str) -> Self {
        Self { scope: scope.to_owned(), kind: Kind::Response, id: id.to_owned() }
    }

    pub(super) fn conversation(scope: &str, id: &str) -> Self {
        Self { scope: scope.to_owned(), kind: Kind::Conversation, id: id.to_owned() }
    }
}

/// What a unit builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Previous {
    None,
    Unit(u64),
    /// Something that was not there when the unit was kept.
    Lost,
}

impl Previous {
    pub(super) const fn unit(self) -> Option<u64> {
        match self {
            Self::Unit(number) => Some(number),
            Self::None | Self::Lost => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    Kept,
    /// It is being written by this process.
    Running,
    /// It was being written by a process that has ended.
    Stranded,
    /// Its client has deleted it, and something still builds on it.
    Deleted,
}

impl Standing {
    pub(super) const fn reopened(self) -> Self {
        match self {
            Self::Running => Self::Stranded,
            Self::Kept | Self::Stranded | Self::Deleted => self,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct UnitRow {
    #[serde(flatten)]
    pub(super) name: Name,
    pub(super) previous: Previous,
    pub(super) standing: Standing,
    pub(super) used: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PartRow {
    pub(super) unit: u64,
    /// Whether it is the unit's own text, and not an item of a conversation.
    pub(super) head: bool,
    pub(super) bytes: usize,
    pub(super) marks: Box<[u64]>,
}

/// All rows of a file, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) age: Age,
    pub(super) units: Vec<(u64, UnitRow)>,
    pub(super) parts: Vec<(u64, PartRow)>,
}

/// What one commit changes.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) age: Age,
    /// Without a row it is gone.
    pub(super) units: Vec<(u64, Option<UnitRow>)>,
    /// Parts that are gone.
    pub(super) gone: Vec<u64>,
    pub(super) parts: Vec<(u64, PartRow, Content)>,
}

impl Change {
    pub(super) const fn is_empty(&self) -> bool {
        self.units.is_empty() && self.gone.is_empty() && self.parts.is_empty()
    }
}
