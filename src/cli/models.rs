//! `codexway models`: what can be asked for.

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::Value;

use super::account::block_on;
use super::{Environment, Failure, FileArg, demo::Demo, terminal};
use crate::{
    config::{self, Profile, Settings},
    models::{Catalog, Live},
    upstream::{self, Clients, Shared, Upstream},
};

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    /// As JSON: the entries of `GET /v1/models`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: FileArg,
}

pub(super) fn run(args: &ModelsArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = config::load(&environment.sources(&args.file, None))?.settings;
    block_on(async {
        let (settings, _demo) = Demo::beside(settings).await?;
        let profile = &settings.profiles[&settings.server.profile]; // The loader has checked the name.
        let entries = catalog(profile, &settings, environment).await?.entries(&profile.aliases);
        if args.json {
            outln!("{:#}", Value::Array(entries));
        } else {
            out!("{}", table(&entries));
        }
        Ok(())
    })
}

/// The upstream's catalogue; the one that is built in where that cannot be had, with the reason.
async fn catalog(
    profile: &Profile,
    settings: &Settings,
    environment: &Environment,
) -> Result<Catalog, Failure> {
    let answered = live(profile, settings, environment).await?;
    Ok(answered.unwrap_or_else(|why| {
        errln!(
            "warning: this is the built-in list, since the upstream did not send its own: {why:#}"
        );
        Catalog::of(settings.upstreams[&profile.upstream].kind)
    }))
}

/// What the profile's upstream answers when it is asked for its catalogue.
///
/// # Errors
/// Outside, when no upstream can be made of the settings; inside, when it does not answer well.
pub(super) async fn live(
    profile: &Profile,
    settings: &Settings,
    environment: &Environment,
) -> Result<anyhow::Result<Catalog>, Failure> {
    let upstream = &settings.upstreams[&profile.upstream];
    let account = &settings.accounts[&profile.account];
    let version = Live::new(upstream.version.clone(), Catalog::of(upstream.kind)).version();
    let claimed = version.clone();
    let clients = Clients::fleeting();
    let shared = Shared {
        clients: &clients,
        places: environment.places(&profile.account),
        idle_timeout: settings.server.idle_timeout,
    };
    let upstream =
        upstream::connect(upstream, account, std::sync::Arc::new(move || claimed.clone()), &shared)
            .with_context(|| format!("set up the upstream `{}`", profile.upstream))?;
    let answered = asked(&*upstream, &version).await;
    clients.settle().await;
    Ok(answered)
}

async fn asked(upstream: &dyn Upstream, version: &str) -> anyhow::Result<Catalog> {
    let asked = terminal::busy("asking the upstream", upstream.models(version, None));
    let body = asked.await?.ok_or_else(|| anyhow!("it says that nothing has changed"))?;
    Catalog::sent_by(upstream, &body.json).context("read it")
}

fn table(entries: &[Value]) -> String {
    let header = ["MODEL", "CONTEXT", "EFFORTS (* BY DEFAULT)", "TIERS", "INPUT"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for entry in entries {
        let words =
            |name: &str| entry[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        let default = entry["default_reasoning_effort"].as_str();
        let efforts: Vec<String> = words("reasoning_efforts")
            .map(
                |effort| {
                    if Some(effort) == default { format!("{effort}*") } else { effort.to_owned() }
                },
            )
            .collect();
        let list = |name: &str| words(name).collect::<Vec<_>>().join(", ");
        let context = entry["context_window"].as_u64();
        rows.push(vec![
            entry["id"].as_str().unwrap_or_default().to_owned(),
            context.map(|tokens| format!("{}k", tokens / 1000)).unwrap_or_default(),
            efforts.join(" "),
            list("service_tiers"),
            list("input_modalities"),
        ]);
    }
    terminal::table(&rows, |_, _| None)
}
