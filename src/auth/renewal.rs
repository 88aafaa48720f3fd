//! Getting another token: who may ask the server for one, when, and what becomes of it.

use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::time::sleep;
use tracing::{info, warn};

use super::oauth::{Failure, OAuth, Reason};
use super::place::{COMMIT_PATIENCE, Committed};
use super::state::{Fetched, Held, Life, Look, State, Unsaved, within};
use super::store::Store;
use super::tokens::{Login, same};
use super::{Access, Clock, Error, Kind};

/// From one failed refresh to the next: while the old token works, and when none does.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Between two tries to write what could not be written.
const SAVE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) oauth: OAuth,
    pub(super) clock: Clock,
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
        let held = state.login(&self.store, now, Look::Lately)?;
        let (access, life) = (held.login.access(), held.life(now));
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
            Err(error) => return Err(self.failed(error)),
        };
        // The second round is for a login that another program put there during the first.
        for last in [false, true] {
            if let Some(access) = self.met(need, Look::Inside)? {
                return Ok(access);
            }
            let login = self.held_login()?;
            match self.exchange(&login, need).await {
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
                        return Err(self.failed(error));
                    }
                }
            }
        }
        Err(self.failed(self.nothing_new()))
    }

    /// Remembers the failure, for those who wait for the same. It is logged here, since a caller
    /// whose token still works never hears of it.
    fn failed(&self, error: Error) -> Error {
        warn!(file = %self.store.file().display(), "no new token: {error}");
        let now = self.now();
        self.state().remember(&error, now);
        error
    }

    /// The token in hand, if it is what is needed.
    fn met(&self, need: &Need, look: Look) -> Result<Option<Access>, Error> {
        let now = self.now();
        let mut state = self.state();
        let held = state.login(&self.store, now, look)?;
        let life = held.life(now);
        let Some(access) = held.login.access() else {
            return Ok(None);
        };
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
        let life = state.held().map(|held| held.life(now));
        if let (Need::Other(refused), Some(held)) = (need, state.held())
            && same(&refused.token, &held.login.access_token)
            && held.in_vain(now)
        {
            return Err(Error::TokenRefused { file: self.store.file() });
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
    async fn exchange(&self, login: &Login, need: &Need) -> Result<bool, Error> {
        let file = self.store.file();
        if login.kind == Kind::PersonalAccessToken {
            if login.owner.is_some() {
                return Err(Error::PersonalTokenRefused { file });
            }
            let owner = self.oauth.whoami(&login.access_token).await.map_err(|why| match why {
                Failure::Refused { .. } => Error::PersonalTokenRefused { file },
                Failure::Passing(error) => error,
            })?;
            if let Some(held) = self.state().held().filter(|held| held.login.has_tokens_of(login)) {
                held.login.owner = Some(owner);
                return Ok(true);
            }
            return Ok(false);
        }
        let Some(spent) = &login.refresh_token else {
            return Err(Error::TokenExpired { file });
        };
        let reason = match need {
            Need::Other(_) => Reason::Refused,
            Need::Lasting if login.expires_at.is_some() => Reason::Expiry,
            Need::Lasting => Reason::Scheduled,
        };
        let renewed =
            self.oauth.refresh(spent, login.client_id.as_deref(), reason).await.map_err(|why| {
                match why {
                    Failure::Refused { status, code } => {
                        Error::refresh_refused(&file, status, code)
                    }
                    Failure::Passing(error) => error,
                }
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
        let instead = matches!(need, Need::Other(_));
        let fetched = fetched.then(|| Fetched { at: self.now(), instead });
        Ok(self.keep(spent, renewed, fetched).await)
    }

    /// Writes the new login, and only then lets it be seen; `false` if another program's won.
    async fn keep(&self, spent: &SecretString, login: Login, fetched: Option<Fetched>) -> bool {
        // What could not be written the last time has left an older token on the disk.
        let unsaved = self.state().held().and_then(|held| held.unsaved.clone());
        let on_disk = unsaved.map_or(spent.clone(), |unsaved| unsaved.on_disk);
        let committed = self.store.commit(&on_disk, &login, COMMIT_PATIENCE).await;
        let file = self.store.file();
        let now = self.now();
        let mut state = self.state();
        match committed {
            Ok(Committed::Written(stamp)) => {
                state.put(Held { login, stamp, fetched, unsaved: None });
                true
            }
            Ok(Committed::DiskWins) => {
                info!("another program changed `{}` meanwhile; its login is used", file.display());
                state.forget();
                false
            }
            Err(error) => {
                let hint = match error.kind() {
                    ErrorKind::ResourceBusy => "mount the folder, not only the file",
                    ErrorKind::TimedOut => "stop the program that holds the lock",
                    ErrorKind::StorageFull => "free some space",
                    _ => "let codexway write there",
                };
                warn!(
                    file = %file.display(),
                    "the new login lives in memory only, because it could not be written: {error}; {hint} before codexway stops, or it will need a new login"
                );
                let Some(held) = state.held().filter(|held| same(held.login.key(), spent)) else {
                    return false;
                };
                let stamp = held.stamp;
                let unsaved = Some(Unsaved { on_disk, tried: now });
                state.put(Held { login, stamp, fetched, unsaved });
                true
            }
        }
    }

    /// Tries to write a login that could not be written before; without waiting for anyone.
    pub(super) async fn save_again(&self) {
        let Some((on_disk, login)) = self.state().held().and_then(|held| {
            let unsaved = held.unsaved.as_ref()?;
            (!within(SAVE_PAUSE, unsaved.tried, self.now()))
                .then(|| (unsaved.on_disk.clone(), held.login.clone()))
        }) else {
            return;
        };
        let Ok(_one_at_a_time) = self.turn.try_lock() else {
            return;
        };
        let committed = self.store.commit(&on_disk, &login, Duration::ZERO).await;
        let now = self.now();
        let mut state = self.state();
        let Some(held) = state.held().filter(|held| held.login.has_tokens_of(&login)) else {
            return;
        };
        match committed {
            Ok(Committed::Written(stamp)) => {
                held.stamp = stamp;
                held.unsaved = None;
                info!("the login was written to `{}` at last", self.store.file().display());
            }
            Ok(Committed::DiskWins) => state.forget(),
            Err(_) => {
                if let Some(unsaved) = &mut held.unsaved {
                    unsaved.tried = now;
                }
            }
        }
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
