//! What an upstream says when it refuses, whatever the words and the shape.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::{
    Error,
    wait::{until, worded_wait},
};
use crate::{auth::LogIn, protocol::Failure};

/// A refusal as it was worded.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) message: Option<String>,
    /// `code`, or the `type` where that carries the name.
    pub(super) code: Option<String>,
    pub(super) failure: Failure,
    pub(super) resets_in: Option<Duration>,
}

impl Refusal {
    /// What a failure comes to.
    pub(super) fn of(failure: Failure) -> Self {
        let name = failure.code.clone().filter(|name| !name.is_empty());
        let code = name.or_else(|| match failure.r#type.as_deref() {
            Some("usage_limit_reached" | "usage_not_included" | "insufficient_quota") => {
                failure.r#type.clone()
            }
            _ => None,
        });
        Self { message: failure.message.clone(), code, failure, resets_in: None }
    }

    /// Reads the body of a refusal, in any of the shapes that are known.
    pub(super) fn read(body: &[u8]) -> Self {
        if let Ok(Value::Object(body)) = serde_json::from_slice(body) {
            return Self::object(body);
        }
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        let plain = !text.is_empty() && !text.starts_with('<');
        Self { message: plain.then(|| text.chars().take(500).collect()), ..Self::default() }
    }

    fn object(mut body: Map<String, Value>) -> Self {
        match (body.remove("detail"), body.remove("error")) {
            (Some(Value::String(detail)), _) => Self::detail(detail),
            (Some(Value::Object(detail)), _) if detail.contains_key("error") => {
                Self::object(detail)
            }
            (Some(Value::Object(detail)), _) => {
                let code = detail.get("code").and_then(Value::as_str).map(str::to_owned);
                let text = detail.get("message").and_then(Value::as_str).map(str::to_owned);
                Self { message: text.or_else(|| code.clone()), code, ..Self::default() }
            }
            (Some(detail), _) => Self { message: Some(detail.to_string()), ..Self::default() },
            (None, Some(Value::Object(error))) => {
                let number = |name| error.get(name).and_then(Value::as_f64);
                let resets_in = number("resets_in_seconds")
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .or_else(|| until(number("resets_at")?));
                let failure: Failure =
                    serde_json::from_value(Value::Object(error)).unwrap_or_default();
                Self { resets_in, ..Self::of(failure) }
            }
            (None, Some(error)) => {
                Self { message: error.as_str().map(str::to_owned), ..Self::default() }
            }
            (None, None) => {
                let first = body.get("errors").map_or(&Value::Null, |errors| &errors[0]["message"]);
                let message = body.get("message").unwrap_or(first).as_str().map(str::to_owned);
                Self { message, ..Self::default() }
            }
        }
    }

    /// The outer gate says in words what it means; the name of a parameter stands at the end.
    fn detail(detail: String) -> Self {
        let param = detail.strip_prefix("Unsupported parameter: ").map(str::to_owned);
        let code = param.is_some().then(|| "unsupported_parameter".to_owned());
        let failure = Failure { param, code: code.clone(), ..Failure::default() };
        Self { message: Some(detail), code, failure, resets_in: None }
    }

    /// By the name that the upstream gave it, whatever the status around it was; what it gave no
    /// known one is the request's fault.
    pub(super) fn into_error(self, message: String, wait: Option<Duration>) -> Error {
        self.named(message, wait).unwrap_or_else(Error::Invalid)
    }

    /// By the name that the upstream gave it.
    ///
    /// # Errors
    /// With the failure, when the name is none that is known.
    pub(super) fn named(self, message: String, wait: Option<Duration>) -> Result<Error, Failure> {
        let code = self.code.clone();
        Ok(match code.as_deref().unwrap_or_default() {
            code if is_quota(code) => quota(message, code),
            "usage_limit_reached"
            | "usage_not_included"
            | "rate_limit_exceeded"
            | "organization_usage_limit_exceeded"
            | "subscription_sharing_usage_limit_exceeded" => {
                limited(self, message, wait, HeaderMap::new())
            }
            "server_is_overloaded"
            | "slow_down"
            | "server_error"
            | "flex_unavailable"
            | "policy_capacity_unavailable" => {
                let retry_after = wait.or_else(|| worded_wait(&message));
                Error::Overloaded { message, code, retry_after }
            }
            "token_expired" | "token_invalidated" | "token_revoked" => {
                Error::Refused { message, log_in: LogIn::default() }
            }
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
                    "{message} It is not in your plan. {} requires an API key or another upstream; `GET /v1/models` lists what the account may use.",
                    quoted(&message).map_or("It".to_owned(), |model| format!("Model {model}"))
                ),
            },
            _ if message.contains("Instructions are not valid") => Error::Invalid(Failure {
                message: Some(format!(
                    "{message}; this backend takes no instructions but those it knows: set `instructions = \"codex\"` in the profile, and `base_prompt` to a file with a text that it knows"
                )),
                code,
                ..self.failure
            }),
            _ => return Err(Failure { message: Some(message), code, ..self.failure }),
        })
    }
}

/// A refusal because too much was asked, by plan or by pace; `headers` are what the client may see.
pub(super) fn limited(
    refusal: Refusal,
    message: String,
    wait: Option<Duration>,
    headers: HeaderMap,
) -> Error {
    let headers = Box::new(headers);
    match refusal.code.as_deref() {
        Some(code) if is_quota(code) => quota(message, code),
        Some("usage_not_included") => Error::Forbidden {
            message: format!(
                "{message} (the ChatGPT plan of this account does not include Codex: upgrade it, or log in to another account or workspace with `codexway login`)"
            ),
            code: refusal.code,
        },
        Some("rate_limit_exceeded") | None => {
            let retry_after = wait.or_else(|| worded_wait(&message));
            Error::RateLimited { message, retry_after, headers }
        }
        Some(code) => Error::UsageLimit {
            code: code.to_owned(),
            resets_in: refusal.resets_in.or(wait).or_else(|| worded_wait(&message)),
            message,
            headers,
        },
    }
}

fn quota(message: String, code: &str) -> Error {
    Error::Quota { message, code: code.to_owned() }
}

/// Whether it says that money is what is missing: no window will reset.
fn is_quota(code: &str) -> bool {
    matches!(
        code,
        "insufficient_quota"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
    )
}

/// A web page where an answer should be.
pub(super) fn blocked(status: StatusCode) -> Error {
    Error::Forbidden {
        message: format!(
            "a page instead of an answer ({status}): Cloudflare or a network filter stopped the request before it reached the upstream; the account is not at fault, try another network or again later"
        ),
        code: Some("upstream_blocked".to_owned()),
    }
}

/// An address where nobody runs turns.
pub(super) fn redirected(status: StatusCode) -> Error {
    Error::Garbled(format!(
        "the upstream answered with a redirect ({status}), which is not followed; check `base_url` under `[upstreams]`, and whether this network wants a login first"
    ))
}

/// What stands between the first two apostrophes.
fn quoted(message: &str) -> Option<&str> {
    message.split('\'').nth(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::wait::tests::is_about, *};

    #[test]
    fn a_used_up_plan_says_when_in_either_way() {
        let told = |body: &Value| Refusal::read(body.to_string().as_bytes()).resets_in;
        let at = jiff::Timestamp::now().as_second() + 600;
        let error = json!({"type": "usage_limit_reached", "resets_at": at});
        assert!(is_about(told(&json!({"error": error})), 600));
        let error =
            json!({"type": "usage_limit_reached", "resets_at": at, "resets_in_seconds": 60});
        assert_eq!(told(&json!({"error": error})), Some(Duration::from_secs(60)));
    }

    #[test]
    fn an_unknown_name_outside_of_a_stream_is_the_request_s_fault() {
        let told = Refusal::read(br#"{"error":{"code":"novel","message":"m"}}"#);
        assert!(matches!(told.into_error("m".to_owned(), None), Error::Invalid(_)));
    }
}
