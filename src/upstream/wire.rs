//! What every upstream over HTTP does alike: sending, and reading what was refused.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, Method, header};
use reqwest::Url;

use super::Error;
use crate::{auth, sse::MAX_FRAME};

/// The address that `url` is.
///
/// # Errors
/// When it is none.
pub(super) fn address(url: &str) -> Result<Url, Error> {
    url.parse().map_err(|error| unreachable(url, &error))
}

/// A request with all its headers.
pub(super) fn request(
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
) -> reqwest::Request {
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    *request.body_mut() = body.map(Into::into);
    request
}

/// Sends and waits for the head of the answer, for as long as `idle`. `url` names the upstream to
/// the user.
pub(super) async fn send(
    client: &auth::Client,
    request: reqwest::Request,
    url: &str,
    idle: Duration,
) -> Result<reqwest::Response, Error> {
    let client = self::client(client)?;
    match tokio::time::timeout(idle, client.execute(request)).await {
        Ok(sent) => sent.map_err(|error| unreachable(url, &error)),
        Err(_) => Err(Error::TimedOut(idle)),
    }
}

/// Reads an answer to its end, for as long as `idle`; one that is larger than an event may be is
/// no answer.
pub(super) async fn body(
    mut response: reqwest::Response,
    url: &str,
    idle: Duration,
) -> Result<Bytes, Error> {
    let whole = async {
        let mut read = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(url, &error))? {
            if read.len() + chunk.len() > MAX_FRAME {
                return Err(Error::Garbled(format!("an answer of more than {MAX_FRAME} bytes")));
            }
            read.extend_from_slice(&chunk);
        }
        Ok(read.freeze())
    };
    tokio::time::timeout(idle, whole).await.unwrap_or(Err(Error::TimedOut(idle)))
}

/// The beginning of the body of a refusal; what came of it within `idle`.
pub(super) async fn refused(response: reqwest::Response, idle: Duration) -> Bytes {
    const ENOUGH: usize = 64 * 1024;
    tokio::time::timeout(idle, read_up_to(response, ENOUGH)).await.unwrap_or_default()
}

/// Whether the answer is a web page: Cloudflare's, or a captive portal's.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// The client, made if this is its first use.
fn client(client: &auth::Client) -> Result<&reqwest::Client, Error> {
    client.get().map_err(|error| match error {
        auth::Error::Unreachable { url, why } => {
            Error::Unreachable { host: host(&url), reason: why }
        }
        error => error.into(),
    })
}

/// Makes the client, where that keeps nobody waiting.
pub(super) async fn warm_up(client: &auth::Client) {
    let client = client.clone();
    // Whoever needs it next is told if it could not be made.
    let _ = tokio::task::spawn_blocking(move || client.get().map(drop)).await;
}

fn host(url: &str) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.split('/').next().unwrap_or(host).to_owned()
}

pub(super) fn unreachable(url: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    // reqwest's own text repeats the URL; the cause at the bottom says what happened.
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let reason = format!("{cause}; {}", auth::way_out(&cause.to_string()));
    Error::Unreachable { host: host(url), reason }
}

async fn read_up_to(response: reqwest::Response, limit: usize) -> Bytes {
    let mut chunks = response.bytes_stream();
    let mut read = BytesMut::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        read.extend_from_slice(&chunk[..chunk.len().min(limit - read.len())]);
        if read.len() == limit {
            break;
        }
    }
    read.freeze()
}
