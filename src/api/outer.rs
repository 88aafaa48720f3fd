//! What is done to every request and every answer.

use std::{any::Any, time::Instant};

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue};
use uuid::Uuid;

use super::Error;
use crate::{telemetry::metrics, upstream};

/// What the client and the log call the request.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

pub(super) async fn with_request_id(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = format!("req_{}", Uuid::now_v7().simple());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    let millis = HeaderValue::from(started.elapsed().as_millis() as u64);
    headers.insert(HeaderName::from_static("openai-processing-ms"), millis);
    headers
        .insert(HeaderName::from_static("openai-version"), HeaderValue::from_static("2020-10-01"));
    response
}

/// The answer to a request at which codexway failed.
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    report(&*panic);
    Error::from(upstream::Error::Internal).into_response()
}

/// Logs and counts a panic: it is one turn's fault, and ends no other.
pub(super) fn report(panic: &(dyn Any + Send)) {
    let reason = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given");
    metrics::panicked();
    tracing::error!(reason, "a turn panicked; the others go on");
}
