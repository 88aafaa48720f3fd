//! `codexway status`: the accounts, what their plans have left, and the running server.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

mod text;

use super::account::{Account, block_on};
use super::demo::Demo;
use super::{Code, Environment, Failure, FileArg, terminal};
use crate::{
    auth::{self, Credits, Holds, Window},
    config::{self, AccountKind, Settings},
};

/// A server on this machine answers at once or is none of ours.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: FileArg,
}

/// What is told of an account; times are seconds since 1970.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    name: String,
    kind: &'static str,
    pub(super) plan: Option<String>,
    state: &'static str,
    expires_at: Option<i64>,
    windows: Vec<Window>,
    credits: Option<Credits>,
    /// `own` or `borrowed`; null for an API key.
    login: Option<&'static str>,
    /// The file that holds the login, or stands for what the keyring holds.
    file: Option<PathBuf>,
    /// What is wrong, and what to do.
    pub(super) problem: Option<String>,
    /// How far this computer's clock is behind the backend's, where that is too far.
    #[serde(skip)]
    pub(super) clock_behind: Option<SignedDuration>,
    /// Whether the token is renewed before it ends.
    #[serde(skip)]
    renewed: bool,
    #[serde(skip)]
    pub(super) failed: Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    Not,
    LoginNeeded,
    Otherwise,
}

#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub(super) url: String,
    pub(super) version: String,
}

pub(super) fn run(args: &StatusArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = config::load(&environment.sources(&args.file, None))?.settings;
    let known = environment.known_accounts();
    block_on(async {
        let (settings, _demo) = Demo::beside(settings).await?;
        let accounts = accounts(&settings, &known, environment);
        let reports = join_all(accounts.iter().map(|account| report(account, environment)));
        let asked = async { tokio::join!(reports, server(address(&settings))) };
        let (reports, server) = terminal::busy("asking", asked).await;
        if args.json {
            outln!("{:#}", json!({ "accounts": reports, "server": server }));
        } else {
            out!("{}", text::text(&reports, server.as_ref(), &settings, environment));
        }
        let any = |failed| reports.iter().any(|report| report.failed == failed);
        match (any(Failed::LoginNeeded), any(Failed::Otherwise)) {
            (false, false) => Ok(()),
            (true, _) => Err(Failure::Told(Code::LoginNeeded)),
            (false, true) => Err(Failure::Told(Code::Failed)),
        }
    })
}

/// Those that a profile uses, and those that hold a login of ours.
fn accounts<'a>(
    settings: &'a Settings,
    known: &'a [String],
    environment: &Environment,
) -> Vec<Account<'a>> {
    let used = |name: &str| settings.profiles.values().any(|profile| profile.account == name);
    let configured = settings.accounts.keys().filter(|name| used(name));
    let named = |name: &'a String| Account::named(name, settings, environment).ok();
    let mut accounts: Vec<Account<'_>> = configured.filter_map(named).collect();
    for account in known.iter().filter_map(named) {
        if !used(account.name) && !matches!(account.own().holds(), Ok(None)) {
            accounts.push(account);
        }
    }
    accounts
}

/// All that is known of an account, and what its backend says of it.
pub(super) async fn report(account: &Account<'_>, environment: &Environment) -> Report {
    let configured = account.settings.map(|settings| settings.kind);
    let kept_key = matches!(account.own().holds(), Ok(Some(Holds::ApiKey)));
    let kind = match configured {
        Some(AccountKind::ApiKey) => AccountKind::ApiKey,
        _ if account.at_platform => AccountKind::ApiKey,
        _ if kept_key && no_login(&account.source().folder()) => AccountKind::ApiKey,
        _ => AccountKind::Codex,
    };
    let mut report = Report {
        name: account.name.to_owned(),
        kind: kind.as_str(),
        plan: None,
        state: "ready",
        expires_at: None,
        windows: Vec::new(),
        credits: None,
        login: None,
        file: None,
        problem: None,
        clock_behind: None,
        renewed: false,
        failed: Failed::Not,
    };
    let misplaced = configured == Some(AccountKind::Codex) && !account.at_platform;
    if kind == AccountKind::ApiKey && misplaced {
        let name = account.name;
        report.problem = Some(format!(
            "it holds an API key, but the settings say that it is of the kind `codex`; set `kind` under `[accounts.{name}]` to \"api-key\", or run `codexway logout`"
        ));
    }
    let failed = match kind {
        AccountKind::Codex => measure(account, &mut report).await.err(),
        AccountKind::ApiKey => has_key(account, environment).err(),
    };
    if let Some(error) = failed {
        report.state = error.state();
        report.problem = Some(error.to_string());
        let needs_login = error.needs_login();
        report.failed = if needs_login { Failed::LoginNeeded } else { Failed::Otherwise };
    }
    report
}

async fn measure(account: &Account<'_>, report: &mut Report) -> Result<(), auth::Error> {
    let folder = account.source().folder();
    if !folder.is_empty() && !account.is_simulated() {
        report.login = Some(if folder.is_own() { "own" } else { "borrowed" });
        report.file = Some(folder.file());
    }
    let unreachable = |error: anyhow::Error| auth::Error::Unreachable {
        url: account.name.to_owned(),
        why: format!("{error:#}"),
    };
    let tokens = account.tokens().map_err(unreachable)?;
    let usage = account.backend().map_err(unreachable)?.usage(&tokens).await;
    tokens.settle().await;
    if let Ok(known) = tokens.snapshot().await {
        report.plan = known.plan;
        report.expires_at = known.expires_at.map(Timestamp::as_second);
        report.renewed = known.refreshable;
        // The token works, but its successor could not be had.
        report.problem = known.problem.map(|problem| problem.to_string());
    }
    let usage = usage?;
    report.plan = usage.plan.or(report.plan.take());
    report.windows = usage.windows;
    report.credits = usage.credits;
    if usage.limit_reached {
        report.state = "used_up";
    }
    if let Some(behind) = usage.clock_behind {
        let way = if behind.is_negative() { "ahead" } else { "behind" };
        let span = terminal::span(behind.abs().as_secs());
        report.clock_behind = Some(behind);
        report.problem = Some(format!("this computer's clock is {span} {way}; set it"));
    }
    Ok(())
}

/// Whether a key of ours is all that there is.
fn no_login(folder: &auth::Folder) -> bool {
    folder.is_own() || folder.is_empty()
}

fn has_key(account: &Account<'_>, environment: &Environment) -> Result<(), auth::Error> {
    let variable = |name: &str| environment.var(name).map(str::to_owned);
    account
        .settings
        .map_or(Ok(()), |settings| auth::api_key(settings, &account.places, variable).map(drop))
}

/// The codexway that answers at this address, if one does.
pub(super) async fn server(url: String) -> Option<Server> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().ok()?;
    let answer = client.get(format!("{url}/health")).send().await.ok()?;
    let told: serde_json::Value = answer.error_for_status().ok()?.json().await.ok()?;
    let version = told["version"].as_str().filter(|_| told["status"] == "ok")?.to_owned();
    Some(Server { url, version })
}

/// Where clients on this machine find the server that the settings describe.
pub(super) fn address(settings: &Settings) -> String {
    let mut listen = settings.server.listen;
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into())
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            listen.set_ip(std::net::Ipv6Addr::LOCALHOST.into())
        }
        _ => {}
    }
    format!("http://{listen}")
}
