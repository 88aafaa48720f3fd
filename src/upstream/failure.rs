//! What an upstream says of itself when a turn fails, as [`Error`]s.

use serde::Deserialize;

use super::{Error, refusal::Refusal, wait::worded_wait};
use crate::protocol::{Event, Failure};

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
    Refusal::of(failure).named(message, None).unwrap_or_else(unnamed)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::{Value, json};

    use super::*;
    use crate::{sse::Frame, upstream::refusal::limited};

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
            let refused = |refusal| limited(refusal, "m".to_owned(), None, HeaderMap::new());
            let said = in_stream(&json!({"code": code, "message": "m"}));
            for told in
                said.into_iter().chain([format!("{:?}", refused(Refusal::read(body.as_bytes())))])
            {
                assert!(told.starts_with("Quota") && told.contains(code), "{told}");
            }
        }
    }
}
