use std::fs;

use codexway::simulator::Script;
use serde_json::{Value, json};

use super::{compare, files, show, stem};
use crate::support::{Answer, TestServer, with};

pub(super) const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// When every recorded stream was created.
const CREATED: u64 = 1_790_000_000;

/// How a stream is asked for where that matters: the stream, what the snapshot is called, the path,
/// and further members of the request.
fn variants() -> [(&'static str, &'static str, &'static str, Value); 6] {
    let functions = json!([{"name": "get_weather"}, {"name": "get_time"}]);
    [
        ("calls-interleaved", "legacy.chat", CHAT, json!({"functions": functions})),
        (
            "commentary-and-answer",
            "json.chat",
            CHAT,
            json!({"response_format": {"type": "json_object"}}),
        ),
        (
            "custom-tool",
            "declared.chat",
            CHAT,
            json!({"tools": [{"type": "custom", "custom": {"name": "apply_patch"}}]}),
        ),
        (
            "reasoning",
            "sealed.responses",
            RESPONSES,
            json!({"include": ["reasoning.encrypted_content"]}),
        ),
        ("reasoning", "think-tags.chat", "/profiles/tags/v1/chat/completions", json!({})),
        (
            "text",
            "unpadded.responses",
            RESPONSES,
            json!({"stream_options": {"include_obfuscation": false}}),
        ),
    ]
}

/// The request that every recorded stream answers.
pub(super) fn asked(path: &str) -> Value {
    match path.ends_with(CHAT) {
        true => json!({
            "model": "gpt-5.5",
            "messages": [{"role": "user", "content": "Go on, in JSON."}],
            "stream_options": {"include_usage": true},
        }),
        false => json!({"model": "gpt-5.5", "input": "Go on.", "metadata": {"topic": "sky"}}),
    }
}

#[tokio::test]
async fn recorded_streams_come_to_clients_as_written_down() {
    const TAGS: &str = "CODEXWAY__PROFILES__TAGS__REASONING__FORMAT";
    let server = TestServer::with_vars(&[(TAGS, "think-tags")]).await;
    let mut texts = Vec::new();
    for file in files("upstream", "sse") {
        let (name, bytes) = (stem(&file), fs::read(&file).unwrap());
        for (dialect, path) in [("chat", CHAT), ("responses", RESPONSES)] {
            let text = told(&server, path, &asked(path), &bytes).await;
            texts.push((format!("{name}.{dialect}"), text));
        }
        for (_, variant, path, more) in variants().into_iter().filter(|(of, ..)| *of == name) {
            let text = told(&server, path, &with(asked(path), more), &bytes).await;
            texts.push((format!("{name}.{variant}"), text));
        }
    }
    compare("upstream", &texts);
}

/// Both ways to ask for the same: as it happens, and whole.
async fn told(server: &TestServer, path: &str, body: &Value, bytes: &[u8]) -> String {
    server.simulator.script_always(Some(Script::new().raw(bytes.to_vec())));
    let mut text = String::new();
    let mut last = Value::Null;
    for stream in [true, false] {
        let answer = server.post(path, &with(body.clone(), json!({"stream": stream}))).await;
        text.push_str(&format!(
            "{}: {}\n",
            if stream { "streamed" } else { "whole" },
            answer.status
        ));
        if answer.header("content-type") == Some("application/json") {
            text.push_str(&show::pretty(&show::news(&recorded(answer.json()), &last)));
            text.push('\n');
            continue;
        }
        let (frames, response) = shown(&answer);
        text.push_str(&frames);
        last = response;
    }
    text
}

/// The frames, each less what is as in the one before, and the response that was told last.
fn shown(answer: &Answer) -> (String, Value) {
    let mut before = Value::Null;
    let mut response = Value::Null;
    let mut text = String::new();
    for frame in answer.frames() {
        if frame.is_done() {
            text.push_str("[DONE]\n");
            continue;
        }
        let json = recorded(frame.json());
        assert!(frame.event.is_none_or(|event| json["type"] == *event), "{json}");
        let mut news = show::news(&json, &before);
        if let Some(told) = json.get("response") {
            news["response"] = show::news(told, &response);
            response = told.clone();
        }
        text.push_str(&show::pretty(&news));
        text.push('\n');
        before = json;
    }
    (text, response)
}

/// The same with marks in place of ids and times that are not the recorded stream's.
fn recorded(mut json: Value) -> Value {
    match &mut json {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                *value = match (name.as_str(), value.take()) {
                    ("created" | "created_at", time) if time != CREATED => json!("⟨now⟩"),
                    ("id", Value::String(id)) if is_new(&id) => json!("⟨new⟩"),
                    (_, value) => recorded(value),
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = recorded(item.take())),
        _ => {}
    }
    json
}

/// Ids of our own have 32 digits, the backend's 50.
fn is_new(id: &str) -> bool {
    id.rsplit('_').next().is_some_and(|tail| tail.rsplit('-').next().map(str::len) == Some(32))
}
