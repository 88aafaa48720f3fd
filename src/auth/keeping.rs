//! What becomes of a new login: it is written, and until it can be it lives in memory.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use tracing::{error, info, warn};

use super::Error;
use super::place::{COMMIT_PATIENCE, Committed};
use super::renewal::Shared;
use super::state::{Fetched, Held, Unsaved, within};
use super::tokens::{Login, same};

/// Between two tries to write what could not be written.
const SAVE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

impl Shared {
    /// Writes the new login, and only then lets it be seen; `false` if another program's won.
    pub(super) async fn keep(
        &self,
        spent: &SecretString,
        login: Login,
        fetched: Option<Fetched>,
        others: Option<&File>,
    ) -> bool {
        // What could not be written the last time has left an older token on the disk.
        let unsaved = self.state().held().and_then(|held| held.unsaved.clone());
        let on_disk = unsaved.as_ref().map_or(spent, |unsaved| &unsaved.on_disk).clone();
        let place = self.store.place();
        let committed = place.commit(&on_disk, &login, others, COMMIT_PATIENCE).await;
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
                let why = Error::not_saved(file, &error);
                warn!("{why}");
                let Some(held) = state.held().filter(|held| same(held.login.key(), spent)) else {
                    return false;
                };
                let stamp = held.stamp;
                let claim = unsaved.and_then(|unsaved| unsaved.claim);
                let claim = claim.or_else(|| self.store.claim().map(Arc::new));
                let unsaved = Some(Unsaved { on_disk, tried: now, why, claim });
                state.put(Held { login, stamp, fetched, unsaved });
                true
            }
        }
    }

    /// Tries to write a login that could not be written before; without waiting for anyone.
    pub(super) async fn save_again(&self) {
        let now = self.now();
        let tried = self.state().held().and_then(|held| Some(held.unsaved.as_ref()?.tried));
        if tried.is_none_or(|tried| within(SAVE_PAUSE, tried, now)) {
            return;
        }
        if let Ok(_one_at_a_time) = self.turn.try_lock() {
            self.save(Duration::ZERO).await;
        }
    }

    /// Waits for a refresh that is under way, and has a last try at what could not be written.
    pub(super) async fn settle(&self) {
        let _one_at_a_time = self.turn.lock().await;
        self.save(COMMIT_PATIENCE).await;
        if let Some(unsaved) = self.state().held().and_then(|held| held.unsaved.take()) {
            error!("codexway stops, and with it ends a login: {}", unsaved.why);
        }
    }

    /// Writes the login in hand if it could not be written before. Whoever calls it has the turn.
    async fn save(&self, patience: Duration) {
        let Some((on_disk, login)) = self.state().held().and_then(|held| {
            let unsaved = held.unsaved.as_ref()?;
            Some((unsaved.on_disk.clone(), held.login.clone()))
        }) else {
            return;
        };
        let committed = self.store.place().commit(&on_disk, &login, None, patience).await;
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
            Err(error) => {
                if let Some(unsaved) = &mut held.unsaved {
                    unsaved.tried = now;
                    unsaved.why = Error::not_saved(self.store.file(), &error);
                }
            }
        }
    }
}
