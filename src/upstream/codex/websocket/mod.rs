//! Turns over WebSockets: one connection for each running conversation, over which only what is new
//! is sent.
//!
//! A connection is never waited for: it is opened beside a turn that runs over HTTP, and the
//! conversation's next turn finds it. So no turn is the slower for it, and where there is no
//! WebSocket to be had nobody notices but the log. The setting `websocket` is for networks where
//! HTTP does not get through; with it each turn has to have its connection.
//!
//! Framing is done by yawc: the only library that is kept and has permessage-deflate with a window
//! that outlives a message, and it takes any stream, so that connecting remains the work of the
//! client that all else goes over.

mod beside;
mod connection;
mod dial;
mod exchange;
mod known;
mod message;
mod pool;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture};

use super::{Answer, Error};
use crate::{protocol::Turn, telemetry::metrics};
use beside::{Beside, Opening};
use connection::Connection;
pub(super) use dial::Dialer;
use exchange::{Failed, exchange};
use pool::{Place, Pool};

/// How long HTTP is used for everything after a connection could not be had.
const AVOIDED_FOR: Duration = Duration::from_secs(5 * 60);

/// A connection on its way.
type Dialled = BoxFuture<'static, Result<Box<Connection>, Error>>;

/// What a conversation finds again.
enum Rest {
    Open(Box<Connection>),
    /// A connection that was still being opened when the turn beside it had ended.
    Opening(Dialled),
}

/// The connections of an account.
pub(super) struct Sockets {
    dialer: Dialer,
    pool: Arc<Pool<Rest>>,
    avoided: Arc<Avoided>,
    idle_timeout: Duration,
}

/// Until when no connection is to be asked for.
#[derive(Default)]
struct Avoided(Mutex<Option<Instant>>);

/// How a turn goes on that no connection was there for.
pub(super) struct OverHttp(Option<Opening>);

impl Sockets {
    pub(super) fn new(dialer: Dialer, idle_timeout: Duration) -> Self {
        Self { dialer, pool: Arc::new(Pool::new()), avoided: Arc::default(), idle_timeout }
    }

    /// Runs the turn over its conversation's connection, if there is one.
    ///
    /// # Errors
    /// When the backend refuses the turn.
    pub(super) async fn run(&self, turn: &mut Turn) -> Result<Result<Answer, OverHttp>, Error> {
        if self.avoided.now() {
            return Ok(Err(OverHttp(None)));
        }
        let Some((place, found)) = self.pool.take(key(turn), Instant::now()) else {
            return Ok(Err(OverHttp(None)));
        };
        let opening = match found {
            Some(Rest::Open(connection)) => match self.usable(connection).await? {
                Some(connection) => return self.over(connection, place, turn).await,
                None => self.open(turn),
            },
            Some(Rest::Opening(mut opening)) => match (&mut opening).now_or_never() {
                Some(Ok(connection)) => return self.over(connection, place, turn).await,
                Some(Err(error)) => {
                    self.avoided.because(&error);
                    return Ok(Err(OverHttp(None)));
                }
                None => opening,
            },
            None if goes_on(turn) => self.open(turn),
            None => return Ok(Err(OverHttp(None))),
        };
        Ok(Err(OverHttp(Some(Opening::new(opening, place, Arc::clone(&self.avoided))))))
    }

    /// Runs the turn over a connection, which is opened if there is none; `None` for a turn that
    /// is too large for one.
    ///
    /// # Errors
    /// When there is no connection to be had, or the backend refuses the turn.
    pub(super) async fn run_always(&self, turn: &mut Turn) -> Result<Option<Answer>, Error> {
        let (mut place, found) = match self.pool.take(key(turn), Instant::now()) {
            Some((place, found)) => (Some(place), found),
            None => (None, None),
        };
        let kept = match found {
            Some(Rest::Open(connection)) => self.usable(connection).await?,
            Some(Rest::Opening(_)) | None => None,
        };
        if let Some(connection) = kept {
            match exchange(connection, place.take(), turn, self.idle_timeout).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Failed::Refused(error) | Failed::Silent(error)) => return Err(error),
                Err(Failed::TooLarge) => return Ok(None),
                // It had rested for too long: the next one has not.
                Err(Failed::Unheard(_)) => resent(turn),
            }
            place = self.pool.take(key(turn), Instant::now()).map(|(place, _)| place);
        }
        let connection = self.open(turn).await?;
        match exchange(connection, place, turn, self.idle_timeout).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failed::Refused(error) | Failed::Unheard(error) | Failed::Silent(error)) => {
                Err(error)
            }
            Err(Failed::TooLarge) => Ok(None),
        }
    }

    async fn over(
        &self,
        connection: Box<Connection>,
        place: Place<Rest>,
        turn: &mut Turn,
    ) -> Result<Result<Answer, OverHttp>, Error> {
        let is_proven = connection.is_proven;
        match exchange(connection, Some(place), turn, self.idle_timeout).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(Failed::Refused(error)) => Err(error),
            Err(Failed::TooLarge) => Ok(Err(OverHttp(None))),
            Err(Failed::Silent(error)) => {
                // Something on the way may swallow what is sent; the next turn goes another.
                if !is_proven {
                    self.avoided.because(&error);
                }
                Err(error)
            }
            Err(Failed::Unheard(error)) => {
                // One that has worked before has only grown old.
                if !is_proven {
                    self.avoided.because(&error);
                }
                resent(turn);
                Ok(Err(OverHttp(None)))
            }
        }
    }

    /// The connection, if a turn of the account as it is now may begin on it.
    async fn usable(
        &self,
        mut connection: Box<Connection>,
    ) -> Result<Option<Box<Connection>>, Error> {
        let account_id = self.dialer.tokens.access().await?.account_id;
        let usable = connection.account_id == account_id && connection.is_usable();
        Ok(usable.then_some(connection))
    }

    fn open(&self, turn: &Turn) -> Dialled {
        let headers = self.dialer.headers(turn);
        self.dialer.clone().open(headers).boxed()
    }
}

impl OverHttp {
    /// Has the connection opened beside the turn that is answered so.
    pub(super) fn beside(self, answer: Answer) -> Answer {
        let Self(Some(opening)) = self else { return answer };
        Answer { headers: answer.headers, events: Beside::new(answer.events, opening).boxed() }
    }
}

impl Avoided {
    fn now(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }

    fn because(&self, error: &Error) {
        // Not in the upstream's own words, which may repeat what nobody should read.
        let why = matches!(error, Error::Unreachable { .. } | Error::TimedOut(_));
        let why = why.then(|| error.to_string());
        tracing::debug!(why, "no WebSocket to the upstream; HTTP is used instead");
        *self.until() = Some(Instant::now() + AVOIDED_FOR);
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subagent shares its parent's session, not its conversation.
fn key(turn: &Turn) -> String {
    format!("{} {}", turn.conversation.session, turn.conversation.thread)
}

/// Whether the conversation is likely to go on: it has tools, or has gone on before. What asks for
/// a title has neither.
fn goes_on(turn: &Turn) -> bool {
    let has_tools = turn.request.tools.as_ref().is_some_and(|tools| !tools.is_empty());
    has_tools || turn.lite || turn.request.has_begun()
}

/// Notes that the turn is sent once more.
fn resent(turn: &mut Turn) {
    const WEBSOCKET: &str = "websocket";
    tracing::debug!("the WebSocket failed before it said anything; the turn is sent again");
    metrics::retried(WEBSOCKET);
    turn.retries.push(WEBSOCKET);
}
