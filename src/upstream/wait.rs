//! How long an upstream asks to wait, in its headers and in its words.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;

/// How long the headers ask to wait, in a number or until a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    if let Some(millis) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(millis / 1000.0).ok();
    }
    if let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text("retry-after")?).ok()?;
    until(date.timestamp().as_second() as f64)
}

/// How long it is until `at`, in seconds since 1970; no time where that has passed.
pub(super) fn until(at: f64) -> Option<Duration> {
    let now = UNIX_EPOCH.elapsed().ok()?;
    Duration::try_from_secs_f64((at - now.as_secs_f64()).max(0.0)).ok()
}

/// How long a message says to wait: "Please try again in 11.054s", "in 250ms", "in 1m12.5s" or
/// "in 2 days and 3 hours".
pub(super) fn worded_wait(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let (_, mut rest) = message.split_once("try again in ")?;
    let mut wait = None;
    while let Some((part, tail)) = worded_part(rest) {
        wait = Some(wait.unwrap_or(Duration::ZERO).saturating_add(part));
        rest = tail.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    wait
}

/// The number with its unit that `text` begins with, and what follows it.
fn worded_part(text: &str) -> Option<(Duration, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, tail) = (text[..digits].parse::<f64>().ok()?, text[digits..].trim_start());
    let (unit, tail) =
        tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
    let seconds = match unit {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86400.0,
        _ => return None,
    };
    Some((Duration::try_from_secs_f64(number * seconds).ok()?, tail))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Whether it is just under `seconds`, as the time until a moment is.
    pub(in crate::upstream) fn is_about(wait: Option<Duration>, seconds: u64) -> bool {
        wait.is_some_and(|wait| (seconds - 30..=seconds).contains(&wait.as_secs()))
    }

    #[test]
    fn a_wait_is_understood_in_any_words() {
        for (words, seconds) in [
            ("Please try again in 11.054s. Visit https://platform.openai.com", 11.054),
            ("Please try again in 250ms.", 0.25),
            ("try again in 20 s", 20.0),
            ("try again in 1m12.5s", 72.5),
            ("Try again in 1h2m.", 3720.0),
            ("try again in 2 days", 172_800.0),
            ("try again in 1 day, 2 hours and 5 minutes.", 93_900.0),
            ("try again in 3 minutes, 2 requests were left", 180.0),
        ] {
            let wait = worded_wait(words).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, Some(seconds), "{words}");
        }
        for words in ["try again in 5", "try again in a while", "try again later"] {
            assert_eq!(worded_wait(words), None, "{words}");
        }
    }

    #[test]
    fn headers_ask_to_wait_in_a_number_or_until_a_date() {
        let asked = |name: &'static str, value: &str| {
            retry_after(&HeaderMap::from_iter([(
                http::HeaderName::from_static(name),
                value.parse().unwrap(),
            )]))
        };
        assert_eq!(asked("retry-after", "1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        let date = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert!(is_about(asked("retry-after", &date), 600), "{date}");
        let past = asked("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(asked("retry-after", "soon"), None);
    }
}
