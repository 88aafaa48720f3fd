//! `codexway connect`: points a client here, by telling how or by doing it.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

mod client;
mod fill;
mod merge;
mod place;
mod server;
mod written;

use client::{Client, Way};
use fill::fill;
use server::Server;
pub(super) use server::address;
use written::{Undone, Written};

use super::account::block_on;
use super::{Environment, Failure, FileArg, terminal};
use crate::api::{Address, Guide};

#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    /// The client to point here; without one, the list of those that are known
    client: Option<String>,
    /// Put the settings in place, and keep a copy of what was there
    #[arg(long, requires = "client")]
    write: bool,
    /// Put back what was there before `--write`
    #[arg(long, requires = "client", conflicts_with = "write")]
    undo: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// The server's address, where it is not that of the settings
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The model to name, instead of the profile's or the best
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Show the local key instead of only its name
    #[arg(long)]
    show_key: bool,
    /// The file of the server's `--key-file`
    #[arg(long, value_name = "FILE", env = "CODEXWAY_KEY_FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    file: FileArg,
}

pub(super) fn run(args: &ConnectArgs, environment: &Environment) -> Result<(), Failure> {
    let Some(wanted) = &args.client else {
        list(args, environment);
        return Ok(());
    };
    let client = client::find(wanted).map_err(|near| {
        Failure::Usage(format!(
            "there is no client `{wanted}`; hint: {} are most like it, `codexway connect` lists all, and `codexway connect openai` tells what most others read",
            listed(&near)
        ))
    })?;
    if args.undo {
        return undo(&client, args, environment);
    }
    block_on(async {
        let server = terminal::busy("asking the server", server::find(args, environment)).await?;
        for warning in &server.warnings {
            errln!("warning: {warning}");
        }
        match args.write {
            true => write(&client, &server, args, environment),
            false => {
                show(&client, &server, args, environment);
                Ok(())
            }
        }
    })
}

/// `a`, `b`, `c`
fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn list(args: &ConnectArgs, environment: &Environment) {
    let clients = client::all();
    if args.json {
        let entries: Value = clients.iter().map(|client| facts(client, environment)).collect();
        outln!("{entries:#}");
        return;
    }
    let mut rows = vec![["NAME", "CLIENT", "SETTINGS"].map(str::to_owned).to_vec()];
    for client in &clients {
        let settings = match file_of(client, environment) {
            Some(file) => place::shown(&file, environment),
            None => "by hand".to_owned(),
        };
        rows.push(vec![client.name.to_owned(), client.title.clone(), settings]);
    }
    out!("{}", terminal::table(&rows, |_, _| None));
    errln!("hint: `codexway connect NAME` prints the settings, and `--write` puts them in place");
}

/// What holds of a client whatever the server.
fn facts(client: &Client, environment: &Environment) -> Value {
    let why = match &client.way {
        Way::File(_) => None,
        Way::ByHand(by_hand) => Some(&by_hand.why),
    };
    json!({
        "client": client.name,
        "title": client.title,
        "dialect": client.dialect,
        "tried": client.tried,
        "file": file_of(client, environment),
        "by_hand": why,
    })
}

fn file_of(client: &Client, environment: &Environment) -> Option<PathBuf> {
    match &client.way {
        Way::File(file) => place::place(file, environment),
        Way::ByHand(_) => None,
    }
}

/// The words for a client's texts; with the key itself only where `secret` says so.
fn words(server: &Server, secret: bool) -> Address {
    let key = server.key.as_ref().map(|key| match secret {
        true => key.secret.expose_secret().to_owned(),
        false => key.shown.clone(),
    });
    let Server { url, model, context, .. } = server;
    Address { url: url.clone(), model: model.clone(), context: *context, key }
}

/// How each client is pointed at a server, as `codexway connect` tells it.
pub(super) fn guides(address: &Address, environment: &Environment) -> Vec<Guide> {
    let guide = |client: &Client| Guide {
        name: client.name,
        title: client.title.clone(),
        file: file_of(client, environment).map(|file| place::shown(&file, environment)),
        language: client.language().to_owned(),
        settings: fill(client.text(), client.language(), address),
        run: run_by(client, address),
        notes: client.notes.clone(),
    };
    client::all().iter().map(guide).collect()
}

/// The command that then uses the server.
fn run_by(client: &Client, words: &Address) -> Option<String> {
    client.run.as_ref().map(|run| fill(run, "sh", words).trim().to_owned())
}

fn show(client: &Client, server: &Server, args: &ConnectArgs, environment: &Environment) {
    let words = words(server, args.show_key);
    let text = fill(client.text(), client.language(), &words);
    let file = file_of(client, environment);
    if args.json {
        let mut told = facts(client, environment);
        told["url"] = json!(server.url);
        told["running"] = json!(server.runs);
        told["model"] = json!(server.model);
        told["language"] = json!(client.language());
        told["settings"] = json!(text);
        told["run"] = json!(run_by(client, &words));
        told["notes"] = json!(client.notes);
        outln!("{told:#}");
        return;
    }
    match &file {
        Some(file) => {
            errln!("{}: this belongs into {}\n", client.title, place::shown(file, environment));
        }
        None => errln!("{}:\n", client.title),
    }
    out!("{text}");
    errln!("");
    if let Some(key) = server.key.as_ref().filter(|key| text.contains(&key.shown)) {
        errln!("{} stands for the key kept in {}; `--show-key` shows it", key.shown, key.kept);
    }
    afterwards(client, &words);
    if file.is_some() {
        let name = client.name;
        errln!(
            "hint: `codexway connect {name} --write` puts it there, and keeps a copy of what was there"
        );
    }
}

/// What to type then, and what to know.
fn afterwards(client: &Client, words: &Address) {
    if let Some(run) = run_by(client, words) {
        errln!("then: {run}");
    }
    for note in &client.notes {
        errln!("note: {note}");
    }
}

fn write(
    client: &Client,
    server: &Server,
    args: &ConnectArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let name = client.name;
    let facts = match &client.way {
        Way::File(file) => file,
        Way::ByHand(by_hand) => {
            return Err(Failure::Failed(anyhow!(
                "nothing can be written for {}: {}; hint: `codexway connect {name}` says what to do",
                client.title,
                by_hand.why
            )));
        }
    };
    let place = place::place(facts, environment).context("there is no home folder")?;
    let ours = fill(&facts.text, client.language(), &words(server, true));
    let secret = server.key.is_some() && facts.text.contains("{key");
    let written = written::write(&records(environment), name, facts, &place, &ours, secret)?;
    tell_written(client, server, args, environment, &place, &written);
    Ok(())
}

fn tell_written(
    client: &Client,
    server: &Server,
    args: &ConnectArgs,
    environment: &Environment,
    place: &Path,
    written: &Written,
) {
    if args.json {
        outln!(
            "{:#}",
            json!({
                "client": client.name,
                "file": place,
                "changed": written.changed,
                "backup": written.before,
            })
        );
        return;
    }
    let shown = place::shown(place, environment);
    match written.changed {
        true => outln!("wrote {shown}"),
        false => outln!("{shown} says it already"),
    }
    if let Some(before) = written.before.as_ref().filter(|_| written.changed) {
        let before = place::shown(before, environment);
        errln!("what was there is in {before}; `--undo` puts it back");
    }
    afterwards(client, &words(server, false));
}

fn undo(client: &Client, args: &ConnectArgs, environment: &Environment) -> Result<(), Failure> {
    let name = client.name;
    let undone = written::undo(&records(environment), name)?;
    let undone = undone.with_context(|| {
        format!("there is nothing to undo: `codexway connect {name} --write` has not been run")
    })?;
    let Undone { file, restored, kept } = undone;
    if args.json {
        outln!("{:#}", json!({ "client": name, "file": file, "restored": restored, "kept": kept }));
        return Ok(());
    }
    let shown = place::shown(&file, environment);
    match restored {
        true => outln!("{shown} is as it was"),
        false => outln!("{shown} is gone, as it was before"),
    }
    if let Some(kept) = kept {
        let kept = place::shown(&kept, environment);
        errln!("warning: it had been changed since; with those changes it is in {kept}");
    }
    Ok(())
}

/// Where we keep what was done to which file.
fn records(environment: &Environment) -> PathBuf {
    environment.data_dir.join("connect")
}
