use std::time::{Duration, Instant};

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{TestServer, ask, frames, with};

fn streamed() -> Value {
    with(ask("hi"), json!({"stream": true}))
}

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

fn body(path: &str) -> Value {
    match path {
        CHAT => streamed(),
        _ => json!({"model": "gpt-5.5", "input": "hi", "stream": true}),
    }
}

/// The text that a stream of either dialect spells.
fn text(body: &str) -> String {
    let frames = frames(body).into_iter().filter(|frame| !frame.is_done());
    frames
        .map(|frame| {
            let json = frame.json();
            let chat = json["choices"][0]["delta"]["content"].as_str();
            let delta =
                (json["type"] == "response.output_text.delta").then(|| json["delta"].as_str());
            chat.or(delta.flatten()).unwrap_or_default().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn bytes_may_come_in_any_way_that_the_standard_allows() {
    const TEXT: &str = "häppy 🦀 \u{2028} line\nbreak \"quoted\" \\ end";
    let script = || Script::text(TEXT);
    let server = TestServer::start().await;
    for (name, script) in [
        ("split", script().split_every(1)),
        ("split in three", script().split_every(3)),
        ("crlf", script().crlf()),
        ("crlf split", script().crlf().split_every(1)),
        ("bom", script().bom().split_every(2)),
        ("comments", script().comments()),
        ("several lines", script().multi_line_data()),
        ("content-type", script().with_content_type()),
        ("unknown", script().unknown_event("response.novelty", json!({"x": 1}))),
        ("keepalive", script().keepalives().rate_limits_event()),
    ] {
        for path in [CHAT, RESPONSES] {
            server.simulator.script(script.clone());
            let answer = server.post(path, &body(path)).await.ok();
            assert_eq!(text(&answer.body), TEXT, "{name} on {path}");
        }
    }
}

#[tokio::test]
async fn a_cut_stream_ends_in_an_error_and_never_in_a_success() {
    let server = TestServer::start().await;
    let script = || Script::new().deltas(&["hel", "lo"]);
    for (name, script) in [
        ("cut between events", script().cut_after(6)),
        ("cut in an event", script().cut_in_mid_event()),
        ("clean end", script().ends_without_terminal_event()),
    ] {
        server.simulator.script(script.clone());
        let answer = server.post(CHAT, &body(CHAT)).await.ok();
        let told = answer.frames();
        let last = told.last().unwrap();
        assert_eq!(last.json()["error"]["code"], "upstream_stream_truncated", "{name}");
        assert!(
            !answer.body.contains("[DONE]") && !answer.body.contains(r#""finish_reason":""#),
            "{name}"
        );

        server.simulator.script(script.clone());
        let told = server.post(RESPONSES, &body(RESPONSES)).await.ok().frames();
        let [.., failed, done] = told.as_slice() else { panic!("{told:?}") };
        assert!(done.is_done());
        assert_eq!(failed.event.as_deref(), Some("response.failed"), "{name}");
        assert_eq!(failed.json()["response"]["status"], "failed");
        assert_eq!(failed.json()["response"]["error"]["code"], "server_error");

        server.simulator.script(script);
        let whole = server.chat(&ask("hi")).await;
        whole.refused(502, "upstream_stream_truncated", Value::Null);
    }
}

#[tokio::test]
async fn a_failure_after_the_first_words_is_told_in_the_dialect_s_own_way() {
    let server = TestServer::start().await;
    let script =
        || Script::text("hello").failed_after_text("server_is_overloaded", "too much to do");
    server.simulator.script(script());
    let told = server.post(CHAT, &body(CHAT)).await.ok().frames();
    let error = told.last().unwrap().json();
    assert_eq!(error["error"]["message"], "too much to do");
    assert_eq!(error["error"]["code"], "server_is_overloaded");
    assert!(told.iter().all(|frame| !frame.is_done()));

    server.simulator.script(script());
    let told = server.post(RESPONSES, &body(RESPONSES)).await.ok().frames();
    let [.., failed, done] = told.as_slice() else { panic!("{told:?}") };
    assert!(done.is_done());
    assert_eq!(
        failed.json()["response"]["error"],
        json!({"code": "server_is_overloaded", "message": "too much to do"})
    );
}

#[tokio::test]
async fn silence_is_broken_by_signs_of_life_that_clients_ignore() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__KEEPALIVE", "20ms")]).await;
    let script = || Script::text("hi").delay_before_first_item(Duration::from_secs(1));
    server.simulator.script(script());
    let answer = server.post(CHAT, &body(CHAT)).await.ok();
    assert!(answer.body.matches(": keepalive\n\n").count() >= 2, "{}", answer.body);
    assert_eq!(text(&answer.body), "hi");

    server.simulator.script(script());
    let request =
        server.client.post(format!("{}{RESPONSES}", server.url)).header("originator", "codex_exec");
    let answer = server.send(request.json(&body(RESPONSES))).await.ok();
    let alive =
        answer.frames().iter().filter(|frame| frame.event.as_deref() == Some("keepalive")).count();
    assert!(alive >= 2, "{}", answer.body);
}

#[tokio::test]
async fn a_silent_upstream_fails_the_turn_in_the_end() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__IDLE_TIMEOUT", "100ms")]).await;
    server.simulator.script(Script::new().stall());
    server.post(CHAT, &body(CHAT)).await.refused(504, "timeout", Value::Null);
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_turn_with_it() {
    let server = TestServer::start().await;
    for path in [CHAT, RESPONSES] {
        let endless = Script::text("word ".repeat(10_000)).delay_between(Duration::from_millis(5));
        server.simulator.script(endless);
        let url = format!("{}{path}", server.url);
        let mut response = server.client.post(url).json(&body(path)).send().await.unwrap();
        response.chunk().await.unwrap().unwrap();
        assert_eq!(server.simulator.running(), 1);
        drop(response);
        let left = Instant::now();
        tokio::time::timeout(Duration::from_secs(5), server.simulator.until_running(0))
            .await
            .unwrap();
        eprintln!("{path}: cancelled upstream after {:?}", left.elapsed());
    }
}

fn bare_request(host: &str) -> String {
    let body = streamed().to_string();
    let length = body.len();
    format!("POST {CHAT} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn the_head_leaves_together_with_the_first_words_that_are_there() {
    let server = TestServer::start().await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut socket = TcpStream::connect(&address).await.unwrap();
    let mut together = 0;
    for _ in 0..10 {
        server.simulator.script(Script::text("words"));
        socket.write_all(bare_request(&address).as_bytes()).await.unwrap();
        let mut read = Vec::with_capacity(64 * 1024);
        socket.read_buf(&mut read).await.unwrap();
        let (_, body) = std::str::from_utf8(&read).unwrap().split_once("\r\n\r\n").unwrap();
        together += usize::from(body.contains("data: "));
        while !read.ends_with(b"0\r\n\r\n") {
            assert!(socket.read_buf(&mut read).await.unwrap() > 0);
        }
    }
    // One that was written in two may still be read in one, and a busy machine may hold words up.
    assert!(together >= 7, "{together} of 10");
}

#[tokio::test]
async fn the_head_does_not_wait_for_words_that_are_to_come() {
    let server = TestServer::start().await;
    let script = Script::text("words").delay_between(Duration::from_millis(700));
    server.simulator.script(script);
    let url = format!("{}{CHAT}", server.url);
    let began = Instant::now();
    let mut response = server.client.post(url).json(&streamed()).send().await.unwrap();
    let head = began.elapsed();
    response.chunk().await.unwrap().unwrap();
    assert!(head + Duration::from_millis(500) < began.elapsed(), "{head:?}");
}

/// Without TCP_NODELAY on our side each write waits for the acknowledgement of the one before, and
/// a client delays those by 40 ms once a connection has settled. So of many turns on one connection
/// either all are slow, or the fastest is not.
#[tokio::test]
async fn accepted_sockets_do_not_wait_for_acknowledgements() {
    let server = TestServer::start().await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut socket = TcpStream::connect(&address).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..30 {
        server.simulator.script(Script::new().deltas(&["a", "b", "c", "d"]));
        let began = Instant::now();
        socket.write_all(bare_request(&address).as_bytes()).await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"0\r\n\r\n") {
            assert!(socket.read_buf(&mut read).await.unwrap() > 0);
        }
        times.push(began.elapsed());
    }
    let quickest = times[10..].iter().min().unwrap();
    assert!(*quickest < Duration::from_millis(35), "{times:?}");
}

#[tokio::test]
async fn a_server_that_stops_lets_running_turns_end() {
    let mut server = TestServer::start().await;
    server
        .simulator
        .script(Script::new().deltas(&["a", "b", "c"]).delay_between(Duration::from_millis(30)));
    let url = format!("{}{CHAT}", server.url);
    let mut response = server.client.post(url).json(&streamed()).send().await.unwrap();
    response.chunk().await.unwrap().unwrap();
    let rest = async {
        let mut rest = Vec::new();
        while let Some(chunk) = response.chunk().await.unwrap() {
            rest.extend_from_slice(&chunk);
        }
        String::from_utf8(rest).unwrap()
    };
    let (ended, rest) = tokio::join!(server.stop(), rest);
    assert!(ended);
    assert!(rest.ends_with("data: [DONE]\n\n"), "{rest}");
    assert!(server.client.get(&server.url).send().await.is_err());
}

#[tokio::test]
async fn a_request_of_many_lines_is_answered_in_whole_events() {
    let server = TestServer::start().await;
    let schema = json!({"type": "object", "properties": {"a\r\nb": {"type": "string"}}});
    for (path, more) in [
        (
            CHAT,
            json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}),
        ),
        (
            RESPONSES,
            json!({
                "tools": [{"type": "function", "name": "f", "parameters": schema, "strict": false}],
                "metadata": {"a": "1", "b": "two\nlines"},
                "reasoning": {"effort": "low", "summary": "auto"},
                "text": {"format": {"type": "json_schema", "name": "s", "schema": schema}},
            }),
        ),
    ] {
        for line_end in ["\n", "\r\n", "\r"] {
            server.simulator.script(Script::text("words"));
            let asked = with(body(path), more.clone());
            let pretty = serde_json::to_string_pretty(&asked).unwrap().replace('\n', line_end);
            let request = server.client.post(format!("{}{path}", server.url)).body(pretty);
            let told = request.send().await.unwrap().text().await.unwrap();
            assert_eq!(text(&told), "words", "{told}");
            let frames = frames(&told).into_iter().filter(|frame| !frame.is_done());
            for response in frames.map(|frame| frame.json()["response"].clone()) {
                if !response.is_null() {
                    assert_eq!(response["metadata"], asked["metadata"]);
                    assert_eq!(response["tools"][0]["parameters"], schema);
                    assert_eq!(response["text"]["format"]["schema"], schema);
                }
            }
        }
    }
}
