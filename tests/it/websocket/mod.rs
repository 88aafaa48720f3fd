//! Turns over WebSockets.

use codexway::simulator::{Recorded, Script, Transport};
use serde_json::{Value, json};

use crate::support::{Answer, TestServer};

/// What goes over the wire in a long conversation.
mod bytes;
/// What clients say and hear over a WebSocket to us.
mod client;
/// When a client's WebSocket is ended from here.
mod ending;
/// What goes over HTTP after all.
mod fallback;
/// What is sent over a connection to the backend.
mod upstream;

const TRANSPORT: &str = "CODEXWAY__UPSTREAMS__CODEX__TRANSPORT";

/// A server whose turns all travel over WebSockets.
async fn always() -> TestServer {
    TestServer::with_vars(&[(TRANSPORT, "websocket")]).await
}

/// A chat client that calls tools for as long as it is asked to.
struct Agent {
    body: Value,
}

impl Agent {
    fn new(task: &str) -> Self {
        let parameters = json!({"type": "object", "properties": {"path": {"type": "string"}}});
        let read =
            json!({"name": "read", "description": "Reads a file.", "parameters": parameters});
        let messages = [
            json!({"role": "system", "content": "You work on files."}),
            json!({"role": "user", "content": task}),
        ];
        let tools = [json!({"type": "function", "function": read})];
        Self { body: json!({"model": "gpt-5.5", "messages": messages, "tools": tools}) }
    }

    /// One turn, and the outputs of the calls that came of it.
    async fn step(&mut self, server: &TestServer) -> Answer {
        let answer = server.chat(&self.body).await.ok();
        let message = answer.json()["choices"][0]["message"].clone();
        let messages = self.body["messages"].as_array_mut().unwrap();
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let output = format!("line {}", messages.len());
            messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": output}));
        }
        let outputs = message["tool_calls"].as_array().map_or(0, Vec::len);
        let at = messages.len() - outputs;
        messages.insert(at, message);
        answer
    }

    /// Turns until one has gone over a WebSocket: the connection is there when it is there.
    async fn until_on_socket(&mut self, server: &TestServer) {
        while travelled(&self.step(server).await) != "codex;websocket" {}
    }
}

fn thinking_call() -> Script {
    let arguments = r#"{"path": "a.txt"}"#;
    Script::new().reasoning("I should look.").message("Let me look.").tool_call("read", arguments)
}

fn travelled(answer: &Answer) -> &str {
    answer.header("x-codexway-upstream").unwrap()
}

/// What the last turn said over its WebSocket.
#[track_caller]
fn message(turn: &Recorded) -> Value {
    assert_eq!(turn.transport, Transport::WebSocket);
    serde_json::from_slice(turn.message.as_ref().unwrap()).unwrap()
}

/// How often a WebSocket was asked for.
fn upgrades(server: &TestServer) -> usize {
    let requests = server.simulator.requests();
    let is_upgrade = |request: &&Recorded| request.headers.contains_key("sec-websocket-key");
    requests.iter().filter(is_upgrade).filter(|asked| asked.transport == Transport::Http).count()
}
