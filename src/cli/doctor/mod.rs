//! `codexway doctor`: checks everything that a turn needs, from the settings to the answer.

use clap::Args;
use serde::Serialize;
use serde_json::json;

mod check;
mod probe;
mod turn;

use super::account::{Account, block_on};
use super::demo::Demo;
use super::status::Failed;
use super::{Code, Environment, Failure, FileArg, models, status, terminal};
use crate::config::{self, Settings};
use probe::Findings;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Then ask for a tiny turn of each model, in each shape and over each transport, and show what
    /// the backend accepts; this spends a little of the plan
    #[arg(long)]
    probe: bool,
    /// Ask for the turns of `--probe` without asking first
    #[arg(long, requires = "probe")]
    yes: bool,
    #[command(flatten)]
    file: FileArg,
}

/// What came of one check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// What was found.
    saw: String,
    /// What to do, where it is not well.
    hint: Option<String>,
}

impl Check {
    fn well(name: &'static str, saw: impl Into<String>) -> Self {
        Self { name, ok: true, saw: saw.into(), hint: None }
    }

    /// `told` is a message of ours: what happened, then what to do; `otherwise` is said where it
    /// does not say that.
    fn ill(name: &'static str, told: &str, otherwise: &str) -> Self {
        let (saw, hint) = told
            .split_once("; hint: ")
            .or_else(|| told.split_once("; "))
            .unwrap_or((told, otherwise));
        Self { name, ok: false, saw: saw.to_owned(), hint: Some(hint.to_owned()) }
    }
}

pub(super) fn run(args: &DoctorArgs, environment: &Environment) -> Result<(), Failure> {
    let loaded = match config::load(&environment.sources(&args.file, None)) {
        Ok(loaded) => loaded,
        Err(error) => {
            let hint = Some("`codexway config path` says which file it is".to_owned());
            let check = Check { name: "config", ok: false, saw: error.to_string(), hint };
            tell(args, &check);
            end(args, &[check], None);
            return Err(Failure::Told(Code::Usage));
        }
    };
    if args.probe {
        probe::permitted(args.yes, &loaded.settings)?;
    }
    let file = loaded.file.as_ref().map(|file| format!("{} is sound", file.display()));
    let config = Check::well("config", file.unwrap_or_else(|| "the defaults; no file".to_owned()));
    tell(args, &config);
    block_on(async {
        let mut checks = vec![config];
        let (settings, _demo) = Demo::beside(loaded.settings).await?;
        let login_needed = examine(args, &settings, environment, &mut checks).await?;
        let findings = match (args.probe, login_needed) {
            (false, _) => None,
            (true, true) => Some(Findings::none("somebody has to log in first")),
            (true, false) => Some(probe::run(args.yes, &settings, environment).await?),
        };
        let login_needed =
            login_needed || findings.as_ref().is_some_and(|findings| findings.login_needed);
        match end(args, &checks, findings.as_ref()) {
            true => Ok(()),
            false if login_needed => Err(Failure::Told(Code::LoginNeeded)),
            false => Err(Failure::Told(Code::Failed)),
        }
    })
}

/// All checks but the first, in the order in which what they find explains the next; whether
/// somebody has to log in.
async fn examine(
    args: &DoctorArgs,
    settings: &Settings,
    environment: &Environment,
    checks: &mut Vec<Check>,
) -> Result<bool, Failure> {
    let mut push = |check: Check| {
        tell(args, &check);
        checks.push(check);
    };
    let profile = &settings.profiles[&settings.server.profile]; // The loader has checked the name.
    push(check::port(settings).await);
    if let Some(clients) = check::clients(settings).await {
        push(clients);
    }

    let account = Account::named(&profile.account, settings, environment)?;
    let asking = status::report(&account, environment);
    let report = terminal::waiting("asking for the account", asking).await;
    push(check::clock(&report));
    push(check::credentials(&report));
    if report.failed == Failed::LoginNeeded {
        let first = "not tried without credentials";
        push(Check::ill("catalogue", first, "log in first"));
        push(Check::ill("turn", first, "log in first"));
        return Ok(true);
    }
    push(check::catalogue(models::live(profile, settings, environment).await?));
    push(terminal::waiting("running one turn", turn::check(settings, environment)).await);
    Ok(false)
}

/// For people a line as soon as it is known.
fn tell(args: &DoctorArgs, check: &Check) {
    if args.json {
        return;
    }
    let word = if check.ok { "ok" } else { "FAILED" };
    outln!("{word:8}{:12}{}", check.name, check.saw);
    if let Some(hint) = &check.hint {
        outln!("{:20}hint: {hint}", "");
    }
}

/// Says the rest of it, and whether all is well.
fn end(args: &DoctorArgs, checks: &[Check], probe: Option<&Findings>) -> bool {
    let stopped = probe.is_some_and(|findings| findings.stopped.is_some());
    let ok = checks.iter().all(|check| check.ok) && !stopped;
    if args.json {
        let mut report = json!({ "ok": ok, "checks": checks });
        if let Some(findings) = probe {
            report["probe"] = json!(findings);
        }
        outln!("{report:#}");
    } else if let Some(findings) = probe {
        out!("\n{}", findings.text());
    }
    ok
}
