use std::time::Duration;

use codexway::server::Limits;
use pretty_assertions::assert_eq;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    client::{Socket, body, upgrade},
    *,
};
use crate::support::{Setup, with};

/// What it is closed with when what its client does is not wanted.
const POLICY: u16 = 1008;
/// When its client has done nothing wrong.
const AWAY: u16 = 1001;

async fn with_limits(limits: Limits) -> TestServer {
    TestServer::with(Setup { limits, ..Setup::default() }).await
}

/// A connection of which nobody answers for what comes over it.
async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap()
}

fn create(text: &str) -> Value {
    with(body(text), json!({"type": "response.create"}))
}

#[tokio::test]
async fn a_socket_that_is_open_when_its_key_is_taken_away_runs_no_more_turns() {
    const KEYS: &str = "CODEXWAY__SERVER__KEYS";
    let server = TestServer::with_vars(&[(KEYS, r#"["sk-one", "sk-two"]"#)]).await;
    let mut one = Socket::of(upgrade(&server, "/v1/responses").bearer_auth("sk-one")).await;
    let mut two = Socket::of(upgrade(&server, "/v1/responses").bearer_auth("sk-two")).await;
    one.ask(body("hi")).await;
    server.reload(&[(KEYS, r#"["sk-two"]"#.to_owned())]);
    let (status, error) = one.refused(body("hi")).await;
    assert_eq!((status, &error["code"]), (401.into(), &json!("invalid_api_key")));
    assert_eq!(one.closed().await, POLICY);
    assert_eq!(server.turns().len(), 1);
    // Nor does a key help that a message brings instead.
    two.ask(body("hi")).await;
    server.reload(&[(KEYS, r#"["sk-three"]"#.to_owned())]);
    let forged = json!({"client_metadata": {"ws_request_header_x_api_key": "sk-three"}});
    let (status, _) = two.refused(with(body("hi"), forged)).await;
    assert_eq!((status, server.turns().len()), (401.into(), 2));
}

#[tokio::test]
async fn a_socket_of_a_page_that_is_listed_no_more_runs_no_more_turns() {
    const ORIGINS: &str = "CODEXWAY__SERVER__ALLOWED_ORIGINS";
    let server = TestServer::with_vars(&[(ORIGINS, "https://example.com")]).await;
    let asked = upgrade(&server, "/profiles/codex/responses");
    let mut socket = Socket::of(asked.header("origin", "https://example.com")).await;
    socket.ask(body("hi")).await;
    server.reload(&[]);
    let (status, error) = socket.refused(body("hi")).await;
    assert_eq!((status, &error["code"]), (403.into(), &json!("origin_not_allowed")));
    assert_eq!((socket.closed().await, server.turns().len()), (POLICY, 1));
}

#[tokio::test]
async fn messages_may_wait_as_long_as_there_is_room_for_them() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__MAX_BODY", "100000")]).await;
    let mut socket = Socket::open(&server).await;
    // Two large ones have room behind the one that is answered, and so have many small ones.
    for (length, fitting) in [(40_000, 3), (1, 17)] {
        let message = create(&"x".repeat(length));
        for _ in 0..fitting {
            socket.send(&message).await;
        }
        for _ in 0..fitting {
            while socket.event().await["type"] != "response.completed" {}
        }
        let mut socket = Socket::open(&server).await;
        server.simulator.script(Script::new().stall());
        socket.send(&message).await;
        server.simulator.until_running(1).await;
        for _ in 0..fitting {
            socket.send(&message).await;
        }
        let mut told = socket.event().await;
        while told["type"] != "error" {
            told = socket.event().await;
        }
        let told = (&told["status"], &told["error"]["code"]);
        assert_eq!(told, (&json!(429), &json!("too_many_messages")));
        assert_eq!(socket.closed().await, POLICY);
        server.simulator.until_running(0).await;
    }
}

#[tokio::test]
async fn a_socket_that_asks_for_nothing_makes_room_and_one_with_a_turn_stays() {
    let server = with_limits(Limits { connections: 4, ..Limits::default() }).await;
    let mut idle = Socket::open(&server).await;
    let mut busy = Socket::open(&server).await;
    server.simulator.script(Script::new().stall());
    busy.send(&create("hi")).await;
    server.simulator.until_running(1).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(connect(&server).await);
    }
    assert_eq!(idle.closed().await, AWAY);
    server.get("/health").await.ok();
    assert_eq!(server.simulator.running(), 1);
}

#[tokio::test]
async fn a_server_that_stops_parts_with_who_asks_for_nothing_and_lets_turns_end() {
    let mut server = TestServer::start().await;
    let mut idle = Socket::open(&server).await;
    let mut busy = Socket::open(&server).await;
    let slowly = Duration::from_millis(300);
    server.simulator.script(Script::new().message("well").delay_before_first_item(slowly));
    busy.send(&create("hi")).await;
    server.simulator.until_running(1).await;
    let told = async {
        assert_eq!(idle.closed().await, AWAY);
        while busy.event().await["type"] != "response.completed" {}
        assert_eq!(busy.closed().await, AWAY);
    };
    assert!(tokio::join!(server.stop(), told).0);
}

#[tokio::test]
async fn a_turn_that_a_stopping_server_cannot_wait_for_ends_in_an_error() {
    let mut server = TestServer::with_vars(&[("CODEXWAY__SERVER__SHUTDOWN_GRACE", "100ms")]).await;
    let mut socket = Socket::open(&server).await;
    server.simulator.script(Script::new().stall());
    socket.send(&create("hi")).await;
    server.simulator.until_running(1).await;
    let told = async {
        let mut told = socket.event().await;
        while told["type"] != "response.failed" && told["type"] != "error" {
            told = socket.event().await;
        }
        assert!(told.to_string().contains(r#""code":"server_stopped""#), "{told}");
        assert_eq!(socket.closed().await, AWAY);
    };
    assert!(!tokio::join!(server.stop(), told).0);
}

#[tokio::test]
async fn a_client_that_has_vanished_is_let_go_with_its_turn() {
    const HEAD: &str = "GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let (ping, close) = ([0x89, 0], [&[0x88, 2][..], &AWAY.to_be_bytes()].concat());
    let silence = Duration::from_millis(100);
    let server = with_limits(Limits { silence, ..Limits::default() }).await;
    server.simulator.script(Script::new().stall());
    for asked in [None, Some(create("hi").to_string())] {
        let mut sent = HEAD.as_bytes().to_vec();
        if let Some(text) = asked {
            // A text with its length in two bytes, and a mask that changes nothing.
            sent.extend([0x81, 0x80 | 126]);
            sent.extend((text.len() as u16).to_be_bytes());
            sent.extend([0; 4]);
            sent.extend(text.as_bytes());
        }
        let mut socket = connect(&server).await;
        socket.write_all(&sent).await.unwrap();
        let mut told = Vec::new();
        socket.read_to_end(&mut told).await.unwrap();
        let is_pinged = told.windows(2).any(|bytes| bytes == ping);
        assert!(is_pinged && told.ends_with(&close), "{}", String::from_utf8_lossy(&told));
        server.simulator.until_running(0).await;
    }
}
