use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    sync::{Arc, Mutex},
};

use codexway::simulator::{Options, Simulator};
use pretty_assertions::assert_eq;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::{
    login::tls::Issuer,
    support::{TestServer, ask, binary},
};

/// The backend behind a certificate, and a proxy that is the only way to it.
struct World {
    home: TempDir,
    simulator: Simulator,
    proxy: SocketAddr,
    /// The hosts that the proxy was asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

/// A name that nobody but the proxy knows.
const HOST: &str = "backend.test";

impl World {
    async fn new() -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let issuer = Issuer::new();
        let address = simulator.auth_url().strip_prefix("http://").unwrap().parse().unwrap();
        let backend = issuer.stand_before(HOST, address).await;
        let asked = Arc::default();
        let proxy = proxy(backend, Arc::clone(&asked)).await;
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("auth.json"), simulator.auth_json()).unwrap();
        issuer.write(&home.path().join("ca.pem"));
        Self { home, simulator, proxy, asked }
    }

    /// A server whose upstream is the backend by its name.
    fn command(&self) -> Command {
        let mut command = binary::codexway(&self.home);
        command
            .arg("serve")
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", format!("https://{HOST}/backend-api"))
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", format!("https://{HOST}"))
            .env("CODEX_HOME", self.home.path())
            .env("SSL_CERT_FILE", self.home.path().join("ca.pem"));
        command
    }

    /// The status and body of one turn.
    async fn turn(&self, command: Command) -> (u16, Value) {
        let (_running, info) = binary::listening(&self.home, command);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/v1/chat/completions", info["url"].as_str().unwrap());
        let answer = client.post(url).json(&ask("Say exactly yes")).send().await.unwrap();
        std::fs::remove_file(self.home.path().join("info.json")).unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

/// A proxy that knows CONNECT, and one host: the port 443 of [`HOST`].
async fn proxy(backend: SocketAddr, asked: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(tunnel(socket, backend, Arc::clone(&asked)));
        }
    });
    address
}

async fn tunnel(socket: TcpStream, backend: SocketAddr, asked: Arc<Mutex<Vec<String>>>) {
    let mut client = BufReader::new(socket);
    let mut line = String::new();
    client.read_line(&mut line).await.unwrap();
    let host = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let is_known = line.starts_with("CONNECT ") && host == format!("{HOST}:443");
    asked.lock().unwrap().push(host);
    while !line.trim().is_empty() {
        line.clear();
        client.read_line(&mut line).await.unwrap();
    }
    if !is_known {
        client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        return;
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let mut backend = TcpStream::connect(backend).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut backend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_go_through_the_proxy_that_the_variables_name() {
    let world = World::new().await;
    let url = format!("http://{}", world.proxy);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let mut command = world.command();
        command.env(name, &url);
        let (status, answer) = world.turn(command).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["choices"][0]["message"]["content"], "yes");
        let asked = std::mem::take(&mut *world.asked.lock().unwrap());
        assert!(asked.contains(&format!("{HOST}:443")), "{name}: {asked:?}");
    }
    assert_eq!(world.simulator.turns().len(), 3);

    for exception in [HOST, ".test", "*"] {
        let mut command = world.command();
        command.env("HTTPS_PROXY", &url).env("NO_PROXY", exception);
        let (status, answer) = world.turn(command).await;
        assert_eq!(status, 502, "{answer}");
        assert_eq!(*world.asked.lock().unwrap(), [""; 0], "{exception}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_this_machine_is_asked_without_the_proxy() {
    let world = World::new().await;
    let mut command = world.command();
    command
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", world.simulator.base_url())
        .env("HTTP_PROXY", format!("http://{}", world.proxy))
        .env("ALL_PROXY", format!("http://{}", world.proxy));
    assert_eq!(world.turn(command).await.0, 200);
    assert_eq!(*world.asked.lock().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_between_is_not_trusted_without_its_certificate() {
    let world = World::new().await;
    Issuer::new().write(&world.home.path().join("other.pem"));
    let mut command = world.command();
    command
        .env("HTTPS_PROXY", format!("http://{}", world.proxy))
        .env("SSL_CERT_FILE", world.home.path().join("other.pem"));
    let (status, answer) = world.turn(command).await;
    assert_eq!(status, 502, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    for words in ["certificate", "something in between", "`$SSL_CERT_FILE`"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(world.simulator.requests().is_empty());
    // A proxy that is not there is told as what it is.
    let mut command = world.command();
    command.env("HTTPS_PROXY", "http://127.0.0.1:1");
    let (status, answer) = world.turn(command).await;
    assert_eq!(status, 502, "{answer}");
}

/// `localhost` stands for both addresses, and the simulator listens on the older one only.
#[tokio::test]
async fn an_upstream_whose_newer_address_is_down_is_reached_by_the_older() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let by_name = |url: String| url.replace("127.0.0.1", "localhost");
    let vars = [
        ("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", by_name(simulator.base_url())),
        ("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", by_name(simulator.auth_url())),
    ];
    let login = simulator.auth_json();
    let server = TestServer::before(simulator, &vars, &login).await;
    server.chat(&ask("hi")).await.ok();
}
