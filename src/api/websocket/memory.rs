//! What a connection remembers of its last response, for clients that want nothing kept.

use serde_json::value::RawValue;

use crate::protocol::{Event, Item, ItemEvent, Kind};

/// A response that can be gone on from over this connection.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) id: String,
    /// All that led to it, and what it said.
    pub(super) items: Vec<Item>,
}

/// A response that is being told.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) items: Vec<Item>,
    /// Whether it is kept where everything is that is to be kept.
    pub(super) is_stored: bool,
}

impl Draft {
    /// Takes note of an event; yields what is to be remembered once that is all.
    pub(super) fn event(&mut self, event: &Event) -> Option<Memory> {
        match event.kind {
            Kind::ItemDone if !self.is_stored => {
                self.items.extend(event.read::<ItemEvent>().map(|told| told.item));
                None
            }
            Kind::Completed if !self.is_stored => {
                Some(Memory { id: event.response_id()?, items: std::mem::take(&mut self.items) })
            }
            _ => None,
        }
    }
}

/// The items of an input, which may be a text; `None` where it is neither that nor a list.
pub(super) fn items(input: &RawValue) -> Option<Vec<Item>> {
    if input.get().starts_with('"') {
        return Some(vec![Item::message("user", "input_text", input)]);
    }
    serde_json::from_str(input.get()).ok()
}
