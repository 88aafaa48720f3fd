//! The account: a token that works, from an auth.json that other programs may share.
//!
//! A refresh token is good once. So there is one refresh at a time, here and among all our
//! processes, and what it brings is on disk before anyone is given it. The one exception is a
//! disk that cannot be written when no token works any more: then the new tokens live in memory, a
//! warning says so, and each later [`TokenManager::access`] tries to write them again.

mod api_key;
mod claims;
mod client;
mod document;
mod error;
mod http;
mod keeping;
mod lock;
mod log_in;
pub mod login;
mod oauth;
mod own;
mod place;
mod renewal;
mod replace;
mod source;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod tokens;
mod usage;
mod variables;
mod vault;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::timeout;

pub use api_key::api_key;
pub use client::{Client, Way};
pub use document::{Credentials, Holds};
pub use error::{Error, way_out};
pub use log_in::LogIn;
pub use oauth::OAuth;
pub use own::{Ended, Kept, Own};
pub use source::{Folder, Places, Source, expand, find};
pub use tokens::Fresh;
pub use usage::{Backend, Credits, Usage, Window};
pub use variables::Variables;

use renewal::{Need, Shared};
use state::{Life, Look};
use store::Store;

/// How long a caller whose token still works waits for a better one.
const PATIENCE: Duration = Duration::from_secs(5);

/// The account's tokens, shared by everyone who sends something.
#[derive(Clone)]
pub struct TokenManager(Arc<Shared>);

/// What a request to the upstream needs to be the account's.
#[derive(Debug, Clone)]
pub struct Access {
    pub token: SecretString,
    pub account_id: String,
    pub fedramp: bool,
    pub plan: Option<String>,
}

/// What is known of the account without asking anyone.
#[derive(Debug, Clone)]
pub struct Summary {
    pub kind: Kind,
    /// Unknown for a personal access token until it is first used.
    pub account_id: Option<String>,
    pub plan: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub folder: Folder,
    /// Whether the token can be renewed without its owner.
    pub refreshable: bool,
    /// Whether the token has neither ended nor been refused.
    pub works: bool,
    /// Why the last refresh in this process failed, if no later one worked.
    pub problem: Option<Error>,
    /// Why the login lives in this process's memory only, if it does.
    pub not_saved: Option<Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Chatgpt,
    PersonalAccessToken,
}

/// Tells the time.
pub type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

impl TokenManager {
    pub fn new(source: impl Into<Source>, oauth: OAuth) -> Self {
        Self::with_clock(source, oauth, Box::new(Timestamp::now))
    }

    pub fn with_clock(source: impl Into<Source>, oauth: OAuth, clock: Clock) -> Self {
        Self::made(source.into(), oauth, clock, false)
    }

    /// For a program that ends as soon as it has its answer, and so must not get tokens that it
    /// could not write.
    pub fn fleeting(source: impl Into<Source>, oauth: OAuth) -> Self {
        Self::made(source.into(), oauth, Box::new(Timestamp::now), true)
    }

    fn made(source: Source, oauth: OAuth, clock: Clock, fleeting: bool) -> Self {
        Self(Arc::new(Shared {
            store: Store { source },
            oauth,
            clock,
            fleeting,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// A token to send, renewed shortly before it ends.
    ///
    /// If the renewal fails or takes long, the old token is given out for as long as it works.
    pub async fn access(&self) -> Result<Access, Error> {
        self.0.save_again().await;
        let (access, life) = self.0.at_hand()?;
        match (access, life) {
            (Some(access), Life::Good) => Ok(access),
            (Some(access), Life::Due) => {
                let renewed = timeout(PATIENCE, self.renew(Need::Lasting)).await;
                Ok(renewed.ok().and_then(Result::ok).unwrap_or(access))
            }
            _ => self.renew(Need::Lasting).await,
        }
    }

    /// A token in the place of one that the server answered with 401: the file's, if another
    /// program has renewed it, or else a new one. Callers refused with the same token share it.
    pub async fn instead_of(&self, refused: &Access) -> Result<Access, Error> {
        self.renew(Need::Other(refused.clone())).await
    }

    /// What the file says, without using the network.
    pub async fn snapshot(&self) -> Result<Summary, Error> {
        self.0.save_again().await;
        let now = self.0.now();
        let mut state = self.0.state();
        let held = state.login(&self.0.store, now, Look::Lately)?;
        let login = held.login.clone();
        let not_saved = held.unsaved.as_ref().map(|unsaved| unsaved.why.clone());
        Ok(Summary {
            kind: login.kind,
            account_id: login.owner.as_ref().map(|owner| owner.account_id.clone()),
            plan: login.owner.and_then(|owner| owner.plan),
            expires_at: login.expires_at,
            folder: self.0.store.source.folder(),
            refreshable: login.refresh_token.is_some(),
            works: state.works(now),
            problem: state.problem().cloned(),
            not_saved,
        })
    }

    /// Whether there is a token that works and need not be renewed yet.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.0.at_hand(), Ok((Some(_), Life::Good)))
    }

    /// Why a token is no use that the backend has refused right after it was issued.
    fn refused(&self) -> Error {
        Error::TokenRefused { file: self.0.store.file(), log_in: self.log_in() }
    }

    /// Whether it is this login, asked for in this way.
    pub fn is_of(&self, source: &Source, oauth: &OAuth) -> bool {
        let known = &self.0.oauth;
        self.0.store.source == *source
            && known.auth_url == oauth.auth_url
            && known.originator == oauth.originator
            && known.user_agent == oauth.user_agent
    }

    /// What its owner has to type to log the account in.
    pub fn log_in(&self) -> LogIn {
        self.0.store.log_in()
    }

    /// Waits for a refresh that is under way, so that the program does not end in its middle, and
    /// tries for the last time to write what could not be written.
    pub async fn settle(&self) {
        self.0.settle().await;
    }

    /// Runs on a task of its own: the server spends the old refresh token when it answers, so
    /// a caller that goes away half-way must not take the new one with it.
    async fn renew(&self, need: Need) -> Result<Access, Error> {
        let shared = Arc::clone(&self.0);
        #[expect(
            clippy::disallowed_methods,
            reason = "a refresh outlives its callers; they wait for it while they live, and `settle` before the program ends"
        )]
        let task = tokio::spawn(async move { shared.renew(&need).await });
        match task.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Interrupted),
        }
    }
}
