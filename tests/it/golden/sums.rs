use std::fs;

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{
    files,
    streams::{CHAT, asked},
};
use crate::support::{Answer, TestServer, with};

/// What a client's library makes of the chunks of a stream is what it would have been told whole.
#[tokio::test]
async fn the_chunks_of_a_recorded_stream_add_up_to_the_whole_answer() {
    let server = TestServer::start().await;
    let mut n_compared = 0;
    for file in files("upstream", "sse") {
        let script = Script::new().raw(fs::read(&file).unwrap());
        server.simulator.script_always(Some(script));
        let streamed = server.chat(&with(asked(CHAT), json!({"stream": true}))).await;
        let whole = server.chat(&asked(CHAT)).await;
        if whole.status != 200 {
            assert!(!streamed.body.contains("[DONE]"), "{}", file.display());
            continue;
        }
        let whole = whole.json();
        assert_eq!(added_up(&streamed), told_whole(&whole), "{}", file.display());
        n_compared += 1;
    }
    assert!(n_compared > 20, "{n_compared} streams");
}

/// The same of a whole answer.
pub(crate) fn told_whole(answer: &Value) -> Value {
    json!({
        "message": without_nothing(&answer["choices"][0]["message"]),
        "finish_reason": answer["choices"][0]["finish_reason"],
        "usage": answer["usage"],
    })
}

/// Joins texts, and calls by their index, as the libraries of clients do.
pub(crate) fn added_up(answer: &Answer) -> Value {
    let mut sum = json!({"message": {}});
    for frame in answer.frames().iter().filter(|frame| !frame.is_done()) {
        let chunk = frame.json();
        if !chunk["usage"].is_null() {
            sum["usage"] = chunk["usage"].clone();
        }
        let Some(choice) = chunk["choices"].get(0) else { continue };
        add(&mut sum["message"], &choice["delta"]);
        if !choice["finish_reason"].is_null() {
            sum["finish_reason"] = choice["finish_reason"].clone();
        }
    }
    sum["message"] = without_nothing(&sum["message"]);
    json!({"message": sum["message"], "finish_reason": sum["finish_reason"], "usage": sum["usage"]})
}

fn add(sum: &mut Value, delta: &Value) {
    match (sum, delta) {
        (Value::Object(sum), Value::Object(delta)) => {
            for (name, value) in delta.iter().filter(|(name, _)| *name != "index") {
                add(sum.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::String(sum), Value::String(delta)) => sum.push_str(delta),
        (Value::Array(sum), Value::Array(delta)) => {
            for item in delta {
                let at = item["index"].as_u64().map_or(sum.len(), |index| index as usize);
                if at == sum.len() {
                    sum.push(json!({}));
                }
                add(&mut sum[at], item);
            }
        }
        (sum @ Value::Null, Value::Array(_)) => {
            *sum = json!([]);
            add(sum, delta);
        }
        (sum @ Value::Null, delta) => *sum = delta.clone(),
        (_, _) => {}
    }
}

/// The message less members that say nothing; images have their number in the whole answer too.
fn without_nothing(message: &Value) -> Value {
    let mut message = message.clone();
    let members = message.as_object_mut().unwrap();
    members.retain(|_, value| !value.is_null() && *value != json!("") && *value != json!([]));
    for image in members.get_mut("images").and_then(Value::as_array_mut).into_iter().flatten() {
        image.as_object_mut().unwrap().remove("index");
    }
    message
}
