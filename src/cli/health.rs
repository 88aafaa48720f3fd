//! `codexway health`: for containers and scripts.

use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::{Environment, Failure, FileArg, connect, serve::block_on, status};
use crate::config;

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The server's address, where it is not that of the settings
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    file: FileArg,
}

pub(super) fn run(args: &HealthArgs, environment: &Environment) -> Result<(), Failure> {
    let url = match &args.url {
        Some(url) => connect::address(url)?,
        None => status::address(&config::load(&environment.sources(&args.file, None))?.settings),
    };
    block_on(async {
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        let url = format!("{url}/ready");
        let answer = client.get(&url).send().await.with_context(|| format!("ask {url}"))?;
        let status = answer.status();
        if status.is_success() {
            outln!("ready");
            return Ok(());
        }
        let body: serde_json::Value = answer.json().await.unwrap_or_default();
        let reason = body["error"]["message"].as_str().unwrap_or("it gave no reason").to_owned();
        Err(anyhow!("{url} answered {status}: {reason}"))
    })
}
