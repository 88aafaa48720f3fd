//! One connection to the backend.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use http::HeaderMap;
use tokio::time::{Instant as Deadline, timeout_at};
use yawc::{
    WebSocket,
    frame::{Frame, OpCode},
};

use super::known::Known;
use crate::{
    protocol::{Event, Kind},
    sse,
    upstream::{Error, codex::limits},
};

/// Its life is an hour; a turn that begins shortly before that still ends in it.
const LIFE: Duration = Duration::from_secs(55 * 60);

/// After this long at rest it may have been forgotten on the way without anybody saying so.
const DOUBTED_AFTER: Duration = Duration::from_secs(30);

/// How long a connection that is in doubt has to say anything at all.
const DOUBT: Duration = Duration::from_secs(10);

/// What is told of a turn, with the handshake where that is the first.
const OF_ONE_TURN: [&str; 2] = ["openai-model", "x-codex-turn-state"];

pub(super) struct Connection {
    socket: WebSocket<reqwest::Upgraded>,
    /// Whose it is.
    pub(super) account_id: String,
    /// What was said at its beginning, with the limits as they were last told.
    pub(super) received: HeaderMap,
    /// What it can go on from.
    pub(super) known: Option<Known>,
    /// Whether a turn has been answered over it.
    pub(super) is_proven: bool,
    opened: Instant,
    rested_since: Instant,
    /// It has been asked for a sign of life, and has given none yet.
    is_doubted: bool,
}

impl Connection {
    pub(super) fn new(
        socket: WebSocket<reqwest::Upgraded>,
        account_id: String,
        received: HeaderMap,
    ) -> Self {
        let now = Instant::now();
        Self {
            socket,
            account_id,
            received,
            known: None,
            is_proven: false,
            opened: now,
            rested_since: now,
            is_doubted: false,
        }
    }

    /// Between two turns: what was told of the one is not true of the next.
    pub(super) fn rests(&mut self) {
        for name in OF_ONE_TURN {
            self.received.remove(name);
        }
        self.rested_since = Instant::now();
    }

    /// Whether a turn may begin on it: it is not too old, and was not closed while it rested.
    pub(super) fn is_usable(&mut self) -> bool {
        if self.opened.elapsed() >= LIFE {
            return false;
        }
        while let Some(frame) = self.socket.next_frame().now_or_never() {
            match frame {
                Ok(frame) if frame.opcode() != OpCode::Close => self.note(&frame),
                _ => return false,
            }
        }
        true
    }

    /// Sends a message, and a question for a sign of life where one is in doubt.
    ///
    /// # Errors
    /// When the connection has ended, or nothing went out for as long as `idle`.
    pub(super) async fn send(&mut self, message: Vec<u8>, idle: Duration) -> Result<(), Error> {
        self.is_doubted = self.rested_since.elapsed() >= DOUBTED_AFTER;
        let sent = async {
            self.socket.feed(Frame::text(message)).await?;
            if self.is_doubted {
                self.socket.feed(Frame::ping("")).await?;
            }
            self.socket.flush().await
        };
        match tokio::time::timeout(idle, sent).await {
            Ok(sent) => sent.map_err(|error| broken(&error)),
            Err(_) => Err(Error::TimedOut(idle)),
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// When the connection has ended, or there is none for as long as `idle`.
    pub(super) async fn message(&mut self, idle: Duration) -> Result<Bytes, Error> {
        let until = Deadline::now() + idle;
        loop {
            let frame = match timeout_at(self.patience(until), self.socket.next_frame()).await {
                Ok(frame) => frame.map_err(|error| broken(&error))?,
                Err(_) if self.is_doubted => return Err(Error::Truncated),
                Err(_) => return Err(Error::TimedOut(idle)),
            };
            self.is_doubted = false;
            match frame.opcode() {
                OpCode::Text | OpCode::Binary => return Ok(frame.into_payload()),
                OpCode::Close => {
                    tracing::debug!(code = ?frame.close_code(), "the upstream closed its WebSocket");
                    return Err(Error::Truncated);
                }
                OpCode::Ping | OpCode::Pong | OpCode::Continuation => {}
            }
        }
    }

    fn patience(&self, until: Deadline) -> Deadline {
        if self.is_doubted { until.min(Deadline::now() + DOUBT) } else { until }
    }

    /// Takes note of what is said between turns.
    fn note(&mut self, frame: &Frame) {
        if frame.opcode() == OpCode::Text
            && let Ok(event) = event(frame.payload().clone())
            && event.kind == Kind::RateLimits
        {
            limits::update(&mut self.received, &event);
        }
    }
}

/// A message as an event.
pub(super) fn event(message: Bytes) -> Result<Event, Error> {
    Ok(Event::parse(sse::Frame { event: Bytes::new(), data: message })?)
}

fn broken(error: &yawc::WebSocketError) -> Error {
    tracing::debug!(%error, "the WebSocket to the upstream broke off");
    Error::Truncated
}
