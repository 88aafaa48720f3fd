//! Logging in: a person says yes in a browser, on this machine or on another.

mod browser;
mod device;
mod pages;
mod pkce;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::oauth::{self, Failure};
use super::tokens::Fresh;
use super::{Error as ServerError, LogIn, OAuth};

pub use browser::{Answered, Browser, PORTS};
pub use device::Device;

/// How long a person may take.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Why nobody is logged in now. Nothing was changed in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the ports {} and {} of 127.0.0.1 are both taken, and the login page comes back to no other; end the program that waits there (another login?), or run `codexway login --device`",
        PORTS[0], PORTS[1]
    )]
    PortsTaken,
    #[error("the login was refused{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Denied(Option<String>),
    #[error("another login program took over, and this one has stopped waiting")]
    Cancelled,
    #[error("nobody answered within {} minutes; run the command again", PATIENCE.as_mins())]
    TimedOut,
    #[error(
        "this login server offers no login by code; run `codexway login` where there is a browser"
    )]
    NoDevices,
    #[error(
        "the login server did not take what it had just given out: it answered {status}{}; run the command again",
        .code.as_ref().map(|code| format!(" (`{code}`)")).unwrap_or_default()
    )]
    Refused { status: u16, code: Option<String> },
    #[error(
        "the login server's answer lacks a token or the account; if it happens again, `codexway login --device` or the official client may help"
    )]
    Incomplete,
    #[error("the login server does not know this personal access token; make a new one on the web")]
    UnknownToken,
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Whether the server knows this personal access token.
///
/// # Errors
/// When it does not, or cannot be asked.
pub async fn check_access_token(token: &SecretString, oauth: &OAuth) -> Result<(), Error> {
    match oauth.whoami(token).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused { .. }) => Err(Error::UnknownToken),
        Err(Failure::Passing(error)) => Err(error.into()),
    }
}

/// The login in what the code was exchanged for.
fn fresh(tokens: Result<oauth::Tokens, Failure>, now: jiff::Timestamp) -> Result<Fresh, Error> {
    match tokens {
        Ok(tokens) => Fresh::read(tokens, now).ok_or(Error::Incomplete),
        Err(Failure::Refused { status, code }) => Err(Error::Refused { status, code }),
        Err(Failure::Passing(error)) => Err(error.into()),
    }
}

/// What the page says where the answer is no.
fn denied(code: &str, description: &str) -> Error {
    if description.contains("missing_codex_entitlement") {
        return ServerError::NoCodex { log_in: LogIn::default() }.into();
    }
    let said = if description.is_empty() { code } else { description };
    // It goes to a terminal: nothing that could steer one, and no novel.
    let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
    Error::Denied((!said.is_empty()).then_some(said))
}
