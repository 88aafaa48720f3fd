//! The catalogue as the upstream has it now, with the built-in one until it has been asked.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::{Catalog, compare_versions};
use crate::upstream::Upstream;

#[cfg(test)]
mod tests;

/// How long a catalogue is taken as it is.
const FRESH: Duration = Duration::from_secs(3600);
/// How long to wait after the upstream could not be asked.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a request waits for the first catalogue; then the built-in one serves it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The catalogue in force. One for each upstream; shared by its turns.
pub struct Live {
    /// The client version to claim, where it is not for the catalogues to say.
    fixed_version: Option<String>,
    current: RwLock<Current>,
    /// The version that the catalogue asked for which was there first. The upstream shows a client
    /// what its version may use, so by that alone the claim could only ever fall.
    least_version: String,
    /// Held while asking, so that however many ask at once, one does.
    asked: Mutex<Asked>,
}

#[derive(Clone)]
struct Current {
    catalog: Arc<Catalog>,
    /// The version to claim with it.
    version: Arc<str>,
}

#[derive(Default)]
struct Asked {
    etag: Option<String>,
    again_at: Option<Instant>,
}

impl Asked {
    fn is_due(&self) -> bool {
        self.again_at.is_none_or(|at| Instant::now() >= at)
    }
}

impl Live {
    /// `version` is the client version to claim, `auto` (or nothing) for the highest that a
    /// catalogue has asked for; `known` serves until the upstream has been asked.
    #[must_use]
    pub fn new(version: String, known: Catalog) -> Self {
        let least_version = known.version().to_owned();
        let fixed_version = (!matches!(&*version, "" | "auto")).then_some(version);
        let version = fixed_version.as_deref().unwrap_or(&least_version).into();
        let current = RwLock::new(Current { catalog: Arc::new(known), version });
        Self { fixed_version, current, least_version, asked: Mutex::default() }
    }

    /// The client version to claim at the moment, to be let to the models of the catalogue.
    #[must_use]
    pub fn version(&self) -> Arc<str> {
        self.now().version
    }

    /// What is known now, without waiting.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        self.now().catalog
    }

    fn now(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, catalog: Catalog) {
        let version = self.fixed_version.as_deref().unwrap_or_else(|| {
            [&*self.least_version, catalog.version()]
                .into_iter()
                .max_by(|a, b| compare_versions(a, b))
                .unwrap_or_default()
        });
        let now = Current { version: version.into(), catalog: Arc::new(catalog) };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// What the upstream has said, at once: where that was a while ago it is asked again behind
    /// the caller's back. Who comes first waits for it, as for [`Live::asked`].
    pub async fn known(self: &Arc<Self>, upstream: &Arc<dyn Upstream>) -> Arc<Catalog> {
        if !self.current().is_the_upstream_s() {
            return self.asked(&**upstream).await;
        }
        // Where it is locked, somebody is asking.
        if self.asked.try_lock().is_ok_and(|asked| asked.is_due()) {
            let (live, upstream) = (Arc::clone(self), Arc::clone(upstream));
            #[expect(
                clippy::disallowed_methods,
                reason = "nobody has to wait for it: if it is cut off, the next one asks again"
            )]
            tokio::spawn(async move { live.asked(&*upstream).await });
        }
        self.current()
    }

    /// What the upstream says, if it answers soon; else what is known.
    pub async fn asked(&self, upstream: &dyn Upstream) -> Arc<Catalog> {
        if tokio::time::timeout(PATIENCE, self.refresh(upstream)).await.is_err() {
            tracing::warn!("the upstream did not send its catalogue of models in time");
        }
        self.current()
    }

    async fn refresh(&self, upstream: &dyn Upstream) {
        let mut asked = self.asked.lock().await;
        if !asked.is_due() {
            return;
        }
        // Set first: if the caller goes away while we wait, the next one must not ask at once.
        asked.again_at = Some(Instant::now() + PAUSE);
        let version = self.version();
        match upstream.models(&version, asked.etag.as_deref()).await {
            Ok(Some(body)) => match Catalog::sent_by(upstream, &body.json) {
                Ok(catalog) => {
                    let catalog = catalog.asked_as(&version);
                    tracing::debug!(models = catalog.models.len(), "catalogue of models loaded");
                    self.replace(catalog);
                    asked.etag = body.etag;
                    asked.again_at = Some(Instant::now() + FRESH);
                }
                Err(error) => tracing::warn!(%error, "the upstream's catalogue cannot be read"),
            },
            Ok(None) => asked.again_at = Some(Instant::now() + FRESH),
            Err(error) => {
                tracing::warn!(%error, "the upstream did not send its catalogue of models")
            }
        }
    }
}
