//! A request with what goes beside it.

use http::HeaderMap;

use super::{Item, Request};

/// One request and whom it belongs to.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    pub request: Request,
    pub conversation: Conversation,
    /// Whether the request has the "Responses Lite" shape: its tools stand in its input.
    pub lite: bool,
    /// The headers of the official client that belong to the turn and may pass on.
    pub headers: HeaderMap,
}

impl Turn {
    /// The same turn without anything encrypted that the backend gave out earlier; `None` when
    /// there is nothing of the kind.
    #[must_use]
    pub fn unsealed(&self) -> Option<Self> {
        let is_sealed = |item: &Item| {
            item.json().get().contains(r#""encrypted_content""#)
                && matches!(item.head().kind.as_deref(), Some("reasoning" | "compaction"))
        };
        if !self.request.input.iter().any(is_sealed) {
            return None;
        }
        let mut turn = self.clone();
        turn.request.input.retain(|item| !is_sealed(item));
        Some(turn)
    }
}

/// The names under which the backend keeps a conversation's prefix in its cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Sent as `session-id`; what pins the conversation to the machine that remembers it.
    pub session: String,
    /// Sent as `thread-id` and `x-client-request-id`.
    pub thread: String,
}
