//! The program's words for what went wrong, as [`Error`]s. It has nothing but words.

use super::redacted::redacted;
use crate::{
    protocol::Failure,
    upstream::{Error, refusal::Refusal},
};

/// What `message`, with which the program gave up, means.
pub(super) fn of(message: &str) -> Error {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    // What the backend said against the request comes as it was.
    if message.trim_start().starts_with('{') {
        let told = Refusal::read(message.as_bytes());
        let message = redacted(told.message.as_deref().unwrap_or(message));
        return told.into_error(message, None);
    }
    let code = |code: &str| Some(code.to_owned());
    let message = redacted(message);
    if has(&["hit your usage limit", "usage limit has been reached"]) {
        let code = "usage_limit_reached".to_owned();
        return Error::UsageLimit { message, code, resets_in: None, headers: Box::default() };
    }
    if has(&["Quota exceeded"]) {
        return Error::Quota { message, code: "insufficient_quota".to_owned() };
    }
    if has(&["429 Too Many Requests"]) {
        return Error::RateLimited { message, retry_after: None, headers: Box::default() };
    }
    if has(&["is at capacity"]) {
        return Error::Overloaded {
            message,
            code: code("server_is_overloaded"),
            retry_after: None,
        };
    }
    if has(&["model's context window"]) {
        let code = code("context_length_exceeded");
        let param = Some("input".to_owned());
        return Error::Invalid(Failure { code, param, message: Some(message), r#type: None });
    }
    if has(&["does not exist or you do not have access"]) {
        return Error::ModelNotFound { message };
    }
    if has(&["401 Unauthorized", "Not logged in", "not logged in"]) {
        return Error::Key {
            message: format!("the official program is not let in: {message}; run `codex login`"),
        };
    }
    if has(&["stream disconnected", "stream closed"]) {
        return Error::Truncated;
    }
    Error::Program(format!("`codex exec` gave up: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_s_words_are_told_apart() {
        let check = |message: &str, expected: &str| {
            let error = format!("{:?}", of(message));
            assert!(error.starts_with(expected), "{message}: {error}");
        };
        check(
            "You’ve hit your usage limit. Upgrade to Pro, or try again at 11:06 AM.",
            "UsageLimit",
        );
        check("Quota exceeded. Check your plan and billing details.", "Quota");
        check("exceeded retry limit, last status: 429 Too Many Requests", "RateLimited");
        check("Selected model is at capacity. Please try a different model.", "Overloaded");
        check("Codex ran out of room in the model's context window.", "Invalid");
        check(
            "The model `gpt-99` does not exist or you do not have access to it.",
            "ModelNotFound",
        );
        check(
            r#"{"detail":"The 'x' model is not supported when using Codex with a ChatGPT account."}"#,
            "ModelNotFound",
        );
        check(
            r#"{"error":{"message":"no","param":"reasoning.effort","code":"unsupported_value"}}"#,
            "Invalid",
        );
        check(
            "unexpected status 401 Unauthorized: Incorrect API key provided: sk-abcdefghi",
            "Key",
        );
        check(
            "stream disconnected before completion: stream closed before response.completed",
            "Truncated",
        );
        check("Connection failed: error sending request", "Program");
        assert!(
            !of("unexpected status 401 Unauthorized: sk-abcdefghi").to_string().contains("abc")
        );
    }
}
