//! The platform's refusals that depend on more than the request, word for word.

use serde_json::json;

use super::Script;
use crate::simulator::reply::Reply;

impl Script {
    /// HTTP 429: too many requests a minute, with its limits in the headers.
    pub fn platform_rate_limited(retry_after_ms: u64) -> Self {
        let error = json!({
            "message": "Rate limit reached for gpt-5.5 in organization org-AAA on requests per min \
                        (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit \
                        https://platform.openai.com/account/rate-limits to learn more.",
            "type": "requests",
            "param": null,
            "code": "rate_limit_exceeded",
        });
        let reply = Reply::json(429, &json!({ "error": error }))
            .header("retry-after-ms", &retry_after_ms.to_string())
            .header("x-ratelimit-limit-requests", "3")
            .header("x-ratelimit-remaining-requests", "0")
            .header("x-ratelimit-reset-requests", "20s");
        Self::reply(reply)
    }

    /// HTTP 429: the money is spent.
    pub fn insufficient_quota() -> Self {
        let error = json!({
            "message": "You exceeded your current quota, please check your plan and billing \
                        details. For more information on this error, read the docs: \
                        https://platform.openai.com/docs/guides/error-codes/api-errors.",
            "type": "insufficient_quota",
            "param": null,
            "code": "insufficient_quota",
        });
        Self::reply(Reply::json(429, &json!({ "error": error })))
    }

    /// HTTP 500, as the platform words it.
    pub fn platform_500() -> Self {
        let error = json!({
            "message": "The server had an error while processing your request. Sorry about that!",
            "type": "server_error",
            "param": null,
            "code": null,
        });
        Self::reply(Reply::json(500, &json!({ "error": error })))
    }
}
