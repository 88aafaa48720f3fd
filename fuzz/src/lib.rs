//! What the fuzz targets run: the functions that the property tests run too.

use serde::Deserialize;
use serde_json::value::RawValue;

#[path = "../../tests/harness/mod.rs"]
mod harness;

/// A stream of bytes as frames.
pub fn sse(bytes: &[u8]) {
    harness::sse(bytes);
}

/// The body of a chat request.
pub fn chat_decode(bytes: &[u8]) {
    harness::chat_decode(unwrapped(bytes));
}

/// The body of a responses request.
pub fn responses_decode(bytes: &[u8]) {
    harness::responses_decode(unwrapped(bytes));
}

/// The body of a request to make a conversation shorter.
pub fn compact_decode(bytes: &[u8]) {
    harness::compact_decode(unwrapped(bytes));
}

/// An upstream's stream, cut short and with its calls mended and shown.
pub fn shape(bytes: &[u8]) {
    harness::shape(bytes);
}

/// A file of settings.
pub fn config(bytes: &[u8]) {
    harness::config(bytes);
}

/// A file with a login.
pub fn auth_json(bytes: &[u8]) {
    harness::auth_json(bytes);
}

/// An upstream's stream, for a chat client.
pub fn chat_encode(bytes: &[u8]) {
    harness::chat_encode(bytes);
}

/// An upstream's stream, for a responses client.
pub fn responses_encode(bytes: &[u8]) {
    harness::responses_encode(bytes);
}

/// The body of a request as the fixtures hold it, with what was around it; of anything else, all.
fn unwrapped(bytes: &[u8]) -> &[u8] {
    #[derive(Deserialize)]
    struct Recorded<'a> {
        #[serde(borrow)]
        body: &'a RawValue,
    }
    serde_json::from_slice::<Recorded<'_>>(bytes)
        .map_or(bytes, |recorded| recorded.body.get().as_bytes())
}
