//! Everything that serving a turn needs, put together once from the settings.

use std::{collections::BTreeMap, ops::Deref, sync::Arc, time::Duration};

use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;
use crate::{
    auth::Places,
    config::{Profile, Server, Settings, Store},
    models::Live,
    state::State,
    upstream::{Clients, ConnectError, Shared, Upstream, connect},
};

/// How long a turn waits for a place.
const QUEUE: Duration = Duration::from_secs(5);

/// What all turns share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    server: Server,
    places: Arc<Semaphore>,
    profiles: BTreeMap<String, Arc<Served>>,
}

/// A profile and what runs its turns.
pub(super) struct Served {
    pub(super) profile: Profile,
    account: Arc<Account>,
}

/// An account at an upstream: what runs its turns, and what is known and kept of them.
pub(super) struct Account {
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) models: Arc<Live>,
    pub(super) state: Arc<State>,
}

impl Deref for Served {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

/// Settings that cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("set up the profile `{profile}`")]
pub struct SetupError {
    profile: String,
    source: ConnectError,
}

impl App {
    /// Puts together what the settings describe. `places` tells where the login of the account of
    /// that name may be.
    ///
    /// # Errors
    /// When an upstream cannot be set up; nothing is connected to yet.
    pub fn new(settings: Settings, places: impl Fn(&str) -> Places) -> Result<Self, SetupError> {
        let clients = Clients::default();
        let stored = settings.state;
        let stored = (stored.store != Store::Off).then_some((stored.max_bytes, stored.ttl));
        // What runs the turns of an account does not depend on the profile it is used through:
        // one login, one catalogue, one memory.
        let mut accounts: BTreeMap<(String, String), Arc<Account>> = BTreeMap::new();
        let mut profiles = BTreeMap::new();
        for (name, profile) in settings.profiles {
            // The loader has checked that these names exist.
            let upstream = &settings.upstreams[&profile.upstream];
            let account = &settings.accounts[&profile.account];
            let key = (profile.upstream.clone(), profile.account.clone());
            let account = match accounts.get(&key) {
                Some(known) => Arc::clone(known),
                None => {
                    let shared = Shared {
                        clients: &clients,
                        places: places(&profile.account),
                        idle_timeout: settings.server.idle_timeout,
                    };
                    let models = Arc::new(Live::new(upstream.version.clone()));
                    let versions = Arc::clone(&models);
                    let version = Arc::new(move || versions.version());
                    let upstream = connect(upstream, account, version, &shared)
                        .map_err(|source| SetupError { profile: name.clone(), source })?;
                    let state = Arc::new(State::new(stored));
                    let account = Arc::new(Account { upstream, models, state });
                    accounts.insert(key, Arc::clone(&account));
                    account
                }
            };
            profiles.insert(name, Arc::new(Served { profile, account }));
        }
        let places = Semaphore::new(settings.server.max_turns.min(Semaphore::MAX_PERMITS));
        Ok(Self(Arc::new(Inner { server: settings.server, places: Arc::new(places), profiles })))
    }

    pub(super) fn server(&self) -> &Server {
        &self.0.server
    }

    /// The profile of that name, or the one that serves by default.
    pub(super) fn profile(&self, name: Option<&str>) -> Result<Arc<Served>, Error> {
        let name = name.unwrap_or(&self.0.server.profile);
        self.0.profiles.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.0.profiles.keys().map(String::as_str).collect();
            let known = known.join("`, `");
            Error::not_found(format!("There is no profile `{name}`; there are `{known}`."))
                .code("profile_not_found")
        })
    }

    /// Waits for what must not be cut off when the process ends.
    pub async fn settle(&self) {
        for served in self.0.profiles.values() {
            served.upstream.settle().await;
        }
    }

    /// A place among the turns that may run at once; held until the turn is over.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
        let place = Arc::clone(&self.0.places).acquire_owned();
        match tokio::time::timeout(QUEUE, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Error {
                retry_after: Some(Duration::from_secs(1)),
                ..Error::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "rate_limit_error",
                    "Too many turns are running; `max_turns` under `[server]` is the limit.",
                )
                .code("too_many_turns")
            }),
        }
    }
}
