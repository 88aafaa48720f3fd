//! Finished items, for clients that send back no more than their ids.

use std::{sync::Arc, time::Duration};

use super::kept::Kept;
use crate::protocol::Item;

/// The items of one account's answers, by id.
#[derive(Debug)]
pub struct Items(Kept);

impl Items {
    /// `max_bytes` is of JSON.
    #[must_use]
    pub fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self(Kept::new(max_bytes, max_age))
    }

    /// The item of that id, as the backend takes it back.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Item> {
        self.0.get(id)?.first().cloned()
    }

    pub(super) fn item(&self, item: &Item) {
        let Ok(mut members) = item.members() else { return };
        let Some(id) = members.str("id").map(std::borrow::Cow::into_owned) else { return };
        members.remove("id");
        members.remove("status");
        self.0.put(id, Arc::new([Item::new(&members)]));
    }
}
