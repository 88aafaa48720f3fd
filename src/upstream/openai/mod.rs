//! The OpenAI platform, with an API key.
//!
//! It speaks the language of the inside, and takes most of what the Codex backend refuses.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};

use super::{Answer, CatalogBody, Error, Upstream, http_stream, wire};
use crate::{
    auth::{self, Places},
    config,
    protocol::Turn,
};

mod error;
mod key;
mod limits;
mod models;
mod prepare;

use key::Key;
use prepare::Without;

/// A project on the platform.
pub struct Platform {
    client: auth::Client,
    base_url: String,
    key: Key,
    /// Those of every request.
    headers: HeaderMap,
    /// Silence after which a turn has failed.
    idle_timeout: Duration,
    /// What has turned out to be refused, by model.
    without: Mutex<HashMap<String, Without>>,
}

/// What [`Platform::new`] needs to know.
pub struct Settings {
    pub client: auth::Client,
    /// Turns go to `{base_url}/responses`.
    pub base_url: String,
    /// Those of every request.
    pub headers: HeaderMap,
    pub idle_timeout: Duration,
}

impl Platform {
    /// `account` and `places` lead to the API key, which is read when it is needed.
    #[must_use]
    pub fn new(settings: Settings, account: &config::Account, places: &Places) -> Self {
        let Settings { client, base_url, headers, idle_timeout } = settings;
        let key = Key::new(account, places);
        Self { client, base_url, key, headers, idle_timeout, without: Mutex::default() }
    }

    async fn run(&self, turn: &mut Turn) -> Result<Answer, Error> {
        let mut without = self.without(&turn.request.model);
        loop {
            let body = prepare::body(turn, without)?;
            let mut headers = self.headers.clone();
            headers.extend(turn_headers(turn));
            let response = self.authorized(Method::POST, "responses", headers, Some(body)).await?;
            if response.status().is_success() && !wire::is_page(response.headers()) {
                let headers = limits::for_client(response.headers());
                return Ok(Answer {
                    headers,
                    events: http_stream::events(response, self.idle_timeout),
                });
            }
            let refusal = self.refusal(response).await;
            without = without.learn(&refusal, turn).ok_or(refusal)?;
            tracing::info!(
                turn.model = turn.request.model,
                ?without,
                "the platform has less to give"
            );
            self.remember(&turn.request.model, without);
        }
    }

    fn without(&self, model: &str) -> Without {
        let known = self.without.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(model).copied().unwrap_or_default()
    }

    fn remember(&self, model: &str, without: Without) {
        let mut known = self.without.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(model.to_owned(), without);
    }

    /// Sends with the key, and once more where another has come into its place.
    async fn authorized(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<reqwest::Response, Error> {
        let url = wire::address(&format!("{}/{path}", self.base_url))?;
        let send = async |key: &SecretString| {
            let mut headers = headers.clone();
            headers.insert(header::AUTHORIZATION, self.bearer(key)?);
            let request = wire::request(method.clone(), url.clone(), headers, body.clone());
            wire::send(&self.client, request, &self.base_url, self.idle_timeout).await
        };
        let key = self.key.get()?;
        let first = send(&key).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        match self.key.instead_of(&key)? {
            Some(key) => send(&key).await,
            None => Ok(first),
        }
    }

    fn bearer(&self, key: &SecretString) -> Result<HeaderValue, Error> {
        let bearer = format!("Bearer {}", key.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| Error::Key {
            message: format!(
                "the API key in {} holds characters that no header may hold",
                self.key.source()
            ),
        })?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }

    async fn refusal(&self, response: reqwest::Response) -> Error {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = wire::refused(response, self.idle_timeout).await;
        error::refusal(status, &headers, &body, &self.key.source())
    }

    async fn list(&self) -> Result<CatalogBody, Error> {
        let response = self.authorized(Method::GET, "models", self.headers.clone(), None).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let list = wire::body(response, &self.base_url, self.idle_timeout).await?;
        Ok(CatalogBody { json: models::catalog(&list)?, etag: None })
    }
}

fn turn_headers(turn: &Turn) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    if turn.lite {
        // The official client says so here as it does to the backend.
        let name = "x-openai-internal-codex-responses-lite";
        headers.insert(name, HeaderValue::from_static("true"));
    }
    headers
}

impl Upstream for Platform {
    fn send<'a>(&'a self, turn: &'a mut Turn) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(self.run(turn))
    }

    fn models<'a>(
        &'a self,
        _version: &'a str,
        _etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<CatalogBody>, Error>> {
        Box::pin(async { self.list().await.map(Some) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { self.key.get().map(drop) })
    }

    fn warm_up(&self) -> BoxFuture<'_, bool> {
        Box::pin(async {
            wire::warm_up(&self.client).await;
            self.key.get().is_ok()
        })
    }

    fn is_platform(&self) -> bool {
        true
    }

    fn label(&self) -> &'static str {
        "openai;http"
    }
}
