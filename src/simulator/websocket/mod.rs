//! `GET /codex/responses` with an upgrade: turns one after another over one connection, which
//! remembers the last of them.

mod memory;
mod play;
mod session;

use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, header};
use hyper::upgrade::OnUpgrade;
use yawc::{Options, WebSocket};

use super::accounts::Account;
use super::reply::{Refusal, Reply};
use super::script::Ending;
use super::server::{Asked, Cut, State};
use super::stream;
use super::wire::Received;
use session::Session;

/// A message of this many bytes or more closes the connection, with code 1009.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

const PROTOCOL: &str = "responses_websockets=2026-02-06";

/// What answers a request for a WebSocket, and what then runs over the connection.
type Upgraded = (Response<Body>, Option<BoxFuture<'static, ()>>);

pub(super) fn is_wanted<B>(request: &Request<B>) -> bool {
    request.method() == Method::GET
        && request.uri().path() == "/backend-api/codex/responses"
        && request.headers().contains_key(header::UPGRADE)
}

/// Lets the client in, or says no over HTTP.
pub(super) async fn upgrade(
    state: &Arc<State>,
    asked: &Asked,
    upgrade: OnUpgrade,
    received: &Received,
) -> Result<Upgraded, Cut> {
    let account = check(state, asked);
    let script = match state.upgrades.next(account.clone().map(drop)) {
        Ok(script) => script,
        Err(refusal) => return Ok((refusal.into_response(), None)),
    };
    if !script.pauses.before_headers.is_zero() {
        tokio::time::sleep(script.pauses.before_headers).await;
    }
    if script.wire.cut_before_headers {
        return Err(Cut);
    }
    if let Some(reply) = script.reply {
        return Ok((reply.into_response(), None));
    }
    if matches!(script.ending, Ending::Stall) {
        return std::future::pending().await;
    }
    let account = match account {
        Ok(account) => account,
        Err(refusal) => return Ok((refusal.into_response(), None)),
    };
    let mut options = Options::default()
        .with_balanced_compression()
        .with_limits(MAX_MESSAGE, MAX_MESSAGE)
        .with_utf8();
    // Without it the library would agree on the smallest window there is.
    if asked.header(header::SEC_WEBSOCKET_EXTENSIONS.as_str()).contains("client_max_window_bits") {
        options = options.with_client_max_window_bits(15);
    }
    let Ok((head, socket)) = WebSocket::upgrade_with_options(handed_on(asked, upgrade), options)
    else {
        return Ok((Reply::detail(400, "Bad Request").into_response(), None));
    };
    let mut response = head.map(|_| Body::empty());
    for (name, value) in stream::headers(state, None) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    let session = Session::new(state, asked, account, received);
    let run = async move {
        if let Ok(socket) = socket.await {
            session.run(socket).await;
        }
    };
    Ok((response, Some(run.boxed())))
}

fn check(state: &State, asked: &Asked) -> Result<Account, Refusal> {
    let account = state.accounts.check(asked)?;
    let mut protocols = asked.header("openai-beta").split(',');
    match protocols.any(|protocol| protocol.trim() == PROTOCOL) {
        true => Ok(account),
        false => Err(Reply::detail(426, "Upgrade Required")),
    }
}

/// The request once more, for who reads its head and takes its connection over.
fn handed_on(asked: &Asked, upgrade: OnUpgrade) -> Request<()> {
    let mut request = Request::new(());
    *request.headers_mut() = asked.headers.clone();
    request.extensions_mut().insert(upgrade);
    request
}
