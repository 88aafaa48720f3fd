//! Everything that serving a turn needs, put together once from the settings.

use std::{collections::BTreeMap, sync::Arc};

use http::HeaderMap;

use super::Error;
use crate::{
    auth::Places,
    config::{Profile, Server, Settings},
    models::Live,
    upstream::{ConnectError, Shared, Upstream, clients, connect},
};

/// What all turns share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    server: Server,
    profiles: BTreeMap<String, Arc<Served>>,
}

/// A profile and what runs its turns.
pub struct Served {
    pub name: String,
    pub profile: Profile,
    pub upstream: Arc<dyn Upstream>,
    pub models: Arc<Live>,
}

/// Settings that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("set up the network client")]
    Client(#[from] reqwest::Error),
    #[error("set up the profile `{profile}`")]
    Profile { profile: String, source: ConnectError },
}

impl App {
    /// Puts together what the settings describe. `places` tells where the login of the account of
    /// that name may be.
    ///
    /// # Errors
    /// When an upstream cannot be set up; nothing is connected to yet.
    pub fn new(settings: Settings, places: impl Fn(&str) -> Places) -> Result<Self, SetupError> {
        let (client, auth_client) = clients()?;
        let mut catalogs: BTreeMap<(String, String), Arc<Live>> = BTreeMap::new();
        let mut profiles = BTreeMap::new();
        for (name, profile) in settings.profiles {
            // The loader has checked that these names exist.
            let upstream = &settings.upstreams[&profile.upstream];
            let account = &settings.accounts[&profile.account];
            let shared = Shared {
                client: client.clone(),
                auth_client: auth_client.clone(),
                places: places(&profile.account),
                idle_timeout: settings.server.idle_timeout,
            };
            // What an account may use does not depend on the profile it is used through.
            let catalog = (profile.upstream.clone(), profile.account.clone());
            let models = catalogs.entry(catalog);
            let models = models.or_insert_with(|| Arc::new(Live::new(upstream.version.clone())));
            let models = Arc::clone(models);
            let versions = Arc::clone(&models);
            let upstream =
                connect(upstream, account, Arc::new(move || versions.version()), &shared)
                    .map_err(|source| SetupError::Profile { profile: name.clone(), source })?;
            let served = Served { name: name.clone(), profile, upstream, models };
            profiles.insert(name, Arc::new(served));
        }
        Ok(Self(Arc::new(Inner { server: settings.server, profiles })))
    }

    pub(super) fn server(&self) -> &Server {
        &self.0.server
    }

    /// The profile that a request names by its path or by a header, else the one that serves by
    /// default.
    pub(super) fn profile(
        &self,
        path: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Arc<Served>, Error> {
        let header = || headers.get("x-codexway-profile").and_then(|value| value.to_str().ok());
        let name = path.or_else(header).unwrap_or(&self.0.server.profile);
        self.0.profiles.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.0.profiles.keys().map(String::as_str).collect();
            let known = known.join("`, `");
            Error::not_found(format!("There is no profile `{name}`; there are `{known}`."))
                .code("profile_not_found")
        })
    }
}
