//! The official `codex exec`, a child process for each turn.
//!
//! It is an agent, asked here to answer and to do nothing else: what only a model could be asked is
//! refused, never left out.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture};
use http::HeaderMap;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::{Answer, CatalogBody, Error, Events, Upstream};
use crate::{auth::Places, config, protocol::Turn};

mod command;
mod failure;
mod prompt;
mod redacted;
mod running;
mod story;

use command::Program;
use running::Running;
use story::{Step, Story};

/// The official program with a login of its own.
pub struct CodexExec(Arc<Shared>);

struct Shared {
    program: Program,
    /// Processes that may still be started.
    places: Arc<Semaphore>,
    /// Silence after which a turn has failed.
    idle_timeout: Duration,
}

impl CodexExec {
    /// The program that `upstream` names; `home` is the folder of the login to use, where that is
    /// not the program's own choice.
    #[must_use]
    pub fn new(
        upstream: &config::Upstream,
        places: &Places,
        home: Option<&Path>,
        idle_timeout: Duration,
    ) -> Self {
        let program = Program::new(upstream, places, home);
        let most = upstream.max_processes.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        Self(Arc::new(Shared { program, places, idle_timeout }))
    }

    async fn catalog(&self) -> Result<CatalogBody, Error> {
        let folder = folder()?;
        let command = self.0.program.command(&self.0.program.models(), &folder)?;
        let running = Running::start(command, String::new(), folder)?;
        let json = running.whole(self.0.idle_timeout).await?;
        Ok(CatalogBody { json, etag: None })
    }
}

/// The turn as the program tells it. Nothing is started before somebody listens, so that of several
/// turns for one request those wait that have no place yet, and the others go on.
fn events(shared: Arc<Shared>, model: String, arguments: Vec<String>, prompt: String) -> Events {
    async_stream::try_stream! {
        let idle = shared.idle_timeout;
        let place = tokio::time::timeout(idle, Arc::clone(&shared.places).acquire_owned());
        let _place = place.await.map_err(|_| busy())?;
        let folder = folder()?;
        let command = shared.program.command(&arguments, &folder)?;
        let mut running = Running::start(command, prompt, folder)?;
        let mut story = Story::new(model);
        let mut end = None;
        while end.is_none() {
            let Some(line) = running.line(idle).await? else { break };
            match story.line(&line)? {
                Step::On(events) => {
                    for event in events {
                        yield event;
                    }
                }
                Step::End(last) => end = Some(last),
            }
        }
        // Whoever has heard the end stops listening, and so ends the program: it may end by itself.
        let status = running.ended().await;
        let last = end.unwrap_or_else(|| Err(running.failed(status)))?;
        yield last;
    }
    .boxed()
}

fn busy() -> Error {
    Error::RateLimited {
        message: "too many turns run in processes of their own; `max_processes` of the upstream is the limit".to_owned(),
        retry_after: None,
        headers: Box::default(),
    }
}

/// An empty folder to work in.
fn folder() -> Result<TempDir, Error> {
    let made = tempfile::Builder::new().prefix("codexway-").tempdir();
    made.map_err(|error| Error::Program(format!("no folder can be made for `codex exec`: {error}")))
}

impl Upstream for CodexExec {
    fn send<'a>(&'a self, turn: &'a mut Turn) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async {
            let prompt = prompt::prompt(&turn.request)?;
            self.0.program.find()?;
            let arguments = self.0.program.exec(&turn.request);
            let model = turn.request.model.clone();
            let events = events(Arc::clone(&self.0), model, arguments, prompt);
            Ok(Answer { headers: HeaderMap::new(), events })
        })
    }

    fn models<'a>(
        &'a self,
        _version: &'a str,
        _etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<CatalogBody>, Error>> {
        Box::pin(async { self.catalog().await.map(Some) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { self.0.program.find().map(drop) })
    }

    fn label(&self) -> &'static str {
        "codex-exec"
    }
}
