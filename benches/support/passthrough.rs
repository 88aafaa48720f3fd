//! The floor: bytes through, and nothing else.

use std::convert::Infallible;

use http::{Request, Response, Uri, uri::PathAndQuery};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

/// Passes on to `upstream` what comes, until the process ends.
pub(crate) async fn serve(listener: TcpListener, upstream: String) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (client, upstream) = (client.clone(), upstream.clone());
        let service = hyper::service::service_fn(move |request| {
            let (client, upstream) = (client.clone(), upstream.clone());
            async move { Ok::<_, Infallible>(pass(&client, &upstream, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new();
        #[expect(clippy::disallowed_methods, reason = "it serves until the process ends")]
        tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
    }
}

async fn pass(
    client: &Client<HttpConnector, Incoming>,
    upstream: &str,
    mut request: Request<Incoming>,
) -> Response<Incoming> {
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let uri: Uri = format!("{upstream}{path}").parse().expect("a URI");
    *request.uri_mut() = uri;
    request.headers_mut().remove("host");
    client.request(request).await.expect("an answer")
}
