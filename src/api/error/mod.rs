//! What a client is told when its request fails: one shape, whatever the upstream spoke.

mod from;

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::masked::masked;
use crate::telemetry::TurnLog;

/// An error in the shape of the OpenAI API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub status: StatusCode,
    pub kind: &'static str,
    pub code: Option<Cow<'static, str>>,
    pub param: Option<String>,
    /// Says what happened and what to do next.
    pub message: String,
    pub retry_after: Option<Duration>,
    /// Whether trying again makes sense, where the status alone would mislead the SDKs.
    pub should_retry: Option<bool>,
    /// What the upstream said of its limits.
    pub headers: Box<HeaderMap>,
}

const INVALID: &str = "invalid_request_error";

/// What a number may not go beyond.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Error {
    /// A request that is at fault.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
    }

    /// A field that has to be there.
    pub fn missing(param: impl Into<String>) -> Self {
        let param = param.into();
        Self::invalid(format!("Missing required parameter: '{param}'."))
            .code("missing_required_parameter")
            .param(param)
    }

    /// A field of the wrong JSON type.
    pub fn wrong_type(param: impl Into<String>, expected: &str) -> Self {
        let param = param.into();
        Self::invalid(format!("Invalid type for '{param}': expected {expected}."))
            .code("invalid_type")
            .param(param)
    }

    /// A field with a value that is not one of those that make sense.
    pub fn wrong_value(param: impl Into<String>, message: impl std::fmt::Display) -> Self {
        let param = param.into();
        Self::invalid(format!("Invalid value for '{param}': {message}."))
            .code("invalid_value")
            .param(param)
    }

    /// A number beyond one of its bounds; `kind` is `integer` or `decimal`.
    pub fn out_of_range(param: impl Into<String>, kind: &str, bound: Bound, got: &str) -> Self {
        let param = param.into();
        let (side, side_code, sign, bound) = match bound {
            Bound::AtLeast(least) => ("below minimum", "below_min", ">=", least),
            Bound::AtMost(most) => ("above maximum", "above_max", "<=", most),
        };
        Self::invalid(format!(
            "Invalid '{param}': {kind} {side} value. Expected a value {sign} {bound}, but got {got} instead."
        ))
        .code(format!("{kind}_{side_code}_value"))
        .param(param)
    }

    /// A list, object or text with more in it than there may be; `kind` says which.
    pub fn too_long(param: impl Into<String>, kind: &str, max: usize, got: usize) -> Self {
        let param = param.into();
        let (what, code) = match kind {
            "string" => ("string too long", "string_above_max_length"),
            "array" => ("array too long", "array_above_max_length"),
            _ => ("too many properties", "object_above_max_properties"),
        };
        Self::invalid(format!(
            "Invalid '{param}': {what}. Expected at most {max}, but got {got} instead."
        ))
        .code(code)
        .param(param)
    }

    /// A list with nothing in it.
    pub fn empty(param: &str) -> Self {
        Self::invalid(format!("Invalid '{param}': empty array. Expected at least 1 element."))
            .code("empty_array")
            .param(param)
    }

    /// A value that means something, but cannot be had here.
    pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(message).code("unsupported_value").param(param)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, INVALID, message)
    }

    pub fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            param: None,
            message: message.into(),
            retry_after: None,
            should_retry: None,
            headers: Box::default(),
        }
    }

    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Says in a turn's log that it ended in this.
    pub(super) fn log(&self, log: &mut TurnLog) {
        log.failed(self.status.as_u16(), self.code.as_deref(), &masked(&self.message));
    }

    /// The body: `{"error":{"message","type","param","code"}}`.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            message: &'a str,
            r#type: &'a str,
            param: Option<&'a str>,
            code: Option<&'a str>,
        }
        let error = Inner {
            message: &self.message,
            r#type: self.kind,
            param: self.param.as_deref(),
            code: self.code.as_deref(),
        };
        serde_json::to_vec(&Body { error }).expect("strings serialise")
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.json().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.extend(*self.headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up: coming back too early is a second refusal.
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds as u64));
            headers.insert(
                HeaderName::from_static("retry-after-ms"),
                HeaderValue::from(wait.as_millis() as u64),
            );
        }
        if let Some(retry) = self.should_retry {
            let value = HeaderValue::from_static(if retry { "true" } else { "false" });
            headers.insert(HeaderName::from_static("x-should-retry"), value);
        }
        response
    }
}
