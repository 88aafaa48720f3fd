use futures_util::SinkExt;
use pretty_assertions::assert_eq;
use yawc::{
    Role, WebSocket,
    frame::{Frame, OpCode},
};

use super::*;
use crate::support::{kinds, with};

/// A client with a WebSocket to codexway, as the official one speaks it.
pub(super) struct Socket(WebSocket<reqwest::Upgraded>);

pub(super) fn upgrade(server: &TestServer, path: &str) -> reqwest::RequestBuilder {
    server
        .client
        .get(format!("{}{path}", server.url))
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")
        .header("openai-beta", "responses_websockets=2026-02-06")
        .header("session-id", "session")
}

impl Socket {
    pub(super) async fn open(server: &TestServer) -> Self {
        Self::of(upgrade(server, "/v1/responses")).await
    }

    pub(super) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(response.headers().contains_key("x-request-id"));
        let agreed = response.headers()["sec-websocket-extensions"].to_str().unwrap().to_owned();
        assert_eq!(agreed, "permessage-deflate; client_max_window_bits=15");
        let options = yawc::Options::default().with_balanced_compression();
        let stream = response.upgrade().await.unwrap();
        Self(
            WebSocket::from_stream_with_extensions(stream, Role::Client, Some(&agreed), options)
                .unwrap(),
        )
    }

    pub(super) async fn send(&mut self, message: &Value) {
        self.0.send(Frame::text(message.to_string())).await.unwrap();
    }

    pub(super) async fn event(&mut self) -> Value {
        loop {
            let frame = self.0.next_frame().await.unwrap();
            if frame.opcode() == OpCode::Text {
                return serde_json::from_slice(frame.payload()).unwrap();
            }
        }
    }

    /// The code that it is closed with, once all that was said before has been read.
    pub(super) async fn closed(&mut self) -> u16 {
        loop {
            let frame = self.0.next_frame().await.expect("it is told why");
            if frame.opcode() == OpCode::Close {
                return frame.close_code().unwrap().into();
            }
        }
    }

    /// The events of a turn.
    pub(super) async fn ask(&mut self, body: Value) -> Vec<Value> {
        self.send(&with(body, json!({"type": "response.create"}))).await;
        let mut said = Vec::new();
        loop {
            said.push(self.event().await);
            let last = said.last().unwrap()["type"].as_str().unwrap();
            if matches!(last, "error" | "response.completed" | "response.failed") {
                return said;
            }
        }
    }

    pub(super) async fn refused(&mut self, body: Value) -> (Value, Value) {
        let mut said = self.ask(body).await;
        assert_eq!(said.len(), 1, "{said:?}");
        (said[0]["status"].take(), said[0]["error"].take())
    }
}

fn names(said: &[Value]) -> Vec<&str> {
    said.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn id(said: &[Value]) -> Value {
    said.last().unwrap()["response"]["id"].clone()
}

pub(super) fn body(text: &str) -> Value {
    let hi = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]});
    json!({"model": "gpt-5.5", "store": false, "include": ["reasoning.encrypted_content"], "input": [hi]})
}

#[tokio::test]
async fn a_socket_says_what_a_post_streams() {
    let server = TestServer::start().await;
    let script = Script::new().reasoning("Hm.").message("one two");
    server.simulator.script(script.clone());
    let posted = server.responses(&with(body("hi"), json!({"stream": true}))).await.ok();
    server.simulator.script(script);
    let said = Socket::open(&server).await.ask(body("hi")).await;
    let frames = posted.frames();
    let streamed: Vec<_> =
        frames.iter().filter(|frame| frame.data != "[DONE]").map(|frame| frame.json()).collect();
    assert_eq!(names(&said), names(&streamed));
    let numbers: Vec<_> =
        said.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..said.len() as u64).collect::<Vec<_>>());
    assert_eq!(said.last().unwrap()["response"]["output"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn turns_follow_each_other_and_go_on_from_what_nobody_keeps() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(Script::new().reasoning("Hm.").message("fine")));
    let mut socket = Socket::open(&server).await;
    let first = id(&socket.ask(body("one")).await);
    let second = socket.ask(with(body("two"), json!({"previous_response_id": first}))).await;
    assert_eq!(kinds(&server.last_turn()["input"]), ["message", "reasoning", "message", "message"]);
    let more = with(body("three"), json!({"previous_response_id": id(&second)}));
    socket.ask(more.clone()).await;
    assert_eq!(server.last_turn()["input"].as_array().unwrap().len(), 7);
    // Another connection knows nothing of it.
    let (status, error) = Socket::open(&server).await.refused(more).await;
    assert_eq!((status, &error["code"]), (400.into(), &json!("previous_response_not_found")));
}

#[tokio::test]
async fn a_kept_response_is_gone_on_from_over_any_connection() {
    let server = TestServer::start().await;
    let kept = with(body("one"), json!({"store": true}));
    let first = id(&Socket::open(&server).await.ask(kept.clone()).await);
    let next = with(kept, json!({"previous_response_id": first}));
    Socket::open(&server).await.ask(next).await;
    assert!(server.last_turn()["input"].as_array().unwrap().len() >= 3);
}

#[tokio::test]
async fn a_warm_up_is_answered_here_and_gone_on_from() {
    let server = TestServer::start().await;
    let mut socket = Socket::open(&server).await;
    let said = socket.ask(with(body("one"), json!({"generate": false}))).await;
    assert_eq!(names(&said), ["response.created", "response.completed"]);
    assert!(server.turns().is_empty());
    socket.ask(with(body("two"), json!({"previous_response_id": id(&said)}))).await;
    assert_eq!(kinds(&server.last_turn()["input"]), ["message", "message"]);
}

#[tokio::test]
async fn what_is_refused_is_an_error_with_its_status_and_the_socket_goes_on() {
    let server = TestServer::start().await;
    let mut socket = Socket::open(&server).await;
    let (status, error) = socket.refused(with(body("hi"), json!({"model": "gpt-0"}))).await;
    assert_eq!(
        (status, &error["code"], &error["param"]),
        (404.into(), &json!("model_not_found"), &json!("model"))
    );
    let (status, error) =
        socket.refused(json!({"type": "response.create", "input": 7, "model": "gpt-5.5"})).await;
    assert_eq!((status, &error["param"]), (400.into(), &json!("input")));
    server.simulator.script(Script::usage_limit_reached(3032));
    let said = socket.ask(body("hi")).await;
    assert_eq!(
        (&said[0]["status"], &said[0]["error"]["code"]),
        (&json!(429), &json!("usage_limit_reached"))
    );
    assert_eq!(said[0]["headers"]["retry-after"], "3032");
    for nonsense in [json!([]), json!({"type": "session.update"}), json!({})] {
        socket.send(&nonsense).await;
        let said = socket.event().await;
        assert_eq!((&said["type"], &said["status"]), (&json!("error"), &json!(400)), "{nonsense}");
    }
    server.simulator.script(Script::text("cut here").cut_after(6));
    assert_eq!(socket.ask(body("hi")).await.pop().unwrap()["type"], "response.failed");
    assert_eq!(socket.ask(body("hi")).await.pop().unwrap()["type"], "response.completed");
}

#[tokio::test]
async fn who_may_not_post_may_not_have_a_socket() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__KEYS", "secret")]).await;
    let refused = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    assert_eq!(refused(upgrade(&server, "/v1/responses")).await, 401);
    let let_in = || upgrade(&server, "/v1/responses").bearer_auth("secret");
    assert_eq!(refused(let_in().header("origin", "https://example.com")).await, 403);
    assert_eq!(refused(let_in().header("host", "rebound.example.com")).await, 403);
    Socket::of(let_in()).await.ask(body("hi")).await;
    Socket::of(upgrade(&server, "/profiles/codex/responses").bearer_auth("secret"))
        .await
        .ask(body("hi"))
        .await;
    assert_eq!(server.turns().len(), 2);
}

#[tokio::test]
async fn a_client_that_leaves_its_socket_ends_its_turn() {
    let server = TestServer::start().await;
    let mut socket = Socket::open(&server).await;
    server
        .simulator
        .script(Script::text("never").delay_before_first_item(std::time::Duration::from_secs(600)));
    socket.send(&with(body("hi"), json!({"type": "response.create"}))).await;
    server.simulator.until_running(1).await;
    drop(socket);
    server.simulator.until_running(0).await;
}

#[tokio::test]
async fn sockets_both_ways_carry_only_what_is_new() {
    let server = always().await;
    server.simulator.script_always(Some(Script::new().reasoning("Hm.").message("fine")));
    let mut socket = Socket::open(&server).await;
    let first = id(&socket.ask(body("one")).await);
    socket.ask(with(body("two"), json!({"previous_response_id": first}))).await;
    let turns = server.turns();
    assert_eq!(turns[1].header("session-id"), "session");
    let sent = message(&turns[1]);
    assert_eq!(kinds(&sent["input"]), ["message"]);
    assert_eq!(sent["previous_response_id"], first);
}
