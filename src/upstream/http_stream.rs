//! The events of a turn over HTTP.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde::Deserialize;

use super::{Error, Events, failure};
use crate::{
    protocol::{Event, Kind},
    sse::{Decoder, MAX_FRAME},
};

/// Follows the answer to its last event. Silence longer than `idle` is an error, and so is an end
/// without a last event.
pub(super) fn events(response: reqwest::Response, idle: Duration) -> Events {
    let mut body = reqwest::Body::from(response);
    async_stream::try_stream! {
        let mut decoder = Decoder::new(MAX_FRAME);
        loop {
            while let Some(frame) = decoder.next().map_err(|error| Error::Garbled(error.to_string()))? {
                let Some(event) = read(frame)? else { continue };
                let last = event.kind.is_terminal();
                yield event;
                if last {
                    return;
                }
            }
            let frame = tokio::time::timeout(idle, body.frame())
                .await
                .map_err(|_| Error::TimedOut(idle))?;
            match frame {
                Some(Ok(frame)) => {
                    if let Some(chunk) = frame.data_ref() {
                        decoder.push(chunk);
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "the upstream broke off");
                    break;
                }
                None => break,
            }
        }
        let last = decoder.finish().and_then(|frame| read(frame).ok().flatten());
        match last {
            Some(event) if event.kind.is_terminal() => yield event,
            _ => Err(Error::Truncated)?,
        }
    }
    .boxed()
}

/// One frame as an event; `None` for the `[DONE]` that some relays add.
fn read(frame: crate::sse::Frame) -> Result<Option<Event>, Error> {
    if frame.data == "[DONE]" {
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
        Some("failed") => Kind::Failed,
        _ => Kind::Completed,
    })
}
