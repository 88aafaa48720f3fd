//! That the server stops, for what runs on until it is told.

use std::{
    future::pending,
    task::{Context, Poll, Waker},
};

use futures_util::{FutureExt, future::BoxFuture};
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

/// The end that the server sets to a turn, for who looks for it at every event: as long as nobody
/// has said anything, a look takes no lock.
pub(super) struct Cut {
    news: Option<watch::Receiver<Stop>>,
    due: BoxFuture<'static, ()>,
    /// Who is woken by `due`.
    waker: Option<Waker>,
}

impl Stopping {
    pub(super) fn cut(&self) -> Cut {
        let mut stopping = self.clone();
        let due = async move { stopping.due().await };
        Cut { news: self.0.clone(), due: due.boxed(), waker: None }
    }
}

impl Cut {
    /// Resolves when turns have to end.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(news) = &self.news else { return Poll::Pending };
        let is_known = self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if is_known && news.has_changed().is_ok_and(|changed| !changed) {
            return Poll::Pending;
        }
        self.waker = Some(context.waker().clone());
        self.due.poll_unpin(context)
    }
}

/// How a turn ends that the server cannot wait for any longer.
pub(super) fn stopped() -> Error {
    const MESSAGE: &str = "codexway was stopped before the answer was complete; send it again.";
    Error::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", MESSAGE).code("server_stopped")
}
