use std::time::Duration;

use codexway::{server::Limits, simulator::Script};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{connect, rest};
use crate::support::{Setup, TestServer, ask, binary, with};

/// Waits for everybody longer than anything here takes.
fn patient() -> Limits {
    let long = Duration::from_hours(1);
    Limits { head: long, body: long, unread: long, ..Limits::default() }
}

async fn with_limits(limits: Limits) -> TestServer {
    TestServer::with(Setup { limits, ..Setup::default() }).await
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let brief = Duration::from_millis(50);
    let server = with_limits(Limits { head: brief, ..Limits::default() }).await;
    for begun in ["", "G", "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let mut socket = connect(&server).await;
        socket.write_all(begun.as_bytes()).await.unwrap();
        assert!(!rest(&mut socket).await.contains(" 200 "), "{begun}");
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_a_408() {
    let body = Duration::from_millis(100);
    let server = with_limits(Limits { body, ..patient() }).await;
    let head = "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n";
    // One that stands still, and one that trickles.
    for trickles in [false, true] {
        let mut socket = connect(&server).await;
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let mut bytes = [0; 4096];
            match tokio::time::timeout(Duration::from_millis(5), socket.read(&mut bytes)).await {
                Ok(read) => answer.extend_from_slice(&bytes[..read.unwrap()]),
                Err(_) if trickles => drop(socket.write_all(b" ").await),
                Err(_) => {}
            }
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains(r#""code":"request_timeout""#), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_turn() {
    let unread = Duration::from_millis(100);
    let server = with_limits(Limits { unread, ..patient() }).await;
    // More than the buffers between us take.
    let text = "x".repeat(1 << 20);
    server.simulator.script(Script::new().deltas(&[text.as_str(); 16]));
    let body = with(ask("hi"), serde_json::json!({"stream": true})).to_string();
    let length = body.len();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut socket = connect(&server).await;
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    server.simulator.until_running(1).await;
    server.simulator.until_running(0).await;
    assert!(!rest(&mut socket).await.contains("[DONE]"));
}

#[tokio::test]
async fn connections_that_ask_for_nothing_do_not_keep_others_out() {
    let server = with_limits(patient()).await;
    let mut open = Vec::new();
    for number in 0..600 {
        let mut socket = connect(&server).await;
        let begun: &[u8] = match number % 3 {
            0 => b"",
            1 => b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
            _ => b"POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{",
        };
        socket.write_all(begun).await.unwrap();
        open.push(socket);
    }
    // None of them has a place among the turns, of which there are 256.
    server.chat(&ask("hi")).await.ok();
}

#[tokio::test]
async fn where_there_are_too_many_those_go_that_ask_for_nothing() {
    let server = with_limits(Limits { connections: 8, ..patient() }).await;
    server.simulator.script(Script::new().stall());
    let stalled = with(ask("hi"), serde_json::json!({"stream": true}));
    let turn = server.chat(&stalled);
    tokio::pin!(turn);
    tokio::select! {
        _ = &mut turn => panic!("it stalls"),
        () = server.simulator.until_running(1) => {}
    }
    let mut first = connect(&server).await;
    // One that has asked for something, and now asks for nothing, is no better.
    let mut second = connect(&server).await;
    let asked = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    second.write_all(asked).await.unwrap();
    assert!(second.read(&mut [0; 4096]).await.unwrap() > 0);
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(connect(&server).await);
    }
    rest(&mut first).await;
    rest(&mut second).await;
    // Who has a turn stays, and who comes last is served.
    assert_eq!(server.simulator.running(), 1);
    server.get("/health").await.ok();
}

/// Of a process that may open few files, and connections that would take all of them.
#[cfg(unix)]
#[tokio::test]
async fn who_takes_all_file_handles_does_not_keep_others_out() {
    let home = tempfile::tempdir().unwrap();
    let program = binary::codexway(&home);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", r#"ulimit -n 64 && exec "$0" demo "$@""#])
        .arg(program.get_program())
        .env_clear()
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(home.path());
    let (mut child, info) = binary::listening(&home, command);
    let url = info["url"].as_str().unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap();
    // A connection of its own for each turn: one that was kept would be among those that go.
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let mut open = Vec::new();
    for _ in 0..4 {
        for _ in 0..50 {
            open.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        let turn = client.post(format!("{url}/v1/chat/completions")).json(&ask("Say exactly yes"));
        let answer: Value = turn.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["choices"][0]["message"]["content"], "yes");
    }
    assert!(child.0.try_wait().unwrap().is_none(), "it has ended");
}
