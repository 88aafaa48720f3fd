//! The network client for an address.

use std::net::IpAddr;
use std::time::Duration;

/// A client that goes by the system's proxy, unless `url` is on this machine: nothing may come
/// between us and that. It follows no redirects, since neither a login nor a conversation is to be
/// sent elsewhere, and sets no time-out for a whole answer, since a turn may take an hour.
///
/// # Errors
/// When the system's certificates cannot be set up.
pub fn client(url: &str) -> reqwest::Result<reqwest::Client> {
    builder(url).build()
}

/// The same with HTTP/1.1 alone, which is what a connection that becomes a WebSocket begins in.
///
/// # Errors
/// As [`client`].
pub fn upgrading_client(url: &str) -> reqwest::Result<reqwest::Client> {
    builder(url).http1_only().build()
}

fn builder(url: &str) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(15))
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(90))
        .redirect(reqwest::redirect::Policy::none());
    if is_local(url) { builder.no_proxy() } else { builder }
}

/// Whether `url` is on this machine.
pub fn is_local(url: &str) -> bool {
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| {
        let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || number.is_ok_and(|number| number.is_loopback())
    })
}
