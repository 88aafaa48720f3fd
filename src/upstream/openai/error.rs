//! The platform's refusals as [`Error`]s.

use http::{HeaderMap, StatusCode};

use super::limits;
use crate::{
    protocol::Failure,
    upstream::{
        Error,
        refusal::{Refusal, blocked, limited, redirected},
        wait::retry_after,
        wire::is_page,
    },
};

/// A refusal by HTTP status; `key` says where the API key comes from.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], key: &str) -> Error {
    let wait = retry_after(headers);
    if is_page(headers) && !status.is_server_error() {
        return blocked(status);
    }
    let told = Refusal::read(body);
    let message = told.message.clone().unwrap_or_else(|| format!("the platform answered {status}"));
    if message.contains("Missing scopes") {
        return Error::Forbidden {
            message: format!(
                "{message} (give the key of {key} the permission to write responses, or take one without restrictions; the token of a ChatGPT login never has it, that is what the `codex` upstream is for)"
            ),
            code: told.code,
        };
    }
    if told.code.as_deref() == Some("model_not_found") {
        return Error::ModelNotFound { message };
    }
    match status.as_u16() {
        300..=399 => redirected(status),
        401 => unauthorized(told, &message, key),
        403 => Error::Forbidden { message, code: told.code },
        404 if told.message.is_none() => Error::Garbled(
            "the platform does not know the path; check `base_url` under `[upstreams]`".to_owned(),
        ),
        404 => Error::NotFound(Failure { message: Some(message), ..told.failure }),
        413 => Error::TooLarge { message },
        429 => limited(told, message, wait, limits::for_client(headers)),
        408 | 500.. => Error::Overloaded {
            message: format!("the platform is failing ({status}): {message}{}", named(headers)),
            code: told.code,
            retry_after: wait,
        },
        _ => told.into_error(message, wait),
    }
}

/// The platform repeats a part of a key that it does not know, so then its words stay here.
fn unauthorized(told: Refusal, message: &str, key: &str) -> Error {
    let why = match told.code.as_deref() {
        Some("invalid_api_key") => "it is not valid (`invalid_api_key`)",
        _ => message,
    };
    Error::Key {
        message: format!(
            "the OpenAI platform refused the API key of {key}: {why}; put another one there"
        ),
    }
}

/// The platform's name for the request, by which its support finds it.
fn named(headers: &HeaderMap) -> String {
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_static("req_1"));
        format!("{:?}", refusal(status, &headers, body.as_bytes(), "`$KEY`"))
    }

    #[test]
    fn a_key_that_is_not_valid_is_not_repeated() {
        let body = r#"{"error":{"message":"Incorrect API key provided: sk-a***wxyz.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#;
        let said = said(401, body);
        assert!(said.starts_with("Key") && said.contains("`$KEY`"), "{said}");
        assert!(!said.contains("wxyz"), "{said}");
    }

    #[test]
    fn a_key_without_the_permission_is_told_which_one_it_lacks() {
        let body = r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.responses.write.","type":"invalid_request_error","param":null,"code":null}}"#;
        for status in [401, 403] {
            let said = said(status, body);
            assert!(
                said.starts_with("Forbidden") && said.contains("without restrictions"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_failing_platform_is_told_with_the_name_of_the_request() {
        assert!(said(500, "oops").contains("oops (request req_1)"));
        assert!(said(404, "").contains("base_url"));
    }
}
