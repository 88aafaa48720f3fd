//! What is done to every request and every answer.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    time::{Instant, UNIX_EPOCH},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    App, Error,
    access::{self, Admitted},
    head,
};
use crate::{telemetry::metrics, upstream};

/// What the client and the log call the request.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

impl RequestId {
    /// One that no other request has. It is no secret, so the system need not be asked for chance.
    pub(super) fn new() -> Self {
        let mut chance = [0; 10];
        fastrand::fill(&mut chance);
        let millis = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis() as u64);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid();
        Self(format!("req_{}", id.simple()))
    }
}

/// Answers a request. Every answer, whatever made it, can be named; and a panic is one turn's
/// fault, which its client is told.
///
/// One layer, since each one that the router is given costs every request a copy of all below it.
pub(super) async fn answer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::new();
    let named = HeaderValue::from_str(&id.0);
    request.extensions_mut().insert(id);
    let mut response = caught(admitted(&app, request, next)).await;
    let headers = response.headers_mut();
    if let Ok(id) = named {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    let millis = HeaderValue::from(started.elapsed().as_millis() as u64);
    headers.insert(HeaderName::from_static("openai-processing-ms"), millis);
    headers
        .insert(HeaderName::from_static("openai-version"), HeaderValue::from_static("2020-10-01"));
    response
}

/// An answer, or the one for that what makes it has panicked.
pub(super) async fn caught(answer: impl Future<Output = Result<Response, Error>>) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    let answer = answer.unwrap_or_else(|panic| {
        report(&*panic);
        Err(upstream::Error::Internal.into())
    });
    answer.unwrap_or_else(IntoResponse::into_response)
}

/// Has a request served that is of a bearable size, by nobody who is not let in.
async fn admitted(app: &App, mut request: Request, next: Next) -> Result<Response, Error> {
    head::check(request.uri(), request.headers())?;
    let Admitted { named, origin } =
        access::admit(&app.server(), request.method(), request.headers(), request.uri())?;
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let response = match (&origin, request.method()) {
        (Some(_), &Method::OPTIONS) => StatusCode::NO_CONTENT.into_response(),
        _ => {
            request.extensions_mut().insert(named);
            next.run(request).await
        }
    };
    Ok(match origin {
        Some(origin) => access::with_cors(response, origin, asked),
        None => response,
    })
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
