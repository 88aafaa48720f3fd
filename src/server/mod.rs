//! Sockets and lifetimes.

use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, header, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::ServiceExt;

mod body;
mod crowd;
mod limits;
mod path;
mod shutdown;
mod socket;

pub use limits::Limits;
pub use shutdown::{Hangup, signalled};

use crate::api::{Place, Stop, Stopping};
use body::Paced;
use crowd::Crowd;
use socket::Socket;

/// How long to wait after `accept` has failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What `accept` fails with when a peer has left before it was let in.
const LEFT: [io::ErrorKind; 3] =
    [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];

/// How many connections that ask for nothing then go.
const THINNED: usize = 16;

/// The most headers that a request may have and still be told in our own words that they are too
/// many; with more it is told by the HTTP library, in none.
const MAX_HEADERS: usize = 256;

/// How long turns that have to end may take to say so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves until `shutdown` resolves with how long running turns may then take to end; those that
/// take longer are ended with an error.
///
/// Returns whether every connection came to its end by itself, and every turn.
pub async fn run(
    limits: Limits,
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = Duration>,
) -> bool {
    let (stop, stopping) = watch::channel(Stop::NotYet);
    let crowd = Crowd::default();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut failing = false;
    let grace = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    failing = false;
                    if crowd.len() >= limits.connections {
                        crowd.thin(1);
                    }
                    serve(stream, app.clone(), limits, &crowd, stopping.clone());
                }
                // That is one peer's, who has left again.
                Err(error) if LEFT.contains(&error.kind()) => {}
                Err(error) => {
                    // Twenty lines a second would fill the disk too.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "cannot accept connections");
                    }
                    crowd.thin(THINNED);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            grace = &mut shutdown => break grace,
        }
    };
    drop((listener, stopping));
    tracing::info!("stopping; running turns may end");
    stop.send_replace(Stop::Begun);
    // Each connection holds a receiver to its end, and each turn that may outlast its own.
    let ended = tokio::time::timeout(grace, stop.closed()).await.is_ok();
    if !ended {
        stop.send_replace(Stop::Due);
        let _ = tokio::time::timeout(LAST_WORDS, stop.closed()).await;
    }
    ended
}

fn serve(
    stream: TcpStream,
    app: Router,
    limits: Limits,
    crowd: &Crowd,
    mut stopping: watch::Receiver<Stop>,
) {
    // The head and the first event go out in two writes. Without this the second one waits for the
    // client's delayed acknowledgement: 44 ms on every streamed turn.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let guest = Arc::new(crowd.enter(limits.silence));
    let work = guest.work();
    let socket = Socket::new(stream, limits.unread, Arc::clone(&guest));
    let place: Place = guest.clone();
    let stop = Stopping::new(stopping.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        let busy = work.begin();
        let mut request = request.map(|body| Body::new(Paced::new(body, limits.body)));
        request.extensions_mut().insert(stop.clone());
        if request.headers().contains_key(header::UPGRADE) {
            request.extensions_mut().insert(Arc::clone(&place));
        }
        path::tidied(request.uri_mut());
        async move {
            let answer = app.oneshot(request).await.unwrap_or_else(|never| match never {});
            Ok::<_, Infallible>(answer.map(|body| busy.until_sent(body)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    #[expect(clippy::disallowed_methods, reason = "`run` waits for it through `stopping`")]
    tokio::spawn(async move {
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = guest.shown_out() => {
                tracing::debug!("a connection that asked for nothing had to go");
                return;
            }
            _ = stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended badly");
        }
    });
}
