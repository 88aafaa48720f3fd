//! Everything that serving a turn needs; put together from the settings, and again when they change.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::future::join_all;
use http::{HeaderMap, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Client, Error,
    background::Background,
    body::Room,
    page::{Address, Guide, Page},
    setup::{Setup, SetupError, Surroundings},
};
use crate::{
    config::{self, Profile, Server, Settings},
    models::Live,
    shaping::Environment,
    state::State,
    telemetry::{Activity, metrics},
    upstream::Upstream,
};

/// How long a turn waits for a place.
const QUEUE: Duration = Duration::from_secs(5);

/// What all turns share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    setup: Setup,
    activity: Arc<Activity>,
    page: Page,
    room: Room,
    /// Replaced whole; a turn keeps what it began with.
    now: RwLock<Arc<Now>>,
}

/// What the settings in force come to.
pub(super) struct Now {
    pub(super) server: Server,
    pub(super) places: Arc<Semaphore>,
    pub(super) profiles: BTreeMap<String, Arc<Served>>,
    /// By the names of upstream and account.
    pub(super) accounts: BTreeMap<(String, String), Arc<Account>>,
}

/// A profile and what runs its turns.
pub(super) struct Served {
    pub(super) name: String,
    pub(super) profile: Profile,
    /// What the model is told where the profile wants more than the client's own words.
    pub(super) base_prompt: Arc<str>,
    pub(super) account: Arc<Account>,
}

/// An account at an upstream: what runs its turns, and what is known and kept of them.
pub(super) struct Account {
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) models: Arc<Live>,
    pub(super) state: Arc<State>,
    pub(super) background: Arc<Background>,
    pub(super) upstream_settings: config::Upstream,
    pub(super) account_settings: config::Account,
}

impl Served {
    /// A client of this profile, or of it as the request wants it.
    pub(super) fn client<'a>(&self, headers: &'a HeaderMap, profile: &'a Profile) -> Client<'a> {
        let (platform, environment) = (self.upstream.is_platform(), Environment::new());
        Client { headers, profile, platform, environment }
    }
}

impl Deref for Served {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl App {
    /// Puts together what the settings describe.
    ///
    /// # Errors
    /// When an upstream cannot be set up, a file that a setting names cannot be read, or the file
    /// with what was kept cannot be used; nothing is connected to yet.
    pub fn new(settings: Settings, surroundings: Surroundings) -> Result<Self, SetupError> {
        metrics::install();
        let setup = Setup::new(&settings, surroundings)?;
        let now = RwLock::new(Arc::new(setup.now(settings, None)?));
        Ok(Self(Arc::new(Inner {
            setup,
            activity: Arc::default(),
            page: Page::default(),
            room: Room::default(),
            now,
        })))
    }

    /// Goes on with other settings. Turns that run are not touched; logins, catalogues and what
    /// was kept stay where their settings have not changed.
    ///
    /// # Errors
    /// As [`App::new`]; then everything stays as it was.
    pub fn reload(&self, settings: Settings) -> Result<(), SetupError> {
        let before = self.now();
        let now = Arc::new(self.0.setup.now(settings, Some(&before))?);
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    /// Marks as failed what was running when the process ended that ran it.
    pub async fn revive(&self) {
        for account in self.now().accounts.values() {
            super::background::bury(account).await;
        }
    }

    /// Does what the first turn would otherwise wait for: has the certificates read, and asks each
    /// upstream whose login is good for its catalogue, so that there is a connection to it.
    pub async fn warm_up(&self) {
        let now = self.now();
        let warm_up = |account: &Arc<Account>| {
            let account = Arc::clone(account);
            async move {
                if account.upstream.warm_up().await {
                    account.models.known(&account.upstream).await;
                }
            }
        };
        join_all(now.accounts.values().map(warm_up)).await;
    }

    pub(super) fn now(&self) -> Arc<Now> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn server(&self) -> ServerNow {
        ServerNow(self.now())
    }

    /// The profile of that name, or the one that serves by default.
    pub(super) fn profile(&self, name: Option<&str>) -> Result<Arc<Served>, Error> {
        let now = self.now();
        let name = name.unwrap_or(&now.server.profile);
        now.profiles.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = now.profiles.keys().map(String::as_str).collect();
            let known = known.join("`, `");
            Error::not_found(format!("There is no profile `{name}`; there are `{known}`."))
                .code("profile_not_found")
        })
    }

    /// The profile that a model's name begins with, and how long that beginning is. A name that is
    /// no profile's is part of the model's.
    pub(super) fn profile_of(&self, model: &str) -> Option<(Arc<Served>, usize)> {
        let now = self.now();
        let (name, _) = model.split_once(':')?;
        let served = match now.profiles.get(name) {
            Some(served) => served,
            // What other programs call the backend.
            None if name == "openai-codex" => {
                let is_codex = |served: &&Arc<Served>| served.profile.upstream == "codex";
                let usual = now.profiles.get(&now.server.profile);
                usual.filter(is_codex).or_else(|| now.profiles.values().find(is_codex))?
            }
            None => return None,
        };
        Some((Arc::clone(served), name.len() + 1))
    }

    /// What the turns do, and have lately done.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.0.activity
    }

    /// Room for a body.
    pub(super) fn room(&self) -> &Room {
        &self.0.room
    }

    /// What the page needs beside it.
    pub(super) fn page(&self) -> &Page {
        &self.0.page
    }

    /// How each client is pointed at this server.
    pub(super) fn guides(&self, address: &Address) -> Vec<Guide> {
        self.0.setup.guides(address)
    }

    /// How long running turns may take to end when the server stops.
    #[must_use]
    pub fn shutdown_grace(&self) -> Duration {
        self.server().shutdown_grace
    }

    /// Waits for what must not be cut off when the process ends.
    pub async fn settle(&self) {
        self.0.setup.settle().await;
    }

    /// A place among the turns that may run at once; held until the turn is over.
    /// One that asks for several answers needs as many, but never more than there are.
    pub(super) async fn place(&self, choices: usize) -> Result<OwnedSemaphorePermit, Error> {
        let now = self.now();
        let count = choices.min(now.server.max_turns).try_into().unwrap_or(1);
        let place = Arc::clone(&now.places).acquire_many_owned(count);
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

/// The settings of the server as they are now.
pub(super) struct ServerNow(Arc<Now>);

impl Deref for ServerNow {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0.server
    }
}
