//! One entry in the books.

use super::rows::{Name, Previous, Standing, UnitRow};

/// What is kept and dropped as a whole: a response, or a conversation with its items.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) name: Name,
    pub(super) previous: Previous,
    pub(super) standing: Standing,
    /// Never before anything that builds on it, so a chain grows old from its young end.
    pub(super) used: u64,
    /// How many units build on this one.
    pub(super) children: usize,
    pub(super) head: Part,
    pub(super) items: Vec<Part>,
}

/// One text of a unit, without the text.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) number: u64,
    pub(super) bytes: usize,
    pub(super) marks: Box<[u64]>,
}

impl Unit {
    /// Whether it may make room for others: an ancestor may not before its descendants, or a
    /// conversation would be cut in its middle, nor may a response that is still being written.
    pub(super) const fn is_idle(&self) -> bool {
        self.children == 0 && !matches!(self.standing, Standing::Running)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.head).chain(&self.items)
    }

    pub(super) fn bytes(&self) -> usize {
        self.parts().map(|part| part.bytes).sum()
    }

    /// What it builds on, and since when that is not unused.
    pub(super) fn link(&self) -> Option<(u64, u64)> {
        self.previous.unit().map(|parent| (parent, self.used))
    }

    pub(super) fn row(&self) -> UnitRow {
        UnitRow {
            name: self.name.clone(),
            previous: self.previous,
            standing: self.standing,
            used: self.used,
        }
    }
}
