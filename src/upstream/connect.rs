//! From settings to an upstream: one arm for each kind.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};

use super::{Upstream, codex};
use crate::{
    auth::{OAuth, Places, TokenManager, find},
    config::{self, Compression, UpstreamKind},
};

/// What every upstream is built with.
pub struct Shared {
    pub client: reqwest::Client,
    /// For the token endpoint: it follows no redirects, since a login is not to be sent elsewhere.
    pub auth_client: reqwest::Client,
    pub places: Places,
    pub idle_timeout: Duration,
}

/// Settings from which no upstream can be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the upstream kind `{0}` is not served by this version")]
    Kind(&'static str),
    #[error("`{0}` of the upstream holds characters that no header may hold")]
    Header(String),
}

/// The two clients: time-outs for connecting, none for a whole turn, which may take an hour.
///
/// # Errors
/// When the system's certificates cannot be loaded.
pub fn clients() -> reqwest::Result<(reqwest::Client, reqwest::Client)> {
    let builder = || {
        reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(15))
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(90))
            .redirect(reqwest::redirect::Policy::none())
    };
    let auth_client = builder().timeout(Duration::from_secs(30)).build()?;
    Ok((builder().build()?, auth_client))
}

/// Makes the upstream that `upstream` describes, run as `account`. `version` tells the client
/// version to claim.
///
/// # Errors
/// When there is no such upstream, or a setting cannot be sent.
pub fn connect(
    upstream: &config::Upstream,
    account: &config::Account,
    version: codex::Version,
    shared: &Shared,
) -> Result<Arc<dyn Upstream>, Error> {
    match upstream.kind {
        UpstreamKind::Codex | UpstreamKind::Demo => {
            let user_agent = upstream.user_agent.replace("{version}", env!("CARGO_PKG_VERSION"));
            let oauth = OAuth {
                client: shared.auth_client.clone(),
                auth_url: upstream.auth_url.clone(),
                originator: upstream.originator.clone(),
                user_agent: user_agent.clone(),
            };
            let tokens = TokenManager::new(find(&account.source, &shared.places), oauth);
            let settings = codex::Settings {
                client: shared.client.clone(),
                base_url: upstream.base_url.clone(),
                identity: identity(upstream, &user_agent)?,
                compress: upstream.compression == Compression::Zstd,
                idle_timeout: shared.idle_timeout,
                version,
            };
            Ok(Arc::new(codex::Codex::new(settings, tokens)))
        }
        kind @ (UpstreamKind::Openai | UpstreamKind::CodexExec) => Err(Error::Kind(kind.as_str())),
    }
}

fn identity(upstream: &config::Upstream, user_agent: &str) -> Result<codex::Identity, Error> {
    let value = |name: &str, value: &str| {
        HeaderValue::from_str(value).map_err(|_| Error::Header(name.to_owned()))
    };
    let header = |(name, text): (&String, &String)| {
        let parsed = name.parse::<HeaderName>().map_err(|_| Error::Header(name.clone()))?;
        Ok((parsed, value(name, text)?))
    };
    Ok(codex::Identity {
        originator: value("originator", &upstream.originator)?,
        user_agent: value("user_agent", user_agent)?,
        headers: upstream.headers.iter().map(header).collect::<Result<_, _>>()?,
    })
}
