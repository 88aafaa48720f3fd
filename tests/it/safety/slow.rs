use std::time::{Duration, Instant};

use codexway::{server::Patience, simulator::Script};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{connect, rest};
use crate::support::{Setup, TestServer, ask, binary, with};

/// Longer than anything here takes, for who has to be waited for.
const LONG: Duration = Duration::from_hours(1);

async fn with_patience(patience: Patience) -> TestServer {
    TestServer::with(Setup { patience, ..Setup::default() }).await
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let brief = Duration::from_millis(50);
    let server = with_patience(Patience { head: brief, ..Patience::default() }).await;
    for begun in ["", "G", "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let mut socket = connect(&server).await;
        socket.write_all(begun.as_bytes()).await.unwrap();
        assert!(!rest(&mut socket).await.contains(" 200 "), "{begun}");
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_a_408() {
    let body = Duration::from_millis(100);
    let server = with_patience(Patience { head: LONG, body, unread: LONG }).await;
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
    let server = with_patience(Patience { head: LONG, body: LONG, unread }).await;
    // More than the buffers between us take.
    let text = "x".repeat(1 << 20);
    server.simulator.script(Script::new().deltas(&[text.as_str(); 64]));
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
    let server = with_patience(Patience { head: LONG, body: LONG, unread: LONG }).await;
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

/// Of a process that may open few files, and connections that take all of them.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn without_file_handles_it_waits_for_some_and_goes_on() {
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
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let turn = client.post(format!("{url}/v1/chat/completions")).json(&ask("Say exactly yes"));
    let waiting = tokio::spawn(turn.send());
    let before = cpu(&child);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        assert!(child.0.try_wait().unwrap().is_none(), "it has ended");
        tokio::task::yield_now().await;
    }
    assert!(cpu(&child) - before < 0.2, "it waits, and does not try without end");
    drop(open);
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "yes");
}

/// Seconds of work that a process has done.
#[cfg(unix)]
fn cpu(child: &binary::Running) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.0.id())).unwrap_or_default();
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks =
        behind_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
