//! The checks that look, and change nothing.

use std::io::ErrorKind;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::Check;
use crate::{
    cli::{status, terminal},
    config::Settings,
    models::Catalog,
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
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().ok()?;
    let mut request = client.get(format!("{url}/v1/models"));
    if let Some(key) = settings.server.keys.first() {
        request = request.bearer_auth(key.key.expose_secret());
    }
    let status = request.send().await.ok()?.status();
    matches!(status.as_u16(), 401 | 403).then(|| status.to_string())
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
