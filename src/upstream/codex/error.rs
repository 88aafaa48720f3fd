//! The backend's refusals, in the five shapes it has for them, as [`Error`]s.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use super::Error;
use crate::protocol::{Event, Failure};

/// Whether the answer is a web page: Cloudflare's, or a captive portal's.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

pub(super) fn unreachable(url: &str, error: &reqwest::Error) -> Error {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host).to_owned();
    // reqwest's own text repeats the URL; the cause at the bottom says what happened.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Error::Unreachable { host, reason: cause.to_string() }
}

/// A refusal by HTTP status.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let wait = retry_after(headers);
    if is_page(headers) || headers.contains_key("cf-mitigated") {
        return blocked(status);
    }
    if status == StatusCode::NOT_FOUND && body.is_empty() {
        return blocked(status);
    }
    let told = Told::read(body);
    let message = told.message.clone().unwrap_or_else(|| format!("the upstream answered {status}"));
    match status.as_u16() {
        401 => Error::Refused { message },
        402 => Error::Forbidden {
            message: format!(
                "the workspace is not active: {message}; check its billing, or log in to another with `codexway login`"
            ),
            code: told.code,
        },
        429 => limited(told, message, wait),
        403 => Error::Forbidden { message, code: told.code },
        404 => not_found(told, message),
        413 => Error::TooLarge { message },
        408 | 500.. => Error::Overloaded {
            message: format!("the upstream is failing ({status}): {message}"),
            code: told.code,
            retry_after: wait,
        },
        _ => told.into_error(message, wait),
    }
}

/// An `error` event inside a stream.
pub(super) fn of_event(event: &Event) -> Error {
    #[derive(Deserialize)]
    struct Nested {
        error: Failure,
    }
    // The newer shape has an `error` object, the older one the same members at the top.
    let failure = match event.read::<Nested>() {
        Ok(Nested { error }) => error,
        Err(_) => match event.read::<Failure>() {
            Ok(mut failure) => {
                failure.r#type = None; // It says "error", the name of the event.
                failure
            }
            Err(malformed) => return malformed.into(),
        },
    };
    of_failure(failure)
}

/// What a failed turn says of itself, as an error.
#[must_use]
pub fn of_failure(failure: Failure) -> Error {
    let message = failure.message.clone().unwrap_or_else(|| "the turn failed".to_owned());
    let told = Told { message: Some(message.clone()), failure, ..Told::default() };
    told.fill().into_error(message, None)
}

/// A `response.failed` event, as an error.
#[must_use]
pub fn failed(event: &Event) -> Error {
    #[derive(Deserialize)]
    struct Failed {
        response: WithError,
    }
    #[derive(Deserialize)]
    struct WithError {
        #[serde(default)]
        error: Option<Failure>,
    }
    match event.read::<Failed>() {
        Ok(Failed { response }) => of_failure(response.error.unwrap_or_default()),
        Err(malformed) => malformed.into(),
    }
}

/// A refusal as it was worded.
#[derive(Debug, Default)]
struct Told {
    message: Option<String>,
    /// `code`, or the `type` where that carries the name.
    code: Option<String>,
    failure: Failure,
    resets_in: Option<Duration>,
}

impl Told {
    fn fill(mut self) -> Self {
        let name = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        self.code = name(&self.failure.code).or_else(|| match self.failure.r#type.as_deref() {
            Some("usage_limit_reached" | "usage_not_included") => self.failure.r#type.clone(),
            _ => None,
        });
        self
    }

    fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else {
            let text = String::from_utf8_lossy(body);
            let text = text.trim();
            let plain = !text.is_empty() && !text.starts_with('<');
            return Self {
                message: plain.then(|| text.chars().take(500).collect()),
                ..Self::default()
            };
        };
        match (body.remove("detail"), body.remove("error")) {
            (Some(Value::String(detail)), _) => Self::detail(detail),
            (Some(Value::Object(detail)), _) => {
                let code = detail.get("code").and_then(Value::as_str).map(str::to_owned);
                let text = detail.get("message").and_then(Value::as_str).map(str::to_owned);
                Self { message: text.or_else(|| code.clone()), code, ..Self::default() }
            }
            (Some(detail), _) => Self { message: Some(detail.to_string()), ..Self::default() },
            (None, Some(Value::Object(error))) => {
                let resets_in = error.get("resets_in_seconds").and_then(Value::as_f64);
                let resets_in =
                    resets_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                let failure: Failure =
                    serde_json::from_value(Value::Object(error)).unwrap_or_default();
                Self { message: failure.message.clone(), failure, resets_in, code: None }.fill()
            }
            (None, Some(error)) => {
                Self { message: error.as_str().map(str::to_owned), ..Self::default() }
            }
            (None, None) => Self::default(),
        }
    }

    /// The outer gate says in words what it means; the name of a parameter stands at the end.
    fn detail(detail: String) -> Self {
        let param = detail.strip_prefix("Unsupported parameter: ").map(str::to_owned);
        let code = param.is_some().then(|| "unsupported_parameter".to_owned());
        let failure = Failure { param, code: code.clone(), ..Failure::default() };
        Self { message: Some(detail), code, failure, resets_in: None }
    }

    /// By the name that the backend gave it, whatever the status around it was.
    fn into_error(self, message: String, wait: Option<Duration>) -> Error {
        let code = self.code.clone();
        match code.as_deref().unwrap_or_default() {
            "usage_limit_reached"
            | "insufficient_quota"
            | "usage_not_included"
            | "rate_limit_exceeded"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
            | "organization_usage_limit_exceeded"
            | "subscription_sharing_usage_limit_exceeded" => limited(self, message, wait),
            "server_is_overloaded"
            | "slow_down"
            | "server_error"
            | "flex_unavailable"
            | "policy_capacity_unavailable" => {
                let retry_after = wait.or_else(|| worded_wait(&message));
                Error::Overloaded { message, code, retry_after }
            }
            "token_expired" | "token_invalidated" | "token_revoked" => Error::Refused { message },
            "account_deactivated" => Error::Forbidden { message, code },
            _ if message.contains("is at capacity") => {
                Error::Overloaded { message, code, retry_after: wait }
            }
            _ if message.contains("requires a newer version of Codex") => Error::ModelNotFound {
                message: format!(
                    "{message} (codexway says which version it is compatible with: raise `upstreams.codex.version`)"
                ),
            },
            _ if message.contains("is not supported when using Codex") => Error::ModelNotFound {
                message: format!(
                    "{message} It is not in your plan, or needs an API key or another upstream; `GET /v1/models` lists what the account may use"
                ),
            },
            _ => {
                let failure = Failure { message: Some(message), code, ..self.failure };
                Error::Invalid(failure)
            }
        }
    }
}

fn limited(told: Told, message: String, wait: Option<Duration>) -> Error {
    match told.code.as_deref() {
        Some("usage_not_included") => Error::Forbidden {
            message: format!(
                "{message} (the ChatGPT plan of this account does not include Codex: upgrade it, or log in to another account or workspace with `codexway login`)"
            ),
            code: told.code,
        },
        Some("rate_limit_exceeded") | None => {
            let retry_after = wait.or_else(|| worded_wait(&message));
            Error::RateLimited { message, retry_after }
        }
        Some(code) => {
            Error::UsageLimit { code: code.to_owned(), resets_in: told.resets_in.or(wait), message }
        }
    }
}

fn not_found(told: Told, message: String) -> Error {
    if told.failure.param.as_deref() == Some("model") || message.starts_with("Model not found") {
        return Error::ModelNotFound {
            message: format!(
                "{message} (the backend offers it to other client versions or identities only: see `version`, `originator` and `user_agent` under `[upstreams]`)"
            ),
        };
    }
    if message == "Not Found" {
        return Error::Garbled(
            "the upstream does not know the path; check `base_url` under `[upstreams]`".to_owned(),
        );
    }
    Error::NotFound(Failure { message: Some(message), ..told.failure })
}

fn blocked(status: StatusCode) -> Error {
    Error::Forbidden {
        message: format!(
            "a page instead of an answer ({status}): Cloudflare or a network filter stopped the request before it reached the backend; the account is not at fault, try another network or again later"
        ),
        code: Some("upstream_blocked".to_owned()),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let millis = number("retry-after-ms").map(|millis| millis / 1000.0);
    Duration::try_from_secs_f64(millis.or_else(|| number("retry-after"))?).ok()
}

/// "Please try again in 11.054s" or "in 250ms".
fn worded_wait(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("try again in ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = rest[..digits].parse().ok()?;
    let unit = rest[digits..].trim_start();
    let seconds = match unit {
        _ if unit.starts_with("ms") => number / 1000.0,
        _ if unit.starts_with('s') => number,
        _ if unit.starts_with('m') => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}
