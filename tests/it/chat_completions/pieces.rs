//! What no delta has said is said at the end of it, and nothing is said twice.

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{
    golden::sums::{added_up, told_whole},
    support::{TestServer, ask, with},
};

/// A stream of these events, with a response's beginning before them and its end behind.
fn stream(events: &[Value], output: Value) -> Script {
    let response = |status: &str, output: &Value| {
        json!({"id": "resp_1", "object": "response", "created_at": 1_790_000_000, "model": "gpt-5.5",
               "status": status, "output": output, "usage": null})
    };
    let begin =
        json!({"type": "response.created", "response": response("in_progress", &json!([]))});
    let end = json!({"type": "response.completed", "response": response("completed", &output)});
    let events = std::iter::once(&begin).chain(events).chain(std::iter::once(&end));
    let text: String = events
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect();
    Script::new().raw(text.into_bytes())
}

/// An event about the text at `part` of the item at `index`.
fn text(kind: &str, index: u64, part: u64, text: &str) -> Value {
    let member = match kind.rsplit_once('.').unwrap() {
        (_, "delta") => "delta",
        ("function_call_arguments", _) => "arguments",
        ("custom_tool_call_input", _) => "input",
        ("refusal", _) => "refusal",
        _ => "text",
    };
    json!({"type": format!("response.{kind}"), "item_id": "item", "output_index": index,
           "content_index": part, member: text})
}

fn item(kind: &str, index: u64, item: &Value) -> Value {
    json!({"type": format!("response.output_item.{kind}"), "output_index": index, "item": item})
}

fn call(arguments: &str) -> Value {
    json!({"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1",
           "name": "look_up", "arguments": arguments})
}

fn message(texts: &[&str]) -> Value {
    let parts: Vec<Value> = texts
        .iter()
        .map(|text| json!({"type": "output_text", "annotations": [], "text": text}))
        .collect();
    json!({"id": "msg_1", "type": "message", "role": "assistant", "content": parts})
}

/// The answer of each stream, of which both ways to ask make the same.
#[track_caller]
fn answers(cases: &[(&str, Script)], more: Value) -> Vec<(Value, Value)> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    let told = |(what, script): &(&str, Script)| {
        server.simulator.script_always(Some(script.clone()));
        let body = with(ask("go"), more.clone());
        let whole = runtime.block_on(server.chat(&body)).ok().json();
        let body = with(body, json!({"stream": true, "stream_options": {"include_usage": true}}));
        let streamed = runtime.block_on(server.chat(&body)).ok();
        assert_eq!(added_up(&streamed), told_whole(&whole), "{what}");
        let choice = told_whole(&whole);
        (choice["message"].clone(), choice["finish_reason"].clone())
    };
    cases.iter().map(told).collect()
}

#[test]
fn a_call_is_told_whole_however_its_arguments_come() {
    const WHOLE: &str = r#"{"a":1}"#;
    let delta = |piece: &str| text("function_call_arguments.delta", 0, 0, piece);
    let pieces = [delta(r#"{"a""#), delta(":1}")];
    let arguments = text("function_call_arguments.done", 0, 0, WHOLE);
    let (added, done) = (item("added", 0, &call("")), item("done", 0, &call(WHOLE)));
    let [first, second] = &pieces;
    let cases: Vec<(&str, Vec<&Value>)> = vec![
        ("as usual", vec![&added, first, second, &arguments, &done]),
        ("never added", vec![first, second, &arguments, &done]),
        ("never added, and nothing but deltas", vec![first, second, &done]),
        ("never added, and cut short", vec![first, &done]),
        ("added late", vec![first, second, &added, &done]),
        ("added in the middle", vec![first, &added, second, &arguments, &done]),
        ("added in the middle and never done", vec![first, &added, second]),
        ("added behind its arguments", vec![first, &arguments, &added]),
        ("without deltas", vec![&added, &arguments, &done]),
        ("without an end", vec![&added, &arguments]),
        ("nothing but deltas", vec![&added, first, second]),
        ("added twice", vec![&added, &added, first, second, &done, &done]),
        ("done only", vec![&done]),
    ];
    let scripts: Vec<(&str, Script)> = cases
        .into_iter()
        .map(|(what, events)| {
            let events: Vec<Value> = events.into_iter().cloned().collect();
            (what, stream(&events, json!([])))
        })
        .chain([
            ("listed only", stream(&[], json!([call(WHOLE)]))),
            ("begun and listed", stream(std::slice::from_ref(&added), json!([call(WHOLE)]))),
            ("its pieces, and listed", stream(&pieces, json!([call(WHOLE)]))),
        ])
        .collect();
    for ((what, _), answer) in scripts.iter().zip(answers(&scripts, json!({}))) {
        let calls = json!([{"id": "call_1", "type": "function",
                            "function": {"name": "look_up", "arguments": WHOLE}}]);
        assert_eq!(
            answer,
            (json!({"role": "assistant", "tool_calls": calls}), json!("tool_calls")),
            "{what}"
        );
    }
}

#[test]
fn each_part_of_a_message_is_said_once_however_it_comes() {
    let added = item("added", 0, &message(&[]));
    let delta = |part: u64, piece: &str| text("output_text.delta", 0, part, piece);
    let whole = |part: u64, all: &str| text("output_text.done", 0, part, all);
    let both = item("done", 0, &message(&["one", "two"]));
    let cases: [(&str, &[Value]); 8] = [
        ("its texts' ends only", &[added.clone(), whole(0, "one"), whole(1, "two")]),
        ("a part of each", &[added.clone(), delta(0, "one"), whole(1, "two"), both.clone()]),
        ("the second never", &[added.clone(), delta(0, "o"), delta(0, "ne"), both.clone()]),
        ("never added", &[delta(0, "one"), whole(0, "one"), delta(1, "two"), both.clone()]),
        ("nothing but deltas", &[delta(0, "o"), delta(0, "ne"), delta(1, "two")]),
        ("a piece of nothing", &[added.clone(), delta(0, ""), whole(0, "one"), both.clone()]),
        ("everything", &[delta(0, "one"), whole(0, "one"), whole(1, "two"), both.clone(), both]),
        ("the second listed only", &[added, delta(0, "one")]),
    ];
    let scripts: Vec<(&str, Script)> = cases
        .into_iter()
        .map(|(what, events)| {
            let listed = what.contains("listed").then(|| message(&["one", "two"]));
            (what, stream(events, listed.into_iter().collect()))
        })
        .collect();
    for ((what, _), answer) in scripts.iter().zip(answers(&scripts, json!({}))) {
        assert_eq!(
            answer,
            (json!({"role": "assistant", "content": "onetwo"}), json!("stop")),
            "{what}"
        );
    }
}

#[test]
fn refusals_thoughts_and_further_messages_are_not_lost_either() {
    let summary = |piece: &str| {
        json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1",
               "output_index": 0, "summary_index": 0, "delta": piece})
    };
    let cases = [
        ("the end of a refusal", stream(&[text("refusal.done", 0, 0, "no")], json!([]))),
        ("pieces of a refusal", stream(&[text("refusal.delta", 0, 0, "no")], json!([]))),
        (
            "a thought, and two messages",
            stream(
                &[
                    summary("h"),
                    summary("m"),
                    text("output_text.delta", 1, 0, "one"),
                    text("output_text.done", 2, 0, "two"),
                ],
                json!([]),
            ),
        ),
    ];
    let told: Vec<Value> =
        answers(&cases, json!({})).into_iter().map(|(message, _)| message).collect();
    let said = json!({"role": "assistant", "reasoning_content": "hm", "content": "one\n\ntwo"});
    let no = json!({"role": "assistant", "refusal": "no"});
    assert_eq!(told, [no.clone(), no, said]);
}

#[test]
fn a_text_that_was_cut_inside_a_character_is_still_one() {
    let half = |event: &Value| event.to_string().replace('~', r"\ud83d");
    let done = half(&item("done", 0, &message(&["a~ b"])));
    let end = json!({"type": "response.completed", "response": {"id": "resp_1", "output": []}});
    let script = Script::new().raw(format!("data: {done}\n\ndata: {end}\n\n").into_bytes());
    let [(message, _)] = answers(&[("half", script)], json!({})).try_into().unwrap();
    assert_eq!(message["content"], "a\u{fffd} b");
}

#[test]
fn a_call_of_free_text_is_told_to_who_has_declared_such_a_tool() {
    let call = |input: &str| {
        json!({"id": "ctc_1", "type": "custom_tool_call", "status": "completed",
               "call_id": "call_1", "name": "note", "input": input})
    };
    let cases = [(
        "its pieces only",
        stream(
            &[item("added", 0, &call("")), text("custom_tool_call_input.delta", 0, 0, "free")],
            json!([]),
        ),
    )];
    let tools = json!({"tools": [{"type": "custom", "custom": {"name": "note"}}]});
    let told =
        json!([{"id": "call_1", "type": "custom", "custom": {"name": "note", "input": "free"}}]);
    let [declared] = answers(&cases, tools).try_into().unwrap();
    assert_eq!((&declared.0["tool_calls"], &declared.1), (&told, &json!("tool_calls")));
    let tools = json!({"tools": [{"type": "function", "function": {"name": "note"}}]});
    let [other] = answers(&cases, tools).try_into().unwrap();
    assert_eq!(other, (json!({"role": "assistant"}), json!("stop")));
}

#[test]
fn an_answer_is_told_whatever_its_usage_looks_like() {
    for (usage, total) in [
        (r#"{"input_tokens":3,"output_tokens":4,"total_tokens":null}"#, 7),
        (
            r#"{"input_tokens":3.0,"output_tokens":4,"input_tokens_details":{"cached_tokens":null}}"#,
            7,
        ),
        (r#"{"input_tokens":"many"}"#, 0),
    ] {
        let said = text("output_text.delta", 0, 0, "hi");
        let end = format!(
            r#"{{"type":"response.completed","response":{{"id":"resp_1","output":[],"usage":{usage}}}}}"#
        );
        let script = Script::new().raw(format!("data: {said}\n\ndata: {end}\n\n").into_bytes());
        let [(message, _)] = answers(&[(usage, script)], json!({})).try_into().unwrap();
        assert_eq!(message["content"], "hi");
        let usage: codexway::protocol::Usage = serde_json::from_str(usage).unwrap_or_default();
        assert_eq!(usage.total_tokens, total);
    }
}
