use std::fs;

use codexway::protocol::Object;
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    check,
    mutate::{json, mutated, mutations},
};
use crate::{
    golden::files,
    harness,
    support::{Answer, TestServer},
};

/// The bodies that real agents sent, with their paths.
fn recorded() -> Vec<(String, Value)> {
    let read = |file| {
        let mut fixture: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        (fixture["path"].as_str().unwrap().to_owned(), fixture["body"].take())
    };
    files("agents", "json").into_iter().map(read).collect()
}

/// Bodies of recorded requests to that path with a few changes.
fn nearly(path: &str) -> impl Strategy<Value = Value> + use<> {
    let mut recorded = recorded();
    recorded.retain(|(of, body)| of == path && body.to_string().len() < 10_000);
    (any::<Index>(), mutations()).prop_map(move |(which, mutations)| {
        let mut body = which.get(&recorded).1.clone();
        body["model"] = "gpt-5.5".into();
        mutated(body, &mutations)
    })
}

/// Bytes that begin as a recorded request does and are then damaged.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let recorded = recorded();
    (any::<Index>(), vec((any::<Index>(), any::<u8>()), 0..8), any::<Index>()).prop_map(
        move |(which, changes, end)| {
            let mut body = which.get(&recorded).1.to_string().into_bytes();
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            body.truncate(end.index(2 * body.len()).min(body.len()));
            body
        },
    )
}

#[test]
fn any_body_is_a_chat_request_or_a_fault_of_the_client() {
    let chat = |body: Value| harness::chat_decode(body.to_string().as_bytes());
    check(400, &nearly("/v1/chat/completions"), chat);
    check(100, &nearly("/v1/responses"), chat);
    check(200, &json(), chat);
    check(200, &damaged(), |bytes| harness::chat_decode(&bytes));
}

#[test]
fn any_body_is_a_responses_request_or_a_fault_of_the_client() {
    let responses = |body: Value| harness::responses_decode(body.to_string().as_bytes());
    check(400, &nearly("/v1/responses"), responses);
    check(100, &nearly("/v1/chat/completions"), responses);
    check(200, &json(), responses);
    check(200, &damaged(), |bytes| harness::responses_decode(&bytes));
}

#[test]
fn any_body_is_a_conversation_to_shorten_or_a_fault_of_the_client() {
    let compact = |body: Value| harness::compact_decode(body.to_string().as_bytes());
    check(100, &nearly("/v1/responses"), compact);
    check(100, &json(), compact);
}

/// Answered, or refused as the client's fault, in the shape that clients read.
#[track_caller]
fn is_answered_or_refused(answer: &Answer) {
    assert!(!answer.broke, "the answer breaks off: {answer:?}");
    if answer.status.is_success() {
        let is_stream = answer.header("content-type") == Some("text/event-stream; charset=utf-8");
        if is_stream {
            let frames = answer.frames();
            let last = frames.last().expect("a stream never ends silently");
            assert!(last.is_done() || last.json()["error"]["message"].is_string(), "{answer:?}");
        } else {
            // What was let in may be deeper than a reader of trees goes, so none is used.
            let object = Object::parse(answer.body.as_bytes()).unwrap();
            assert!(object.str("object").is_some(), "{answer:?}");
        }
        return;
    }
    let (status, error) = answer.error();
    assert!((400..500).contains(&status), "{status} {error}");
}

fn posted(path: &str, cases: u32, bodies: &impl Strategy<Value = Value>) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    check(cases, bodies, |body| {
        is_answered_or_refused(&runtime.block_on(server.post(path, &body)));
        server.simulator.forget();
    });
}

#[test]
fn no_chat_request_makes_a_5xx() {
    posted("/v1/chat/completions", 150, &nearly("/v1/chat/completions"));
}

#[test]
fn no_responses_request_makes_a_5xx() {
    posted("/v1/responses", 150, &nearly("/v1/responses"));
}

#[test]
fn no_request_to_another_endpoint_makes_a_5xx() {
    for path in ["/v1/responses/input_tokens", "/v1/responses/compact"] {
        posted(path, 60, &nearly("/v1/responses"));
    }
    let item = json!({"type": "message", "role": "user", "content": "hi"});
    let begin =
        json!({"metadata": {"a": "b"}, "items": [item, {"type": "reasoning", "id": "rs_1"}]});
    let conversation = mutations().prop_map(move |mutations| mutated(begin.clone(), &mutations));
    posted("/v1/conversations", 60, &conversation);
    posted("/v1/responses/resp_1/cancel", 10, &json());

    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    let grows = |body: Value| runtime.block_on(a_conversation_grows(&server, &body));
    check(40, &conversation, grows);
    check(20, &json(), grows);
}

#[test]
fn no_bytes_make_a_5xx() {
    const PATHS: [&str; 5] = [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/responses/input_tokens",
        "/v1/responses/compact",
        "/v1/conversations",
    ];
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    check(40, &damaged(), |bytes| {
        for path in PATHS {
            let request = server.client.post(format!("{}{path}", server.url)).body(bytes.clone());
            is_answered_or_refused(&runtime.block_on(server.send(request)));
        }
        server.simulator.forget();
    });
}

/// What has been let into a conversation can be read, and built upon.
async fn a_conversation_grows(server: &TestServer, body: &Value) {
    let created = server.post("/v1/conversations", &json!({})).await.ok().json();
    let path = format!("/v1/conversations/{}", created["id"].as_str().unwrap());
    is_answered_or_refused(&server.post(&format!("{path}/items"), body).await);
    is_answered_or_refused(&server.post(&path, body).await);
    is_answered_or_refused(&server.get(&format!("{path}/items")).await);
    let goes_on = json!({"model": "gpt-5.5", "input": "hi", "conversation": created["id"]});
    is_answered_or_refused(&server.responses(&goes_on).await);
    server.simulator.forget();
}
