//! The catalogue as the upstream has it now, with the built-in one until it has been asked.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::Catalog;
use crate::upstream::Upstream;

/// How long a catalogue is taken as it is.
const FRESH: Duration = Duration::from_secs(3600);
/// How long to wait after the upstream could not be asked.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a request waits for the first catalogue; then the built-in one serves it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The catalogue in force. One for each upstream; shared by its turns.
pub struct Live {
    /// The client version to claim; `auto` for the highest that the catalogue asks for.
    version: String,
    current: RwLock<Arc<Catalog>>,
    /// Held while asking, so that however many ask at once, one does.
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    etag: Option<String>,
    again_at: Option<Instant>,
}

impl Live {
    /// `known` serves until the upstream has been asked.
    #[must_use]
    pub fn new(version: String, known: Catalog) -> Self {
        let current = RwLock::new(Arc::new(known));
        Self { version, current, asked: Mutex::default() }
    }

    /// The client version to claim at the moment, to be let to the models of the catalogue.
    #[must_use]
    pub fn version(&self) -> String {
        match self.version.as_str() {
            "" | "auto" => self.current().version().to_owned(),
            fixed => fixed.to_owned(),
        }
    }

    /// What is known now, without waiting.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        if asked.again_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        // Set first: if the caller goes away while we wait, the next one must not ask at once.
        asked.again_at = Some(Instant::now() + PAUSE);
        match upstream.models(&self.version(), asked.etag.as_deref()).await {
            Ok(Some(body)) => match Catalog::sent_by(upstream, &body.json) {
                Ok(catalog) => {
                    tracing::debug!(models = catalog.models.len(), "catalogue of models loaded");
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) =
                        Arc::new(catalog);
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
