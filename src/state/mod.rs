//! What is kept between turns, of one account.

use std::{sync::Arc, time::Duration};

use crate::protocol::{Event, Item, Kind};

mod items;
mod kept;
mod sealed;
pub mod store;

pub use items::Items;
use sealed::Pending;
pub use sealed::Sealed;

/// What is kept of an account's turns.
#[derive(Debug)]
pub struct State {
    /// For dialects that have no room for reasoning.
    pub sealed: Sealed,
    /// For dialects that speak of items by id; `None` when nothing is to be stored.
    pub items: Option<Items>,
}

impl State {
    /// `stored` is how many bytes of items may be stored, and for how long.
    #[must_use]
    pub fn new(stored: Option<(usize, Duration)>) -> Self {
        let items = stored.map(|(max_bytes, max_age)| Items::new(max_bytes, max_age));
        Self { sealed: Sealed::default(), items }
    }
}

/// Watches a turn and keeps of it what the client's dialect will want again.
#[derive(Debug)]
pub struct Witness {
    state: Arc<State>,
    keeps: Keeps,
    pending: Pending,
}

/// What of a turn is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    Nothing,
    /// Reasoning, by the call it led to.
    Reasoning,
    /// Every item, by its id.
    Items,
}

impl Witness {
    #[must_use]
    pub const fn new(state: Arc<State>, keeps: Keeps) -> Self {
        Self { state, keeps, pending: Pending::new() }
    }

    /// Takes note of an event that goes by.
    pub fn event(&mut self, event: &Event) {
        #[derive(serde::Deserialize)]
        struct Done {
            item: Item,
        }
        if event.kind != Kind::ItemDone || self.keeps == Keeps::Nothing {
            return;
        }
        let Ok(Done { item }) = event.read() else { return };
        match self.keeps {
            Keeps::Nothing => {}
            Keeps::Reasoning => self.pending.item(&item, &self.state.sealed),
            Keeps::Items => {
                if let Some(items) = &self.state.items {
                    items.item(&item);
                }
            }
        }
    }
}
