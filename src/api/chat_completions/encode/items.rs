//! The items under way, and what has been said of each.

use crate::{
    api::chat_completions::pen::Call,
    protocol::{Malformed, Piece, Words},
};

/// How much of a call's payload is kept that comes before the call, in bytes.
const MAX_EARLY: usize = 16 * 1024 * 1024;

/// The items under way, by their `output_index`.
#[derive(Debug, Default)]
pub(super) struct Items(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    index: u64,
    state: State,
    /// Its end has come, so all of it has been said.
    done: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Message(Message),
    /// A call, and whether any of its payload has been sent.
    Call {
        call: Call,
        written: bool,
    },
    Reasoning {
        written: bool,
    },
    /// The payload of a call of which neither id nor name have been told yet.
    Early(Words),
    /// Nothing that this dialect shows.
    Hidden,
}

/// A message, and what of it has been sent.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// The parts of which anything has been.
    parts: Vec<u64>,
    /// Whether any of that is content.
    pub(super) spoke: bool,
}

impl Message {
    /// Takes note of a piece; whether there is anything in it that has not been said.
    pub(super) fn has_news(&mut self, piece: &Piece<'_>) -> bool {
        if self.parts.contains(&piece.part) {
            return !piece.whole;
        }
        if piece.whole || !piece.is_empty() {
            self.parts.push(piece.part);
        }
        // All of an empty text may have been said by a piece that is as empty.
        !(piece.whole && piece.is_empty() && self.spoke)
    }
}

impl State {
    /// Whether it can be that of an item of that kind.
    fn fits(&self, kind: Option<&str>) -> bool {
        match self {
            Self::Message(_) => kind == Some("message"),
            Self::Call { .. } => matches!(kind, Some("function_call" | "custom_tool_call")),
            Self::Reasoning { .. } => kind == Some("reasoning"),
            Self::Early(_) => false,
            Self::Hidden => true,
        }
    }
}

impl Items {
    /// The state of the item at `index`; one that was never announced begins as `fresh`.
    pub(super) fn state(&mut self, index: u64, fresh: impl FnOnce() -> State) -> &mut State {
        let at = self.0.iter().position(|entry| entry.index == index).unwrap_or_else(|| {
            self.0.push(Entry { index, state: fresh(), done: false });
            self.0.len() - 1
        });
        &mut self.0[at].state
    }

    /// An item is announced. One that goes on already is not begun again.
    pub(super) fn begin(&mut self, index: u64, state: State) {
        match self.0.iter_mut().find(|entry| entry.index == index) {
            Some(entry) if !entry.done && is_alike(&entry.state, &state) => {}
            Some(entry) => *entry = Entry { index, state, done: false },
            None => self.0.push(Entry { index, state, done: false }),
        }
    }

    pub(super) fn end(&mut self, index: u64) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.index == index) {
            entry.done = true;
        }
    }

    /// Whether the item at `index` is known, and as one of that kind.
    pub(super) fn fits(&self, index: u64, kind: Option<&str>) -> bool {
        self.get(index).is_some_and(|entry| entry.state.fits(kind))
    }

    pub(super) fn is_known(&self, index: u64) -> bool {
        self.get(index).is_some_and(Entry::is_known)
    }

    pub(super) fn is_done(&self, index: u64) -> bool {
        self.get(index).is_some_and(|entry| entry.done)
    }

    pub(super) fn is_call(&self, index: u64) -> bool {
        let is_call = |entry: &Entry| !entry.done && matches!(entry.state, State::Call { .. });
        self.get(index).is_some_and(is_call)
    }

    pub(super) fn n_known(&self) -> usize {
        self.0.iter().filter(|entry| entry.is_known()).count()
    }

    /// What came of a call's payload before the call did.
    pub(super) fn take_early(&mut self, index: u64) -> Option<Words> {
        let entry = self.0.iter_mut().find(|entry| entry.index == index)?;
        match &mut entry.state {
            State::Early(words) => Some(std::mem::take(words)),
            _ => None,
        }
    }

    /// The functions that are called without a word about their arguments.
    pub(super) fn silent_calls(&self) -> Vec<Call> {
        let silent = |entry: &Entry| match entry.state {
            State::Call { call, written: false } if !call.custom => Some(call),
            _ => None,
        };
        self.0.iter().filter_map(silent).collect()
    }

    fn get(&self, index: u64) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.index == index)
    }
}

impl Entry {
    const fn is_known(&self) -> bool {
        !matches!(self.state, State::Early(_))
    }
}

fn is_alike(state: &State, other: &State) -> bool {
    std::mem::discriminant(state) == std::mem::discriminant(other)
}

/// Keeps a piece of a payload whose call has not come.
pub(super) fn keep(words: &mut Words, piece: &Piece<'_>) -> Result<(), Malformed> {
    words.add(piece);
    match words.len() > MAX_EARLY {
        true => Err(Malformed::new("a call's arguments come without the call")),
        false => Ok(()),
    }
}
