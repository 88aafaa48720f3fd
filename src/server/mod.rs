//! Sockets and lifetimes.

use std::{convert::Infallible, future::Future, io, time::Duration};

use axum::Router;
use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

mod body;
mod patience;
mod shutdown;
mod socket;

pub use patience::Patience;
pub use shutdown::{Hangup, signalled};

use body::Paced;
use socket::Socket;

/// How long to wait after `accept` has failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The most headers that a request may have and still be told in our own words that they are too
/// many; with more it is told by the HTTP library, in none.
const MAX_HEADERS: usize = 1000;

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
    run_with(Patience::default(), listener, app, shutdown, grace).await
}

/// The same with a patience of one's own.
///
/// # Errors
/// As [`run`].
pub async fn run_with(
    patience: Patience,
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<bool> {
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut failing = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    failing = false;
                    serve(stream, app.clone(), patience, &connections);
                }
                Err(error) => {
                    // Twenty lines a second would fill the disk too.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "cannot accept connections");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    tracing::info!("stopping; running turns may end");
    Ok(tokio::time::timeout(grace, connections.shutdown()).await.is_ok())
}

fn serve(stream: TcpStream, app: Router, patience: Patience, connections: &GracefulShutdown) {
    // The head and the first event go out in two writes. Without this the second one waits for the
    // client's delayed acknowledgement: 44 ms on every streamed turn.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        let paced = |body| axum::body::Body::new(Paced::new(body, patience.body));
        let request = request.map(paced);
        async move {
            Ok::<_, Infallible>(app.oneshot(request).await.unwrap_or_else(|never| match never {}))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Socket::new(stream, patience.unread)), service);
    let connection = connections.watch(connection);
    #[expect(clippy::disallowed_methods, reason = "`run` waits for it through `connections`")]
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended badly");
        }
    });
}
