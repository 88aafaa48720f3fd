//! What is kept between turns.

use std::sync::Arc;

use crate::protocol::{Event, ItemEvent, Kind};

mod kept;
mod sealed;
mod shelf;
pub mod store;

use sealed::Pending;
pub use sealed::Sealed;
pub use shelf::Shelf;
pub use store::{Conversation, Record, Store};

/// What is kept of one account's turns.
#[derive(Debug, Default)]
pub struct State {
    /// For dialects that have no room for reasoning.
    pub sealed: Sealed,
    /// For dialects that speak of responses and items by id; `None` when nothing is to be stored.
    pub shelf: Option<Shelf>,
}

/// Watches a turn and keeps the reasoning that its client cannot carry.
#[derive(Debug)]
pub struct Witness {
    state: Arc<State>,
    pending: Pending,
}

impl Witness {
    #[must_use]
    pub const fn new(state: Arc<State>) -> Self {
        Self { state, pending: Pending::new() }
    }

    /// Takes note of an event that goes by.
    pub fn event(&mut self, event: &Event) {
        if event.kind == Kind::ItemDone
            && let Ok(ItemEvent { item, .. }) = event.read()
        {
            self.pending.item(&item, &self.state.sealed);
        }
    }
}
