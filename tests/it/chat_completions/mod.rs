//! Chat completions, as their clients see them.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, ask, with};

mod answer;
mod calls;
mod pieces;
mod reasoning;
mod request;

/// The deltas of a stream in order, and what surrounds them checked: one id, one role, one finish.
#[track_caller]
fn deltas(answer: &Answer) -> (Vec<Value>, String) {
    let frames = answer.frames();
    let (last, chunks) = frames.split_last().expect("a stream");
    assert!(last.is_done(), "{last:?}");
    let chunks: Vec<Value> = chunks.iter().map(|frame| frame.json()).collect();
    let mut deltas = Vec::new();
    let mut finish = None;
    for chunk in &chunks {
        assert_eq!(chunk["id"], chunks[0]["id"]);
        assert!(chunk["id"].as_str().is_some_and(|id| id.starts_with("chatcmpl-")));
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert!(chunk["created"].is_u64());
        let Some(choice) = chunk["choices"].get(0) else { continue };
        assert_eq!((&choice["index"], &choice["logprobs"]), (&json!(0), &Value::Null));
        match choice["finish_reason"].as_str() {
            None => {
                assert!(finish.is_none(), "a delta behind the finish: {chunk}");
                deltas.push(choice["delta"].clone());
            }
            Some(reason) => {
                assert_eq!(choice["delta"], json!({}));
                assert!(finish.replace(reason.to_owned()).is_none(), "a second finish");
            }
        }
    }
    let roles = deltas.iter().filter(|delta| delta.get("role").is_some()).count();
    assert_eq!((roles, deltas[0]["role"].as_str()), (1, Some("assistant")));
    (deltas, finish.expect("a finish"))
}

fn weather_tool() -> Value {
    json!({"type": "function", "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }})
}

fn streamed(text: &str) -> Value {
    with(ask(text), json!({"stream": true}))
}
