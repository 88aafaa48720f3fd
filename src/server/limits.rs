//! What clients may take of the server, so that some is left for others.

use std::time::Duration;

/// What clients may take of the server's time and sockets. A turn itself has no such limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the head of a request, from the moment it is waited for.
    pub head: Duration,
    /// For a body, before it has to come at [`Limits::SLOWEST`] on the whole.
    pub body: Duration,
    /// For taking anything at all of what is sent to it.
    pub unread: Duration,
    /// For saying anything at all over a WebSocket, before it is pinged, and then for an answer.
    pub silence: Duration,
    /// How many connections there may be before those go that have asked for nothing the longest.
    pub connections: usize,
}

impl Limits {
    /// In bytes a second: far below any network that a conversation could be had over.
    pub const SLOWEST: u32 = 32 * 1024;

    /// Those for a process that does nothing but serve. It is allowed as many open files as the
    /// system lets it have; half of them are kept for what is not a client: the turns' own
    /// connections above all.
    #[must_use]
    pub fn of_process() -> Self {
        Self { connections: open_files().unwrap_or(usize::MAX) / 2, ..Self::default() }
    }
}

/// How many files the process may have open, once it has asked for the most it can get.
#[cfg(unix)]
fn open_files() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    if raised { maximum } else { current }.and_then(|most| most.try_into().ok())
}

/// As many as there is memory for.
#[cfg(not(unix))]
fn open_files() -> Option<usize> {
    None
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            unread: Duration::from_mins(5),
            silence: Duration::from_secs(30),
            connections: usize::MAX,
        }
    }
}
