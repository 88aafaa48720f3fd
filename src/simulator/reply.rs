use axum::body::Body;
use http::{Response, header};
use serde_json::{Value, json};

/// An answer that is not a stream.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// A reply that says no, in one of the backend's dialects of error: what the checks return.
pub(super) type Refusal = Reply;

/// What a reply said; rides on the response so that the record can show it.
#[derive(Clone)]
pub(super) struct Said(pub String);

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string())
            .header(header::CONTENT_TYPE.as_str(), "application/json")
    }

    /// The outer gate: `{"detail":"…"}`.
    pub(super) fn detail(status: u16, text: &str) -> Self {
        Self::json(status, &json!({ "detail": text }))
    }

    /// The Responses engine, which prints its errors over several lines.
    pub(super) fn engine(
        status: u16,
        message: impl Into<String>,
        param: Option<&str>,
        code: Option<&str>,
    ) -> Self {
        let body = json!({ "error": {
            "message": message.into(),
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        } });
        Self::new(status, format!("{body:#}"))
            .header(header::CONTENT_TYPE.as_str(), "application/json")
    }

    /// The layer that knows tokens, with its extra `status` and the same again in a header.
    pub(super) fn auth(message: &str, kind: Option<&str>, code: Option<&str>) -> Self {
        use base64::{Engine as _, prelude::BASE64_STANDARD};

        let error = json!({ "message": message, "type": kind, "code": code, "param": null });
        let brief = json!({ "error": { "code": code } }).to_string();
        Self::json(401, &json!({ "error": error, "status": 401 }))
            .header("x-error-json", &BASE64_STANDARD.encode(brief))
            .header("x-openai-authorization-error", code.unwrap_or("unauthorized"))
    }

    /// The plan is used up. The name is in `type`, not in `code`.
    pub(super) fn usage_limit_reached(plan: &str, resets_in_seconds: u64) -> Self {
        Self::json(
            429,
            &json!({ "error": {
                "type": "usage_limit_reached",
                "message": "The usage limit has been reached",
                "plan_type": plan,
                "resets_at": super::now() + resets_in_seconds,
                "eligible_promo": null,
                "resets_in_seconds": resets_in_seconds,
            } }),
        )
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn headers<'a>(self, headers: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        headers.into_iter().fold(self, |reply, (name, value)| reply.header(name, &value))
    }

    /// The message that says so over a WebSocket. What is no `error` object is wrapped into one.
    pub(super) fn into_message(self) -> Value {
        let mut body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let error = match body["error"].take() {
            Value::Null => json!({ "message": self.body, "type": "upstream_error" }),
            error => error,
        };
        let headers: serde_json::Map<_, _> =
            self.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
        json!({ "type": "error", "status": self.status, "error": error, "headers": headers })
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let said = Said(self.body.clone());
        response.extension(said).body(Body::from(self.body)).unwrap_or_else(|error| {
            Response::new(Body::from(format!("the script's headers are not HTTP: {error}")))
        })
    }
}
