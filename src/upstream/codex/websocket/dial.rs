//! How a connection is opened: a request for an upgrade, over a client of ours like any other, so
//! that it goes by the same proxy and trusts the same certificates.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use sha1::{Digest, Sha1};
use yawc::{Options, Role, WebSocket};

use super::connection::Connection;
use crate::{
    auth::{self, Access, TokenManager},
    protocol::Turn,
    sse,
    telemetry::metrics,
    upstream::{
        Error,
        codex::{Identity, UNAUTHORIZED, Version, error, headers},
        wire,
    },
};

/// How long it may take until the backend has agreed.
const PATIENCE: Duration = Duration::from_secs(15);

const PROTOCOL: &str = "responses_websockets=2026-02-06";

/// Both sides may look back over what was sent before: instructions and tools come in each message.
const COMPRESSION: &str = "permessage-deflate; client_max_window_bits";

/// What opens connections for an account.
#[derive(Clone)]
pub(in crate::upstream::codex) struct Dialer {
    pub(in crate::upstream::codex) client: auth::Client,
    pub(in crate::upstream::codex) url: Arc<str>,
    pub(in crate::upstream::codex) tokens: TokenManager,
    pub(in crate::upstream::codex) identity: Identity,
    pub(in crate::upstream::codex) version: Version,
}

impl Dialer {
    /// The headers with which a connection for `turn`'s conversation is asked for.
    pub(super) fn headers(&self, turn: &Turn) -> HeaderMap {
        let mut headers = self.identity.headers(&(self.version)());
        headers.extend(turn.headers.clone());
        // The shape is told with each turn.
        headers::add_turn(&mut headers, &turn.conversation, false);
        for (name, value) in [
            (HeaderName::from_static("openai-beta"), PROTOCOL),
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_EXTENSIONS, COMPRESSION),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    /// Opens a connection. A refused token is replaced, once.
    ///
    /// # Errors
    /// When the backend cannot be reached, or does not agree.
    pub(super) async fn open(self, headers: HeaderMap) -> Result<Box<Connection>, Error> {
        match tokio::time::timeout(PATIENCE, self.ask(headers)).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::TimedOut(PATIENCE)),
        }
    }

    async fn ask(self, mut headers: HeaderMap) -> Result<Box<Connection>, Error> {
        let key = BASE64_STANDARD.encode(fastrand::u128(..).to_ne_bytes());
        if let Ok(key) = HeaderValue::from_str(&key) {
            headers.insert(header::SEC_WEBSOCKET_KEY, key);
        }
        let mut access = self.tokens.access().await?;
        let mut response = self.ask_as(&headers, &access).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let refusal = refusal(response).await;
            if !matches!(refusal, Error::Refused { .. }) {
                return Err(refusal);
            }
            access = self.tokens.instead_of(&access).await?;
            metrics::retried(UNAUTHORIZED);
            response = self.ask_as(&headers, &access).await?;
        }
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(response).await);
        }
        let received = response.headers().clone();
        if received.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes)
            != Some(accepted(&key).as_bytes())
        {
            return Err(Error::Garbled("whoever answered speaks no WebSocket".to_owned()));
        }
        let upgraded =
            response.upgrade().await.map_err(|error| wire::unreachable(&self.url, &error))?;
        let extensions = received.get(header::SEC_WEBSOCKET_EXTENSIONS);
        let extensions = extensions.and_then(|agreed| agreed.to_str().ok());
        let options = Options::default()
            .with_balanced_compression()
            .with_limits(sse::MAX_FRAME + 1, 2 * sse::MAX_FRAME)
            .with_utf8();
        let socket =
            WebSocket::from_stream_with_extensions(upgraded, Role::Client, extensions, options)
                .map_err(|error| Error::Garbled(error.to_string()))?;
        Ok(Box::new(Connection::new(socket, access.account_id, received)))
    }

    async fn ask_as(
        &self,
        headers: &HeaderMap,
        access: &Access,
    ) -> Result<reqwest::Response, Error> {
        let mut headers = headers.clone();
        headers::authorize(&mut headers, access)?;
        let url = wire::address(&format!("{}/responses", self.url))?;
        let request = wire::request(Method::GET, url, headers, None);
        wire::send(&self.client, request, &self.url, PATIENCE).await
    }
}

async fn refusal(response: reqwest::Response) -> Error {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = wire::refused(response, PATIENCE).await;
    error::refusal(status, &headers, &body)
}

/// What a server makes of a key, to show that it has understood (RFC 6455, 4.2.2).
fn accepted(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_s_own_key_is_accepted() {
        assert_eq!(accepted("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
