//! Usage limits, as told by headers.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::{
    protocol::{Event, unix_now},
    telemetry::metrics,
    upstream::wait::until,
};

/// What the headers of one window of a plan are called.
struct Names {
    used_percent: &'static str,
    window_minutes: &'static str,
    reset_at: &'static str,
    reset_after: &'static str,
}

const PRIMARY: Names = Names {
    used_percent: "x-codex-primary-used-percent",
    window_minutes: "x-codex-primary-window-minutes",
    reset_at: "x-codex-primary-reset-at",
    reset_after: "x-codex-primary-reset-after-seconds",
};

const SECONDARY: Names = Names {
    used_percent: "x-codex-secondary-used-percent",
    window_minutes: "x-codex-secondary-window-minutes",
    reset_at: "x-codex-secondary-reset-at",
    reset_after: "x-codex-secondary-reset-after-seconds",
};

const WINDOWS: [Names; 2] = [PRIMARY, SECONDARY];

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
    let windows = WINDOWS.map(|names| Window::read(received, &names));
    for window in windows.iter().flatten() {
        if let Some(minutes) = window.minutes {
            metrics::limit_used(minutes, window.used / 100.0);
        }
    }
    if let Some(Window { used, reset_after, .. }) = tightest(windows) {
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

/// How long the window goes on that is used up the most, where the headers say so.
pub(super) fn resets_in(received: &HeaderMap) -> Option<Duration> {
    let windows = WINDOWS.map(|names| Window::read(received, &names));
    let told = tightest(windows).and_then(|window| window.reset_after);
    let seconds = told.or_else(|| reset_after(received, &PRIMARY))?;
    Some(Duration::from_secs(seconds))
}

/// Writes what a `codex.rate_limits` event says over the headers that said it before.
pub(super) fn update(headers: &mut HeaderMap, event: &Event) {
    #[derive(Deserialize)]
    struct Limits {
        rate_limits: Windows,
    }
    #[derive(Deserialize)]
    struct Windows {
        primary: Option<Told>,
        secondary: Option<Told>,
    }
    #[derive(Deserialize)]
    struct Told {
        used_percent: f64,
        window_minutes: Option<u64>,
        /// Seconds since 1970.
        reset_at: Option<u64>,
    }
    let Ok(Limits { rate_limits: Windows { primary, secondary } }) = event.read() else { return };
    let now = unix_now();
    for (names, told) in WINDOWS.into_iter().zip([primary, secondary]) {
        let Some(told) = told else { continue };
        let reset_after = told.reset_at.map(|at| at.saturating_sub(now).to_string());
        for (name, value) in [
            (names.used_percent, Some(told.used_percent.to_string())),
            (names.window_minutes, told.window_minutes.map(|minutes| minutes.to_string())),
            (names.reset_at, told.reset_at.map(|at| at.to_string())),
            (names.reset_after, reset_after),
        ] {
            if let Some(value) = value.and_then(|value| value.parse::<HeaderValue>().ok()) {
                headers.insert(name, value);
            }
        }
    }
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
    fn read(headers: &HeaderMap, names: &Names) -> Option<Self> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let used = text(names.used_percent)?.parse().ok()?;
        let reset_after = reset_after(headers, names);
        let minutes = text(names.window_minutes).and_then(|minutes| minutes.parse().ok());
        Some(Self { used, reset_after, minutes })
    }
}

fn reset_after(headers: &HeaderMap, names: &Names) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    number(names.reset_after).or_else(|| Some(until(number(names.reset_at)? as f64)?.as_secs()))
}

fn tightest(windows: [Option<Window>; 2]) -> Option<Window> {
    windows.into_iter().flatten().max_by(|a, b| a.used.total_cmp(&b.used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_replaces_what_the_headers_said() {
        let mut headers = HeaderMap::new();
        headers.insert("x-codex-primary-used-percent", HeaderValue::from_static("42"));
        let json = r#"{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":43.5,"window_minutes":300,"reset_at":7},"secondary":null}}"#;
        let (event, data) = (bytes::Bytes::new(), bytes::Bytes::from_static(json.as_bytes()));
        let event = Event::parse(crate::sse::Frame { event, data }).unwrap();
        update(&mut headers, &event);
        assert_eq!(headers["x-codex-primary-used-percent"], "43.5");
        assert_eq!(headers["x-codex-primary-window-minutes"], "300");
        assert_eq!(headers["x-codex-primary-reset-at"], "7");
        assert_eq!(headers["x-codex-primary-reset-after-seconds"], "0");
    }

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

    #[test]
    fn the_window_that_is_used_up_says_when_it_resets() {
        let resets_in = |headers: &[(&'static str, &'static str)]| {
            let header =
                |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
            resets_in(&headers.iter().copied().map(header).collect())
        };
        let primary = ("x-codex-primary-reset-after-seconds", "60");
        let secondary = ("x-codex-secondary-reset-after-seconds", "3600");
        let used =
            [("x-codex-primary-used-percent", "40"), ("x-codex-secondary-used-percent", "100")];
        assert_eq!(resets_in(&[primary]), Some(Duration::from_secs(60)));
        let both = [primary, secondary, used[0], used[1]];
        assert_eq!(resets_in(&both), Some(Duration::from_secs(3600)));
        assert_eq!(resets_in(&[]), None);
    }
}
