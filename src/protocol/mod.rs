//! The one language spoken inside: the Responses API, as it came.
//!
//! What no code here reads stays the JSON text that arrived, so nothing unknown is lost and
//! nothing large is parsed into a tree.

mod draft;
mod event;
mod item;
mod json;
mod open;
mod piece;
mod reader;
mod request;
mod response;
mod turn;
mod usage;

pub use draft::Draft;
pub use event::{Event, Kind, Malformed};
pub use item::Item;
pub use json::{
    Object, last_half, on_one_line, raw, raw_str, whole_characters, with_whole_characters,
    without_halves,
};
pub use piece::{Piece, What, Words};
pub use reader::{
    Entries, Entry, List, MAX_COMMAS, MAX_DEPTH, entries, from_json, from_object, object_with,
    quickly,
};
pub use request::{Reasoning, Request, StreamOptions, Text};
pub use response::{Ending, Failure, Gather, ItemEvent, Outcome, Response};
pub use turn::{Conversation, Retries, Turn};
pub use usage::Usage;

/// Seconds since 1970, as `created_at` and its like have them.
#[must_use]
pub fn unix_now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}
