//! What goes upstream for a request.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::weather_tool;
use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn messages_become_items_in_their_places() {
    let server = TestServer::start().await;
    const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let body = json!({
        "model": "gpt-5.5",
        "messages": [
            {"role": "system", "content": "one"},
            {"role": "user", "content": "hi", "name": "ada"},
            {"role": "developer", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]},
            {"role": "assistant", "content": [{"type": "text", "text": ""}], "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}},
                {"id": "call_2", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "tool", "tool_call_id": "call_2", "content": [
                {"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": PIXEL}},
            ]},
            {"role": "assistant", "content": "", "reasoning_content": "hm"},
            {"role": "assistant", "content": "said", "refusal": "no"},
            {"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                {"type": "image_url", "image_url": "https://example.org/a.png"},
            ]},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
    });
    let answer = server.chat(&body).await.ok();
    assert_eq!(
        answer.header("x-codexway-dropped"),
        Some("messages.name,messages.reasoning_content")
    );
    let sent = server.last_turn();
    let text = |text: &str| json!({"type": "input_text", "text": text});
    assert_eq!(
        sent["input"],
        json!([
            {"type": "message", "role": "developer", "content": [text("one")]},
            {"type": "message", "role": "user", "content": [text("hi")]},
            {"type": "message", "role": "developer", "content": [text("two"), text("three")]},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "ab"},
            {"type": "function_call_output", "call_id": "call_2", "output": [
                text("see"), {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
            ]},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "said"}, {"type": "refusal", "refusal": "no"},
            ]},
            {"type": "message", "role": "user", "content": [
                text("look"),
                {"type": "input_image", "image_url": PIXEL, "detail": "low"},
                {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"},
            ]},
        ])
    );
    assert_eq!(sent["instructions"], "");
    assert_eq!((&sent["store"], &sent["stream"]), (&json!(false), &json!(true)));
    assert_eq!(sent["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(
        sent["tools"],
        json!([{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false}])
    );
}

#[tokio::test]
async fn settings_of_the_answer_are_translated_and_the_rest_is_named() {
    let server = TestServer::start().await;
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    let body = with(
        ask("json please"),
        json!({
            "reasoning_effort": "minimal", "verbosity": "high", "service_tier": "flex",
            "response_format": {"type": "json_schema", "json_schema": {"name": "my answer", "schema": schema}},
            "temperature": 0.2, "top_p": 1, "max_tokens": 200, "stop": ["%%"], "logit_bias": {"1": 2},
            "n": 1, "seed": null, "user": "ada", "frobnicate": 1,
        }),
    );
    let answer = server.chat(&body).await.ok();
    let sent = server.last_turn();
    assert_eq!(sent["reasoning"], json!({"effort": "low", "summary": "auto"}));
    assert_eq!(
        sent["text"],
        json!({
            "format": {"type": "json_schema", "name": "my_answer", "schema": schema, "strict": false},
            "verbosity": "high",
        })
    );
    assert_eq!(sent.get("service_tier"), None);
    let mut dropped: Vec<&str> = answer.header("x-codexway-dropped").unwrap().split(',').collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["frobnicate", "logit_bias", "service_tier", "temperature", "user"]);
    assert_eq!(answer.header("x-codexway-emulated"), Some("stop,max_tokens"));
    let content = answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(serde_json::from_str::<Value>(&content).unwrap()["a"].is_i64(), "{content}");
}

#[tokio::test]
async fn tool_choice_in_all_its_forms() {
    let server = TestServer::start().await;
    let body =
        |choice: Value| with(ask("hi"), json!({"tools": [weather_tool()], "tool_choice": choice}));
    for (asked, sent) in [
        (json!("required"), json!("required")),
        (json!("any"), json!("required")),
        (
            json!({"type": "function", "function": {"name": "get_weather"}}),
            json!({"type": "function", "name": "get_weather"}),
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "get_weather"}}]}}),
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]}),
        ),
    ] {
        server.chat(&body(asked)).await.ok();
        assert_eq!(server.last_turn()["tool_choice"], sent);
    }
    let without_tools = with(ask("hi"), json!({"tool_choice": "auto"}));
    assert_eq!(
        server.chat(&without_tools).await.ok().header("x-codexway-dropped"),
        Some("tool_choice")
    );
}

#[tokio::test]
async fn a_body_is_answered_in_the_dialect_of_its_shape_on_either_path() {
    let server = TestServer::start().await;
    let chat = server.responses(&ask("Say exactly yes")).await.ok().json();
    assert_eq!(
        (&chat["object"], &chat["choices"][0]["message"]["content"]),
        (&json!("chat.completion"), &json!("yes"))
    );
    let flat = json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false});
    let responses = json!({"model": "gpt-5.5", "input": "Say exactly yes", "tools": [flat]});
    assert_eq!(server.chat(&responses).await.ok().json()["object"], "response");
    // What is neither is told in the words of the path.
    server.chat(&json!({"model": "gpt-5.5"})).await.refused(
        400,
        "missing_required_parameter",
        "messages",
    );
    server.responses(&json!({"model": "gpt-5.5"})).await.refused(
        400,
        "missing_required_parameter",
        "input",
    );
}

#[tokio::test]
async fn the_web_is_searched_with_the_client_s_options() {
    let server = TestServer::start().await;
    let options = json!({"search_context_size": "low", "user_location": {
        "type": "approximate", "approximate": {"country": "AT", "city": "Graz"}}});
    server.chat(&with(ask("hi"), json!({"web_search_options": options}))).await.ok();
    assert_eq!(
        server.last_turn()["tools"],
        json!([{"type": "web_search", "search_context_size": "low",
                "user_location": {"type": "approximate", "country": "AT", "city": "Graz"}}])
    );
    let tools = json!({"tools": [{"type": "web_search_preview"}], "tool_choice": {"type": "web_search_preview"}});
    server.chat(&with(ask("hi"), tools)).await.ok();
    assert_eq!(server.last_turn()["tool_choice"], json!({"type": "web_search"}));
}
