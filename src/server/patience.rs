//! How long the server bears with a client that is slow, or only pretends to be one.

use std::time::Duration;

/// What a client may take of the server's time. A turn itself has no such limit.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, from the moment it is waited for.
    pub head: Duration,
    /// For a body, before it has to come at [`Patience::SLOWEST`] on the whole.
    pub body: Duration,
    /// For taking anything at all of what is sent to it.
    pub unread: Duration,
}

impl Patience {
    /// In bytes a second: far below any network that a conversation could be had over.
    pub const SLOWEST: u32 = 32 * 1024;
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            unread: Duration::from_mins(5),
        }
    }
}
