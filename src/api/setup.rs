//! From settings to what serves them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::Semaphore;

use super::{
    app::{Account, Now, Served},
    page::{Address, Guide, Guiding},
};
use crate::{
    auth::Places,
    config::{self, Profile, Settings, Store as Kind},
    models::{Catalog, Live},
    shaping::BASE_PROMPT,
    state::{Shelf, State, Store, store},
    upstream::{Clients, ConnectError, Shared, connect},
};

/// Where on this machine things are: known to whoever starts the program.
pub struct Surroundings {
    /// Where the login of the account of that name may be.
    pub places: Box<dyn Fn(&str) -> Places + Send + Sync>,
    /// What is kept on disk is kept there.
    pub state_file: PathBuf,
    /// How each client that is known is pointed at a server, for its page.
    pub guides: Box<Guiding>,
}

impl Default for Surroundings {
    /// A machine with nothing on it.
    fn default() -> Self {
        Self {
            places: Box::new(|_| Places::default()),
            state_file: PathBuf::new(),
            guides: Box::new(|_| Vec::new()),
        }
    }
}

/// Settings that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("set up the profile `{profile}`")]
    Connect { profile: String, source: ConnectError },
    #[error("read `base_prompt` of the profile `{profile}`: {}", .file.display())]
    BasePrompt { profile: String, file: PathBuf, source: std::io::Error },
    #[error("open what was kept")]
    Store(#[from] store::Error),
}

/// What does not change with the settings.
pub(super) struct Setup {
    surroundings: Surroundings,
    clients: Clients,
    state: config::State,
    store: Option<Arc<Store>>,
}

impl Setup {
    pub(super) fn new(settings: &Settings, surroundings: Surroundings) -> Result<Self, SetupError> {
        let state = settings.state.clone();
        let limits = store::Limits { max_bytes: state.max_bytes, max_age: state.ttl };
        let store = match state.store {
            Kind::Off => None,
            Kind::Memory => Some(Store::memory(limits)),
            Kind::Disk => Some(Store::open(&surroundings.state_file, limits)?),
        };
        let store = store.map(Arc::new);
        Ok(Self { surroundings, clients: Clients::default(), state, store })
    }

    /// Waits for what must not be cut off when the process ends.
    pub(super) async fn settle(&self) {
        self.clients.settle().await;
    }

    /// How each client is pointed at this server.
    pub(super) fn guides(&self, address: &Address) -> Vec<Guide> {
        (self.surroundings.guides)(address)
    }

    /// What the settings come to. What has not changed since `before` is taken over.
    pub(super) fn now(&self, settings: Settings, before: Option<&Now>) -> Result<Now, SetupError> {
        if settings.state != self.state {
            tracing::warn!("a change of `[state]` has an effect when codexway is started again");
        }
        // What runs the turns of an account does not depend on the profile it is used through:
        // one login, one catalogue, one memory.
        let mut accounts: BTreeMap<(String, String), Arc<Account>> = BTreeMap::new();
        let mut profiles = BTreeMap::new();
        for (name, profile) in settings.profiles {
            // The loader has checked that these names exist.
            let upstream = &settings.upstreams[&profile.upstream];
            let account = &settings.accounts[&profile.account];
            let key = (profile.upstream.clone(), profile.account.clone());
            let known = accounts.get(&key).or_else(|| {
                let account_before = before?.accounts.get(&key)?;
                let same = account_before.upstream_settings == *upstream
                    && account_before.account_settings == *account
                    && before?.server.idle_timeout == settings.server.idle_timeout;
                same.then_some(account_before)
            });
            let account =
                match known {
                    Some(known) => Arc::clone(known),
                    None => {
                        let kept = before.and_then(|before| before.accounts.get(&key));
                        let shared = Shared {
                            clients: &self.clients,
                            places: (self.surroundings.places)(&profile.account),
                            idle_timeout: settings.server.idle_timeout,
                        };
                        let account = self.account(&key, upstream, account, &shared, kept);
                        Arc::new(account.map_err(|source| SetupError::Connect {
                            profile: name.clone(),
                            source,
                        })?)
                    }
                };
            accounts.insert(key, Arc::clone(&account));
            let base_prompt = self.base_prompt(&name, &profile)?;
            profiles.insert(name.clone(), Arc::new(Served { name, profile, base_prompt, account }));
        }
        let max_turns = settings.server.max_turns.min(Semaphore::MAX_PERMITS);
        let places = match before {
            Some(before) if before.server.max_turns == settings.server.max_turns => {
                Arc::clone(&before.places)
            }
            _ => Arc::new(Semaphore::new(max_turns)),
        };
        Ok(Now { server: settings.server, places, profiles, accounts })
    }

    fn account(
        &self,
        (upstream_name, account_name): &(String, String),
        upstream: &config::Upstream,
        account: &config::Account,
        shared: &Shared<'_>,
        kept: Option<&Arc<Account>>,
    ) -> Result<Account, ConnectError> {
        let known = Catalog::of(upstream.kind);
        let models = Arc::new(Live::new(upstream.version.clone(), known));
        let versions = Arc::clone(&models);
        let version = Arc::new(move || versions.version());
        let scope = format!("{upstream_name}/{account_name}");
        let shelf = self.store.as_ref().map(|store| Shelf::new(Arc::clone(store), &scope));
        let state = match kept {
            Some(kept) => Arc::clone(&kept.state),
            None => Arc::new(State { shelf, ..State::default() }),
        };
        Ok(Account {
            upstream: connect(upstream, account, version, shared)?,
            models,
            state,
            background: kept.map_or_else(Default::default, |kept| Arc::clone(&kept.background)),
            upstream_settings: upstream.clone(),
            account_settings: account.clone(),
        })
    }

    /// The base prompt of a profile: the user's file, or our own.
    fn base_prompt(&self, name: &str, profile: &Profile) -> Result<Arc<str>, SetupError> {
        if profile.base_prompt.is_empty() {
            return Ok(BASE_PROMPT.trim().into());
        }
        let home = (self.surroundings.places)(&profile.account).home;
        let file = match (profile.base_prompt.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => Path::new(&profile.base_prompt).to_owned(),
        };
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().into()),
            Err(source) => Err(SetupError::BasePrompt { profile: name.to_owned(), file, source }),
        }
    }
}
