//! What is asked of the server rather than of a model.

use axum::{
    Extension,
    extract::{OriginalUri, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use serde_json::json;

use super::{App, Astray, Error, access::Named};
use crate::telemetry::metrics;

pub(super) fn json(value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("plain data serialises");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The process is up.
pub(super) async fn health() -> Response {
    json(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// A turn could be run: the credentials are there, and not known to be dead.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let ready = async {
        let served = app.profile(None)?;
        served.upstream.ready().await?;
        Ok::<_, Error>(served.upstream.warning().await)
    };
    match ready.await {
        Ok(None) => json(&json!({"status": "ready"})),
        Ok(Some(warning)) => json(&json!({"status": "ready", "warning": warning})),
        Err(error) => Error { status: StatusCode::SERVICE_UNAVAILABLE, ..error }.into_response(),
    }
}

/// What has been counted, as Prometheus reads it.
pub(super) async fn counters() -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics::render()).into_response()
}

/// What the plan has left, of the account that the profile uses.
pub(super) async fn usage(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
) -> Result<Response, Error> {
    let served = app.profile(profile.as_deref())?;
    match served.upstream.usage().await? {
        Some(usage) => Ok(json(&usage)),
        None => Err(Error::not_found(
            "The turns of this profile are not paid for by a plan, so there is no usage to tell.",
        )
        .code("no_plan")),
    }
}

/// `GET /v1/responses` is how a WebSocket begins. With this status clients go on over HTTP at once.
pub(super) async fn no_websocket() -> Response {
    let error = Error::new(
        StatusCode::UPGRADE_REQUIRED,
        "invalid_request_error",
        "A WebSocket is opened by a GET with `Upgrade: websocket` and version 13; any other request is sent with POST.",
    );
    let mut response = error.code("websocket_not_supported").into_response();
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

pub(super) async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> Error {
    Error::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        format!("Not allowed to {method} on {}.", uri.path()),
    )
    .code("method_not_supported")
}

pub(super) async fn not_found(method: Method, uri: Uri) -> Error {
    let astray = Astray::of(uri.path());
    metrics::went_astray(astray.as_str());
    let mut message = format!("Unknown request URL: {method} {}.", uri.path());
    if let Some(mend) = astray.mend() {
        tracing::info!(kind = astray.as_str(), "a client asks for what is not here; {mend}");
        let (first, rest) = mend.split_at(1);
        message.push_str(&format!(" {}{rest}.", first.to_uppercase()));
    }
    Error::not_found(message).code("unknown_url")
}
