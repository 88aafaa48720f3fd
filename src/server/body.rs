//! The body of a request, which has to come at a pace.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;

/// A body that ends in an error of the kind [`io::ErrorKind::TimedOut`] when it comes too slowly.
///
/// What counts is the pace on the whole and not the last pause: a client that sends one byte a
/// second would never pause for long.
pub(super) struct Paced {
    body: Incoming,
    began: Instant,
    patience: Duration,
    received: u64,
    /// Set while something is waited for.
    until: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn new(body: Incoming, patience: Duration) -> Self {
        Self { body, began: Instant::now(), patience, received: 0, until: None }
    }

    fn deadline(&self) -> Instant {
        let earned = Duration::from_secs(self.received / u64::from(Limits::SLOWEST));
        self.began + self.patience + earned
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                self.until = None;
                if let Some(Ok(frame)) = &frame {
                    self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                let deadline = self.deadline();
                let until = self.until.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                match until.as_mut().poll(context) {
                    Poll::Ready(()) => {
                        let slow = io::Error::new(io::ErrorKind::TimedOut, "it came too slowly");
                        Poll::Ready(Some(Err(slow.into())))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
