//! The stream of a turn: the one place with a loop over events.

use std::{
    any::Any,
    convert::Infallible,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream, select_all},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{
    Dialect, Error,
    dialect::Flow,
    keep::Keeper,
    outer,
    prepare::Started,
    stopping::{Cut, stopped},
};
use crate::{
    protocol::Event,
    silence::Silence,
    telemetry::TurnLog,
    upstream::{self, Events},
};

/// The most that is put into one write, in bytes, before it is handed to the socket.
const FULL: usize = 64 * 1024;

/// Events that follow the last write as soon as this are a burst.
const BURST: Duration = Duration::from_micros(200);

/// How long the head of an answer waits for what follows it: for bytes that are here already and
/// have to be handed over, not for such that are still to come.
const HEAD_WAITS: Duration = Duration::from_millis(1);

/// How often to look for more in a burst. The server asks twice each time that it is its turn, so
/// with three the other task has had one.
const LOOKS: u8 = 3;

/// An event, or what went wrong instead, with the number of the choice it belongs to.
pub(super) type Said = (usize, Result<Event, upstream::Error>);

/// What goes along with a turn to its end, and is given back when its stream is dropped.
pub(super) struct Company {
    pub(super) log: TurnLog,
    pub(super) keeper: Keeper,
    /// Resolves when the server can wait no longer.
    pub(super) cut: Cut,
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
    dialect: D,
    started: Started,
    keepalive: Duration,
    company: Company,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let Started { events, silent, .. } = started;
    // What a stream of this kind holds by value it holds several times over.
    let mut relay = Box::new(Relay {
        dialect,
        events: side_by_side(events),
        company,
        silence: Silence::new(keepalive),
        out: BytesMut::new(),
        n_looks: 0,
        words: Words::None,
    });
    async_stream::stream! {
        if silent {
            // The silence has lasted as long as a client is to bear it.
            relay.dialect.keep_alive(&mut relay.out);
        }
        loop {
            match poll_fn(|context| relay.poll(context)).await {
                None => yield Ok(relay.out.split().freeze()),
                Some(well) => {
                    // What is not wanted any more need not be run.
                    relay.events = stream::pending().boxed();
                    relay.company.keeper.ended(&mut relay.dialect, well).await;
                    yield Ok(relay.out.split().freeze());
                    break;
                }
            }
        }
    }
}

/// The stream as a body whose first bytes are there, where they are on their way: they leave
/// together with the head then, in one write.
pub(super) async fn body(
    stream: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Body {
    let mut stream = Box::pin(stream.peekable());
    let _ = timeout(HEAD_WAITS, stream.as_mut().peek()).await;
    Body::from_stream(stream)
}

/// A turn that is being written.
struct Relay<D> {
    dialect: D,
    events: BoxStream<'static, Said>,
    company: Company,
    /// Since the last event, or the last sign of life.
    silence: Silence,
    /// What has been written and not been sent.
    out: BytesMut,
    /// How often there has been nothing more since the last event.
    n_looks: u8,
    words: Words,
}

/// How far the model's words have come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    None,
    /// The first ones are in what is sent next.
    First,
    Sent,
}

impl<D: Dialect> Relay<D> {
    /// Writes all that is ready. Then there is something to send; `Some` when it was the last, and
    /// whether the turn ended well.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<bool>> {
        while self.out.len() < FULL {
            let Poll::Ready(said) = self.events.poll_next_unpin(context) else {
                if self.company.cut.poll(context).is_ready() {
                    fail(&mut self.dialect, &stopped(), &mut self.out, &mut self.company.log);
                    return Poll::Ready(Some(false));
                }
                if self.out.is_empty() {
                    ready!(self.silence.poll(context));
                    self.dialect.keep_alive(&mut self.out);
                } else if self.is_more_at_hand() {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                break;
            };
            if self.words == Words::None && said.as_ref().is_some_and(is_delta) {
                self.words = Words::First;
            }
            let well = step(&mut self.dialect, said, &mut self.out, &mut self.company);
            if well.is_some() {
                return Poll::Ready(well);
            }
            self.n_looks = 0;
        }
        if self.words == Words::First {
            self.words = Words::Sent;
        }
        self.silence.broken();
        Poll::Ready(None)
    }

    /// Whether to look once more before what there is goes out.
    ///
    /// Over HTTP/1 another task hands the upstream's bytes over, a piece at a time, and only while
    /// this one lets it run; each write of its own costs more than all else about an event. So in
    /// a burst, and only in one, that task is let run, as long as it brings something. The first
    /// words are what somebody waits for, so they never do.
    fn is_more_at_hand(&mut self) -> bool {
        self.n_looks += 1;
        self.words != Words::First && self.n_looks <= LOOKS && self.silence.age() < BURST
    }
}

fn is_delta((_, said): &Said) -> bool {
    said.as_ref().is_ok_and(|event| event.name.ends_with(b".delta"))
}

/// Logs and counts a panic, which is the fault of one turn and ends no other.
pub(super) fn fault(panic: &(dyn Any + Send)) -> upstream::Error {
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
            fail(dialect, &D::told(error), out, &mut company.log);
            Some(false)
        }
    }
}

/// Writes how the stream ends that has failed, and logs it.
pub(super) fn fail<D: Dialect>(
    dialect: &mut D,
    error: &Error,
    out: &mut BytesMut,
    log: &mut TurnLog,
) {
    error.log(log);
    dialect.fail(error, out);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{
        api::{Chat, Client, Decoded, Fields, Stopping},
        config::Protocol,
        protocol::Response,
        sse,
        state::State,
    };

    /// Fails half-way through an event.
    struct Clumsy {
        n_events: usize,
        slips_at: usize,
    }

    impl Dialect for Clumsy {
        const NAME: &'static str = "clumsy";
        const PROTOCOL: Protocol = Protocol::Auto;
        const INPUT: &'static str = "input";
        const CARRIES_REASONING: bool = true;

        type Other = Chat;

        fn decode(_: Fields<'_>, _: &Client<'_>) -> Result<Decoded<Self>, Error> {
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
            assert!(self.n_events < self.slips_at, "a slip");
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
        String::from_utf8(writes(events, 2).await.concat()).unwrap()
    }

    async fn writes(events: Events, slips_at: usize) -> Vec<Bytes> {
        let state = Arc::new(State::default());
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let keeper = Keeper::new::<Clumsy>(&state, 1, None);
        let cut = Stopping::default().cut();
        let company = Company { log: TurnLog::default(), keeper, cut, _place: place };
        let started =
            Started { headers: http::HeaderMap::new(), silent: false, events: vec![events] };
        let dialect = Clumsy { n_events: 0, slips_at };
        let stream = relay(dialect, started, Duration::from_secs(9), company);
        stream.map(|part| part.unwrap()).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_words_leave_at_once_and_a_burst_behind_them_together() {
        let (mut n_given, mut is_here) = (0, false);
        // Each is only there when it is looked for a second time.
        let events = stream::poll_fn(move |_| {
            is_here = !is_here;
            if !is_here {
                return Poll::Pending;
            }
            n_given += 1;
            Poll::Ready((n_given <= 4).then(event))
        });
        let sizes: Vec<usize> = writes(events.boxed(), usize::MAX)
            .await
            .iter()
            .map(|write| String::from_utf8_lossy(write).matches("data: {}\n\n").count())
            .collect();
        assert_eq!(sizes, [1, 3]);
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
