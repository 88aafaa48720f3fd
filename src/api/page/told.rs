//! What the page is told: names, numbers and errors, never what was said in a turn.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};

use super::{accounts::Name, guide::Guides, hint::hint};
use crate::{
    api::{
        App, Served,
        app::{self, Now},
    },
    auth::{Credits, Window},
    config::UpstreamKind,
    protocol::raw,
    telemetry::{Failed, Lately},
};

/// The most turns that are shown one by one.
const SHOWN: usize = 50;

#[derive(Serialize)]
struct Account<'a> {
    name: &'a str,
    upstream: &'a str,
    kind: &'static str,
    /// As in `codexway status --json`, or `looking` before the first look.
    state: &'static str,
    plan: Option<String>,
    windows: Vec<Window>,
    credits: Option<Credits>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct Profile<'a> {
    name: &'a str,
    upstream: &'a str,
    account: &'a str,
    /// For requests that name none.
    model: &'a str,
    aliases: &'a BTreeMap<String, String>,
    models: Vec<Model>,
}

#[derive(Serialize)]
struct Model {
    id: String,
    /// Tokens.
    context_window: Option<u64>,
    efforts: Vec<String>,
    images: bool,
}

#[derive(Serialize)]
struct Error {
    #[serde(flatten)]
    failed: Failed,
    hint: Option<&'static str>,
}

/// Each part under its name, as JSON, for a browser that calls the server by this name.
pub(super) fn parts(app: &App, host: &str, guides: &mut Guides) -> [(&'static str, String); 7] {
    let now = app.now();
    let lately = app.activity().lately();
    let ended = lately.ended;
    let Lately { live, minutes, errors, .. } = lately;
    let errors: Vec<Error> = errors
        .into_iter()
        .map(|failed| Error { hint: hint(failed.status, failed.code.as_deref()), failed })
        .collect();
    let shown = &live[..live.len().min(SHOWN)];
    [
        ("server", text(&server(app, &now, host))),
        ("accounts", text(&accounts(app, &now))),
        ("profiles", text(&profiles(&now))),
        ("clients", guides.json(app, &now, host)),
        ("live", text(&json!({ "running": live.len(), "turns": shown }))),
        ("tokens", text(&json!({ "ended": ended, "minutes": minutes }))),
        ("errors", text(&errors)),
    ]
}

pub(super) fn text(value: &impl Serialize) -> String {
    Box::<str>::from(raw(value)).into_string()
}

fn server(app: &App, now: &Now, host: &str) -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "url": format!("http://{host}"),
        "since": app.page().since,
        "demo": now.accounts.values().any(|account| account.upstream_settings.kind == UpstreamKind::Demo),
        "keys": now.server.keys.len(),
        "max_turns": now.server.max_turns,
        "profile": now.server.profile,
    })
}

fn accounts<'a>(app: &App, now: &'a Now) -> Vec<Account<'a>> {
    let told = |(name, account): (&'a Name, &Arc<app::Account>)| {
        let known = app.page().accounts.known(name);
        let usage = known.as_ref().and_then(|known| known.usage.clone());
        let (upstream, account_name) = name;
        Account {
            name: account_name,
            upstream,
            kind: account.upstream_settings.kind.as_str(),
            state: known.as_ref().map_or("looking", |known| known.state),
            plan: usage.as_ref().and_then(|usage| usage.plan.clone()),
            credits: usage.as_ref().and_then(|usage| usage.credits.clone()),
            windows: usage.map(|usage| usage.windows).unwrap_or_default(),
            problem: known.and_then(|known| known.problem),
        }
    };
    now.accounts.iter().map(told).collect()
}

/// The one that serves what names none comes first.
fn profiles(now: &Now) -> Vec<Profile<'_>> {
    let usual = &now.server.profile;
    let mut served: Vec<&Served> = now.profiles.values().map(|served| &**served).collect();
    served.sort_by_key(|served| (served.name != *usual, served.name.as_str()));
    served.into_iter().map(profile).collect()
}

fn profile(served: &Served) -> Profile<'_> {
    let catalog = served.models.current();
    let models = catalog.listed().map(|model| Model {
        id: model.slug.clone(),
        context_window: model.context_window,
        efforts: model.levels().cloned().collect(),
        images: model.input_modalities.iter().any(|kind| kind == "image"),
    });
    Profile {
        name: &served.name,
        upstream: &served.profile.upstream,
        account: &served.profile.account,
        model: &served.profile.model,
        aliases: &served.profile.aliases,
        models: models.collect(),
    }
}
