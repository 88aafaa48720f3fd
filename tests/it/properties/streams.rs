use std::{fmt, fs};

use codexway::simulator::Script;
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    check,
    mutate::{json, mutated, mutations},
};
use crate::{golden::files, harness, support::TestServer};

/// The bytes of a stream, shown as text where one of them fails.
#[derive(Clone)]
struct Stream(Vec<u8>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", String::from_utf8_lossy(&self.0))
    }
}

/// The recorded streams.
fn recorded() -> Vec<Vec<u8>> {
    files("upstream", "sse").into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The events of a recorded stream, as JSON.
fn events(stream: &[u8]) -> Vec<Value> {
    let mut decoder = codexway::sse::Decoder::new(codexway::sse::MAX_FRAME);
    decoder.push(stream);
    let mut events = Vec::new();
    while let Some(frame) = decoder.next().unwrap() {
        events.push(serde_json::from_slice(&frame.data).unwrap());
    }
    events
}

fn written(events: &Value) -> Vec<u8> {
    let mut out = String::new();
    for event in events.as_array().into_iter().flatten() {
        let name = event["type"].as_str().unwrap_or("odd").replace(['\r', '\n'], " ");
        out.push_str(&format!("event: {name}\ndata: {event}\n\n"));
    }
    out.into_bytes()
}

/// Recorded streams of which events, or what is in them, are dropped, repeated or replaced.
fn nearly() -> impl Strategy<Value = Stream> {
    let streams: Vec<Vec<Value>> = recorded().iter().map(|stream| events(stream)).collect();
    (any::<Index>(), any::<Index>(), mutations()).prop_map(move |(which, other, mutations)| {
        let mut stream = which.get(&streams).clone();
        let at = other.index(stream.len());
        // Now and then two streams in one.
        if other.index(4) == 0 {
            stream.splice(at..at, other.get(&streams).clone());
        }
        Stream(written(&mutated(stream.into(), &mutations)))
    })
}

fn odd() -> impl Strategy<Value = Stream> {
    const NAMES: [&str; 12] = [
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_part.added",
        "response.completed",
        "response.incomplete",
        "response.failed",
    ];
    let event = (proptest::sample::select(&NAMES[..]), json()).prop_map(|(name, mut event)| {
        if event.is_object() {
            event["type"] = name.into();
        }
        event
    });
    vec(event, 0..6).prop_map(|events| Stream(written(&events.into())))
}

/// Recorded streams in which some bytes are others.
fn damaged(bytes: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = Stream> {
    let streams = recorded();
    (any::<Index>(), vec((any::<Index>(), bytes), 1..6)).prop_map(move |(which, changes)| {
        let mut stream = which.get(&streams).clone();
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        Stream(stream)
    })
}

#[test]
fn frames_are_the_same_however_their_bytes_come() {
    recorded().iter().for_each(|stream| harness::sse(stream));
    check(100, &damaged(0..=255), |stream| harness::sse(&stream.0));
    let lines = proptest::sample::select(
        &[
            "data: a\n",
            "data:b\r\n",
            "event: x\r",
            "\n",
            "\r",
            "\r\n",
            ": c\n",
            "\u{feff}",
            "data",
            "id: 1\n",
        ][..],
    );
    check(500, &vec(lines, 0..12), |lines| harness::sse(lines.concat().as_bytes()));
}

#[test]
fn any_stream_comes_to_a_chat_client_as_one_it_can_read() {
    recorded().iter().for_each(|stream| harness::chat_encode(stream));
    check(150, &nearly(), |stream| harness::chat_encode(&stream.0));
    check(80, &odd(), |stream| harness::chat_encode(&stream.0));
    check(50, &damaged(0..=255), |stream| harness::chat_encode(&stream.0));
}

#[test]
fn any_stream_comes_to_a_responses_client_as_one_it_can_read() {
    recorded().iter().for_each(|stream| harness::responses_encode(stream));
    check(150, &nearly(), |stream| harness::responses_encode(&stream.0));
    check(80, &odd(), |stream| harness::responses_encode(&stream.0));
    check(50, &damaged(0..=255), |stream| harness::responses_encode(&stream.0));
}

#[test]
fn any_stream_ends_once_however_it_is_cut_and_its_calls_are_mended() {
    recorded().iter().for_each(|stream| harness::shape(stream));
    check(60, &nearly(), |stream| harness::shape(&stream.0));
    check(40, &odd(), |stream| harness::shape(&stream.0));
    check(20, &damaged(0..=255), |stream| harness::shape(&stream.0));
}

/// Through the sockets: whatever the upstream says, the client hears an end, or a status.
#[test]
fn any_stream_ends_for_its_client() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    let ends = |Stream(stream)| {
        server.simulator.script_always(Some(Script::new().raw(stream)));
        for (path, body) in [
            ("/v1/chat/completions", json!({"messages": [{"role": "user", "content": "hi"}]})),
            ("/v1/responses", json!({"input": "hi"})),
        ] {
            for stream in [true, false] {
                let mut body = body.clone();
                body["model"] = "gpt-5.5".into();
                body["stream"] = stream.into();
                let answer = runtime.block_on(server.post(path, &body));
                assert!(!answer.broke, "{answer:?}");
                if answer.header("content-type") == Some("application/json") {
                    let failed = answer.body.starts_with(r#"{"error":{"#);
                    assert_ne!(answer.status == 200, failed, "{answer:?}");
                } else {
                    let told = answer.body.ends_with("data: [DONE]\n\n")
                        || answer.body.contains("data: {\"error\":{");
                    assert!(stream && told, "{answer:?}");
                }
            }
        }
        server.simulator.forget();
    };
    check(60, &nearly(), ends);
    check(20, &damaged(b'\n'..=b'~'), ends);
}
