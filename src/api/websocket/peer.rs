//! The client at the other end of a WebSocket: what it says and is told, whether it is there, and
//! how we part.

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use yawc::{
    WebSocket,
    close::CloseCode,
    frame::{Frame, OpCode},
};

use super::Place;

/// How long a client may take to hear that it has to go. Whoever closes a connection over which
/// something still comes resets it, and what was told last might be lost with that.
const FAREWELL: Duration = Duration::from_secs(1);

/// The client has left; or it has to, and is told so with a code.
pub(super) struct Gone(pub(super) Option<CloseCode>);

pub(super) struct Peer<S> {
    socket: WebSocket<S>,
    /// Unknown where no server of ours has made the connection.
    presence: Option<Presence>,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Peer<S> {
    pub(super) fn new(socket: WebSocket<S>, place: Option<Place>) -> Self {
        Self { socket, presence: place.map(Presence::new) }
    }

    /// The next message of a client that asks for nothing meanwhile, and makes room for others.
    pub(super) async fn asked(&mut self) -> Result<Bytes, Gone> {
        let place = self.presence.as_ref().map(|presence| presence.place.clone());
        tokio::select! {
            biased;
            message = self.message() => message,
            () = shown_out(place.as_ref()) => {
                tracing::debug!("a WebSocket that asked for nothing had to go");
                Err(Gone(Some(CloseCode::Away)))
            }
        }
    }

    /// The next message. Nothing is lost where it is not waited for to the end.
    pub(super) async fn message(&mut self) -> Result<Bytes, Gone> {
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.socket.next_frame() => frame.map_err(left)?,
                () = silent(self.presence.as_mut()) => {
                    self.ping().await?;
                    continue;
                }
            };
            match frame.opcode() {
                OpCode::Text | OpCode::Binary => return Ok(frame.into_payload()),
                OpCode::Close => return Err(Gone(None)),
                OpCode::Ping | OpCode::Pong | OpCode::Continuation => {}
            }
        }
    }

    /// Asks a silent client whether it is there, or lets it go that was asked before.
    async fn ping(&mut self) -> Result<(), Gone> {
        let Some(presence) = &mut self.presence else { return Ok(()) };
        if presence.is_asked {
            tracing::debug!("a WebSocket had to go whose client is not there any more");
            return Err(Gone(Some(CloseCode::Away)));
        }
        self.socket.feed(Frame::ping("")).await.map_err(left)?;
        presence.is_asked = true;
        self.flush().await
    }

    /// What makes it busy until it is dropped.
    pub(super) fn work(&self) -> Option<Box<dyn Send>> {
        self.presence.as_ref().map(|presence| presence.place.work())
    }

    /// Says something, with what is said next.
    pub(super) async fn feed(&mut self, text: impl Into<Bytes>) -> Result<(), Gone> {
        self.socket.feed(Frame::text(text)).await.map_err(left)
    }

    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        self.socket.flush().await.map_err(left)
    }

    pub(super) async fn send(&mut self, text: impl Into<Bytes>) -> Result<(), Gone> {
        self.feed(text).await?;
        self.flush().await
    }

    /// Parts with the client.
    pub(super) async fn end(mut self, Gone(told): Gone) {
        // Who does not listen is not waited for, and who has left cannot be told.
        let _ = timeout(FAREWELL, self.part(told)).await;
    }

    async fn part(&mut self, told: Option<CloseCode>) -> Result<(), yawc::WebSocketError> {
        let Some(code) = told else {
            // What is left to be said is why the connection ends; becoming ready says it.
            poll_fn(|cx| self.socket.poll_ready_unpin(cx)).await?;
            return self.socket.flush().await;
        };
        self.socket.send(Frame::close(code, "")).await?;
        while self.socket.next_frame().await?.opcode() != OpCode::Close {}
        Ok(())
    }
}

/// Whether the client is still there. A connection whose other end has vanished looks like one over
/// which nothing is said.
struct Presence {
    place: Place,
    looks: Interval,
    /// What had come by the last look. Bytes are counted, not messages: a large one may take long.
    heard: u64,
    /// Whether it has been pinged since something came.
    is_asked: bool,
}

impl Presence {
    fn new(place: Place) -> Self {
        let mut looks = interval_at(Instant::now() + place.silence(), place.silence());
        // A ping that was late has its whole time to be answered in.
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { heard: place.heard(), place, looks, is_asked: false }
    }
}

/// Resolves when nothing has come from one look to the next.
async fn silent(presence: Option<&mut Presence>) {
    let Some(presence) = presence else { return std::future::pending().await };
    loop {
        presence.looks.tick().await;
        let heard = presence.place.heard();
        if std::mem::replace(&mut presence.heard, heard) == heard {
            return;
        }
        presence.is_asked = false;
    }
}

async fn shown_out(place: Option<&Place>) {
    match place {
        Some(place) => place.shown_out().await,
        None => std::future::pending().await,
    }
}

fn left(_: yawc::WebSocketError) -> Gone {
    Gone(None)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use futures_util::future::{BoxFuture, pending};
    use tokio::io::{DuplexStream, duplex};
    use yawc::{Options, Role};

    use super::{super::Connection, *};

    const SILENCE: Duration = Duration::from_secs(30);

    /// A connection over which so many bytes have come.
    #[derive(Default)]
    struct Line(AtomicU64);

    impl Connection for Line {
        fn shown_out(&self) -> BoxFuture<'_, ()> {
            Box::pin(pending())
        }

        fn work(&self) -> Box<dyn Send> {
            Box::new(())
        }

        fn heard(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        fn silence(&self) -> Duration {
            SILENCE
        }
    }

    fn pair() -> (Peer<DuplexStream>, WebSocket<DuplexStream>, Arc<Line>) {
        let (ours, theirs) = duplex(4096);
        let socket =
            |stream, role| WebSocket::from_stream(stream, role, Options::default()).unwrap();
        let line = Arc::<Line>::default();
        let peer = Peer::new(socket(ours, Role::Server), Some(line.clone()));
        (peer, socket(theirs, Role::Client), line)
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_pinged_and_then_let_go() {
        let (mut peer, mut client, _line) = pair();
        let began = Instant::now();
        let Err(Gone(told)) = peer.message().await else { panic!("nothing was said") };
        assert_eq!((told, began.elapsed().as_secs()), (Some(CloseCode::Away), 60));
        peer.end(Gone(told)).await;
        for expected in [OpCode::Ping, OpCode::Close] {
            assert_eq!(client.next_frame().await.unwrap().opcode(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_a_ping_or_is_in_the_middle_of_a_message_stays() {
        let (mut peer, mut client, line) = pair();
        let answers = async {
            for _ in 0..3 {
                assert_eq!(client.next_frame().await.unwrap().opcode(), OpCode::Ping);
                line.0.fetch_add(6, Ordering::Relaxed);
            }
            // A message of which a part comes now and then.
            for _ in 0..10 {
                tokio::time::sleep(SILENCE / 2).await;
                line.0.fetch_add(1, Ordering::Relaxed);
            }
            client.send(Frame::text("hi")).await.unwrap();
        };
        let (message, ()) = tokio::join!(peer.message(), answers);
        assert_eq!(message.ok().unwrap(), "hi");
    }
}
