//! Tools: calls there, outputs back.

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{deltas, streamed, weather_tool};
use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn a_tool_call_is_streamed_with_its_id_and_name_once() {
    let server = TestServer::start().await;
    server.simulator.script(
        Script::new()
            .tool_call("get_weather", r#"{"city":"Paris"}"#)
            .tool_call("get_weather", r#"{"city":"Rome"}"#),
    );
    let body = with(streamed("weather?"), json!({"tools": [weather_tool()]}));
    let (deltas, finish) = deltas(&server.chat(&body).await.ok());
    assert_eq!(finish, "tool_calls");
    assert_eq!(deltas[0]["content"], Value::Null);
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for call in deltas.iter().flat_map(|delta| delta["tool_calls"].as_array().unwrap()) {
        let index = call["index"].as_u64().unwrap() as usize;
        if let Some(id) = call.get("id") {
            assert_eq!((index, &call["type"]), (calls.len(), &json!("function")));
            let name = call["function"]["name"].as_str().unwrap().to_owned();
            calls.push((id.as_str().unwrap().to_owned(), name, String::new()));
        } else {
            assert!(call["function"].get("name").is_none() && call.get("type").is_none());
        }
        calls[index].2.push_str(call["function"]["arguments"].as_str().unwrap());
    }
    let told: Vec<(&str, &str)> = calls.iter().map(|(_, name, args)| (&**name, &**args)).collect();
    assert_eq!(
        told,
        [("get_weather", r#"{"city":"Paris"}"#), ("get_weather", r#"{"city":"Rome"}"#)]
    );
    assert!(calls[0].0.starts_with("call_") && calls[0].0 != calls[1].0);
}

#[tokio::test]
async fn calls_whose_arguments_interleave_are_kept_apart() {
    let server = TestServer::start().await;
    let calls =
        Script::new().tool_call("a", r#"{"x":"one, two"}"#).tool_call("b", r#"{"y":"three"}"#);
    server.simulator.script(calls.interleaved());
    let tools = json!([
        {"type": "function", "function": {"name": "a"}},
        {"type": "function", "function": {"name": "b"}},
    ]);
    let (deltas, _) =
        deltas(&server.chat(&with(streamed("go"), json!({"tools": tools}))).await.ok());
    let mut arguments = [String::new(), String::new()];
    for call in deltas.iter().flat_map(|delta| delta["tool_calls"].as_array().unwrap()) {
        arguments[call["index"].as_u64().unwrap() as usize]
            .push_str(call["function"]["arguments"].as_str().unwrap());
    }
    assert_eq!(arguments, [r#"{"x":"one, two"}"#, r#"{"y":"three"}"#]);
}

#[tokio::test]
async fn a_tool_round_trip_ends_in_an_answer_that_uses_the_output() {
    let server = TestServer::start().await;
    let first = with(ask("What is the weather in Paris?"), json!({"tools": [weather_tool()]}));
    let answer = server.chat(&first).await.ok().json();
    let message = &answer["choices"][0]["message"];
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(message["content"], Value::Null);
    let call = &message["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], r#"{"city":"Paris"}"#);

    let mut second = first.clone();
    let messages = second["messages"].as_array_mut().unwrap();
    messages.push(message.clone());
    messages.push(
        json!({"role": "tool", "tool_call_id": call["id"], "content": "17 degrees, drizzle"}),
    );
    let answer = server.chat(&second).await.ok().json();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("17 degrees, drizzle"), "{text}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn odd_tool_names_and_long_call_ids_are_mapped_there_and_back() {
    let server = TestServer::start().await;
    let name = "mcp.server/look up";
    let tool =
        json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}});
    let long = "call_".to_owned() + &"x".repeat(80);
    let body = json!({"model": "gpt-5.5", "stream": true, "tools": [tool], "tool_choice": "required", "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [{"id": long, "type": "function", "function": {"name": name, "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": long, "content": "done"},
        {"role": "user", "content": "again"},
    ]});
    let (deltas, _) = deltas(&server.chat(&body).await.ok());
    let call = deltas.iter().find_map(|delta| delta.get("tool_calls")).unwrap();
    assert_eq!(call[0]["function"]["name"], name);
    let sent = server.last_turn();
    assert_eq!(sent["input"][1]["name"], sent["tools"][0]["name"]);
    assert_eq!(sent["input"][1]["call_id"], sent["input"][2]["call_id"]);
    assert!(sent["input"][1]["call_id"].as_str().unwrap().len() <= 64);
}

#[tokio::test]
async fn hosted_calls_are_not_shown_as_the_client_s() {
    let server = TestServer::start().await;
    server.simulator.script(Script::new().web_search().message("found"));
    let (deltas, finish) = deltas(&server.chat(&streamed("search")).await.ok());
    assert!(deltas.iter().all(|delta| delta.get("tool_calls").is_none()));
    assert_eq!(finish, "stop");
}

#[tokio::test]
async fn the_older_functions_are_answered_in_their_own_shape() {
    let server = TestServer::start().await;
    let body = json!({
        "model": "gpt-5.5",
        "functions": [{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}],
        "function_call": {"name": "get_weather"},
        "messages": [
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": null, "function_call": {"name": "get_weather", "arguments": "{\"city\":\"Rome\"}"}},
            {"role": "function", "name": "get_weather", "content": "sun"},
            {"role": "user", "content": "And the weather in Paris?"},
        ],
    });
    let answer = server.chat(&body).await.ok().json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "function_call");
    assert_eq!(choice["message"]["function_call"]["name"], "get_weather");
    assert_eq!(choice["message"].get("tool_calls"), None);
    let sent = server.last_turn();
    assert_eq!(sent["input"][1]["call_id"], sent["input"][2]["call_id"]);
    let (deltas, _) = deltas(&server.chat(&with(body, json!({"stream": true}))).await.ok());
    let call = deltas.iter().find_map(|delta| delta.get("function_call")).unwrap();
    assert_eq!(*call, json!({"name": "get_weather", "arguments": ""}));
}

#[tokio::test]
async fn custom_tools_go_there_and_back() {
    let server = TestServer::start().await;
    server.simulator.script(Script::new().custom_tool_call("patch", "free text"));
    let grammar =
        json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}});
    let body = json!({"model": "gpt-5.5", "stream": true,
        "tools": [{"type": "custom", "custom": {"name": "patch", "format": grammar}}],
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "custom", "custom": {"name": "patch", "input": "x"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "done"},
            {"role": "user", "content": "again"},
        ],
    });
    let (deltas, finish) = deltas(&server.chat(&body).await.ok());
    let first = &deltas[0]["tool_calls"][0];
    assert_eq!(
        (&first["type"], &first["custom"]),
        (&json!("custom"), &json!({"name": "patch", "input": ""}))
    );
    let input: String = deltas[1..]
        .iter()
        .filter_map(|delta| delta["tool_calls"][0]["custom"]["input"].as_str())
        .collect();
    assert_eq!((&*input, &*finish), ("free text", "tool_calls"));
    let sent = server.last_turn();
    assert_eq!(
        sent["tools"][0]["format"],
        json!({"type": "grammar", "syntax": "lark", "definition": "start: /.+/"})
    );
    assert_eq!(sent["input"][1]["type"], "custom_tool_call");
    assert_eq!(sent["input"][2]["type"], "custom_tool_call_output");
}
