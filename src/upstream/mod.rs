//! Where turns are run.

use std::time::Duration;

use futures_util::{future::BoxFuture, stream::BoxStream};
use http::HeaderMap;

use crate::{
    auth::{self, LogIn},
    protocol::{Event, Failure, Malformed, Turn},
};

pub mod codex;
pub mod codex_exec;
mod connect;
mod failure;
mod http_stream;
mod lead;
pub mod openai;
mod refusal;
mod retry;
mod wait;
mod wire;

pub use connect::{Clients, Error as ConnectError, Shared, connect};
use failure::failed;
pub use failure::of_failure;
pub use retry::{Begun, Hold, begin};

/// A turn as it happens. Dropping it cancels the turn.
///
/// It ends with a terminal event ([`crate::protocol::Kind::is_terminal`]) or with an error, never without either.
pub type Events = BoxStream<'static, Result<Event, Error>>;

/// A place where turns are run.
pub trait Upstream: Send + Sync {
    /// Starts a turn. The answer's head has arrived when this resolves; its events follow.
    /// What the upstream insists on is written into `turn`, which may then be sent again.
    fn send<'a>(&'a self, turn: &'a mut Turn) -> BoxFuture<'a, Result<Answer, Error>>;

    /// Asks for the catalogue of models: the body as it came, and its ETag. `etag` is that of the
    /// copy the caller has; `None` comes back when it is still good.
    fn models<'a>(
        &'a self,
        version: &'a str,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<CatalogBody>, Error>>;

    /// Whether a turn could be run: the credentials are there and not known to be dead.
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// What somebody should look at although turns can be run.
    fn warning(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }

    /// What the account's plan has left; `None` where turns are not paid for by a plan.
    fn usage(&self) -> BoxFuture<'_, Result<Option<auth::Usage>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// Does what the first turn would otherwise wait for, as far as that needs nobody else; then
    /// whether the upstream could be asked something without a login being renewed for it.
    fn warm_up(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(false))
    }

    /// Whether it is the OpenAI platform, which takes most of what the Codex backend refuses.
    fn is_platform(&self) -> bool {
        false
    }

    /// What runs the turns, and how, as told in `x-codexway-upstream`: `codex;http`.
    fn label(&self) -> &'static str;
}

/// The head of an answer.
pub struct Answer {
    /// Headers that the client may see: usage limits and the turn's state.
    pub headers: HeaderMap,
    pub events: Events,
}

/// A catalogue as the upstream sent it.
pub struct CatalogBody {
    pub json: bytes::Bytes,
    pub etag: Option<String>,
}

/// Why a turn was not run, or not to its end: one variant for each thing a caller may do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is at fault; the same request will be refused again.
    #[error("{}", .0.message.as_deref().unwrap_or("the upstream refused the request"))]
    Invalid(Failure),
    #[error("{message}")]
    ModelNotFound { message: String },
    /// An item or something else that the request names does not exist.
    #[error("{}", .0.message.as_deref().unwrap_or("not found"))]
    NotFound(Failure),
    #[error(transparent)]
    Login(#[from] auth::Error),
    /// There is no API key, or the upstream does not take it.
    #[error("{message}")]
    Key { message: String },
    /// The upstream refused a token that it had just issued.
    #[error("the ChatGPT backend refused the login: {message}; run {log_in}")]
    Refused { message: String, log_in: LogIn },
    /// The account may not do this.
    #[error("{message}")]
    Forbidden { message: String, code: Option<String> },
    /// The plan is used up until `resets_in`.
    #[error("{message}")]
    UsageLimit {
        message: String,
        code: String,
        resets_in: Option<Duration>,
        /// What the client may see of the limits.
        headers: Box<HeaderMap>,
    },
    /// What was paid for is used up: waiting alone does not help.
    #[error("{message}")]
    Quota { message: String, code: String },
    #[error("{message}")]
    RateLimited {
        message: String,
        retry_after: Option<Duration>,
        /// What the client may see of the limits.
        headers: Box<HeaderMap>,
    },
    /// The upstream has too much to do, or is down, and says so.
    #[error("{message}")]
    Overloaded { message: String, code: Option<String>, retry_after: Option<Duration> },
    /// The program that runs the turns cannot be started, or gave up; the text says what to do.
    #[error("{0}")]
    Program(String),
    #[error("could not reach the upstream at {host}: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("the upstream did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the upstream's answer broke off before its end")]
    Truncated,
    /// Bytes that make no sense; the text says which.
    #[error("{0}")]
    Garbled(String),
    #[error("the turn is too large for the upstream: {message}")]
    TooLarge { message: String },
    /// A fault of codexway itself, which it has logged.
    #[error("codexway failed at this request; the log says more, and a report of it is welcome")]
    Internal,
}

impl Error {
    /// Where it says to log in, it says so for this account.
    #[must_use]
    fn for_account(self, account: &LogIn) -> Self {
        match self {
            Self::Refused { message, .. } => Self::Refused { message, log_in: account.clone() },
            Self::Forbidden { message, code } => {
                Self::Forbidden { message: account.named_in(&message), code }
            }
            other => other,
        }
    }
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::Garbled(malformed.to_string())
    }
}
