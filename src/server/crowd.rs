//! The connections that are open, and which of them ask for nothing.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;

use crate::api::Connection;

/// All connections of a server. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    open: usize,
    /// Those between two requests, or before their first, from the one that is so the longest.
    waiting: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

impl Crowd {
    /// Takes a connection in, which may say nothing for as long as `silence` once it is a WebSocket.
    pub(super) fn enter(&self, silence: Duration) -> Guest {
        self.lock().open += 1;
        let (leave, at) = (Arc::default(), Mutex::new(At::Work));
        let seat = Arc::new(Seat { crowd: self.clone(), leave, at });
        seat.wait();
        Guest { seat, heard: AtomicU64::new(0), silence }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().open
    }

    /// Shows those out that have asked for nothing the longest: as many as `count`, if there are.
    pub(super) fn thin(&self, count: usize) {
        let mut inner = self.lock();
        for _ in 0..count {
            let Some((_, leave)) = inner.waiting.pop_first() else { break };
            leave.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, until it is dropped.
pub(super) struct Guest {
    seat: Arc<Seat>,
    /// How many bytes have come over it.
    heard: AtomicU64,
    silence: Duration,
}

struct Seat {
    crowd: Crowd,
    leave: Arc<Notify>,
    at: Mutex<At>,
}

/// What a connection is at.
#[derive(Clone, Copy)]
enum At {
    /// Waiting for a request, with its number among those that do.
    Rest(u64),
    /// A request, or the answer to it.
    Work,
    /// It has ended; its answer may still be let go of.
    End,
}

impl Seat {
    fn wait(&self) {
        let mut inner = self.crowd.lock();
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*at, At::Work) {
            let number = inner.next;
            inner.next += 1;
            inner.waiting.insert(number, Arc::clone(&self.leave));
            *at = At::Rest(number);
        }
    }

    fn turn_to(&self, next: At) {
        let mut inner = self.crowd.lock();
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if let At::Rest(number) = std::mem::replace(&mut *at, next) {
            inner.waiting.remove(&number);
        }
    }
}

impl Guest {
    /// Resolves when it has to go.
    pub(super) async fn shown_out(&self) {
        self.seat.leave.notified().await;
    }

    /// What makes it busy, from each of its requests to the end of the answer.
    pub(super) fn work(&self) -> Work {
        Work(Arc::clone(&self.seat))
    }

    /// So many bytes have come.
    pub(super) fn hear(&self, count: usize) {
        self.heard.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// What becomes a WebSocket stays one of the connections.
impl Connection for Guest {
    fn shown_out(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shown_out())
    }

    fn work(&self) -> Box<dyn Send> {
        Box::new(self.work().begin())
    }

    fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    fn silence(&self) -> Duration {
        self.silence
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.seat.turn_to(At::End);
        self.seat.crowd.lock().open -= 1;
    }
}

#[derive(Clone)]
pub(super) struct Work(Arc<Seat>);

impl Work {
    /// A request has come.
    pub(super) fn begin(&self) -> Busy {
        self.0.turn_to(At::Work);
        Busy(Arc::clone(&self.0))
    }
}

/// A request that is being served; when it is dropped, the next one is waited for.
pub(super) struct Busy(Arc<Seat>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.wait();
    }
}

impl Busy {
    /// The answer's body, with which the request ends.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Answer { body, _busy: self })
    }
}

struct Answer {
    body: Body,
    _busy: Busy,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
