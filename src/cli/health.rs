//! `codexway health`: for containers and scripts.

use std::time::Duration;

use anyhow::{Context, anyhow};

use super::{Failure, serve::block_on};

pub(super) fn run(url: &str) -> Result<(), Failure> {
    block_on(async {
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        let url = format!("{}/ready", url.trim_end_matches('/'));
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
