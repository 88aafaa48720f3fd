//! The stream of a turn: the one place with a loop over events.

use std::{
    any::Any,
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{
    FutureExt, Stream, StreamExt,
    stream::{BoxStream, select_all},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{Dialect, dialect::Flow, keep::Keeper, outer, prepare::Started};
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

/// The turns of one request as one stream, each event as it comes. A panic ends it as an error.
pub(super) fn side_by_side(turns: Vec<Events>) -> BoxStream<'static, Said> {
    let numbered = |(choice, events): (usize, Events)| {
        let events = AssertUnwindSafe(events).catch_unwind();
        let said = |event: Result<_, Box<dyn Any + Send>>| {
            event.unwrap_or_else(|panic| Err(fault(&*panic)))
        };
        events.map(move |event| (choice, said(event))).boxed()
    };
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

/// Logs and counts a panic, which is the fault of one turn and ends no other.
fn fault(panic: &(dyn Any + Send)) -> upstream::Error {
    outer::report(panic);
    upstream::Error::Internal
}

/// Writes one event; when it was the last, whether the turn ended well.
pub(super) fn step<D: Dialect>(
    dialect: &mut D,
    said: Option<Said>,
    out: &mut BytesMut,
    company: &mut Company,
) -> Option<bool> {
    let whole = out.len();
    let written = match said {
        Some((choice, Ok(event))) => {
            let write = || {
                company.log.event(&event);
                company.keeper.event(choice, &event);
                dialect.encode(choice, &event, out)
            };
            catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|panic| {
                out.truncate(whole);
                Err(fault(&*panic))
            })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{
        api::{Chat, Client, Decoded, Error},
        config::Protocol,
        protocol::{Object, Response},
        sse,
        state::State,
    };

    /// Fails at its second event, half-way through it.
    struct Clumsy {
        n_events: usize,
    }

    impl Dialect for Clumsy {
        const NAME: &'static str = "clumsy";
        const PROTOCOL: Protocol = Protocol::Auto;
        const INPUT: &'static str = "input";
        const CARRIES_REASONING: bool = true;

        type Other = Chat;

        fn decode(_: Object<'_>, _: &Client<'_>) -> Result<Decoded<Self>, Error> {
            unreachable!("nothing is read here")
        }

        fn streams(&self) -> bool {
            true
        }

        fn encode(
            &mut self,
            _: usize,
            _: &Event,
            out: &mut BytesMut,
        ) -> Result<Flow, upstream::Error> {
            self.n_events += 1;
            out.extend_from_slice(b"data: ");
            assert!(self.n_events < 2, "a slip");
            out.extend_from_slice(b"{}\n\n");
            Ok(Flow::On)
        }

        fn fail(&mut self, error: &Error, out: &mut BytesMut) {
            sse::write_data(out, &error.json());
        }

        fn reply(&mut self, _: Vec<Response>) -> Result<Bytes, upstream::Error> {
            unreachable!("it streams")
        }
    }

    fn event() -> Result<Event, upstream::Error> {
        let data = Bytes::from_static(br#"{"type":"response.output_text.delta"}"#);
        Ok(Event::parse(sse::Frame { event: Bytes::new(), data })?)
    }

    async fn told(events: Events) -> String {
        let state = Arc::new(State::default());
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let keeper = Keeper::new::<Clumsy>(&state, 1, None);
        let company = Company { log: TurnLog::default(), keeper, _place: place };
        let started =
            Started { headers: http::HeaderMap::new(), silent: false, events: vec![events] };
        let stream = relay(Clumsy { n_events: 0 }, started, Duration::from_secs(9), company);
        let parts: Vec<Bytes> = stream.map(|part| part.unwrap()).collect().await;
        String::from_utf8(parts.concat()).unwrap()
    }

    #[tokio::test]
    async fn a_panic_ends_a_stream_in_an_error_and_in_whole_events() {
        let encoding = told(stream::iter([event(), event(), event()]).boxed()).await;
        let reading = told(
            stream::iter([0, 1]).map(|at| if at == 0 { event() } else { panic!("a slip") }).boxed(),
        )
        .await;
        for told in [encoding, reading] {
            let (first, last) = told.split_once("\n\n").unwrap();
            assert_eq!(first, "data: {}");
            assert!(
                last.contains(r#""code":"internal_error""#) && last.ends_with("\n\n"),
                "{last}"
            );
            assert!(!last.contains("slip"), "{last}");
        }
    }
}
