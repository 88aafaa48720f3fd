use std::{io::Write, process::Command};

use codexway::simulator::{Options, Script, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{TestServer, ask, binary, with};

const CHAT: &str = "/v1/chat/completions";

/// Answers every request with `answer`, and closes the connection.
async fn upstream(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut read = vec![0; 64 * 1024];
                let _ = socket.read(&mut read).await;
                let _ = socket.write_all(&answer).await;
                let _ = socket.shutdown().await;
                while matches!(socket.read(&mut read).await, Ok(1..)) {}
            });
        }
    });
    url
}

fn serve(home: &TempDir, simulator: &Simulator, base_url: &str) -> Command {
    std::fs::write(home.path().join("auth.json"), simulator.auth_json()).unwrap();
    let mut command = binary::codexway(home);
    command
        .arg("serve")
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", base_url)
        .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url())
        .env("CODEX_HOME", home.path());
    command
}

/// An event of 64 MiB, packed.
fn bomb() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"").unwrap();
    gzip.write_all(&vec![b'x'; 64 << 20]).unwrap();
    let mut answer =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec();
    answer.extend(gzip.finish().unwrap());
    answer
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_packed_answer_is_unpacked_up_to_the_limit_of_an_event() {
    let home = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let url = upstream(bomb()).await;
    let (child, info) = binary::listening(&home, serve(&home, &simulator, &url));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for stream in [false, true] {
        let body = with(ask("hi"), json!({"stream": stream}));
        let url = format!("{}{CHAT}", info["url"].as_str().unwrap());
        let answer = client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 502);
        let error: Value = answer.json().await.unwrap();
        assert!(error["error"]["message"].as_str().unwrap().contains("16777216"), "{error}");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most: u64 = most.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(most < 150 << 10, "{most} KiB");
}

#[tokio::test]
async fn a_packed_answer_is_read_like_any_other() {
    let server = TestServer::start().await;
    for stream in [false, true] {
        server.simulator.script(Script::text("packed").gzip_body());
        let answer = server.chat(&with(ask("hi"), json!({"stream": stream}))).await.ok();
        assert!(answer.body.contains("packed"), "{answer:?}");
    }
    assert!(server.turns().iter().all(|turn| turn.header("accept-encoding") == "identity"));
}

/// JSON that would fill the stack of whoever reads it as a tree.
#[tokio::test]
async fn events_of_any_depth_are_passed_on_or_refused() {
    let server = TestServer::start().await;
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let completed = r#"{"type":"response.completed","response":{"id":"r","output":[],"usage":"#;
    for events in [
        vec![format!(
            r#"{{"type":"response.output_item.done","output_index":0,"item":{{"type":"message","role":"assistant","content":{deep}}}}}"#
        )],
        vec![format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{deep}}}"#)],
        vec![format!(r#"{{"type":"response.created","response":{deep}}}"#)],
        vec![
            format!(r#"{{"type":"codex.rate_limits","x":{deep}}}"#),
            format!("{completed}null}}}}"),
        ],
        vec![format!("{completed}{deep}}}}}")],
        vec![format!(r#"{{"type":"error","error":{deep}}}"#)],
        vec![format!(r#"{{"type":"response.failed","response":{{"error":{deep}}}}}"#)],
        vec![deep.clone()],
    ] {
        let stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        server.simulator.script_always(Some(Script::new().raw(stream)));
        for more in [
            json!({}),
            json!({"stream": true}),
            json!({"stream": true, "max_tokens": 5, "codex_capabilities": {"bypass_tool_call_reactor": false}}),
        ] {
            let answer = server.chat(&with(ask("hi"), more.clone())).await;
            assert!(!answer.broke && !answer.body.is_empty(), "{more}");
        }
        let answer = server.responses(&json!({"model": "gpt-5.5", "input": "hi"})).await;
        assert!(!answer.broke && !answer.body.is_empty());
    }
    let arguments = Script::new().tool_call("f", &deep);
    server.simulator.script_always(Some(arguments));
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    let mended = json!({"tools": tools, "codex_capabilities": {"bypass_tool_call_reactor": false}});
    server.chat(&with(ask("hi"), mended)).await.ok();
    for refusal in [format!(r#"{{"error":{deep}}}"#), format!(r#"{{"detail":{deep}}}"#)] {
        server.simulator.script_always(Some(Script::new().status(400, &[], &refusal)));
        let (status, _) = server.chat(&ask("hi")).await.error();
        assert_eq!(status, 400);
    }
}
