use uuid::Uuid;

use crate::simulator::random_text;

/// Ids of one response: all share their first half.
pub(super) struct Ids {
    shared: String,
    created: u64,
}

impl Ids {
    pub(super) fn new(created: u64) -> Self {
        Self { shared: hex(16), created }
    }

    /// `prefix_` and 50 hex digits: 16 of the response, `01`, the time, 24 of the item.
    pub(super) fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}01{:08x}{}", self.shared, self.created, hex(24))
    }

    pub(super) fn call_id() -> String {
        format!("call_{}", random_text(24))
    }
}

/// Pads a delta so that its length says nothing about its text.
pub(super) fn obfuscation(delta: &str) -> String {
    const STEP: usize = 16;
    let length = delta.chars().count();
    random_text(length.next_multiple_of(STEP) - length)
}

fn hex(digits: usize) -> String {
    let mut hex = Uuid::new_v4().simple().to_string();
    hex.truncate(digits);
    hex
}
