//! The network client for an address.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{Error, http::reason};

/// How long a connection is kept that nobody uses: as long as somebody reads an answer and thinks.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// A client that goes by the system's proxy, unless it is for this machine: nothing may come
/// between us and that. It follows no redirects, since neither a login nor a conversation is to be
/// sent elsewhere, and sets no time-out for a whole answer, since a turn may take an hour.
///
/// It is made when it is first needed: reading the system's certificates takes longer than all the
/// rest of a start. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client(Arc<Lazy>);

#[derive(Debug)]
struct Lazy {
    url: String,
    upgrading: bool,
    made: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client for `url`, and for all that is reached in the same [`Way`].
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self::lazy(url, false)
    }

    /// The same with HTTP/1.1 alone, which is what a connection that becomes a WebSocket begins in.
    #[must_use]
    pub fn upgrading(url: &str) -> Self {
        Self::lazy(url, true)
    }

    fn lazy(url: &str, upgrading: bool) -> Self {
        Self(Arc::new(Lazy { url: url.to_owned(), upgrading, made: OnceLock::new() }))
    }

    /// The client itself. The first call computes for some milliseconds.
    ///
    /// # Errors
    /// When the system's certificates cannot be set up.
    pub fn get(&self) -> Result<&reqwest::Client, Error> {
        let Lazy { url, upgrading, made } = &*self.0;
        if let Some(client) = made.get() {
            return Ok(client);
        }
        let builder = builder(url);
        let builder = if *upgrading { builder.http1_only() } else { builder };
        let client = builder.build().map_err(|error| Error::Unreachable {
            url: url.clone(),
            why: format!("the network client cannot be set up: {}", reason(error)),
        })?;
        Ok(made.get_or_init(|| client))
    }
}

fn builder(url: &str) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(15))
        .tcp_nodelay(true)
        .pool_idle_timeout(KEPT)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .http2_keep_alive_while_idle(true)
        .redirect(reqwest::redirect::Policy::none());
    match Way::of(url) {
        Way::Far => builder,
        Way::Near => builder.no_proxy(),
        // It is asked for no certificate, so none has to be known.
        Way::Plain => builder.no_proxy().tls_certs_only([]),
    }
}

/// How an address is reached. Addresses that are reached alike can share a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Perhaps by a proxy.
    Far,
    /// On this machine.
    Near,
    /// On this machine, without TLS.
    Plain,
}

impl Way {
    /// How `url` is reached.
    #[must_use]
    pub fn of(url: &str) -> Self {
        let uri = url.parse::<http::Uri>().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_local = host == "localhost" || number.is_ok_and(|number| number.is_loopback());
        match uri.scheme_str() {
            _ if !is_local => Self::Far,
            Some("http") => Self::Plain,
            _ => Self::Near,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpSocket, TcpStream},
        time::timeout,
    };

    use super::*;

    #[test]
    fn what_is_on_this_machine_is_reached_without_a_proxy() {
        for (url, way) in [
            ("https://chatgpt.com/backend-api", Way::Far),
            ("http://chatgpt.com", Way::Far),
            ("http://127.0.0.1:8/x", Way::Plain),
            ("http://[::1]:8", Way::Plain),
            ("http://localhost", Way::Plain),
            ("https://localhost:8443", Way::Near),
            ("no address", Way::Far),
        ] {
            assert_eq!(Way::of(url), way, "{url}");
        }
    }

    /// An address whose server takes no more connections: who knocks is not answered.
    async fn silent(address: SocketAddr) -> io::Result<(TcpListener, Vec<TcpStream>)> {
        let socket = TcpSocket::new_v6()?;
        socket.bind(address)?;
        let listener = socket.listen(1)?;
        let mut waiting = Vec::new();
        while let Ok(connected) =
            timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            waiting.push(connected?);
        }
        Ok((listener, waiting))
    }

    #[tokio::test]
    async fn a_host_whose_first_address_is_silent_is_reached_by_its_second() {
        let good = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let good_address = good.local_addr().unwrap();
        let port = good_address.port();
        let silent_address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        // A machine without IPv6, or with another program there, refuses at once in its place.
        let _silent = silent(silent_address).await;
        let client = builder("http://127.0.0.1")
            .resolve_to_addrs("backend.test", &[silent_address, good_address])
            .build()
            .unwrap();
        let asked = client.get(format!("http://backend.test:{port}/")).send();
        let answers = async {
            let (mut connection, _) = timeout(Duration::from_secs(5), good.accept())
                .await
                .expect("the second address is tried long before the first one is given up")
                .unwrap();
            let n = connection.read(&mut [0; 1024]).await.unwrap();
            assert!(n > 0, "it asks");
            connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            connection
        };
        let (asked, _connection) = tokio::join!(asked, answers);
        assert_eq!(asked.unwrap().status(), 204);
    }
}
