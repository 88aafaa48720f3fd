//! Usage limits, as told by headers.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::telemetry::metrics;

/// The headers of an answer that the client may see: the limits as received, the turn's state,
/// and the tightest limit once more under the names that OpenAI's clients know.
///
/// Everything else (cookies above all) stays here.
pub(super) fn for_client(received: &HeaderMap) -> HeaderMap {
    let passes = |name: &HeaderName| {
        let name = name.as_str();
        name.starts_with("x-codex-")
            || matches!(name, "x-models-etag" | "x-reasoning-included" | "openai-model")
    };
    let mut headers: HeaderMap = received
        .iter()
        .filter(|(name, _)| passes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let windows = ["primary", "secondary"].map(|window| Window::read(received, window));
    for window in windows.iter().flatten() {
        if let Some(minutes) = window.minutes {
            metrics::limit_used(minutes, window.used / 100.0);
        }
    }
    let tightest = windows.into_iter().flatten().max_by(|a, b| a.used.total_cmp(&b.used));
    if let Some(Window { used, reset_after, .. }) = tightest {
        let mut insert = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        // The plan counts in per cent of a window, so that is the unit: 100 "requests".
        insert("x-ratelimit-limit-requests", "100".to_owned());
        insert("x-ratelimit-remaining-requests", format!("{:.0}", (100.0 - used).max(0.0)));
        if let Some(seconds) = reset_after {
            insert("x-ratelimit-reset-requests", format!("{seconds}s"));
        }
    }
    headers
}

struct Window {
    /// Per cent.
    used: f64,
    /// Seconds.
    reset_after: Option<u64>,
    /// How long it is.
    minutes: Option<u64>,
}

impl Window {
    fn read(headers: &HeaderMap, window: &str) -> Option<Self> {
        let text = |what: &str| headers.get(format!("x-codex-{window}-{what}"))?.to_str().ok();
        let used = text("used-percent")?.parse().ok()?;
        let reset_after = text("reset-after-seconds").and_then(|seconds| seconds.parse().ok());
        let minutes = text("window-minutes").and_then(|minutes| minutes.parse().ok());
        Some(Self { used, reset_after, minutes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_pass_as_received_and_mapped_and_cookies_do_not() {
        let mut received = HeaderMap::new();
        for (name, value) in [
            ("x-codex-primary-used-percent", "42"),
            ("x-codex-primary-reset-after-seconds", "18000"),
            ("x-codex-secondary-used-percent", "94"),
            ("x-codex-secondary-reset-after-seconds", "486400"),
            ("set-cookie", "__cf_bm=1"),
            ("connection", "close"),
        ] {
            received.insert(name, HeaderValue::from_static(value));
        }
        let passed = for_client(&received);
        let text = |name: &str| passed.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(text("x-codex-primary-used-percent"), Some("42"));
        assert_eq!(text("x-ratelimit-remaining-requests"), Some("6"));
        assert_eq!(text("x-ratelimit-reset-requests"), Some("486400s"));
        assert_eq!((text("set-cookie"), text("connection")), (None, None));
    }
}
