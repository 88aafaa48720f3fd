//! What a turn is made of, each by itself: a request read and written, a conversation's name, a
//! stream cut into events, and what those come to in each dialect.

use std::{hint::black_box, sync::LazyLock};

use bytes::BytesMut;
use codexway::{
    api::{Chat, Client, Dialect, Responses, object},
    config::{self, Profile, Sources},
    protocol::Event,
    shaping,
    sse::{Decoder, MAX_FRAME},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::HeaderMap;
use serde_json::{Value, json};

/// A step of an agent, as the backend sends it: it thinks, says something, and calls tools.
const STREAM: &[u8] = include_bytes!("../tests/fixtures/upstream/agent-step.sse");

fn client(headers: &HeaderMap) -> Client<'_> {
    static PROFILE: LazyLock<Profile> = LazyLock::new(|| {
        let mut settings = config::load(&Sources::default()).expect("the defaults").settings;
        settings.profiles.remove("codex").expect("the default profile")
    });
    Client { headers, profile: &PROFILE, platform: false, environment: Vec::new() }
}

/// As far as it goes before it is sent: read, named, written.
fn request<D: Dialect>(body: &[u8]) -> Vec<u8> {
    let headers = HeaderMap::new();
    let fields = object(body).unwrap_or_else(|error| panic!("{}", error.message));
    let decoded = D::decode(fields, &client(&headers));
    let mut request = decoded.unwrap_or_else(|error| panic!("{}", error.message)).request;
    shaping::conversation(&mut request, &headers, None, None);
    serde_json::to_vec(&request).expect("a request can be written")
}

fn events(stream: &[u8]) -> Vec<Event> {
    let mut decoder = Decoder::new(MAX_FRAME);
    decoder.push(stream);
    let mut events = Vec::new();
    while let Some(frame) = decoder.next().expect("a sound stream") {
        events.push(Event::parse(frame).expect("an event"));
    }
    events
}

fn written<D: Dialect>(body: &[u8], events: &[Event]) -> BytesMut {
    let headers = HeaderMap::new();
    let decoded = D::decode(object(body).expect("an object"), &client(&headers));
    let mut dialect = decoded.expect("a sound request").dialect;
    let mut out = BytesMut::new();
    for event in events {
        dialect.encode(0, event, &mut out).expect("a sound event");
    }
    out
}

fn small(field: &str) -> Vec<u8> {
    let said = json!([{"role": "user", "content": "hi"}]);
    json!({"model": "gpt-5.5", "stream": true, field: said}).to_string().into_bytes()
}

/// A conversation of a megabyte, in which tools were called.
fn large_chat() -> Vec<u8> {
    let turn = |n: usize| {
        let id = format!("call_{n}");
        let call =
            json!({"id": id, "type": "function", "function": {"name": "read", "arguments": "{}"}});
        [
            json!({"role": "assistant", "content": null, "tool_calls": [call]}),
            json!({"role": "tool", "tool_call_id": id, "content": file()}),
        ]
    };
    let mut messages = vec![json!({"role": "user", "content": "read them all"})];
    messages.extend((0..250).flat_map(turn));
    json!({"model": "gpt-5.5", "stream": true, "messages": messages}).to_string().into_bytes()
}

fn large_responses() -> Vec<u8> {
    let turn = |n: usize| {
        let id = format!("call_{n}");
        [
            json!({"type": "function_call", "call_id": id, "name": "read", "arguments": "{}"}),
            json!({"type": "function_call_output", "call_id": id, "output": file()}),
        ]
    };
    let mut input = vec![json!({"role": "user", "content": "read them all"})];
    input.extend((0..250).flat_map(turn));
    json!({"model": "gpt-5.5", "stream": true, "input": input}).to_string().into_bytes()
}

fn file() -> Value {
    include_str!("../src/api/relay.rs").chars().take(4000).collect::<String>().into()
}

fn requests(criterion: &mut Criterion) {
    type Read = fn(&[u8]) -> Vec<u8>;
    let bodies: [(&str, Vec<u8>, Read); 4] = [
        ("small chat", small("messages"), request::<Chat>),
        ("small responses", small("input"), request::<Responses>),
        ("large chat", large_chat(), request::<Chat>),
        ("large responses", large_responses(), request::<Responses>),
    ];
    let mut group = criterion.benchmark_group("request");
    for (name, body, read) in bodies {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| read(black_box(&body))));
    }
    group.finish();
}

fn names(criterion: &mut Criterion) {
    let headers = HeaderMap::new();
    let body = large_chat();
    let fields = object(&body).expect("an object");
    let request = Chat::decode(fields, &client(&headers)).expect("a sound request").request;
    criterion.bench_function("conversation's name", |bencher| {
        bencher.iter_batched(
            || request.clone(),
            |mut request| shaping::conversation(&mut request, &headers, None, None),
            criterion::BatchSize::SmallInput,
        );
    });
}

fn streams(criterion: &mut Criterion) {
    let events_of = events(STREAM);
    let (chat, responses) = (small("messages"), small("input"));
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(events_of.len() as u64));
    group.bench_function("cut", |bencher| bencher.iter(|| events(black_box(STREAM))));
    group.bench_function("chat", |bencher| {
        bencher.iter(|| written::<Chat>(&chat, black_box(&events_of)));
    });
    group.bench_function("responses", |bencher| {
        bencher.iter(|| written::<Responses>(&responses, black_box(&events_of)));
    });
    group.bench_function("relay to chat", |bencher| {
        bencher.iter(|| written::<Chat>(&chat, &events(black_box(STREAM))));
    });
    group.finish();
}

criterion_group!(benches, requests, names, streams);
criterion_main!(benches);
