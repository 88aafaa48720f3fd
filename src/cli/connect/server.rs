//! The server that a client is to be pointed at: its address, a model of its, and a key.

use std::time::Duration;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::ConnectArgs;
use crate::{
    api::Address,
    cli::{Environment, Failure, local_key, status},
    config::{self, Loaded},
    models::Catalog,
};

/// As `codexway status` waits; the list of models may have to be fetched first.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where clients are pointed, and with what.
pub(super) struct Server {
    /// Without `/v1`.
    pub(super) url: String,
    pub(super) key: Option<LocalKey>,
    pub(super) model: String,
    pub(super) context: u64,
    /// Whether a codexway answers there.
    pub(super) runs: bool,
    /// What does not stop anybody, but should be known.
    pub(super) warnings: Vec<String>,
}

pub(super) struct LocalKey {
    pub(super) secret: SecretString,
    /// What stands for it where it is not to be seen.
    pub(super) shown: String,
    /// Where it is kept, for people.
    pub(super) kept: String,
}

/// Finds the server of the settings, or of `--url`, and asks it for its models.
pub(super) async fn find(args: &ConnectArgs, environment: &Environment) -> Result<Server, Failure> {
    let loaded = config::load(&environment.sources(&args.file, None))?;
    let settings = &loaded.settings;
    let url = match &args.url {
        Some(url) => address(url)?,
        None => status::address(settings),
    };
    let key = local_key(args, &loaded)?;
    let runs = status::server(url.clone()).await.is_some();
    let mut warnings = Vec::new();
    let mut models = Vec::new();
    if runs {
        match asked(&url, key.as_ref()).await {
            Ok(entries) => models = entries,
            Err(error) => warnings.push(format!("the server does not tell its models: {error:#}")),
        }
    } else {
        warnings.push(format!(
            "no codexway answers at {url}; hint: `codexway` starts it, and `--url` names another address"
        ));
    }
    if models.is_empty() {
        let profile = &settings.profiles[&settings.server.profile]; // The loader has checked it.
        let upstream = &settings.upstreams[&profile.upstream];
        models = Catalog::of(upstream.kind).entries(&profile.aliases);
    }
    let (model, context) = model(args, &loaded, &models)?;
    Ok(Server { url, key, model, context, runs, warnings })
}

/// `--url`, which people may have copied from a client's base URL.
pub(in crate::cli) fn address(url: &str) -> Result<String, Failure> {
    let url = url.trim_end_matches('/').trim_end_matches("/v1").trim_end_matches('/');
    match reqwest::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(url.to_owned()),
        _ => Err(Failure::Usage(format!(
            "`{url}` is no address; hint: it looks like http://127.0.0.1:7531"
        ))),
    }
}

/// The key of the settings, one that is bound to no profile if there is one; else that of
/// `--key-file`, where a server has made it.
fn local_key(args: &ConnectArgs, loaded: &Loaded) -> Result<Option<LocalKey>, Failure> {
    if let Some(key) = loaded.settings.server.usual_key() {
        let kept = match &loaded.file {
            Some(file) => format!("`server.keys`, see {}", file.display()),
            None => "`server.keys`".to_owned(),
        };
        let shown = format!("<local key: {}>", key.name);
        return Ok(Some(LocalKey { secret: key.key.clone(), shown, kept }));
    }
    let Some(file) = &args.key_file else { return Ok(None) };
    let key = local_key::read(file);
    let key =
        key.with_context(|| format!("the local key in `{}` cannot be read", file.display()))?;
    Ok(key.map(|secret| LocalKey {
        secret,
        shown: "<local key>".to_owned(),
        kept: file.display().to_string(),
    }))
}

async fn asked(url: &str, key: Option<&LocalKey>) -> anyhow::Result<Vec<Value>> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    let mut request = client.get(format!("{url}/v1/models"));
    if let Some(key) = key {
        request = request.bearer_auth(key.secret.expose_secret());
    }
    let answer = request.send().await?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if !status.is_success() {
        let why = body["error"]["message"].as_str().unwrap_or("it gave no reason");
        anyhow::bail!("{status}: {why}");
    }
    Ok(body["data"].as_array().cloned().unwrap_or_default())
}

/// The model that was asked for, that of the profile, or the best; and how much it takes in.
fn model(args: &ConnectArgs, loaded: &Loaded, entries: &[Value]) -> Result<(String, u64), Failure> {
    let settings = &loaded.settings;
    let known = |name: &str| entries.iter().find(|entry| entry["id"] == name);
    let window = |entry: Option<&Value>| {
        entry
            .and_then(|entry| entry["context_window"].as_u64())
            .unwrap_or(Address::SMALLEST_CONTEXT)
    };
    if let Some(wanted) = &args.model {
        let Some(entry) = known(wanted) else {
            let names: Vec<&str> =
                entries.iter().filter_map(|entry| entry["id"].as_str()).collect();
            let near = super::client::nearest(wanted, names.iter().map(|name| (*name, *name)));
            return Err(Failure::Usage(format!(
                "there is no model `{wanted}`; hint: {} are most like it, and `codexway models` lists all",
                super::listed(&near)
            )));
        };
        return Ok((wanted.clone(), window(Some(entry))));
    }
    let own = &settings.profiles[&settings.server.profile].model;
    if !own.is_empty() {
        return Ok((own.clone(), window(known(own))));
    }
    let best = entries.iter().find(|entry| entry["id"].is_string());
    let best = best.context("there is no model to name; hint: `--model` names one")?;
    Ok((best["id"].as_str().unwrap_or_default().to_owned(), window(Some(best))))
}
