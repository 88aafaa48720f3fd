//! Getting another token: who may ask the server for one, when, and what becomes of it.

use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;
use tracing::{info, warn};

use super::oauth::{Failure, OAuth, Reason};
use super::state::{Fetched, Life, Look, State};
use super::store::Store;
use super::tokens::{Login, same};
use super::{Access, Clock, Error, Kind};
use crate::telemetry::metrics;

/// From one failed refresh to the next: while the old token works, and when none does.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(2);

pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) oauth: OAuth,
    pub(super) clock: Clock,
    /// Whether the program ends as soon as it has its answer.
    pub(super) fleeting: bool,
    /// Never held while waiting for anything but a small file.
    pub(super) state: Mutex<State>,
    /// Held over the network and the locks: that one refresh waits for another is its point.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What a caller cannot do without.
pub(super) enum Need {
    /// A token that will last.
    Lasting,
    /// Another token of the same account.
    Other(Access),
}

impl Shared {
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token in hand, if its account is known, and how long it will do.
    pub(super) fn at_hand(&self) -> Result<(Option<Access>, Life), Error> {
        let now = self.now();
        let mut state = self.state();
        let access = state.login(&self.store, now, Look::Lately)?.login.access();
        let life = state.life(now).unwrap_or(Life::Over);
        if life == Life::Due && state.failure(now, PAUSE).is_some() {
            return Ok((access, Life::Good));
        }
        Ok((access, life))
    }

    pub(super) async fn renew(&self, need: &Need) -> Result<Access, Error> {
        let _one_at_a_time = self.turn.lock().await;
        if let Some(access) = self.met(need, Look::Stamp)? {
            return Ok(access);
        }
        self.not_too_soon(need)?;
        let _among_processes = match self.store.lock_refresh().await {
            Ok(lock) => lock,
            Err(error) => return Err(self.failed(error, need)),
        };
        let others = self.store.lock_against_others().await;
        // The second round is for a login that another program put there during the first.
        for last in [false, true] {
            if let Some(access) = self.met(need, Look::Inside)? {
                return Ok(access);
            }
            let login = self.held_login()?;
            if self.recovered(&login, others.as_ref()).await {
                continue;
            }
            let exchanged = match self.spendable(need) {
                Ok(()) => self.exchange(&login, need, others.as_ref()).await,
                Err(error) => Err(error),
            };
            match exchanged {
                Ok(kept) => {
                    if let Some(access) = self.met(need, Look::Lately)? {
                        return Ok(access);
                    }
                    if kept {
                        break;
                    }
                }
                Err(error) => {
                    if last || !error.needs_login() || !self.moved_on(&login, &error).await? {
                        return Err(self.failed(error, need));
                    }
                }
            }
        }
        Err(self.failed(self.nothing_new(), need))
    }

    /// Remembers the failure, for those who wait for the same. It is logged here, since a caller
    /// whose token still works never hears of it.
    fn failed(&self, error: Error, need: &Need) -> Error {
        warn!(file = %self.store.file().display(), "no new token: {error}");
        let now = self.now();
        self.state().remember(&error, matches!(need, Need::Other(_)), now);
        error
    }

    /// Whether the refresh token in hand may be spent: another of our processes may have done so
    /// already, and what a new one brings must have somewhere to go.
    ///
    /// A token that works is not worth a login that lives in memory only. Where none works, that
    /// is better than nothing for who goes on running, but not for a command that ends at once.
    fn spendable(&self, need: &Need) -> Result<(), Error> {
        let now = self.now();
        let life = {
            let mut state = self.state();
            let Some(held) = state.held() else { return Ok(()) };
            if held.login.refresh_token.is_none() || held.unsaved.is_some() {
                return Ok(()); // Nothing to spend, or nothing more to lose.
            }
            state.life(now)
        };
        if self.store.is_claimed() {
            return Err(Error::HeldElsewhere { file: self.store.file() });
        }
        let can_wait = matches!(need, Need::Lasting) && life != Some(Life::Over);
        match self.store.place().rehearse() {
            Err(error) if can_wait || self.fleeting => {
                Err(Error::not_writable(self.store.file(), &error))
            }
            _ => Ok(()),
        }
    }

    /// Whether a process of ours was killed while it wrote what this login's refresh token was
    /// spent for, and that could be saved.
    async fn recovered(&self, login: &Login, others: Option<&File>) -> bool {
        let Some(spent) = &login.refresh_token else { return false };
        let recovered = self.store.place().recover(spent, others).await;
        if recovered {
            self.state().forget();
        }
        recovered
    }

    /// The token in hand, if it is what is needed.
    fn met(&self, need: &Need, look: Look) -> Result<Option<Access>, Error> {
        let now = self.now();
        let mut state = self.state();
        let Some(access) = state.login(&self.store, now, look)?.login.access() else {
            return Ok(None);
        };
        let life = state.life(now).unwrap_or(Life::Over);
        let met = match need {
            Need::Lasting => life == Life::Good,
            Need::Other(refused) if refused.account_id != access.account_id => {
                return Err(Error::WrongAccount { file: self.store.file() });
            }
            Need::Other(refused) => !same(&refused.token, &access.token) && life != Life::Over,
        };
        Ok(met.then_some(access))
    }

    fn not_too_soon(&self, need: &Need) -> Result<(), Error> {
        let now = self.now();
        let mut state = self.state();
        let life = state.life(now);
        // One that has ended meanwhile was refused for that.
        if let (Need::Other(refused), Some(held)) = (need, state.held())
            && same(&refused.token, &held.login.access_token)
            && held.in_vain(now)
            && life != Some(Life::Over)
        {
            let (file, log_in) = (self.store.file(), self.store.log_in());
            return Err(Error::TokenRefused { file, log_in });
        }
        let pause = match need {
            Need::Lasting if life == Some(Life::Due) => PAUSE,
            Need::Lasting | Need::Other(_) => SHORT_PAUSE,
        };
        state.failure(now, pause).cloned().map_or(Ok(()), Err)
    }

    fn held_login(&self) -> Result<Login, Error> {
        let mut state = self.state();
        let held = state.held().ok_or_else(|| self.store.not_logged_in())?;
        Ok(held.login.clone())
    }

    /// Gets from the server what the login lacks; whether it was kept, or another program's won.
    async fn exchange(
        &self,
        login: &Login,
        need: &Need,
        others: Option<&File>,
    ) -> Result<bool, Error> {
        let (file, log_in) = (self.store.file(), self.store.log_in());
        if login.kind == Kind::PersonalAccessToken {
            if login.owner.is_some() {
                return Err(Error::PersonalTokenRefused { file, log_in });
            }
            let owner = self.oauth.whoami(&login.access_token).await.map_err(|why| match why {
                Failure::Refused { .. } => Error::PersonalTokenRefused { file, log_in },
                Failure::Passing(error) => error,
            })?;
            if let Some(held) = self.state().held().filter(|held| held.login.has_tokens_of(login)) {
                held.login.owner = Some(owner);
                return Ok(true);
            }
            return Ok(false);
        }
        let Some(spent) = &login.refresh_token else {
            return Err(Error::TokenExpired { file, log_in });
        };
        let reason = match need {
            Need::Other(_) => Reason::Refused,
            Need::Lasting if login.expires_at.is_some() => Reason::Expiry,
            Need::Lasting => Reason::Scheduled,
        };
        let answered = self.oauth.refresh(spent, login.client_id.as_deref(), reason).await;
        metrics::refreshed(match &answered {
            Ok(_) => "ok",
            Err(Failure::Refused { .. }) => "refused",
            Err(Failure::Passing(_)) => "failed",
        });
        let renewed = answered.map_err(|why| match why {
            Failure::Refused { status, code } => {
                Error::refresh_refused(file.clone(), log_in, status, code)
            }
            Failure::Passing(error) => error,
        })?;
        let fetched = renewed.access_token.is_some();
        let renewed = login.renewed(renewed, self.now());
        info!(
            reason = reason.name(),
            expires_at = renewed.expires_at.map(tracing::field::display),
            "refreshed the login in `{}`",
            file.display()
        );
        if fetched && renewed.expires_at.is_some_and(|end| end <= self.now()) {
            warn!("the new token seems to have ended already; check this computer's clock");
        }
        if let Some(issued_at) = renewed.issued_at.filter(|_| fetched) {
            let now = self.now();
            self.state().set_clock(issued_at, now);
        }
        let instead = matches!(need, Need::Other(_));
        let fetched = fetched.then(|| Fetched { at: self.now(), instead });
        Ok(self.keep(spent, renewed, fetched, others).await)
    }

    /// Whether another program has put other tokens there since ours were refused.
    ///
    /// One that has just spent the same refresh token may need a moment to write its new one.
    async fn moved_on(&self, login: &Login, error: &Error) -> Result<bool, Error> {
        let looks = if matches!(error, Error::RefreshReused { .. }) { 6 } else { 1 };
        for look in 0..looks {
            if look > 0 {
                sleep(Duration::from_millis(100)).await;
            }
            let now = self.now();
            let mut state = self.state();
            let held = state.login(&self.store, now, Look::Inside)?;
            if !held.login.has_tokens_of(login) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn nothing_new(&self) -> Error {
        Error::TokenEndpoint {
            url: self.oauth.auth_url.clone(),
            status: 200,
            code: Some("no_access_token".to_owned()),
        }
    }
}
