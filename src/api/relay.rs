//! The stream of a turn: the one place with a loop over events.

use std::{convert::Infallible, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout, timeout_at},
};

use super::Dialect;
use crate::{
    protocol::{Event, Kind},
    state::Witness,
    telemetry::TurnLog,
    upstream::{self, Events},
};

/// The most that is put into one write, in bytes, before it is handed to the socket.
const FULL: usize = 64 * 1024;

/// What goes along with a turn to its end, and is given back when its stream is dropped.
pub(super) struct Company {
    pub(super) log: TurnLog,
    pub(super) witness: Witness,
    pub(super) _place: OwnedSemaphorePermit,
}

/// The events up to the first that says something, or as many as came within `hold`.
///
/// While nothing has been said the status line has not been sent, so that an overload hidden
/// behind a 200 can still be a 503, which SDKs know how to try again.
///
/// # Errors
/// When the turn fails before anything was said.
pub(super) async fn lead(
    events: &mut Events,
    hold: Duration,
) -> Result<Vec<Event>, upstream::Error> {
    let until = Instant::now() + hold;
    let mut lead = Vec::with_capacity(3);
    loop {
        match timeout_at(until, events.next()).await {
            Err(_) => return Ok(lead),
            Ok(None) => return Err(upstream::Error::Truncated),
            Ok(Some(event)) => {
                let event = event?;
                if event.kind == Kind::Failed {
                    return Err(upstream::failed(&event));
                }
                let said = !event.kind.is_prelude();
                lead.push(event);
                if said {
                    return Ok(lead);
                }
            }
        }
    }
}

/// Writes the turn as it happens. What is ready together leaves together; nothing that is ready
/// waits. The stream always ends in the dialect's own way, well or badly.
pub(super) fn relay<D: Dialect>(
    mut dialect: D,
    lead: Vec<Event>,
    mut events: Events,
    keepalive: Duration,
    mut company: Company,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    async_stream::stream! {
        let mut out = BytesMut::new();
        if lead.last().is_none_or(|event| event.kind.is_prelude()) {
            dialect.keep_alive(&mut out); // The silence has lasted as long as a client is to bear it.
        }
        let mut lead = lead.into_iter();
        loop {
            let event = match lead.next() {
                Some(event) => Some(Ok(event)),
                // More that is ready goes into the same write; then what there is goes out.
                None if !out.is_empty() && out.len() < FULL => match events.next().now_or_never() {
                    Some(event) => event,
                    None => {
                        yield Ok(out.split().freeze());
                        continue;
                    }
                },
                None if !out.is_empty() => {
                    yield Ok(out.split().freeze());
                    continue;
                }
                None => match timeout(keepalive, events.next()).await {
                    Ok(event) => event,
                    Err(_) => {
                        dialect.keep_alive(&mut out);
                        continue;
                    }
                },
            };
            match step(&mut dialect, event, &mut out, &mut company) {
                Step::On => {}
                Step::End => break,
            }
        }
        yield Ok(out.freeze());
    }
}

enum Step {
    On,
    End,
}

fn step<D: Dialect>(
    dialect: &mut D,
    event: Option<Result<Event, upstream::Error>>,
    out: &mut BytesMut,
    company: &mut Company,
) -> Step {
    let written = match event {
        Some(Ok(event)) => {
            company.log.event(&event);
            company.witness.event(&event);
            dialect.encode(&event, out).map(|()| event.kind)
        }
        Some(Err(error)) => Err(error),
        None => Err(upstream::Error::Truncated),
    };
    match written {
        Ok(kind) if kind.is_terminal() => {
            company.log.finished();
            Step::End
        }
        Ok(_) => Step::On,
        Err(error) => {
            let error = D::told(error);
            company.log.failed(error.status.as_u16(), &error.message);
            dialect.fail(&error, out);
            Step::End
        }
    }
}
