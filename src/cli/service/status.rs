//! `codexway service status`: what the manager knows, and where the server is.

use std::fs;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Environment, Failure, Manager, State, Trouble, Whose, mark, read, server_info};
use crate::cli::{account::block_on, status, terminal};

pub(super) fn run(
    as_json: bool,
    environment: &Environment,
    manager: &dyn Manager,
) -> Result<(), Failure> {
    let file = manager.file();
    let whose = read(file)?.map(|text| mark::whose(&text));
    let (state, absent) = match manager.state() {
        Ok(state) => (state, None),
        Err(Trouble::Absent(why)) => (State::default(), Some(why)),
        Err(Trouble::Failed(error)) => return Err(Failure::Failed(error)),
    };
    block_on(async {
        let server = match state.running.then(|| address(environment, &state)).flatten() {
            Some(url) => status::server(url).await,
            None => None,
        };
        let url = server.map(|server| server.url);
        if as_json {
            let told = json!({
                "installed": whose.is_some(),
                "changed": whose.as_ref().is_some_and(|whose| *whose != Whose::Ours),
                "enabled": state.enabled,
                "running": state.running,
                "since": state.since.map(|since| since.to_string()),
                "pid": state.pid,
                "url": url,
                "manager": absent.is_none().then(|| manager.name()),
                "file": file,
            });
            outln!("{told:#}");
            return Ok(());
        }
        match whose {
            None => outln!("installed: no"),
            Some(Whose::Ours) => outln!("installed: {}", file.display()),
            Some(Whose::OursChanged) => {
                outln!("installed: {}, which somebody has changed since", file.display());
            }
            Some(Whose::Others) => {
                outln!("installed: {}, which codexway did not write", file.display());
            }
        }
        if let Some(why) = absent {
            outln!("running:   no {} answers here: {why}", manager.name());
            return Ok(());
        }
        outln!("at login:  {}", if state.enabled { "it is started" } else { "it is not started" });
        outln!("running:   {}", running(&state));
        match url {
            Some(url) => outln!("server:    {url}"),
            None if state.running => outln!("server:    it does not answer yet"),
            None => {}
        }
        Ok(())
    })
}

fn running(state: &State) -> String {
    match state.since {
        _ if !state.running => "no".to_owned(),
        None => "yes".to_owned(),
        Some(since) => {
            let seconds = Timestamp::now().as_second() - since.as_second();
            format!("since {since} ({})", terminal::span(seconds))
        }
    }
}

/// Where the service's process has said that it is; what an earlier one said is stale.
fn address(environment: &Environment, state: &State) -> Option<String> {
    let told = fs::read(server_info(environment)).ok()?;
    let told: Value = serde_json::from_slice(&told).ok()?;
    if state.pid.is_some_and(|pid| told["pid"] != pid) {
        return None;
    }
    Some(told["url"].as_str()?.to_owned())
}
