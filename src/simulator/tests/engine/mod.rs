//! The engine's refusals, each with its whole error.

mod items;
mod links;
mod settings;
mod tools;

use super::*;

/// Status and error of the smallest turn with these fields changed.
async fn refused(client: &Client, fields: &Value) -> (u16, Value) {
    let answer = client.ask(&with(body(), fields.clone())).await;
    assert_ne!(answer.status, 200, "{fields} passed");
    let json = answer.json();
    assert_eq!(answer.text, format!("{json:#}"), "the engine prints over several lines");
    assert_eq!(json["error"]["type"], "invalid_request_error");
    (answer.status, json["error"].clone())
}

/// Fields, message, param, code; empty for null.
type Row<'a> = (Value, &'a str, &'a str, &'a str);

async fn each_is_refused(rows: impl IntoIterator<Item = Row<'_>>) {
    let client = client().await;
    for (fields, message, param, code) in rows {
        let (status, error) = refused(&client, &fields).await;
        let or_null = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        let whole = json!({
            "message": message,
            "type": "invalid_request_error",
            "param": or_null(param),
            "code": or_null(code),
        });
        assert_eq!((status, error), (400, whole), "{fields}");
    }
}

async fn each_passes(rows: impl IntoIterator<Item = Value>) {
    let client = client().await;
    for fields in rows {
        let answer = client.ask(&with(body(), fields.clone())).await;
        assert_eq!(answer.status, 200, "{fields}: {}", answer.text);
    }
}

fn item(item: Value) -> Value {
    json!({ "input": [user("hi"), item] })
}

fn call(call_id: &str) -> Value {
    json!({ "type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}" })
}

fn output(call_id: &str, output: Value) -> Value {
    json!({ "type": "function_call_output", "call_id": call_id, "output": output })
}
