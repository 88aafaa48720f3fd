//! One request and its answer, from the login server or from the backend's account pages.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, DATE};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Error;

/// What was answered, whatever the status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Bytes,
    /// How far the server's clock is ahead of ours.
    pub(super) clock_ahead: Option<SignedDuration>,
}

/// Sends `request` to the site at `url`, which messages name.
///
/// A page of Cloudflare's is no answer, and neither is one that takes longer than `time_out`.
pub(super) async fn ask(
    request: RequestBuilder,
    url: &str,
    time_out: Duration,
) -> Result<Answer, Error> {
    let unreachable = |error: reqwest::Error| {
        let why = if error.is_timeout() {
            format!("no answer within {} s", time_out.as_secs())
        } else {
            reason(error)
        };
        Error::Unreachable { url: url.to_owned(), why }
    };
    let response = request.timeout(time_out).send().await.map_err(unreachable)?;
    let status = response.status();
    let headers = response.headers();
    let html =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let blocked = headers.contains_key("cf-mitigated") || status == StatusCode::FORBIDDEN && html;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let clock_ahead = date.map(|date| date.timestamp().duration_since(Timestamp::now()));
    let body = body(response).await.map_err(unreachable)?;
    if blocked {
        return Err(Error::Blocked { url: url.to_owned() });
    }
    Ok(Answer { status, body, clock_ahead })
}

/// The body, or as much of it as any answer of a login server could need.
async fn body(mut response: reqwest::Response) -> Result<Bytes, reqwest::Error> {
    const ENOUGH: usize = 1024 * 1024;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ENOUGH {
            break;
        }
    }
    Ok(body.freeze())
}

impl Answer {
    /// The body of a success.
    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self, url: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| Error::TokenEndpoint {
            url: url.to_owned(),
            status: self.status.as_u16(),
            code: Some("unreadable_answer".to_owned()),
        })
    }

    /// The code in `{"error":{"code"}}`, `{"error":{"type"}}`, `{"error":"code"}` or `{"code"}`.
    ///
    /// Only what looks like a code: the text goes into messages and logs.
    pub(super) fn code(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let error = &body["error"];
        let places = [&error["code"], error, &body["code"], &error["type"]];
        let code = places.into_iter().find_map(Value::as_str)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        (code.len() <= 64 && code.chars().all(plain)).then(|| code.to_owned())
    }

    /// What no caller has a better word for.
    pub(super) fn unexpected(&self, url: &str) -> Error {
        let (url, status) = (url.to_owned(), self.status.as_u16());
        Error::TokenEndpoint { url, status, code: self.code() }
    }
}

/// The whole chain of causes, without the URL, which may hold a secret.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        why = format!("{why}: {error}");
        source = error.source();
    }
    why
}
