//! The ChatGPT Codex backend.
//!
//! prepare → POST → server-sent events, with another try after a refused token; or over the
//! conversation's WebSocket, where there is one.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture};
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Url;

use super::{Answer, CatalogBody, Error, Upstream, http_stream, wire};
use crate::{
    auth::{self, Access, TokenManager},
    config::Transport,
    protocol::{Retries, Turn},
    telemetry::metrics,
};
use websocket::{Dialer, Sockets};

mod error;
mod headers;
mod limits;
mod prepare;
mod websocket;

pub use headers::Identity;

/// Why a turn is sent again whose token was refused.
const UNAUTHORIZED: &str = "unauthorized";

/// An account on the backend.
pub struct Codex {
    client: auth::Client,
    /// `{base_url}/codex`.
    url: String,
    /// Where turns are sent; `None` where that is no address.
    responses: Option<Url>,
    tokens: TokenManager,
    account: auth::Backend,
    identity: Identity,
    /// `None` where bodies are sent as they are.
    packer: Option<prepare::Packer>,
    /// Silence after which a turn has failed.
    idle_timeout: Duration,
    version: Version,
    /// `None` where turns travel over HTTP alone.
    sockets: Option<Sockets>,
    /// Whether turns travel over WebSockets alone.
    always: bool,
}

/// The compatibility level to send: asked anew for each turn, since the catalogue may raise it.
pub type Version = Arc<dyn Fn() -> Arc<str> + Send + Sync>;

/// What [`Codex::new`] needs to know.
pub struct Settings {
    /// Where turns are run, and the plan's account is asked for.
    pub account: auth::Backend,
    pub identity: Identity,
    pub compress: bool,
    pub idle_timeout: Duration,
    pub version: Version,
    pub transport: Transport,
}

impl Codex {
    #[must_use]
    pub fn new(settings: Settings, tokens: TokenManager) -> Self {
        let Settings { account, identity, compress, idle_timeout, version, transport } = settings;
        let client = account.client.clone();
        let base = account.base_url.trim_end_matches('/');
        // A base URL that already names the Codex API is what several other tools' settings hold.
        let url = if base.ends_with("/codex") { base.to_owned() } else { format!("{base}/codex") };
        let dialer = Dialer {
            client: auth::Client::upgrading(&url),
            url: url.as_str().into(),
            tokens: tokens.clone(),
            identity: identity.clone(),
            version: Arc::clone(&version),
        };
        let sockets = match transport {
            Transport::Http => None,
            Transport::Auto | Transport::Websocket => Some(Sockets::new(dialer, idle_timeout)),
        };
        let always = transport == Transport::Websocket;
        let responses = wire::address(&format!("{url}/responses")).ok();
        Self {
            client,
            url,
            responses,
            tokens,
            account,
            identity,
            packer: compress.then(prepare::Packer::default),
            idle_timeout,
            version,
            sockets,
            always,
        }
    }

    async fn run(&self, turn: &mut Turn) -> Result<Answer, Error> {
        prepare::insist(&mut turn.request);
        match &self.sockets {
            None => self.post(turn).await,
            Some(sockets) if self.always => match sockets.run_always(turn).await? {
                Some(answer) => Ok(answer),
                None => self.post(turn).await,
            },
            Some(sockets) => match sockets.run(turn).await? {
                Ok(answer) => Ok(answer),
                Err(over_http) => Ok(over_http.beside(self.post(turn).await?)),
            },
        }
    }

    async fn post(&self, turn: &mut Turn) -> Result<Answer, Error> {
        let (body, encoding) = prepare::body(&turn.request, self.packer.as_ref())?;
        let request = |access: &Access| {
            let mut headers = self.identity.headers(&(self.version)());
            headers.extend(turn.headers.clone());
            headers::add_turn(&mut headers, &turn.conversation, turn.lite);
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            headers::authorize(&mut headers, access)?;
            // What was no address is not one now, which says why.
            let url = self.responses.clone().map_or_else(|| wire::address(&self.url), Ok)?;
            Ok(wire::request(Method::POST, url, headers, Some(body.clone())))
        };
        let response = self.authorized(request, &turn.retries).await?;
        if !response.status().is_success() || wire::is_page(response.headers()) {
            return Err(self.refusal(response).await);
        }
        let headers = limits::for_client(response.headers());
        let mut events = http_stream::events(response, self.idle_timeout);
        let account = self.tokens.log_in();
        if !account.is_plain() {
            events = events.map_err(move |error| error.for_account(&account)).boxed();
        }
        Ok(Answer { headers, events })
    }

    /// Sends with the account's token, and again with another when that one is refused. The first
    /// other may be what another program has left in the file, and may be refused as well; the
    /// second one is new.
    ///
    /// # Errors
    /// When it cannot be sent, there is no other token, or none would help.
    async fn authorized(
        &self,
        request: impl Fn(&Access) -> Result<reqwest::Request, Error>,
        retries: &Retries,
    ) -> Result<reqwest::Response, Error> {
        let mut access = self.tokens.access().await?;
        let mut response = self.ask(request(&access)?).await?;
        for _ in 0..2 {
            if response.status() != StatusCode::UNAUTHORIZED {
                break;
            }
            let refusal = self.refusal(response).await;
            if !matches!(refusal, Error::Refused { .. }) {
                return Err(refusal);
            }
            access = self.tokens.instead_of(&access).await?;
            metrics::retried(UNAUTHORIZED);
            retries.push(UNAUTHORIZED);
            response = self.ask(request(&access)?).await?;
        }
        Ok(response)
    }

    async fn ask(&self, request: reqwest::Request) -> Result<reqwest::Response, Error> {
        wire::send(&self.client, request, &self.url, self.idle_timeout).await
    }

    async fn refusal(&self, response: reqwest::Response) -> Error {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = wire::refused(response, self.idle_timeout).await;
        error::refusal(status, &headers, &body).for_account(&self.tokens.log_in())
    }

    async fn catalog(
        &self,
        version: &str,
        etag: Option<&str>,
    ) -> Result<Option<CatalogBody>, Error> {
        let mut url = wire::address(&format!("{}/models", self.url))?;
        url.query_pairs_mut().append_pair("client_version", version);
        let request = |access: &Access| {
            let mut headers = self.identity.headers(version);
            if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
                headers.insert(header::IF_NONE_MATCH, etag);
            }
            headers::authorize(&mut headers, access)?;
            Ok(wire::request(Method::GET, url.clone(), headers, None))
        };
        let response = self.authorized(request, &Retries::default()).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let etag = response.headers().get(header::ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let json = wire::body(response, &self.url, self.idle_timeout).await?;
        Ok(Some(CatalogBody { json, etag }))
    }
}

impl Upstream for Codex {
    fn send<'a>(&'a self, turn: &'a mut Turn) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(self.run(turn))
    }

    fn models<'a>(
        &'a self,
        version: &'a str,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<CatalogBody>, Error>> {
        Box::pin(self.catalog(version, etag))
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            match self.tokens.snapshot().await? {
                auth::Summary { works: false, problem: Some(problem), .. } => Err(problem.into()),
                _ => Ok(()),
            }
        })
    }

    fn warning(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async {
            let known = self.tokens.snapshot().await.ok()?;
            known.not_saved.or(known.problem).map(|error| error.to_string())
        })
    }

    fn usage(&self) -> BoxFuture<'_, Result<Option<auth::Usage>, Error>> {
        Box::pin(async { Ok(Some(self.account.usage(&self.tokens).await?)) })
    }

    fn warm_up(&self) -> BoxFuture<'_, bool> {
        Box::pin(async {
            wire::warm_up(&self.client).await;
            self.tokens.is_good()
        })
    }

    fn label(&self) -> &'static str {
        "codex;http"
    }
}
