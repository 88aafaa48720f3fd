//! What SECURITY.md promises, each promise with its test.

use std::{fs, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::TestServer;

/// What is written to disk, and who may read it.
#[cfg(unix)]
mod files;
/// What passes between client and upstream beside the bodies.
mod headers;
/// An upstream, or somebody in its place, that means harm.
mod hostile;
/// Requests that are larger, deeper or more packed than any client has need of.
mod limits;
/// What is logged, and what never is.
mod logs;
/// The way to the upstream: proxies, certificates, addresses that are down.
mod network;
/// Web pages, and who else has no key.
mod pages;
/// Clients that are slow on purpose, and too many of them.
mod slow;

/// A connection to a server, for bytes that no client library would send.
async fn connect(server: &TestServer) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// All that comes until the server closes the connection.
async fn rest(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    // A server that closes while something is on its way to it resets the connection.
    let _ = socket.read_to_end(&mut read).await;
    String::from_utf8(read).unwrap()
}

/// What is answered to a request of these bytes, which has to ask for the connection's end.
async fn told(server: &TestServer, request: &[u8]) -> String {
    let mut socket = connect(server).await;
    socket.write_all(request).await.unwrap();
    rest(&mut socket).await
}

/// A promise whose test was renamed or taken away is none.
#[test]
fn the_tests_that_the_security_page_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let tests = sources(&root.join("tests/it"));
    let mut n_named = 0;
    for name in page.split('`').skip(1).step_by(2) {
        let name = name.rsplit("::").next().unwrap().trim_start_matches('…');
        let is_sentence = name.matches('_').count() > 3;
        if is_sentence {
            n_named += 1;
            assert!(tests.contains(&format!("fn {name}()")), "there is no test `{name}`");
        }
    }
    assert!(n_named > 20, "{n_named}");
}

/// The text of all files below a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text.push_str(&if path.is_dir() {
            sources(&path)
        } else {
            fs::read_to_string(path).unwrap()
        });
    }
    text
}
