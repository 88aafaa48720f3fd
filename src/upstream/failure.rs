//! What an upstream says of itself when it refuses or fails, as [`Error`]s.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Error,
    wait::{until, worded_wait},
};
use crate::{
    auth::LogIn,
    protocol::{Event, Failure},
};

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
    let message = failure.message.clone().filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| "the turn failed".to_owned());
    let told = Told { message: Some(message.clone()), failure, ..Told::default() };
    told.fill().named(message, None).unwrap_or_else(unnamed)
}

/// A failure inside a stream by a name that nobody knows, or by none: the upstream had taken the
/// request, so it is at fault itself where it does not say otherwise. The official client tries
/// such a turn again, too.
fn unnamed(failure: Failure) -> Error {
    let kind = failure.r#type.as_deref().unwrap_or_default();
    let is_of_request = failure.code.as_deref().is_some_and(is_of_request)
        || failure.param.is_some()
        || kind.starts_with("invalid_request")
        || kind.ends_with("_user_error");
    if is_of_request {
        return Error::Invalid(failure);
    }
    let message = failure.message.clone().unwrap_or_default();
    let retry_after = worded_wait(&message);
    if kind == "rate_limit_error" {
        return Error::RateLimited { message, retry_after, headers: Box::default() };
    }
    Error::Overloaded { message, code: failure.code, retry_after }
}

/// Whether a failure of this name is the fault of the request, which would fail again.
fn is_of_request(code: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["invalid_", "unsupported_", "missing_", "empty_", "image_"];
    const ENDS: [&str; 5] = ["_policy", "_policy_violation", "_not_found", "_length", "_value"];
    const WHOLE: [&str; 4] = [
        "context_length_exceeded",
        "failed_to_download_image",
        "moderation_blocked",
        "unknown_parameter",
    ];
    WHOLE.contains(&code)
        || BEGINNINGS.iter().any(|beginning| code.starts_with(beginning))
        || ENDS.iter().any(|end| code.ends_with(end))
}

/// A `response.failed` event, as an error.
pub(super) fn failed(event: &Event) -> Error {
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
pub(super) struct Told {
    pub(super) message: Option<String>,
    /// `code`, or the `type` where that carries the name.
    pub(super) code: Option<String>,
    pub(super) failure: Failure,
    pub(super) resets_in: Option<Duration>,
}

impl Told {
    fn fill(mut self) -> Self {
        let name = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        self.code = name(&self.failure.code).or_else(|| match self.failure.r#type.as_deref() {
            Some("usage_limit_reached" | "usage_not_included" | "insufficient_quota") => {
                self.failure.r#type.clone()
            }
            _ => None,
        });
        self
    }

    /// Reads the body of a refusal, in any of the shapes that are known.
    pub(super) fn read(body: &[u8]) -> Self {
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
                let number = |name| error.get(name).and_then(Value::as_f64);
                let resets_in = number("resets_in_seconds")
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .or_else(|| until(number("resets_at")?));
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

    /// By the name that the upstream gave it, whatever the status around it was; what it gave no
    /// known one is the request's fault.
    pub(super) fn into_error(self, message: String, wait: Option<Duration>) -> Error {
        self.named(message, wait).unwrap_or_else(Error::Invalid)
    }

    /// By the name that the upstream gave it.
    ///
    /// # Errors
    /// With the failure, when the name is none that is known.
    fn named(self, message: String, wait: Option<Duration>) -> Result<Error, Failure> {
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
    told: Told,
    message: String,
    wait: Option<Duration>,
    headers: HeaderMap,
) -> Error {
    let headers = Box::new(headers);
    match told.code.as_deref() {
        Some(code) if is_quota(code) => quota(message, code),
        Some("usage_not_included") => Error::Forbidden {
            message: format!(
                "{message} (the ChatGPT plan of this account does not include Codex: upgrade it, or log in to another account or workspace with `codexway login`)"
            ),
            code: told.code,
        },
        Some("rate_limit_exceeded") | None => {
            let retry_after = wait.or_else(|| worded_wait(&message));
            Error::RateLimited { message, retry_after, headers }
        }
        Some(code) => Error::UsageLimit {
            code: code.to_owned(),
            resets_in: told.resets_in.or(wait).or_else(|| worded_wait(&message)),
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
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::{super::wait::tests::is_about, *};
    use crate::sse::Frame;

    fn event(json: &Value) -> Event {
        let data = Bytes::from(json.to_string());
        Event::parse(Frame { event: Bytes::new(), data }).unwrap()
    }

    /// What `error` comes to as the end of a failed turn, and as an `error` event of both shapes.
    fn in_stream(error: &Value) -> [String; 3] {
        let ended = json!({"type": "response.failed", "response": {"error": error}});
        let nested = json!({"type": "error", "error": error});
        let mut flat = json!({"type": "error"});
        for name in ["code", "message", "param"] {
            flat[name] = error[name].clone();
        }
        let told = [failed(&event(&ended)), of_event(&event(&nested)), of_event(&event(&flat))];
        told.map(|error| format!("{error:?}"))
    }

    #[test]
    fn what_a_stream_fails_of_is_the_upstream_s_fault_unless_it_says_otherwise() {
        for error in [
            Value::Null,
            json!({"code": null, "message": null}),
            json!({"code": "", "message": ""}),
            json!({"code": "novel_failure", "message": "m"}),
            json!({"code": null, "type": "server_error", "message": "m"}),
            json!({"code": null, "type": "service_unavailable_error", "message": "m"}),
            json!({"code": "server_error", "message": "m"}),
        ] {
            for told in in_stream(&error) {
                assert!(told.starts_with("Overloaded"), "{error} {told}");
            }
        }
    }

    #[test]
    fn what_is_the_request_s_fault_stays_so_inside_a_stream() {
        for code in [
            "invalid_prompt",
            "context_length_exceeded",
            "invalid_encrypted_content",
            "cyber_policy",
            "bio_policy",
            "misalignment_policy_violation",
            "unsupported_value",
            "invalid_image_url",
            "image_too_large",
            "empty_image_file",
            "failed_to_download_image",
            "previous_response_not_found",
            "string_above_max_length",
            "integer_below_min_value",
        ] {
            for told in in_stream(&json!({"code": code, "message": "m"})) {
                assert!(told.starts_with("Invalid") && told.contains(code), "{told}");
            }
        }
        for told in in_stream(&json!({"code": "novel", "message": "m", "param": "input"})) {
            assert!(told.starts_with("Invalid"), "{told}");
        }
        let [_, nested, _] = in_stream(&json!({"type": "invalid_request_error", "message": "m"}));
        assert!(nested.starts_with("Invalid"), "{nested}");
    }

    #[test]
    fn a_limit_may_be_named_by_its_type_alone() {
        let of_type = |kind| {
            let error = json!({"type": kind, "code": null, "message": "try again in 2s"});
            of_event(&event(&json!({"type": "error", "error": error})))
        };
        let told = of_type("rate_limit_error");
        let Error::RateLimited { retry_after, .. } = told else { panic!("{told:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(2)));
        assert!(matches!(of_type("usage_limit_reached"), Error::UsageLimit { .. }));
        assert!(matches!(of_type("insufficient_quota"), Error::Quota { .. }));
    }

    #[test]
    fn what_was_paid_for_is_used_up_under_a_name_of_its_own() {
        for code in [
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
        ] {
            let body = json!({"error": {"code": code, "message": "m"}}).to_string();
            let refused = |told: Told| limited(told, "m".to_owned(), None, HeaderMap::new());
            let said = in_stream(&json!({"code": code, "message": "m"}));
            for told in
                said.into_iter().chain([format!("{:?}", refused(Told::read(body.as_bytes())))])
            {
                assert!(told.starts_with("Quota") && told.contains(code), "{told}");
            }
        }
    }

    #[test]
    fn a_used_up_plan_says_when_in_either_way() {
        let told = |body: &Value| Told::read(body.to_string().as_bytes()).resets_in;
        let at = jiff::Timestamp::now().as_second() + 600;
        let error = json!({"type": "usage_limit_reached", "resets_at": at});
        assert!(is_about(told(&json!({"error": error})), 600));
        let error =
            json!({"type": "usage_limit_reached", "resets_at": at, "resets_in_seconds": 60});
        assert_eq!(told(&json!({"error": error})), Some(Duration::from_secs(60)));
    }

    #[test]
    fn an_unknown_name_outside_of_a_stream_is_the_request_s_fault() {
        let told = Told::read(br#"{"error":{"code":"novel","message":"m"}}"#);
        assert!(matches!(told.into_error("m".to_owned(), None), Error::Invalid(_)));
    }
}
