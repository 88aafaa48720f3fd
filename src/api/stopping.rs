//! That the server stops, for what runs on until it is told.

use std::future::pending;

use http::StatusCode;
use tokio::sync::watch;

use super::Error;

/// How far the server has come with stopping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    #[default]
    NotYet,
    /// Turns may end; what has no end of its own ends.
    Begun,
    /// Turns end too, each with an error.
    Due,
}

/// Tells a request of it. Cheap to clone. By default it is of no server, and nothing stops.
#[derive(Clone, Debug, Default)]
pub struct Stopping(Option<watch::Receiver<Stop>>);

impl Stopping {
    #[must_use]
    pub fn new(stop: watch::Receiver<Stop>) -> Self {
        Self(Some(stop))
    }

    /// Resolves when it has begun.
    pub(super) async fn begun(&mut self) {
        match &mut self.0 {
            // That the other side is gone says the same.
            Some(stop) => drop(stop.wait_for(|stop| *stop != Stop::NotYet).await),
            None => pending().await,
        }
    }

    /// Resolves when turns have to end.
    pub(super) async fn due(&mut self) {
        let is_due = match &mut self.0 {
            Some(stop) => stop.wait_for(|stop| *stop == Stop::Due).await.is_ok(),
            None => false,
        };
        if !is_due {
            pending().await // Nobody is there to say so, or not any more.
        }
    }
}

/// How a turn ends that the server cannot wait for any longer.
pub(super) fn stopped() -> Error {
    const MESSAGE: &str = "codexway was stopped before the answer was complete; send it again.";
    Error::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", MESSAGE).code("server_stopped")
}
