use futures_util::SinkExt;
use yawc::close::CloseCode;
use yawc::frame::{Frame, OpCode};
use yawc::{Role, WebSocket};

use super::*;
use crate::simulator::Transport;

const PROTOCOL: &str = "responses_websockets=2026-02-06";

struct Socket(WebSocket<reqwest::Upgraded>);

impl Client {
    fn upgrade(&self) -> reqwest::RequestBuilder {
        self.request("GET", "/backend-api/codex/responses")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")
            .header("session-id", "session")
    }

    async fn socket(&self) -> Socket {
        let response = self.upgrade().header("openai-beta", PROTOCOL).send().await.unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()["x-codex-primary-used-percent"], "31");
        let agreed = response.headers()["sec-websocket-extensions"].to_str().unwrap().to_owned();
        let options = yawc::Options::default().with_balanced_compression();
        let stream = response.upgrade().await.unwrap();
        Socket(
            WebSocket::from_stream_with_extensions(stream, Role::Client, Some(&agreed), options)
                .unwrap(),
        )
    }

    async fn refused(&self, request: reqwest::RequestBuilder) -> u16 {
        let answer = Answer::of(request).await;
        assert!(answer.whole);
        answer.status
    }
}

impl Socket {
    async fn send(&mut self, body: Value) {
        let message = with(body, json!({ "type": "response.create" }));
        self.0.send(Frame::text(message.to_string())).await.unwrap();
    }

    /// The next message; `Err` is how the connection ended.
    async fn next(&mut self) -> Result<Value, Option<CloseCode>> {
        loop {
            let frame = self.0.next_frame().await.map_err(|_| None)?;
            match frame.opcode() {
                OpCode::Text => return Ok(serde_json::from_slice(frame.payload()).unwrap()),
                OpCode::Close => return Err(frame.close_code()),
                _ => {}
            }
        }
    }

    /// The messages up to one that ends the turn.
    async fn answer(&mut self) -> Vec<Value> {
        let mut said = Vec::new();
        loop {
            let event = self.next().await.unwrap();
            let name = event["type"].as_str().unwrap().to_owned();
            said.push(event);
            if matches!(name.as_str(), "error" | "response.completed" | "response.done") {
                return said;
            }
        }
    }

    async fn ask(&mut self, body: Value) -> Vec<Value> {
        self.send(body).await;
        self.answer().await
    }

    /// The error that a turn is refused with, and its status.
    async fn error(&mut self, body: Value) -> (Value, Value) {
        let mut said = self.ask(body).await;
        assert_eq!(said.len(), 1, "{said:?}");
        (said[0]["status"].take(), said[0]["error"].take())
    }
}

fn id(said: &[Value]) -> Value {
    said.last().unwrap()["response"]["id"].clone()
}

fn texts(input: &Value) -> Vec<&str> {
    let items = input.as_array().unwrap().iter();
    items.map(|item| item["content"][0]["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_socket_says_what_http_says() {
    let client = client().await;
    let script = Script::text("one two");
    let over_http = client.scripted(script.clone()).await.names();
    client.sim.script(script);
    let said = client.socket().await.ask(body()).await;
    let names: Vec<_> = said.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, over_http);
    client.sim.script(Script::text("one").response_done());
    assert_eq!(client.socket().await.ask(body()).await.last().unwrap()["type"], "response.done");
}

#[tokio::test]
async fn a_connection_goes_on_from_its_last_response_and_from_no_other() {
    let client = client().await;
    let mut socket = client.socket().await;
    client.sim.script_always(Some(Script::text("fine")));
    let first = id(&socket.ask(body()).await);
    let next = |previous: &Value, text: &str| {
        with(body(), json!({ "previous_response_id": previous, "input": [user(text)] }))
    };
    let second = id(&socket.ask(next(&first, "two")).await);
    let turn = client.sim.turns().pop().unwrap();
    assert_eq!((turn.transport, turn.status), (Transport::WebSocket, 200));
    assert_eq!(texts(&turn.json()["input"]), ["Hello there", "fine", "two"]);
    let message: Value = serde_json::from_slice(&turn.message.unwrap()).unwrap();
    assert_eq!(texts(&message["input"]), ["two"]);

    let not_found =
        |id: &Value| format!("Previous response with id '{}' not found.", id.as_str().unwrap());
    let (status, error) = client.socket().await.error(next(&second, "three")).await;
    assert_eq!((status, &error["code"]), (400.into(), &"previous_response_not_found".into()));
    assert_eq!(error["message"], not_found(&second));
    // It is the last response or none, and none once a turn has failed.
    let (_, error) = socket.error(next(&first, "three")).await;
    assert_eq!(error["message"], not_found(&first));
    let (_, error) = socket.error(next(&second, "three")).await;
    assert_eq!(error["message"], not_found(&second));
}

#[tokio::test]
async fn a_refused_turn_is_an_error_with_its_status_and_the_connection_goes_on() {
    let client = client().await;
    let mut socket = client.socket().await;
    let (status, error) = socket.error(with(body(), json!({ "temperature": 1 }))).await;
    let wrapped = json!({ "message": r#"{"detail":"Unsupported parameter: temperature"}"#, "type": "upstream_error" });
    assert_eq!((status, error), (400.into(), wrapped));
    let (status, error) = socket.error(with(body(), json!({ "tools": [{}] }))).await;
    assert_eq!((status, &error["type"]), (400.into(), &"invalid_request_error".into()));
    client.sim.script(Script::usage_limit_reached(60));
    let said = socket.ask(body()).await;
    assert_eq!(said[0]["status"], 429);
    assert_eq!(said[0]["headers"]["x-codex-primary-used-percent"], "100");
    assert!(socket.ask(body()).await.len() > 1);
}

#[tokio::test]
async fn who_may_not_have_a_socket_is_told_so_over_http() {
    let client = client().await;
    assert_eq!(client.refused(client.upgrade()).await, 426);
    let upgrade = || client.upgrade().header("openai-beta", PROTOCOL);
    for (script, status) in [
        (Script::new().status(426, &[], ""), 426),
        (Script::cloudflare_challenge(), 403),
        (Script::empty_404(), 404),
    ] {
        client.sim.script_upgrade(script);
        assert_eq!(client.refused(upgrade()).await, status);
    }
    client.sim.script_upgrade(Script::new().cut_before_headers());
    assert!(upgrade().send().await.is_err());
    client.sim.revoke_access_tokens();
    assert_eq!(client.refused(upgrade()).await, 401);
    assert!(client.sim.turns().is_empty());
}

#[tokio::test]
async fn a_connection_ends_when_it_is_cut_too_old_or_told_too_much() {
    let client = client().await;
    client.sim.script(Script::text("hello").cut_after(2));
    let mut socket = client.socket().await;
    socket.send(body()).await;
    assert_eq!(socket.next().await.unwrap()["type"], "response.created");
    assert_eq!(socket.next().await.unwrap()["type"], "response.in_progress");
    assert_eq!(socket.next().await, Err(None));

    client.sim.script(Script::text("hello").cut_in_mid_event());
    let mut socket = client.socket().await;
    socket.send(body()).await;
    while socket.next().await.is_ok() {}

    client.sim.script(Script::new().cut_before_headers());
    let mut socket = client.socket().await;
    socket.send(body()).await;
    assert_eq!(socket.next().await, Err(None));

    let mut socket = client.socket().await;
    client.sim.age_websockets();
    let (status, error) = socket.error(body()).await;
    assert_eq!(
        (status, &error["code"]),
        (400.into(), &"websocket_connection_limit_reached".into())
    );
    assert!(socket.next().await.is_err());

    let mut socket = client.socket().await;
    socket.send(with(body(), json!({ "instructions": "x".repeat(16 << 20) }))).await;
    assert_eq!(socket.next().await, Err(Some(CloseCode::Size)));
}

#[tokio::test]
async fn what_comes_over_the_wire_is_counted_and_is_less_the_second_time() {
    let client = client().await;
    let before: u64 = client.sim.requests().iter().map(|request| request.wire_len).sum();
    assert_eq!(before, 0);
    let words: String =
        (0..2000_u32).map(|n| format!("{} ", n.wrapping_mul(2_654_435_761))).collect();
    let body = with(body(), json!({ "instructions": words }));
    client.ask(&body).await;
    let mut socket = client.socket().await;
    socket.ask(body.clone()).await;
    socket.ask(body.clone()).await;
    let [http, _, first, second] = &client.sim.requests()[..] else { panic!("four requests") };
    assert!(http.wire_len > http.body.len() as u64);
    assert!(first.wire_len < http.wire_len, "{} {}", first.wire_len, http.wire_len);
    assert!(second.wire_len < first.wire_len / 10, "{} {}", second.wire_len, first.wire_len);
    assert!(first.encoded_len as u64 > first.wire_len);
}

#[tokio::test]
async fn a_client_that_leaves_its_socket_ends_its_turn() {
    let client = client().await;
    client.sim.script(Script::new().stall());
    let mut socket = client.socket().await;
    socket.send(body()).await;
    assert_eq!(socket.next().await.unwrap()["type"], "response.created");
    assert_eq!(client.sim.running(), 1);
    drop(socket);
    client.sim.until_running(0).await;
}

#[tokio::test]
async fn a_warm_up_is_remembered_and_answers_nothing() {
    let client = client().await;
    let mut socket = client.socket().await;
    let said = socket.ask(with(body(), json!({ "generate": false }))).await;
    let names: Vec<_> = said.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["response.created", "response.in_progress", "response.completed"]);
    let more = json!({ "previous_response_id": id(&said), "input": [user("and now")] });
    socket.ask(with(body(), more)).await;
    assert_eq!(texts(&client.sim.turns()[1].json()["input"]), ["Hello there", "and now"]);
}
