//! Requests that the client got wrong.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn a_chat_request_at_fault_is_told_where() {
    let server = TestServer::start().await;
    let messages = |messages: Value| json!({"model": "gpt-5.5", "messages": messages});
    let said = |content: Value| messages(json!([{"role": "user", "content": content}]));
    let tools = |tools: Value| with(ask("hi"), json!({"tools": tools}));
    let image = |url: &str| said(json!([{"type": "image_url", "image_url": {"url": url}}]));
    for (body, code, param) in [
        (json!({"messages": []}), "missing_required_parameter", "model"),
        (json!({"model": "", "messages": []}), "missing_required_parameter", "model"),
        (json!({"model": "gpt-5.5"}), "missing_required_parameter", "messages"),
        (json!({"model": 1, "messages": []}), "invalid_type", "model"),
        (messages(json!("hi")), "invalid_type", "messages"),
        (messages(json!([])), "empty_array", "messages"),
        (messages(json!([123])), "invalid_type", "messages[0]"),
        (messages(json!([{}])), "missing_required_parameter", "messages[0].role"),
        (messages(json!([{"role": 123}])), "invalid_type", "messages[0].role"),
        (messages(json!([{"role": "robot", "content": "x"}])), "invalid_value", "messages[0].role"),
        (messages(json!([{"role": "robot"}, {"role": 123}])), "invalid_value", "messages[0].role"),
        (messages(json!([{"role": "user"}])), "missing_required_parameter", "messages[0].content"),
        (
            messages(json!([{"role": "system", "content": 123}])),
            "invalid_type",
            "messages[0].content",
        ),
        (
            messages(json!([{"role": "tool", "content": "x"}])),
            "missing_required_parameter",
            "messages[0].tool_call_id",
        ),
        (said(json!([{"type": "smell"}])), "invalid_value", "messages[0].content[0].type"),
        (
            said(json!([{"type": "text"}])),
            "missing_required_parameter",
            "messages[0].content[0].text",
        ),
        (said(json!([{"type": "text", "text": 1}])), "invalid_type", "messages[0].content[0].text"),
        (
            said(json!([{"type": "input_audio", "input_audio": {}}])),
            "unsupported_value",
            "messages[0].content[0]",
        ),
        (
            said(json!([{"type": "file", "file": {"file_id": "f"}}])),
            "unsupported_value",
            "messages[0].content[0].file.file_id",
        ),
        (image("file:///etc/passwd"), "invalid_value", "messages"),
        (image("data:image/png;base64,bm9uZQ=="), "invalid_value", "messages"),
        (tools(json!({})), "invalid_type", "tools"),
        (tools(json!([{"type": "function"}])), "missing_required_parameter", "tools[0].function"),
        (
            tools(json!([{"type": "function", "function": {}}])),
            "missing_required_parameter",
            "tools[0].function.name",
        ),
        (
            tools(json!([{"type": "function", "function": {"name": "f", "parameters": []}}])),
            "invalid_type",
            "tools[0].function.parameters",
        ),
        (with(ask("hi"), json!({"tool_choice": "maybe"})), "invalid_value", "tool_choice"),
        (
            with(
                tools(json!([{"type": "function", "function": {"name": "f"}}])),
                json!({"tool_choice": {"type": "function", "function": {"name": "g"}}}),
            ),
            "invalid_value",
            "tool_choice.function.name",
        ),
        (with(ask("hi"), json!({"stream": "yes"})), "invalid_type", "stream"),
        (with(ask("hi"), json!({"temperature": 3})), "decimal_above_max_value", "temperature"),
        (with(ask("hi"), json!({"temperature": "hot"})), "invalid_type", "temperature"),
        (with(ask("hi"), json!({"max_tokens": 0})), "integer_below_min_value", "max_tokens"),
        (with(ask("hi"), json!({"n": 0})), "integer_below_min_value", "n"),
        (with(ask("hi"), json!({"n": 129})), "integer_above_max_value", "n"),
        (
            with(ask("hi"), json!({"stop": ["a", "b", "c", "d", "e"]})),
            "array_above_max_length",
            "stop",
        ),
        (with(ask("hi"), json!({"reasoning_effort": "huge"})), "invalid_value", "reasoning_effort"),
        (
            with(ask("hi"), json!({"modalities": ["text", "audio"]})),
            "unsupported_value",
            "modalities",
        ),
        (
            with(ask("hi"), json!({"response_format": {"type": "sound"}})),
            "invalid_value",
            "response_format.type",
        ),
        (
            with(ask("hi"), json!({"response_format": {"type": "json_schema"}})),
            "missing_required_parameter",
            "response_format.json_schema",
        ),
        (
            with(
                ask("hi"),
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}),
            ),
            "missing_required_parameter",
            "response_format.json_schema.schema",
        ),
    ] {
        let answer = server.chat(&body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let (_, error) = answer.error();
        assert_eq!(
            (error["code"].as_str(), error["param"].as_str()),
            (Some(code), Some(param)),
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn a_responses_request_at_fault_is_told_where() {
    let server = TestServer::start().await;
    let input = |input: Value| json!({"model": "gpt-5.5", "input": input});
    let hi = |more: Value| with(input(json!("hi")), more);
    for (body, code, param) in [
        (json!({"input": "hi"}), "missing_required_parameter", "model"),
        (json!({"model": "gpt-5.5"}), "missing_required_parameter", "input"),
        (input(json!(5)), "invalid_type", "input"),
        (input(json!([])), "empty_array", "input"),
        (input(json!(["hi"])), "invalid_type", "input[0]"),
        (
            input(json!([{"type": "message", "role": "user"}])),
            "missing_required_parameter",
            "input[0].content",
        ),
        (input(json!([{"role": "robot", "content": "x"}])), "invalid_value", "input[0].role"),
        (input(json!([{"type": 3}])), "invalid_type", "input[0].type"),
        (hi(json!({"instructions": 3})), "invalid_type", "instructions"),
        (
            hi(json!({"tools": [{"type": "function"}]})),
            "missing_required_parameter",
            "tools[0].name",
        ),
        (hi(json!({"reasoning": {"effort": "huge"}})), "invalid_value", "reasoning.effort"),
        (hi(json!({"text": {"verbosity": "loud"}})), "invalid_value", "text.verbosity"),
        (hi(json!({"text": {"format": {"type": "sound"}}})), "invalid_value", "text.format.type"),
        (hi(json!({"parallel_tool_calls": "no"})), "invalid_type", "parallel_tool_calls"),
        (hi(json!({"truncation": "maybe"})), "invalid_value", "truncation"),
    ] {
        let answer = server.responses(&body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let (_, error) = answer.error();
        assert_eq!(
            (error["code"].as_str(), error["param"].as_str()),
            (Some(code), Some(param)),
            "{body}: {error}"
        );
    }
    assert!(server.turns().is_empty());
}

#[tokio::test]
async fn a_list_is_no_object_even_if_its_items_would_fit() {
    let server = TestServer::start().await;
    let called = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [["call_1", ["f", "{}"]]]},
    ]);
    for (more, param) in [
        (json!({"messages": [["user", "hi"]]}), "messages[0]"),
        (
            json!({"messages": [{"role": "user", "content": [["text", "hi"]]}]}),
            "messages[0].content[0]",
        ),
        (json!({"messages": called}), "messages[1].tool_calls[0]"),
        (json!({"tools": [["function", ["f"]]]}), "tools[0]"),
        (json!({"functions": [["f"]]}), "functions[0]"),
        (json!({"response_format": ["text"]}), "response_format"),
        (json!({"stream_options": [true]}), "stream_options"),
    ] {
        let answer = server.chat(&with(ask("hi"), more)).await;
        answer.refused(400, "invalid_type", param);
    }
    let body = json!({"model": "gpt-5.5", "input": "hi", "stream_options": ["sequential_cutoff"]});
    server.responses(&body).await.refused(400, "invalid_type", "stream_options");
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_400() {
    let server = TestServer::start().await;
    for path in ["/v1/chat/completions", "/v1/responses"] {
        for body in [
            "",
            "{",
            "null",
            "[1]",
            "\"hi\"",
            "{\"model\":\"a\"} x",
            "\u{feff}",
            "{\"model\":\"\\ud800\"}",
        ] {
            let request = server.client.post(format!("{}{path}", server.url)).body(body);
            let (status, error) = server.send(request).await.error();
            assert_eq!(
                (status, &error["type"]),
                (400, &json!("invalid_request_error")),
                "{body:?}"
            );
        }
        let deep = format!(
            r#"{{"model":"gpt-5.5","messages":{0}{1},"input":{0}{1}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let request = server.client.post(format!("{}{path}", server.url)).body(deep);
        assert_eq!(server.send(request).await.error().0, 400);
    }
}

#[tokio::test]
async fn an_unknown_model_is_a_404_with_the_nearest_names() {
    let server = TestServer::start().await;
    for answer in [
        server.chat(&with(ask("hi"), json!({"model": "gpt-5.6-son"}))).await,
        server.responses(&json!({"model": "gpt-5.6-son", "input": "hi"})).await,
    ] {
        let error = answer.refused(404, "model_not_found", "model");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("The model `gpt-5.6-son` does not exist"), "{message}");
        assert!(message.contains("`gpt-5.6-sol`"), "{message}");
    }
    assert!(server.turns().is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_that_arrives() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__MAX_BODY", "1MiB")]).await;
    let url = format!("{}/v1/chat/completions", server.url);
    let request = server.client.post(&url).body(vec![b'x'; 9 << 20]);
    server.send(request).await.refused(413, "request_too_large", Value::Null);

    // What is small on the wire may be large all the same.
    let bomb = zstd::encode_all(&vec![b' '; 9 << 20][..], 3).unwrap();
    let request = server.client.post(&url).header("content-encoding", "zstd").body(bomb);
    server.send(request).await.refused(413, "request_too_large", Value::Null);
    let request = server.client.post(&url).header("content-encoding", "zstd").body("no zstd");
    assert_eq!(server.send(request).await.error().0, 400);
    let request = server.client.post(&url).header("content-encoding", "br").body("x");
    server.send(request).await.refused(415, "unsupported_content_encoding", Value::Null);
}

#[tokio::test]
async fn a_compressed_body_is_read() {
    let server = TestServer::start().await;
    let body = zstd::encode_all(ask("Say exactly yes").to_string().as_bytes(), 3).unwrap();
    let request = server.client.post(format!("{}/v1/chat/completions", server.url));
    let request = request.header("content-encoding", "zstd").body(body);
    let answer = server.send(request).await.ok().json();
    assert_eq!(answer["choices"][0]["message"]["content"], "yes");
}
