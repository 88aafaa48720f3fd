//! `codexway doctor --probe`: what the account's backend accepts, found out by asking it.
//!
//! One tiny turn for each model, shape and transport, through the upstream that serves turns. A
//! refusal is a finding and stops nothing; what would refuse all the rest too is not asked again.

use std::{sync::Arc, time::Duration};

use anyhow::Context;

mod ask;
mod told;

pub(super) use told::Findings;

use super::terminal;
use crate::{
    cli::{Environment, Failure},
    config::{self, Settings, Transport, UpstreamKind},
    models::{Catalog, Live, Model},
    server,
    upstream::{self, Clients, Shared, Upstream},
};
use ask::{Asked, Shape};
use told::{Outcome, Tried};

/// How long a turn may be silent; one of two words is not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Over what a turn goes, and what runs it there.
struct Way {
    transport: Transport,
    upstream: Arc<dyn Upstream>,
}

/// Makes sure that somebody has agreed to the turns, or can be asked.
///
/// # Errors
/// When there is nobody to ask, or nothing to probe.
pub(super) fn permitted(yes: bool, settings: &Settings) -> Result<(), Failure> {
    let name = &settings.server.profile;
    let upstream = &settings.profiles[name].upstream; // The loader has checked the names.
    if settings.upstreams[upstream].kind != UpstreamKind::Codex {
        return Err(Failure::Usage(format!(
            "the profile `{name}` runs its turns at `{upstream}`, and `--probe` asks the ChatGPT backend alone; hint: name a profile of it, as in `CODEXWAY__SERVER__PROFILE=codex codexway doctor --probe`"
        )));
    }
    if !yes && !terminal::someone_is_there() {
        return Err(Failure::Usage(
            "`--probe` spends a little of the plan, and there is no terminal to ask on; hint: if that is fine, add `--yes`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Asks for every turn there is to ask for, unless it is not wanted after all.
pub(super) async fn run(
    yes: bool,
    settings: &Settings,
    environment: &Environment,
) -> Result<Findings, Failure> {
    let profile = &settings.profiles[&settings.server.profile];
    let upstream = &settings.upstreams[&profile.upstream];
    let live = Arc::new(Live::new(upstream.version.clone(), Catalog::of(upstream.kind)));
    let clients = Clients::fleeting();
    let connect = |transport| {
        let claimed = Arc::clone(&live);
        let shared = Shared {
            clients: &clients,
            places: environment.places(&profile.account),
            idle_timeout: PATIENCE,
        };
        let upstream = config::Upstream { transport, ..upstream.clone() };
        let account = &settings.accounts[&profile.account];
        let upstream =
            upstream::connect(&upstream, account, Arc::new(move || claimed.version()), &shared);
        Ok::<_, Failure>(Way { transport, upstream: upstream.context("set up the upstream")? })
    };
    let ways = [connect(Transport::Http)?, connect(Transport::Websocket)?];
    let asking = live.asked(&*ways[0].upstream);
    let catalog = terminal::busy("asking for the models", asking).await;
    let models: Vec<&Model> = catalog.listed().collect();
    let n_turns = models.len() * Shape::ALL.len() * ways.len();
    errln!(
        "{n_turns} tiny turns: {} models, in two shapes, over two transports; they spend a little of the plan",
        models.len()
    );
    if !yes && !terminal::confirms("Ask for them?")? {
        return Ok(Findings::none("they were not wanted"));
    }
    let stop = server::signalled(1).context("listen for signals")?;
    let findings = try_all(&models, &ways, stop).await;
    clients.settle().await;
    Ok(findings)
}

async fn try_all(models: &[&Model], ways: &[Way], stop: impl Future<Output = ()>) -> Findings {
    let mut stop = std::pin::pin!(stop);
    let shapes = models.iter().flat_map(|model| Shape::ALL.map(|shape| (*model, shape)));
    let cells = shapes.flat_map(|(model, shape)| ways.iter().map(move |way| (model, shape, way)));
    let cells: Vec<(&Model, Shape, &Way)> = cells.collect();
    let mut findings = Findings::default();
    let mut no_sockets = false;
    for (at, (model, shape, way)) in cells.iter().enumerate() {
        let transport = way.transport.as_str();
        let outcome = if let Some(why) = findings.stopped.clone() {
            Outcome::NotTried { why }
        } else if no_sockets && way.transport == Transport::Websocket {
            Outcome::NotTried { why: "an earlier WebSocket could not be opened".to_owned() }
        } else {
            let (n, of) = (at + 1, cells.len());
            let what = format!("turn {n} of {of}: `{}`, {shape}, {transport}", model.slug);
            let asking = terminal::waiting(&what, ask::ask(model, *shape, &way.upstream));
            tokio::select! {
                biased;
                () = &mut stop => {
                    findings.stopped = Some("stopped by hand".to_owned());
                    Outcome::NotTried { why: "stopped by hand".to_owned() }
                }
                Asked { outcome, ends, unreachable } = asking => {
                    no_sockets |= unreachable && way.transport == Transport::Websocket;
                    findings.end(ends);
                    outcome
                }
            }
        };
        let model = model.slug.clone();
        findings.turns.push(Tried { model, shape: shape.as_str(), transport, outcome });
    }
    findings
}
