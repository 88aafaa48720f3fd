//! The page: `GET /` for people who want to see how their server does.
//!
//! What is served without a key is the same for everybody and tells nothing; all that the page
//! shows it fetches as any client would. It only ever looks.

mod accounts;
mod assets;
mod events;
mod guide;
mod hint;
mod told;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{App, Error, Stopping, ops};
use crate::protocol::unix_now;

use guide::Guides;
pub use guide::{Address, Guide, Guiding};

/// How many pages may be open at once: more than a person has, and few enough to be no burden.
const OPEN: usize = 32;

/// What the page needs beside the turns.
pub(super) struct Page {
    accounts: accounts::Accounts,
    open: Arc<Semaphore>,
    /// Seconds since 1970.
    since: u64,
}

impl Default for Page {
    fn default() -> Self {
        let open = Arc::new(Semaphore::new(OPEN));
        Self { accounts: accounts::Accounts::default(), open, since: unix_now() }
    }
}

impl Page {
    fn opened(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.open).try_acquire_owned().map_err(|_| {
            Error::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limit_error",
                format!("The page is open {OPEN} times; close it somewhere else first."),
            )
            .code("too_many_pages")
        })
    }
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(shell))
        .route("/page/{asset}", get(asset))
        .route("/page/state", get(state))
        .route("/page/events", get(events))
        .method_not_allowed_fallback(ops::wrong_method)
}

/// Whether there is something at this path that everybody may have.
pub(super) fn is_shell(path: &str) -> bool {
    path == "/" || path.strip_prefix("/page/").is_some_and(|name| assets::find(name).is_some())
}

async fn shell(State(app): State<App>, headers: HeaderMap) -> Response {
    assets::shell(!app.server().keys.is_empty()).answer(&headers)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap, method: Method, uri: Uri) -> Response {
    match assets::find(&name) {
        Some(asset) => asset.answer(&headers),
        None => ops::not_found(method, uri).await.into_response(),
    }
}

/// All that the page shows, as one JSON object.
async fn state(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Response {
    app.page().accounts.looked_at(&app).await;
    let mut json = String::from("{");
    for (name, part) in told::parts(&app, &host(&headers, &uri), &mut Guides::default()) {
        let comma = if json.len() > 1 { "," } else { "" };
        json.push_str(&format!("{comma}\"{name}\":{part}"));
    }
    json.push('}');
    assets::data("application/json", json.into())
}

/// The same as it changes: an event for each part that is another than it was.
async fn events(
    State(app): State<App>,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Error> {
    let open = app.page().opened()?;
    let Extension(stopping) = stopping.unwrap_or_default();
    let body = events::follow(app, host(&headers, &uri), stopping, open);
    Ok(assets::data("text/event-stream; charset=utf-8", body))
}

/// What the browser calls the server; [`super::access`] has let that name through.
fn host(headers: &HeaderMap, uri: &Uri) -> String {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| uri.authority().map(Authority::as_str)).unwrap_or("127.0.0.1").to_owned()
}
