//! From settings to an upstream: one arm for each kind.

use std::{
    iter,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use http::{HeaderName, HeaderValue, header};

use super::{Upstream, codex, codex_exec, openai};
use crate::{
    auth::{self, Backend, OAuth, Places, Source, TokenManager, Way, find},
    config::{self, AccountKind, Compression, UpstreamKind},
};

/// What a process has one of, however many upstreams there are and however often the settings
/// change.
///
/// The network clients, one for each way that addresses are reached. And the logins: what one of
/// them holds may be in its memory only.
#[derive(Default)]
pub struct Clients {
    known: Mutex<Vec<(Way, auth::Client)>>,
    logins: Mutex<Vec<TokenManager>>,
    fleeting: bool,
}

impl Clients {
    /// For a command that ends as soon as it has its answer.
    #[must_use]
    pub fn fleeting() -> Self {
        Self { fleeting: true, ..Self::default() }
    }

    /// Waits for what must not be cut off when the process ends: refreshes under way, also of
    /// accounts that the settings no longer know.
    pub async fn settle(&self) {
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner).clone();
        join_all(logins.iter().map(TokenManager::settle)).await;
    }

    fn login(&self, source: Source, oauth: OAuth) -> TokenManager {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = logins.iter().find(|login| login.is_of(&source, &oauth)) {
            return known.clone();
        }
        let login = match self.fleeting {
            true => TokenManager::fleeting(source, oauth),
            false => TokenManager::new(source, oauth),
        };
        logins.push(login.clone());
        login
    }

    fn for_url(&self, url: &str) -> auth::Client {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let way = Way::of(url);
        if let Some((_, client)) = known.iter().find(|(known, _)| *known == way) {
            return client.clone();
        }
        let client = auth::Client::new(url);
        known.push((way, client.clone()));
        client
    }
}

/// What every upstream is built with.
pub struct Shared<'a> {
    pub clients: &'a Clients,
    pub places: Places,
    pub idle_timeout: Duration,
}

/// Settings from which no upstream can be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the official program has a login of its own: an account for the upstream kind `codex-exec` is of the kind `codex`, not `api-key`"
    )]
    Account,
    #[error("`{0}` of the upstream holds characters that no header may hold")]
    Header(String),
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
    shared: &Shared<'_>,
) -> Result<Arc<dyn Upstream>, Error> {
    match upstream.kind {
        UpstreamKind::Codex | UpstreamKind::Demo => {
            let oauth = OAuth {
                client: shared.clients.for_url(&upstream.auth_url),
                auth_url: upstream.auth_url.clone(),
                originator: upstream.originator.clone(),
                user_agent: user_agent(upstream),
            };
            let tokens = shared.clients.login(find(&account.source, &shared.places), oauth);
            let settings = codex::Settings {
                account: Backend {
                    client: shared.clients.for_url(&upstream.base_url),
                    base_url: upstream.base_url.clone(),
                    originator: upstream.originator.clone(),
                    user_agent: user_agent(upstream),
                },
                identity: identity(upstream)?,
                compress: upstream.compression == Compression::Zstd,
                idle_timeout: shared.idle_timeout,
                version,
                transport: upstream.transport,
            };
            Ok(Arc::new(codex::Codex::new(settings, tokens)))
        }
        UpstreamKind::Openai => {
            let codex::Identity { user_agent, headers, .. } = identity(upstream)?;
            let user_agent = (header::USER_AGENT, user_agent);
            let settings = openai::Settings {
                client: shared.clients.for_url(&upstream.base_url),
                base_url: upstream.base_url.clone(),
                headers: [user_agent].into_iter().chain(headers).collect(),
                idle_timeout: shared.idle_timeout,
            };
            Ok(Arc::new(openai::Platform::new(settings, account, &shared.places)))
        }
        UpstreamKind::CodexExec => {
            if account.kind == AccountKind::ApiKey {
                return Err(Error::Account);
            }
            let folder = find(&account.source, &shared.places).folder();
            let borrowed = !folder.is_own() && folder.path().is_dir();
            let home = borrowed.then(|| folder.path());
            let (places, idle) = (&shared.places, shared.idle_timeout);
            Ok(Arc::new(codex_exec::CodexExec::new(upstream, places, home, idle)))
        }
    }
}

fn user_agent(upstream: &config::Upstream) -> String {
    upstream.user_agent.replace("{version}", env!("CARGO_PKG_VERSION"))
}

fn identity(upstream: &config::Upstream) -> Result<codex::Identity, Error> {
    let value = |name: &str, value: &str| {
        HeaderValue::from_str(value).map_err(|_| Error::Header(name.to_owned()))
    };
    let header = |(name, text): (&String, &String)| {
        let parsed = name.parse::<HeaderName>().map_err(|_| Error::Header(name.clone()))?;
        Ok::<_, Error>((parsed, value(name, text)?))
    };
    // Compressed events would come later, and in larger pieces. An upstream, or something between,
    // that compresses all the same is understood; the frames' limits hold for what comes out.
    let plain = (header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let further = upstream.headers.iter().map(header);
    Ok(codex::Identity {
        originator: value("originator", &upstream.originator)?,
        user_agent: value("user_agent", &user_agent(upstream))?,
        headers: iter::once(Ok(plain)).chain(further).collect::<Result<_, Error>>()?,
    })
}
