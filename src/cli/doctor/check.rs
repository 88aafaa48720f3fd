//! The checks that look, and change nothing.

use std::io::ErrorKind;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::Check;
use crate::{
    api::Astray,
    cli::{status, terminal},
    config::Settings,
    models::Catalog,
    telemetry::metrics,
};

/// A server on this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether clients find codexway where the settings say, or could.
pub(super) async fn port(settings: &Settings) -> Check {
    let listen = settings.server.listen;
    let url = status::address(settings);
    if let Some(server) = status::server(url.clone()).await {
        return match refused(settings, &url).await {
            None => Check::well("port", format!("codexway {} answers at {url}", server.version)),
            Some(why) => Check::ill(
                "port",
                &format!(
                    "the codexway at {url} does not take the local key of these settings ({why})"
                ),
                "start it again with these settings, or give clients the key that it was started with",
            ),
        };
    }
    match TcpListener::bind(listen).await {
        Ok(_) => Check::well("port", format!("{listen} is free; no codexway is running")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Check::ill(
            "port",
            &format!("{listen} is used by another program"),
            "stop that program, or set another `listen` under `[server]`",
        ),
        Err(error) => Check::ill(
            "port",
            &format!("{listen} cannot be listened on: {error}"),
            "set another `listen` under `[server]`",
        ),
    }
}

/// Why the running server does not let us in, where it does not.
async fn refused(settings: &Settings, url: &str) -> Option<String> {
    let status = asked(settings, &format!("{url}/v1/models")).await?.status();
    matches!(status.as_u16(), 401 | 403).then(|| status.to_string())
}

/// What the running server answers to whom the settings' key belongs.
async fn asked(settings: &Settings, url: &str) -> Option<reqwest::Response> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().ok()?;
    let mut request = client.get(url);
    if let Some(key) = settings.server.keys.first() {
        request = request.bearer_auth(key.key.expose_secret());
    }
    request.send().await.ok()
}

/// Whether clients find what they ask the running server for; `None` where none runs that tells us.
pub(super) async fn clients(settings: &Settings) -> Option<Check> {
    let answer = asked(settings, &format!("{}/metrics", status::address(settings))).await?;
    let told = answer.error_for_status().ok()?.text().await.ok()?;
    if !told.contains("codexway_build_info") {
        return None;
    }
    let astray: Vec<(Astray, u64)> = Astray::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, counted(&told, kind)?)))
        .filter(|(kind, _)| kind.mend().is_some())
        .collect();
    if astray.is_empty() {
        return Some(Check::well("clients", "none asked for a path that is not here"));
    }
    let saw: Vec<String> = astray
        .iter()
        .map(|(kind, n_times)| format!("`{}` was asked for ({n_times}×)", kind.example()))
        .collect();
    let mends: Vec<&str> = astray.iter().filter_map(|(kind, _)| kind.mend()).collect();
    let base = status::address(settings);
    let hint = Some(format!("{}; most clients want `{base}/v1`", mends.join("; ")));
    Some(Check { name: "clients", ok: false, saw: saw.join(", "), hint })
}

/// How often paths of this kind were asked for, as `/metrics` tells it.
fn counted(told: &str, kind: Astray) -> Option<u64> {
    let name = format!("{}{{kind=\"{}\"}} ", metrics::ASTRAY, kind.as_str());
    told.lines().find_map(|line| line.strip_prefix(&name))?.trim().parse().ok()
}

pub(super) fn clock(report: &status::Report) -> Check {
    match report.clock_behind {
        None => Check::well("clock", "it is not known to be wrong"),
        Some(behind) => {
            let way = if behind.is_negative() { "ahead" } else { "behind" };
            let span = terminal::span(behind.abs().as_secs());
            Check::ill(
                "clock",
                &format!("this computer's clock is {span} {way}"),
                "set it, best from the network: logins are renewed by the clock",
            )
        }
    }
}

pub(super) fn credentials(report: &status::Report) -> Check {
    let plan = report.plan.as_deref();
    match &report.problem {
        Some(problem) if report.clock_behind.is_none() => {
            Check::ill("credentials", problem, "`codexway status` says more")
        }
        _ => Check::well(
            "credentials",
            plan.map_or("they are there".to_owned(), |plan| format!("the plan is `{plan}`")),
        ),
    }
}

pub(super) fn catalogue(answered: anyhow::Result<Catalog>) -> Check {
    match answered {
        Ok(catalog) => Check::well("catalogue", format!("{} models", catalog.listed().count())),
        Err(error) => Check::ill(
            "catalogue",
            &format!("{error:#}"),
            "try again in a minute; until then the built-in list serves",
        ),
    }
}
