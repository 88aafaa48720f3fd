//! A request with what goes beside it.

use http::HeaderMap;

use super::Request;

/// One request and whom it belongs to.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    pub request: Request,
    pub conversation: Conversation,
    /// Whether the request has the "Responses Lite" shape: its tools stand in its input.
    pub lite: bool,
    /// Whether it is the profile that wants a summary of the reasoning, and not the client: where
    /// there is none to be had it may be left out.
    pub summary_is_ours: bool,
    /// The headers of the official client that belong to the turn and may pass on.
    pub headers: HeaderMap,
    /// Why it has been sent again, each time.
    pub retries: Vec<&'static str>,
}

impl Turn {
    /// Leaves out everything encrypted that the backend gave out earlier; whether there was any.
    pub fn unseal(&mut self) -> bool {
        let before = self.request.input.len();
        self.request.input.retain(|item| {
            !(item.json().get().contains(r#""encrypted_content""#)
                && matches!(item.kind().as_deref(), Some("reasoning" | "compaction")))
        });
        self.request.input.len() < before
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
