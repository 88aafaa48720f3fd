//! `GET /v1/responses` with an upgrade: turns one after another, as messages over a WebSocket.
//!
//! A message is the body of a POST, and what is said is what the POST would stream: it takes the
//! same way through [`super::turn`], so that there is no second translation to keep true.

mod asked;
mod memory;
mod peer;
mod place;
mod session;

use axum::{
    Extension,
    body::Body,
    extract::{OriginalUri, Request, State},
    response::Response,
};
use http::{HeaderMap, header};
use yawc::{Options, WebSocket};

use super::{App, Stopping, ops};
use peer::Peer;
pub use place::{Connection, Place};
use session::Session;

/// Lets a client in that asks for a WebSocket; any other is told to post.
pub(super) async fn serve(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    place: Option<Extension<Place>>,
    stopping: Option<Extension<Stopping>>,
    mut request: Request,
) -> Response {
    if !is_wanted(request.headers()) {
        return ops::no_websocket().await;
    }
    let limit = app.server().max_body;
    let options = options(request.headers(), limit);
    let Ok((head, upgrading)) = WebSocket::upgrade_with_options(&mut request, options) else {
        return ops::no_websocket().await;
    };
    let Extension(stopping) = stopping.unwrap_or_default();
    let session = Session::new(app, uri, request.headers(), limit, stopping);
    let place = place.map(|Extension(place)| place);
    let run = async move {
        match upgrading.await {
            Ok(socket) => session.run(Peer::new(socket, place)).await,
            Err(error) => tracing::debug!(%error, "a connection did not become a WebSocket"),
        }
    };
    #[expect(clippy::disallowed_methods, reason = "what stops is told, and waits for it")]
    tokio::spawn(run);
    head.map(|_| Body::empty())
}

fn is_wanted(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|name| name.eq_ignore_ascii_case("websocket"))
}

fn options(headers: &HeaderMap, limit: usize) -> Options {
    let options = Options::default()
        .with_balanced_compression()
        .with_limits(limit.saturating_add(1), limit.saturating_add(1))
        .with_utf8();
    let offered = headers.get(header::SEC_WEBSOCKET_EXTENSIONS);
    let offered = offered.and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The library would agree on the smallest window there is, and a client that does not offer to
    // choose one may not be told one.
    match offered.contains("client_max_window_bits") {
        true => options.with_client_max_window_bits(15),
        false => options,
    }
}
