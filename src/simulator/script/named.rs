//! The refusals and failures that were seen in the wild, word for word.

use serde_json::json;

use super::Script;
use crate::simulator::accounts;
use crate::simulator::reply::Reply;

const OVERLOADED: &str = "Our servers are currently overloaded. Please try again later.";
const CYBER_POLICY: &str = "This content was flagged for possible cybersecurity risk. If this seems wrong, try rephrasing \
     your request. To get authorized for security work, join the Trusted Access for Cyber program: \
     https://chatgpt.com/cyber";

impl Script {
    /// HTTP 503 with the overload in its body.
    pub fn overloaded_503() -> Self {
        let error = json!({
            "type": "service_unavailable_error",
            "code": "server_is_overloaded",
            "message": OVERLOADED,
            "param": null,
        });
        Self::reply(Reply::json(503, &json!({ "error": error })))
    }

    /// HTTP 200, and the overload in the stream: the usual way.
    pub fn overloaded_in_stream() -> Self {
        Self::new().failed("server_is_overloaded", OVERLOADED)
    }

    /// HTTP 429: the plan's window is used up.
    pub fn usage_limit_reached(resets_in_seconds: u64) -> Self {
        let reply = Reply::usage_limit_reached("plus", resets_in_seconds)
            .header("x-codex-primary-used-percent", "100")
            .header("x-codex-primary-window-minutes", "300")
            .header("x-codex-primary-reset-after-seconds", &resets_in_seconds.to_string());
        Self::reply(reply)
    }

    /// HTTP 429: the plan has no Codex.
    pub fn usage_not_included() -> Self {
        let message = "To use Codex with your ChatGPT plan, upgrade to Plus: \
                       https://openai.com/chatgpt/pricing.";
        let error = json!({ "type": "usage_not_included", "message": message });
        Self::reply(Reply::json(429, &json!({ "error": error })))
    }

    /// HTTP 200, and in the stream the tokens-per-minute limit with its "try again in".
    pub fn rate_limited_in_stream() -> Self {
        Self::new().failed(
            "rate_limit_exceeded",
            "Rate limit reached for gpt-5.5 in organization org-AAA on tokens per min (TPM): \
             Limit 30000, Used 22999, Requested 12528. Please try again in 11.054s. Visit \
             https://platform.openai.com/account/rate-limits to learn more.",
        )
    }

    /// HTTP 200, and in the stream that the prompt is too long.
    pub fn context_length_exceeded() -> Self {
        Self::new().failed(
            "context_length_exceeded",
            "Your input exceeds the context window of this model. Please adjust your input and \
             try again.",
        )
    }

    /// HTTP 200, and in the stream the refusal that must never be retried.
    pub fn cyber_policy() -> Self {
        Self::new().failed("cyber_policy", CYBER_POLICY)
    }

    /// HTTP 400 with the refusal that must never be retried.
    pub fn cyber_policy_400() -> Self {
        let error = json!({
            "type": "invalid_request",
            "code": "cyber_policy",
            "message": CYBER_POLICY,
            "param": null,
        });
        Self::reply(Reply::json(400, &json!({ "error": error })))
    }

    /// HTTP 403 with Cloudflare's page.
    pub fn cloudflare_challenge() -> Self {
        let page = "<!DOCTYPE html><html lang=\"en-US\"><head><title>Just a moment...</title>\
                    </head><body><noscript>Enable JavaScript and cookies to continue</noscript>\
                    </body></html>";
        let headers = [
            ("content-type", "text/html; charset=UTF-8"),
            ("cf-mitigated", "challenge"),
            ("server", "cloudflare"),
            ("cf-ray", "9be579c61a5abbd5-WAW"),
        ];
        Self::new().status(403, &headers, page)
    }

    /// HTTP 404 without a body: how a stale cookie is turned away.
    pub fn empty_404() -> Self {
        Self::new().status(404, &[], "")
    }

    /// HTTP 503 in plain text from the proxy in front.
    pub fn envoy_503() -> Self {
        Self::new().status(
            503,
            &[("content-type", "text/plain")],
            "upstream connect error or disconnect/reset before headers. reset reason: connection \
             termination",
        )
    }

    /// HTTP 500 of the outer gate.
    pub fn detail_500() -> Self {
        Self::reply(Reply::detail(500, "Internal Server Error"))
    }

    /// HTTP 402 with an object in `detail`: the workspace is disabled.
    pub fn deactivated_workspace() -> Self {
        Self::reply(Reply::json(402, &json!({ "detail": { "code": "deactivated_workspace" } })))
    }

    /// HTTP 401 with `token_expired`, `token_invalidated`, `token_revoked` or
    /// `account_deactivated`; any other code gets the message of the second.
    pub fn unauthorized(code: &str) -> Self {
        let kind = Some("invalid_request_error");
        Self::reply(match code {
            "token_expired" => accounts::token_expired(),
            "token_invalidated" => accounts::token_invalidated(),
            "token_revoked" => Reply::auth(
                "Encountered invalidated oauth token for user, failing request",
                None,
                Some(code),
            ),
            "account_deactivated" => Reply::auth(
                "Your OpenAI account has been deactivated, please check your email for more \
                 information. If you feel this is an error, contact us through our help center at \
                 help.openai.com.",
                kind,
                Some(code),
            ),
            _ => Reply::auth(
                "Your authentication token has been invalidated. Please try signing in again.",
                kind,
                Some(code),
            ),
        })
    }

    /// HTTP 400: replayed reasoning cannot be read.
    pub fn invalid_encrypted_content() -> Self {
        Self::reply(Reply::engine(
            400,
            "The encrypted content gAAA...Rg== could not be verified.",
            None,
            Some("invalid_encrypted_content"),
        ))
    }

    /// HTTP 400 `{"detail":"…"}` of the outer gate.
    pub fn detail_400(text: &str) -> Self {
        Self::reply(Reply::detail(400, text))
    }

    pub(super) fn reply(reply: Reply) -> Self {
        Self { reply: Some(reply), ..Self::default() }
    }
}
