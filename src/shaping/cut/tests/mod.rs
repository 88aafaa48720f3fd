mod broken;
mod ending;
mod length;
mod properties;
mod stop;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Limits,
    stage::{Flow, Stage},
};
use crate::{protocol::Event, sse::Frame};

/// What the input of each turn cut here is said to have been, in tokens.
const INPUT: u64 = 100;

/// When each turn cut here is said to have ended.
const NOW: u64 = 1_800_000_000;

fn stop(sequences: &[&str]) -> Limits {
    let stop = sequences.iter().map(|sequence| (*sequence).to_owned()).collect();
    Limits { stop, max_tokens: None }
}

fn length(max_tokens: u64) -> Limits {
    Limits { stop: Vec::new(), max_tokens: Some(max_tokens) }
}

/// A turn as the upstream tells it: `created`, the events of its items, `completed`.
fn turn(items: impl IntoIterator<Item = Vec<Value>>) -> Vec<Value> {
    let response = json!({"id": "resp_1", "object": "response", "created_at": 1, "status": "in_progress", "completed_at": null, "incomplete_details": null, "model": "gpt-5.5", "output": [], "usage": null});
    let mut completed = response.clone();
    completed["status"] = json!("completed");
    let mut events = vec![json!({"type": "response.created", "response": response})];
    events.extend(items.into_iter().flatten());
    events.push(json!({"type": "response.completed", "response": completed}));
    numbered(events)
}

fn numbered(mut events: Vec<Value>) -> Vec<Value> {
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

fn message_item(index: usize, status: &str, content: &[Value]) -> Value {
    json!({"id": format!("msg_{index}"), "type": "message", "status": status, "content": content, "phase": "final_answer", "role": "assistant"})
}

/// The events of a message that comes in these pieces.
fn message(index: usize, pieces: &[&str]) -> Vec<Value> {
    let at = |name: &str, member: &str, value: Value| json!({"type": name, "content_index": 0, "item_id": format!("msg_{index}"), "output_index": index, member: value});
    let text = pieces.concat();
    let mut events = vec![
        json!({"type": "response.output_item.added", "item": message_item(index, "in_progress", &[]), "output_index": index}),
        at("response.content_part.added", "part", text_part("")),
    ];
    for piece in pieces {
        let mut delta = at("response.output_text.delta", "delta", json!(piece));
        delta["logprobs"] = json!([]);
        delta["obfuscation"] = json!("xxxx");
        events.push(delta);
    }
    let mut done = at("response.output_text.done", "text", json!(text));
    done["logprobs"] = json!([]);
    events.extend([
        done,
        at("response.content_part.done", "part", text_part(&text)),
        json!({"type": "response.output_item.done", "item": message_item(index, "completed", &[text_part(&text)]), "output_index": index}),
    ]);
    events
}

/// The events of a call: `function_call` with its `arguments`, `custom_tool_call` with its `input`.
fn call(index: usize, kind: &str, pieces: &[&str]) -> Vec<Value> {
    let (name, member) = match kind {
        "function_call" => ("response.function_call_arguments", "arguments"),
        _ => ("response.custom_tool_call_input", "input"),
    };
    let id = format!("call_{index}");
    let item = |status: &str, payload: &str| {
        let item = json!({"id": id, "type": kind, "status": status, member: payload, "call_id": id, "name": "f"});
        json!({"item": item, "output_index": index})
    };
    let named = |name: &str, mut event: Value| {
        event["type"] = json!(name);
        event
    };
    let mut events = vec![named("response.output_item.added", item("in_progress", ""))];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": format!("{name}.delta"), "delta": piece, "item_id": id, "output_index": index})
    }));
    let payload = pieces.concat();
    events.push(json!({"type": format!("{name}.done"), member: payload, "item_id": id, "output_index": index}));
    events.push(named("response.output_item.done", item("completed", &payload)));
    events
}

fn reasoning(index: usize, text: &str) -> Vec<Value> {
    let item =
        json!({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
    vec![
        json!({"type": "response.output_item.added", "item": item, "output_index": index}),
        json!({"type": "response.reasoning_summary_text.delta", "delta": text, "item_id": "rs_1", "output_index": index, "summary_index": 0}),
        json!({"type": "response.output_item.done", "item": item, "output_index": index}),
    ]
}

fn refusal(index: usize, pieces: &[&str]) -> Vec<Value> {
    let text = pieces.concat();
    let part = |text: &str| json!({"type": "refusal", "refusal": text});
    let at = |name: &str, member: &str, value: Value| json!({"type": name, "content_index": 0, "item_id": format!("msg_{index}"), "output_index": index, member: value});
    let mut events = vec![
        json!({"type": "response.output_item.added", "item": message_item(index, "in_progress", &[]), "output_index": index}),
        at("response.content_part.added", "part", part("")),
    ];
    events.extend(pieces.iter().map(|piece| at("response.refusal.delta", "delta", json!(piece))));
    events.extend([
        at("response.refusal.done", "refusal", json!(text)),
        at("response.content_part.done", "part", part(&text)),
        json!({"type": "response.output_item.done", "item": message_item(index, "completed", &[part(&text)]), "output_index": index}),
    ]);
    events
}

fn event(json: &Value) -> Event {
    let data = Bytes::from(json.to_string());
    Event::parse(Frame { event: Bytes::from_static(b"unnamed"), data }).unwrap()
}

/// What the client is shown of these events, and whether the turn was cut.
fn shown(limits: &Limits, events: &[Value]) -> (Vec<Value>, bool) {
    let mut stage = Stage::new(limits);
    let (mut out, mut step) = (Vec::new(), Vec::new());
    let mut flow = Flow::On;
    for json in events {
        flow = stage.event(event(json), &mut step);
        out.append(&mut step);
        if flow != Flow::On {
            break;
        }
    }
    if let Flow::Cut(why) = flow {
        out.push(stage.last(why, INPUT, NOW));
    }
    let told = out.iter().map(|event| {
        let json: Value = serde_json::from_slice(&event.json).unwrap();
        assert_eq!(json["type"].as_str().unwrap().as_bytes(), event.name);
        json
    });
    (told.collect(), flow != Flow::On)
}

/// The same for a turn that is cut.
fn cut(limits: &Limits, events: &[Value]) -> Vec<Value> {
    let (told, cut) = shown(limits, events);
    assert!(cut, "{told:#?}");
    told
}

/// The same for a turn that is not.
fn whole(limits: &Limits, events: &[Value]) -> Vec<Value> {
    let (told, cut) = shown(limits, events);
    assert!(!cut, "{told:#?}");
    told
}

/// A turn of which every event passes as it came.
fn untouched(limits: &Limits, events: &[Value]) {
    pretty_assertions::assert_eq!(whole(limits, events), events);
}

fn of<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == name).collect()
}

/// What the text deltas say together.
fn said(events: &[Value]) -> String {
    let deltas = of(events, "response.output_text.delta");
    deltas.iter().map(|event| event["delta"].as_str().unwrap()).collect()
}

/// The text deltas, each.
fn deltas(events: &[Value]) -> Vec<&str> {
    let deltas = of(events, "response.output_text.delta");
    deltas.iter().map(|event| event["delta"].as_str().unwrap()).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap().trim_start_matches("response."))
        .collect()
}

fn without_numbers(events: &[Value]) -> Vec<Value> {
    let mut events = events.to_vec();
    for event in &mut events {
        event.as_object_mut().unwrap().remove("sequence_number");
    }
    events
}

/// The last `response`.
fn last(events: &[Value]) -> &Value {
    &events.last().unwrap()["response"]
}
