//! What the page consists of, compiled in, and the headers that keep it to that.

use std::borrow::Cow;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

const SHELL: &str = include_str!("assets/index.html");

/// By their names below `/page/`.
const ASSETS: [(&str, &str, &str); 7] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("main.js", SCRIPT, include_str!("assets/main.js")),
    ("cards.js", SCRIPT, include_str!("assets/cards.js")),
    ("connect.js", SCRIPT, include_str!("assets/connect.js")),
    ("plot.js", SCRIPT, include_str!("assets/plot.js")),
    ("words.js", SCRIPT, include_str!("assets/words.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Nothing from elsewhere, nothing inline, no text that becomes markup, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// A file of the page.
pub(super) struct Asset {
    kind: &'static str,
    text: Cow<'static, str>,
}

pub(super) fn find(name: &str) -> Option<Asset> {
    let (_, kind, text) = ASSETS.into_iter().find(|(known, _, _)| *known == name)?;
    Some(Asset { kind, text: Cow::Borrowed(text) })
}

/// The page without anything on it; it asks for a key where one is wanted.
pub(super) fn shell(key: bool) -> Asset {
    let text = match key {
        true => Cow::Owned(SHELL.replacen("data-key=\"no\"", "data-key=\"yes\"", 1)),
        false => Cow::Borrowed(SHELL),
    };
    Asset { kind: "text/html; charset=utf-8", text }
}

impl Asset {
    /// The whole of it, or that the browser's copy is still good.
    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        let sum = Sha256::digest(self.text.as_bytes());
        let sum: String = sum[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        let tag = format!("\"{sum}\"");
        let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let mut response = match known.is_some_and(|tags| tags.contains(&tag)) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Response::new(self.text.into_owned().into()),
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        // It is asked for again each time: another version of the program has another page.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        guarded(response)
    }
}

/// What the page fetches, which nobody is to keep.
pub(super) fn data(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    guarded(response)
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_whole_and_has_a_place_for_whether_a_key_is_wanted() {
        let all: usize = ASSETS.iter().map(|(_, _, text)| text.len()).sum();
        assert!(all + SHELL.len() < 60 * 1024, "{} bytes", all + SHELL.len());
        assert_eq!(SHELL.matches("data-key=\"no\"").count(), 1);
        let texts = || ASSETS.iter().map(|(_, _, text)| *text).chain([SHELL]);
        let named = texts().flat_map(|text| text.split(['"', '(']));
        let mut n_named = 0;
        for name in named.filter_map(|part| part.strip_prefix("/page/").or(part.strip_prefix("./")))
        {
            n_named += 1;
            assert!(find(name).is_some() || matches!(name, "events" | "state"), "{name}");
        }
        assert!(n_named >= 7, "{n_named}");
        // What would need a weaker policy, or somebody else's server.
        for wrong in ["innerHTML", "insertAdjacentHTML", "eval(", "<style", "style=\"", "https://"]
        {
            assert!(!texts().any(|text| text.contains(wrong)), "{wrong}");
        }
    }
}
