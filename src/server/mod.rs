//! Sockets and lifetimes.

use std::{convert::Infallible, future::Future, io, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

mod body;
mod crowd;
mod limits;
mod shutdown;
mod socket;

pub use limits::Limits;
pub use shutdown::{Hangup, signalled};

use body::Paced;
use crowd::Crowd;
use socket::Socket;

/// How long to wait after `accept` has failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections that ask for nothing then go.
const THINNED: usize = 16;

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
    let connections = GracefulShutdown::new();
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
                    serve(stream, app.clone(), limits, &crowd, &connections);
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
    drop(listener);
    tracing::info!("stopping; running turns may end");
    Ok(tokio::time::timeout(grace, connections.shutdown()).await.is_ok())
}

fn serve(
    stream: TcpStream,
    app: Router,
    limits: Limits,
    crowd: &Crowd,
    connections: &GracefulShutdown,
) {
    // The head and the first event go out in two writes. Without this the second one waits for the
    // client's delayed acknowledgement: 44 ms on every streamed turn.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let guest = crowd.enter();
    let work = guest.work();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        let busy = work.begin();
        let request = request.map(|body| Body::new(Paced::new(body, limits.body)));
        async move {
            let answer = app.oneshot(request).await.unwrap_or_else(|never| match never {});
            Ok::<_, Infallible>(answer.map(|body| busy.until_sent(body)))
        }
    });
    // This builder's connections alone may both become WebSockets and be asked to end.
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    let http1 = &mut builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(limits.head).max_headers(MAX_HEADERS);
    let io = TokioIo::new(Socket::new(stream, limits.unread));
    let connection = builder.serve_connection_with_upgrades(io, service).into_owned();
    let connection = connections.watch(connection);
    #[expect(clippy::disallowed_methods, reason = "`run` waits for it through `connections`")]
    tokio::spawn(async move {
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended badly");
            },
            () = guest.shown_out() => tracing::debug!("a connection that asked for nothing had to go"),
        }
    });
}
