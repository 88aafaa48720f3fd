//! The events of a turn over HTTP.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use http_body::Body as _;
use serde::Deserialize;

use super::{Error, Events, failure};
use crate::{
    protocol::{Event, Kind},
    silence::Silence,
    sse::{Decoder, MAX_FRAME},
};

/// Follows the answer to its last event. Silence longer than `idle` is an error, and so is an end
/// without a last event.
pub(super) fn events(response: reqwest::Response, idle: Duration) -> Events {
    Box::pin(Answer {
        body: response.into(),
        decoder: Decoder::new(MAX_FRAME),
        silence: Silence::new(idle),
        idle,
        is_over: false,
    })
}

/// An answer that is being read. All that has arrived can be had without waiting.
struct Answer {
    body: reqwest::Body,
    decoder: Decoder,
    silence: Silence,
    idle: Duration,
    is_over: bool,
}

impl Stream for Answer {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let next = ready!(self.poll_event(context));
        self.is_over = next.as_ref().map_or(true, |event| event.kind.is_terminal());
        Poll::Ready(Some(next))
    }
}

impl Answer {
    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Error>> {
        loop {
            while let Some(frame) =
                self.decoder.next().map_err(|error| Error::Garbled(error.to_string()))?
            {
                if let Some(event) = read(frame)? {
                    return Poll::Ready(Ok(event));
                }
            }
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.silence.broken();
                    if let Some(chunk) = frame.data_ref() {
                        self.decoder.push(chunk);
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(%error, "the upstream broke off");
                    return Poll::Ready(self.rest());
                }
                Poll::Ready(None) => return Poll::Ready(self.rest()),
                Poll::Pending => {
                    ready!(self.silence.poll(context));
                    return Poll::Ready(Err(Error::TimedOut(self.idle)));
                }
            }
        }
    }

    /// The event that the answer ended in, without the blank line behind it.
    fn rest(&mut self) -> Result<Event, Error> {
        let last = self.decoder.finish().and_then(|frame| read(frame).ok().flatten());
        last.filter(|event| event.kind.is_terminal()).ok_or(Error::Truncated)
    }
}

/// One frame as an event; `None` for what relays add: a `[DONE]`, and signs of life.
fn read(frame: crate::sse::Frame) -> Result<Option<Event>, Error> {
    let says_nothing = matches!(frame.data.trim_ascii(), b"" | b"[DONE]");
    if says_nothing || frame.event == "ping" {
        return Ok(None);
    }
    settled(Event::parse(frame)?).map(Some)
}

/// The event under the name that it has for all others.
///
/// # Errors
/// When it says that the turn has failed.
pub(super) fn settled(mut event: Event) -> Result<Event, Error> {
    match event.kind {
        Kind::Error => Err(failure::of_event(&event)),
        // Another name for the end, whose kind is then in the status.
        Kind::Done => {
            event.kind = done_as(&event)?;
            event.name = Bytes::from_static(event.kind.name().unwrap_or_default().as_bytes());
            Ok(event)
        }
        _ => Ok(event),
    }
}

fn done_as(event: &Event) -> Result<Kind, Error> {
    #[derive(Deserialize)]
    struct Done {
        response: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        status: Option<String>,
    }
    let done: Done = event.read()?;
    Ok(match done.response.status.as_deref() {
        Some("incomplete") => Kind::Incomplete,
        Some("failed" | "cancelled") => Kind::Failed,
        _ => Kind::Completed,
    })
}
