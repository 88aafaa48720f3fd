//! The stream of a turn: the one place with a loop over events.

use std::{convert::Infallible, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{
    FutureExt, Stream, StreamExt,
    stream::{BoxStream, select_all},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{Dialect, dialect::Flow, keep::Keeper, prepare::Started};
use crate::{
    protocol::Event,
    telemetry::TurnLog,
    upstream::{self, Events},
};

/// The most that is put into one write, in bytes, before it is handed to the socket.
const FULL: usize = 64 * 1024;

/// An event, or what went wrong instead, with the number of the choice it belongs to.
pub(super) type Said = (usize, Result<Event, upstream::Error>);

/// What goes along with a turn to its end, and is given back when its stream is dropped.
pub(super) struct Company {
    pub(super) log: TurnLog,
    pub(super) keeper: Keeper,
    pub(super) _place: OwnedSemaphorePermit,
}

/// The turns of one request as one stream, each event as it comes.
pub(super) fn side_by_side(turns: Vec<Events>) -> BoxStream<'static, Said> {
    let numbered =
        |(choice, events): (usize, Events)| events.map(move |event| (choice, event)).boxed();
    let mut turns: Vec<_> = turns.into_iter().enumerate().map(numbered).collect();
    match turns.len() {
        1 => turns.remove(0),
        _ => select_all(turns).boxed(),
    }
}

/// Writes the turn as it happens. What is ready together leaves together; nothing that is ready
/// waits. The stream always ends in the dialect's own way, well or badly.
pub(super) fn relay<D: Dialect>(
    mut dialect: D,
    started: Started,
    keepalive: Duration,
    mut company: Company,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let mut events = side_by_side(started.events);
    async_stream::stream! {
        let mut out = BytesMut::new();
        if started.silent {
            dialect.keep_alive(&mut out); // The silence has lasted as long as a client is to bear it.
        }
        loop {
            let said = if out.is_empty() {
                match timeout(keepalive, events.next()).await {
                    Ok(said) => said,
                    Err(_) => {
                        dialect.keep_alive(&mut out);
                        continue;
                    }
                }
            } else {
                // More that is ready goes into the same write; then what there is goes out.
                let ready = if out.len() < FULL { events.next().now_or_never() } else { None };
                match ready {
                    Some(said) => said,
                    None => {
                        yield Ok(out.split().freeze());
                        continue;
                    }
                }
            };
            if let Some(well) = step(&mut dialect, said, &mut out, &mut company) {
                drop(events); // What is not wanted any more need not be run.
                company.keeper.ended(&mut dialect, well).await;
                break;
            }
        }
        yield Ok(out.freeze());
    }
}

/// Writes one event; when it was the last, whether the turn ended well.
pub(super) fn step<D: Dialect>(
    dialect: &mut D,
    said: Option<Said>,
    out: &mut BytesMut,
    company: &mut Company,
) -> Option<bool> {
    let written = match said {
        Some((choice, Ok(event))) => {
            company.log.event(&event);
            company.keeper.event(choice, &event);
            dialect.encode(choice, &event, out)
        }
        Some((_, Err(error))) => Err(error),
        None => Err(upstream::Error::Truncated),
    };
    match written {
        Ok(Flow::On) => None,
        Ok(Flow::End) => {
            company.log.finished();
            Some(true)
        }
        Err(error) => {
            let error = D::told(error);
            company.log.failed(error.status.as_u16(), &error.message);
            dialect.fail(&error, out);
            Some(false)
        }
    }
}
