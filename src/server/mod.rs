//! Sockets and lifetimes.

use std::{convert::Infallible, future::Future, io, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1};
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

use crate::api::Stopping;
use body::Paced;
use crowd::Crowd;
use socket::Socket;

/// How long to wait after `accept` has failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections that ask for nothing then go.
const THINNED: usize = 16;

/// The most headers that a request may have and still be told in our own words that they are too
/// many; with more it is told by the HTTP library, in none.
const MAX_HEADERS: usize = 256;

/// Serves until `shutdown` resolves, then lets running turns end for `grace` at the most.
///
/// Returns whether every connection came to its end by itself.
///
/// # Errors
/// None at present: a failing `accept` is waited out, since it passes when a connection closes.
pub async fn run(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<bool> {
    run_within(Limits::default(), listener, app, shutdown, grace).await
}

/// The same with limits of one's own.
///
/// # Errors
/// As [`run`].
pub async fn run_within(
    limits: Limits,
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<bool> {
    let (stop, stopping) = watch::channel(());
    let crowd = Crowd::default();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut failing = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    failing = false;
                    if crowd.len() >= limits.connections {
                        crowd.thin(1);
                    }
                    serve(stream, app.clone(), limits, &crowd, stopping.clone());
                }
                Err(error) => {
                    // Twenty lines a second would fill the disk too.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "cannot accept connections");
                    }
                    crowd.thin(THINNED);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut shutdown => break,
        }
    }
    drop((listener, stopping));
    tracing::info!("stopping; running turns may end");
    stop.send_replace(());
    // Each connection holds a receiver to its end.
    Ok(tokio::time::timeout(grace, stop.closed()).await.is_ok())
}

fn serve(
    stream: TcpStream,
    app: Router,
    limits: Limits,
    crowd: &Crowd,
    mut stopping: watch::Receiver<()>,
) {
    // The head and the first event go out in two writes. Without this the second one waits for the
    // client's delayed acknowledgement: 44 ms on every streamed turn.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let guest = crowd.enter();
    let work = guest.work();
    let stop = Stopping::new(stopping.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        let busy = work.begin();
        let mut request = request.map(|body| Body::new(Paced::new(body, limits.body)));
        request.extensions_mut().insert(stop.clone());
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
        .serve_connection(TokioIo::new(Socket::new(stream, limits.unread)), service)
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
