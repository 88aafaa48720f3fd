//! What the browser shows at the end: pages that load nothing from anywhere.

use std::fmt::Display;

use http::{HeaderValue, Response, StatusCode, header};

/// A page with a title and a sentence.
pub(super) struct Page {
    status: StatusCode,
    title: &'static str,
    text: String,
}

impl Page {
    pub(super) fn succeeded() -> Self {
        let text = "codexway has your login. You can close this page and go back to the terminal.";
        Self { status: StatusCode::OK, title: "Logged in", text: text.to_owned() }
    }

    pub(super) fn failed(why: &dyn Display) -> Self {
        let text = format!("{why}. The terminal says the same.");
        Self { status: StatusCode::BAD_REQUEST, title: "Not logged in", text }
    }

    /// For an answer to a question that we did not ask.
    pub(super) fn foreign() -> Self {
        let text = "This page does not belong to the login that codexway waits for. Open the address that the terminal shows.";
        Self { status: StatusCode::BAD_REQUEST, title: "Not this login", text: text.to_owned() }
    }

    pub(super) fn missing() -> Self {
        let text = "There is nothing here.".to_owned();
        Self { status: StatusCode::NOT_FOUND, title: "Not found", text }
    }

    /// The page as it is sent: scripts and foreign content are forbidden, and nobody keeps it.
    pub(super) fn into_response(self) -> Response<String> {
        let Self { status, title, .. } = self;
        let text = escaped(&self.text);
        let mut response = Response::new(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title} · codexway</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1><p>{text}</p></main></body></html>\n"
        ));
        *response.status_mut() = status;
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONNECTION, "close"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;color-scheme:light dark;display:grid;\
                     place-items:center;min-height:90vh;margin:0}main{max-width:32rem;padding:1rem}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
