//! A request with what goes beside it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    pub retries: Retries,
}

/// Why a turn has been sent again, each time: shared between who sends it and who tells of it.
#[derive(Clone, Debug, Default)]
pub struct Retries(Arc<Mutex<Vec<&'static str>>>);

impl Retries {
    pub fn push(&self, reason: &'static str) {
        self.reasons().push(reason);
    }

    /// All of them, as in `overloaded,overloaded`; `None` where it was sent once.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let reasons = self.reasons();
        (!reasons.is_empty()).then(|| reasons.join(","))
    }

    fn reasons(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
