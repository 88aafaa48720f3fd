use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, ask, kinds, with};

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

#[tokio::test]
async fn a_whole_answer_is_one_completion() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("hello"));
    let answer = server.chat(&ask("hi")).await.ok();
    let mut body = answer.json();
    for key in ["id", "created", "usage", "service_tier"] {
        body[key].take();
    }
    assert_eq!(
        body,
        json!({
            "id": null, "object": "chat.completion", "created": null, "model": "gpt-5.5",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": "hello", "refusal": null, "annotations": []},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": null, "service_tier": null,
        })
    );
    assert_eq!(answer.header("x-codexway-upstream"), Some("codex;http"));
    assert_eq!(answer.header("x-codexway-dropped"), None);
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.header("x-codex-primary-used-percent").is_some());
    assert!(answer.header("x-ratelimit-remaining-requests").is_some());
    assert!(answer.header("openai-processing-ms").is_some());
}

#[tokio::test]
async fn a_streamed_answer_has_one_role_the_text_and_one_finish() {
    let server = TestServer::start().await;
    server.simulator.script(Script::new().deltas(&["he", "llo \"\n", "wörld 🦀"]));
    let answer = server.chat(&streamed("hi")).await.ok();
    let (deltas, finish) = deltas(&answer);
    assert_eq!(
        deltas,
        [
            json!({"role": "assistant", "content": "", "refusal": null}),
            json!({"content": "he"}),
            json!({"content": "llo \"\n"}),
            json!({"content": "wörld 🦀"}),
        ]
    );
    assert_eq!(finish, "stop");
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert!(answer.frames().iter().all(|frame| frame.event.is_none()));
    let without_usage =
        |frame: &crate::support::Frame| frame.is_done() || frame.json().get("usage").is_none();
    assert!(answer.frames().iter().all(without_usage), "usage was not asked for");
}

#[tokio::test]
async fn the_usage_chunk_comes_last_and_only_when_asked_for() {
    let server = TestServer::start().await;
    let body = with(streamed("hi"), json!({"stream_options": {"include_usage": true}}));
    let frames = server.chat(&body).await.ok().frames();
    let (usage, others) = frames[..frames.len() - 1].split_last().unwrap();
    assert_eq!(usage.json()["choices"], json!([]));
    let told = &usage.json()["usage"];
    assert_eq!(
        told["prompt_tokens"].as_u64().unwrap() + told["completion_tokens"].as_u64().unwrap(),
        told["total_tokens"].as_u64().unwrap()
    );
    assert!(told["prompt_tokens_details"]["cached_tokens"].is_u64());
    assert!(told["completion_tokens_details"]["reasoning_tokens"].is_u64());
    assert!(others.iter().all(|frame| frame.json()["usage"].is_null()));
}

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
async fn items_without_deltas_lose_nothing() {
    let server = TestServer::start().await;
    let script = || {
        let script = Script::new().reasoning("thinking").message("well");
        script.tool_call("get_weather", r#"{"city":"Paris"}"#).whole_items()
    };
    let body = with(streamed("weather?"), json!({"tools": [weather_tool()]}));
    server.simulator.script(script());
    let (deltas, finish) = deltas(&server.chat(&body).await.ok());
    assert_eq!(deltas[1], json!({"reasoning_content": "thinking"}));
    assert_eq!(deltas[2], json!({"content": "well"}));
    assert_eq!(deltas[4]["tool_calls"][0]["function"]["arguments"], r#"{"city":"Paris"}"#);
    assert_eq!((deltas.len(), &*finish), (5, "tool_calls"));

    server.simulator.script(script());
    let body = with(body, json!({"stream": false}));
    let message = &server.chat(&body).await.ok().json()["choices"][0]["message"];
    assert_eq!(message["content"], "well");
    assert_eq!(message["reasoning_content"], "thinking");
    assert_eq!(message["tool_calls"][0]["function"]["name"], "get_weather");
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
async fn reasoning_is_shown_in_the_format_that_the_profile_chooses() {
    let script = || Script::new().reasoning("first").message("answer");
    let text = |deltas: &[Value], key: &str| -> String {
        deltas.iter().filter_map(|delta| delta[key].as_str()).collect()
    };
    for (format, key, expected, content) in [
        ("reasoning_content", "reasoning_content", "first", "answer"),
        ("reasoning", "reasoning", "first", "answer"),
        (
            "think-tags",
            "content",
            "<think>first</think>\n\nanswer",
            "<think>first</think>\n\nanswer",
        ),
        ("none", "reasoning_content", "", "answer"),
    ] {
        let vars = [("CODEXWAY__PROFILES__CODEX__REASONING__FORMAT", format)];
        let server = TestServer::with_vars(&vars).await;
        server.simulator.script(script());
        let (deltas, _) = deltas(&server.chat(&streamed("hi")).await.ok());
        assert_eq!(
            (text(&deltas, key), text(&deltas, "content")),
            (expected.into(), content.into()),
            "{format}"
        );
        server.simulator.script(script());
        let message = server.chat(&ask("hi")).await.ok().json()["choices"][0]["message"].clone();
        assert_eq!(message["content"], content, "{format}");
    }
}

#[tokio::test]
async fn a_commentary_and_an_answer_are_one_text_but_only_the_answer_is_json() {
    let server = TestServer::start().await;
    let script = || {
        let script = Script::new().message_with_phase("commentary", "let me see");
        script.message_with_phase("final_answer", r#"{"a":1}"#)
    };
    let format = json!({"response_format": {"type": "json_object"}});
    for (extra, expected) in [(json!({}), "let me see\n\n{\"a\":1}"), (format, r#"{"a":1}"#)] {
        server.simulator.script(script());
        let body = with(ask("json"), extra);
        let whole = server.chat(&body).await.ok().json();
        assert_eq!(whole["choices"].as_array().unwrap().len(), 1);
        assert_eq!(whole["choices"][0]["message"]["content"], expected);
        server.simulator.script(script());
        let (deltas, _) = deltas(&server.chat(&with(body, json!({"stream": true}))).await.ok());
        let text: String = deltas.iter().filter_map(|delta| delta["content"].as_str()).collect();
        assert_eq!(text, expected);
    }
}

#[tokio::test]
async fn an_incomplete_turn_ends_in_its_reason_even_with_a_call_in_it() {
    let server = TestServer::start().await;
    for (reason, finish) in [("max_output_tokens", "length"), ("content_filter", "content_filter")]
    {
        for stream in [false, true] {
            let script =
                Script::new().tool_call("get_weather", r#"{"city":"Par"#).incomplete(reason);
            server.simulator.script(script);
            let body = with(ask("weather?"), json!({"stream": stream, "tools": [weather_tool()]}));
            let answer = server.chat(&body).await.ok();
            let told = match stream {
                true => deltas(&answer).1,
                false => answer.json()["choices"][0]["finish_reason"].as_str().unwrap().to_owned(),
            };
            assert_eq!(told, finish);
        }
    }
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

#[tokio::test]
async fn encrypted_reasoning_comes_back_before_the_call_it_led_to() {
    let server = TestServer::start().await;
    for stream in [true, false] {
        let script =
            Script::new().reasoning("let me look").tool_call("get_weather", r#"{"city":"Paris"}"#);
        server.simulator.script(script);
        let first = with(ask("weather?"), json!({"tools": [weather_tool()], "stream": stream}));
        let answer = server.chat(&first).await.ok();
        let id = match stream {
            true => deltas(&answer)
                .0
                .iter()
                .find_map(|delta| delta["tool_calls"][0]["id"].as_str().map(str::to_owned)),
            false => answer.json()["choices"][0]["message"]["tool_calls"][0]["id"]
                .as_str()
                .map(str::to_owned),
        };
        let id = id.unwrap();
        let mut second = first.clone();
        second["messages"].as_array_mut().unwrap().extend([
            json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]}),
            json!({"role": "tool", "tool_call_id": id, "content": "rain"}),
        ]);
        server.chat(&second).await.ok();
        let sent = server.last_turn();
        let kinds = kinds(&sent["input"]);
        assert_eq!(kinds, ["message", "reasoning", "function_call", "function_call_output"]);
        assert!(
            sent["input"][1]["encrypted_content"].is_string()
                && sent["input"][1].get("id").is_none()
        );
    }
}

#[tokio::test]
async fn reasoning_that_the_backend_cannot_read_any_more_is_left_out_once() {
    let server = TestServer::start().await;
    let body = json!({"model": "gpt-5.5", "input": [
        {"type": "message", "role": "user", "content": "Say exactly yes"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABnotours"},
    ]});
    let answer = server.responses(&body).await.ok().json();
    let output = answer["output"].as_array().unwrap();
    assert_eq!(output.last().unwrap()["content"][0]["text"], "yes");
    let statuses: Vec<u16> = server.turns().iter().map(|turn| turn.status).collect();
    assert_eq!(statuses, [400, 200]);
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
async fn reasoning_is_asked_for_and_hidden_in_the_words_of_other_routers() {
    let server = TestServer::start().await;
    for (asked, effort, shown) in [
        (json!({"reasoning": {"effort": "high"}}), json!("high"), true),
        (json!({"reasoning": {"effort": "high", "exclude": true}}), json!("high"), false),
        (json!({"include_reasoning": false}), Value::Null, false),
        (json!({"reasoning": {"enabled": true}, "include_reasoning": true}), Value::Null, true),
        (json!({"reasoning_effort": "low", "reasoning": {"effort": "high"}}), json!("low"), true),
    ] {
        server.simulator.script(Script::new().reasoning("hm").message("well"));
        let answer = server.chat(&with(ask("hi"), asked.clone())).await.ok();
        assert_eq!(server.last_turn()["reasoning"]["effort"], effort, "{asked}");
        let message = answer.json()["choices"][0]["message"].clone();
        assert_eq!(message.get("reasoning_content").is_some(), shown, "{asked}: {message}");
        assert_eq!(answer.header("x-codexway-dropped"), None);
    }
    let body = with(ask("hi"), json!({"reasoning": {"max_tokens": 2000}}));
    let answer = server.chat(&body).await.ok();
    assert_eq!(answer.header("x-codexway-dropped"), Some("reasoning.max_tokens"));
    let body = with(ask("hi"), json!({"reasoning": {"effort": "huge"}}));
    server.chat(&body).await.refused(400, "invalid_value", "reasoning.effort");
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

#[tokio::test]
async fn an_image_that_was_made_is_shown() {
    let server = TestServer::start().await;
    let tools = json!({"tools": [{"type": "image_generation"}]});
    server.simulator.script(Script::text("here").image_generation());
    let whole = server.chat(&with(ask("draw"), tools.clone())).await.ok().json();
    let images = whole["choices"][0]["message"]["images"].clone();
    assert!(images[0]["image_url"]["url"].as_str().unwrap().starts_with("data:image/png;base64,"));
    server.simulator.script(Script::text("here").image_generation());
    let answer = server.chat(&with(streamed("draw"), tools)).await.ok();
    let (chunks, _) = answer.chunks();
    let delta = chunks.iter().find_map(|chunk| chunk["choices"][0]["delta"].get("images"));
    assert_eq!(delta, Some(&images));
}
