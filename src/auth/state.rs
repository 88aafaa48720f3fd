//! What the manager knows: the login it holds, how it stands to the file, and what failed.

use std::fs::File;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tracing::warn;

use super::Error;
use super::place::Stamp;
use super::store::Store;
use super::tokens::{Login, same};

/// Tokens are renewed this long before they end, as the Codex CLI does.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// How old a login may become whose token does not say when it ends.
const SCHEDULE: SignedDuration = SignedDuration::from_hours(8 * 24);
/// How long a look at the file lasts.
const RECHECK: SignedDuration = SignedDuration::from_secs(1);
/// A token this new is not replaced for ending soon: its successor would end as soon. One that does
/// not say when it was issued is not replaced for having ended either: our clock is wrong then,
/// and refreshing at every turn would not mend it.
const JUST_FETCHED: SignedDuration = SignedDuration::from_mins(1);
/// A token this new that took the place of a refused one and is refused as well will not be
/// mended by a third.
const IN_VAIN: SignedDuration = SignedDuration::from_mins(1);
/// The way of an answer, and the rest of a second that a token leaves out.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(5);

#[derive(Default)]
pub(super) struct State {
    held: Option<Held>,
    checked: Option<Timestamp>,
    failed: Option<Failed>,
    /// How far this computer's clock is ahead of the issuer's, as the last new token showed.
    /// However wrong it is, and whenever it is set: a token is judged by its issuer's clock, and
    /// a stale measure costs one refresh, which brings a new one.
    clock_ahead: SignedDuration,
}

pub(super) struct Held {
    pub(super) login: Login,
    pub(super) stamp: Stamp,
    /// Set where we got it from the server ourselves.
    pub(super) fetched: Option<Fetched>,
    /// Set while the login is newer than the file, because it could not be written.
    pub(super) unsaved: Option<Unsaved>,
}

#[derive(Clone, Copy)]
pub(super) struct Fetched {
    pub(super) at: Timestamp,
    /// Because the one before had been refused.
    pub(super) instead: bool,
}

#[derive(Clone)]
pub(super) struct Unsaved {
    /// The spent refresh token that the file still shows.
    pub(super) on_disk: SecretString,
    pub(super) tried: Timestamp,
    pub(super) why: Error,
    /// Keeps our other processes from spending the token again; see [`Store::claim`].
    pub(super) claim: Option<Arc<File>>,
}

struct Failed {
    key: SecretString,
    error: Error,
    at: Timestamp,
    /// Whether the token that was to be replaced had been refused.
    refused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Good,
    /// Still good, but time for a new one.
    Due,
    Over,
}

/// How closely to look at the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Not at all if it was looked at within the last second.
    Lately,
    /// At its time stamp, and inside if that changed.
    Stamp,
    Inside,
}

impl State {
    /// The login to use: the file's, unless ours is newer and waits to be written.
    pub(super) fn login(
        &mut self,
        store: &Store,
        now: Timestamp,
        look: Look,
    ) -> Result<&mut Held, Error> {
        self.update(store, now, look)?;
        self.held.as_mut().ok_or_else(|| store.not_logged_in())
    }

    fn update(&mut self, store: &Store, now: Timestamp, look: Look) -> Result<(), Error> {
        if let Some(held) = &self.held {
            let lately = self.checked.is_some_and(|at| within(RECHECK, at, now));
            if look == Look::Lately && lately {
                return Ok(());
            }
            if look != Look::Inside && store.stamp() == Some(held.stamp) {
                self.checked = Some(now);
                return Ok(());
            }
        }
        let stamp = store.stamp();
        match store.read() {
            Ok((login, stamp)) => self.adopt(login, stamp, store),
            // Perhaps half-written by a program that does not rename: a token in hand goes on,
            // and the file is read when it changes again. Nothing is spent on such a file.
            Err(error @ Error::Unreadable { .. }) => match (&mut self.held, stamp) {
                (Some(held), Some(stamp))
                    if look != Look::Inside && held.life(now, self.clock_ahead) != Life::Over =>
                {
                    held.stamp = stamp;
                    warn!("going on with the login in memory: {error}");
                }
                _ => return Err(error),
            },
            Err(error) => {
                self.forget();
                return Err(error);
            }
        }
        self.checked = Some(now);
        Ok(())
    }

    fn adopt(&mut self, login: Login, stamp: Stamp, store: &Store) {
        if let Some(held) = &mut self.held {
            if held.stamp == stamp && held.login.has_tokens_of(&login) {
                return;
            }
            if let (Some(unsaved), Some(token)) = (&mut held.unsaved, &login.refresh_token)
                && same(&unsaved.on_disk, token)
            {
                held.stamp = stamp;
                unsaved.claim = None; // It may be on a file that is gone.
                unsaved.claim = store.claim().map(Arc::new);
                return;
            }
        }
        self.put(Held { login, stamp, fetched: None, unsaved: None });
    }

    pub(super) fn put(&mut self, held: Held) {
        self.held = Some(held);
        self.failed = None;
    }

    /// The next look reads the file.
    pub(super) fn forget(&mut self) {
        *self = Self { clock_ahead: self.clock_ahead, ..Self::default() };
    }

    /// Learns from a token that was issued at this moment what our clock is worth.
    pub(super) fn set_clock(&mut self, issued_at: Timestamp, now: Timestamp) {
        let ahead = now.duration_since(issued_at);
        let exact = ahead.is_negative() || ahead > ON_THE_WAY;
        self.clock_ahead = if exact { ahead } else { SignedDuration::ZERO };
    }

    /// How long the login in hand will do.
    pub(super) fn life(&self, now: Timestamp) -> Option<Life> {
        self.held.as_ref().map(|held| held.life(now, self.clock_ahead))
    }

    pub(super) fn held(&mut self) -> Option<&mut Held> {
        self.held.as_mut()
    }

    pub(super) fn remember(&mut self, error: &Error, refused: bool, now: Timestamp) {
        if let Some(held) = &self.held {
            let key = held.login.key().clone();
            self.failed = Some(Failed { key, error: error.clone(), at: now, refused });
        }
    }

    /// What the last try with the login in hand ended in.
    pub(super) fn problem(&self) -> Option<&Error> {
        self.failed_now().map(|failed| &failed.error)
    }

    /// Whether the token in hand has neither ended nor been refused.
    pub(super) fn works(&self, now: Timestamp) -> bool {
        let refused = self.failed_now().is_some_and(|failed| failed.refused);
        !refused && self.life(now).is_some_and(|life| life != Life::Over)
    }

    /// The same, if another try would be too soon; after a final refusal it always is, until
    /// the file changes.
    pub(super) fn failure(&self, now: Timestamp, pause: SignedDuration) -> Option<&Error> {
        self.failed_now()
            .filter(|failed| failed.error.needs_login() || within(pause, failed.at, now))
            .map(|failed| &failed.error)
    }

    fn failed_now(&self) -> Option<&Failed> {
        let held = self.held.as_ref()?;
        self.failed.as_ref().filter(|failed| same(&failed.key, held.login.key()))
    }
}

impl Held {
    fn life(&self, now: Timestamp, clock_ahead: SignedDuration) -> Life {
        let new = self.fetched.is_some_and(|fetched| within(JUST_FETCHED, fetched.at, now));
        if new && self.login.issued_at.is_none() {
            return Life::Good;
        }
        let due = match self.login.expires_at.map(|end| end.duration_since(now) + clock_ahead) {
            Some(left) if left <= SignedDuration::ZERO => return Life::Over,
            Some(left) => left <= AHEAD,
            None => self.login.last_refresh.is_some_and(|at| at <= now - SCHEDULE),
        };
        if due && !new && self.login.refresh_token.is_some() { Life::Due } else { Life::Good }
    }

    /// Whether refreshing because of a refusal was tried just now, and did not help.
    pub(super) fn in_vain(&self, now: Timestamp) -> bool {
        self.fetched.is_some_and(|fetched| fetched.instead && within(IN_VAIN, fetched.at, now))
    }
}

/// Whether `now` is less than `span` after `at`; a clock that was set back counts as no.
pub(super) fn within(span: SignedDuration, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at + span
}
