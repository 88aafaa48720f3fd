//! The backend's refusals, in the five shapes it has for them, as [`Error`]s.

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use http::{HeaderMap, StatusCode};

use super::limits;
use crate::{
    auth::LogIn,
    protocol::Failure,
    upstream::{
        Error,
        refusal::{Refusal, blocked, limited, redirected},
        wait::retry_after,
        wire::is_page,
    },
};

/// A refusal by HTTP status.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let wait = retry_after(headers);
    let is_challenge = headers.contains_key("cf-mitigated");
    // A gateway that has nobody behind it says so with a page, too.
    let is_blocked = is_page(headers) && !status.is_server_error();
    let is_hidden = status == StatusCode::NOT_FOUND && body.is_empty();
    if is_challenge || is_blocked || is_hidden {
        return blocked(status);
    }
    let mut told = Refusal::read(body);
    if told.code.is_none()
        && let Some(hidden) = hidden(headers)
    {
        told = Refusal { message: told.message.or(hidden.message), ..hidden };
    }
    told.resets_in = told.resets_in.or(wait).or_else(|| limits::resets_in(headers));
    let message = told.message.clone().unwrap_or_else(|| format!("the upstream answered {status}"));
    match status.as_u16() {
        300..=399 => redirected(status),
        // No other token of the account would be taken.
        401 if told.code.as_deref() == Some("account_deactivated") => {
            Error::Forbidden { message, code: told.code }
        }
        401 => Error::Refused { message, log_in: LogIn::default() },
        402 => Error::Forbidden {
            message: format!(
                "the workspace is not active: {message}; check its billing, or log in to another with `codexway login`"
            ),
            code: told.code,
        },
        429 => limited(told, message, wait, limits::for_client(headers)),
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

/// The error that stands in a header beside the body, or in its place.
fn hidden(headers: &HeaderMap) -> Option<Refusal> {
    let encoded = headers.get("x-error-json")?;
    Some(Refusal::read(&STANDARD.decode(encoded).ok()?))
}

fn not_found(told: Refusal, message: String) -> Error {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_behind_a_5xx_is_an_overload_unless_it_is_a_challenge() {
        let page = b"<!DOCTYPE html><html><body>Bad gateway</body></html>";
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static("text/html"));
        let told = refusal(StatusCode::BAD_GATEWAY, &headers, page);
        assert!(matches!(&told, Error::Overloaded { .. }), "{told:?}");
        assert!(!told.to_string().contains('<'), "{told}");
        headers.insert("cf-mitigated", http::HeaderValue::from_static("challenge"));
        let told = refusal(StatusCode::SERVICE_UNAVAILABLE, &headers, page);
        assert!(matches!(told, Error::Forbidden { .. }), "{told:?}");
    }

    #[test]
    fn an_error_that_the_body_keeps_to_itself_stands_in_a_header() {
        let error = br#"{"error":{"code":"account_deactivated","message":"It is closed."}}"#;
        let mut headers = HeaderMap::new();
        headers.insert("x-error-json", STANDARD.encode(error).parse().unwrap());
        for body in ["", "{}", "unauthorized"] {
            let told = refusal(StatusCode::UNAUTHORIZED, &headers, body.as_bytes());
            let Error::Forbidden { message, code } = told else { panic!("{told:?}") };
            assert_eq!(code.as_deref(), Some("account_deactivated"));
            assert_eq!(message, if body == "unauthorized" { body } else { "It is closed." });
        }
        headers.insert("x-error-json", http::HeaderValue::from_static("no base64"));
        let told = refusal(StatusCode::UNAUTHORIZED, &headers, b"");
        assert!(matches!(told, Error::Refused { .. }), "{told:?}");
    }

    #[test]
    fn a_used_up_plan_that_says_no_time_has_it_from_the_limits() {
        let mut headers = HeaderMap::new();
        headers.insert("x-codex-primary-reset-after-seconds", http::HeaderValue::from_static("60"));
        let body = br#"{"error":{"type":"usage_limit_reached","message":"m"}}"#;
        let Error::UsageLimit { resets_in, .. } =
            refusal(StatusCode::TOO_MANY_REQUESTS, &headers, body)
        else {
            panic!("a limit")
        };
        assert_eq!(resets_in, Some(std::time::Duration::from_secs(60)));
    }
}
