use codexway::simulator::Script;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, ask, with};

/// A request whose client has instructions of its own.
fn instructed() -> Value {
    json!({"model": "gpt-5.5", "messages": [
        {"role": "system", "content": "Sei größer 🦀"},
        {"role": "user", "content": "hi"},
    ]})
}

fn capable(body: Value, capabilities: Value) -> Value {
    with(body, json!({"codex_capabilities": capabilities}))
}

/// Role and texts of each message that was sent upstream.
fn sent(server: &TestServer) -> Vec<(String, Vec<String>)> {
    let body = server.last_turn();
    let items = body["input"].as_array().unwrap();
    let text = |part: &Value| part["text"].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| {
            let texts = item["content"].as_array().unwrap().iter().map(text).collect();
            (item["role"].as_str().unwrap().to_owned(), texts)
        })
        .collect()
}

fn message(role: &str, texts: &[&str]) -> (String, Vec<String>) {
    (role.to_owned(), texts.iter().map(|text| (*text).to_owned()).collect())
}

fn tool_names(server: &TestServer) -> Vec<String> {
    let body = server.last_turn();
    let tools = body["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_prompt_is_the_client_s_unless_it_says_otherwise() {
    let server = TestServer::start().await;
    server.chat(&instructed()).await.ok();
    let plain = [message("developer", &["Sei größer 🦀"]), message("user", &["hi"])];
    assert_eq!(
        (server.last_turn()["instructions"].as_str(), sent(&server)),
        (Some(""), plain.to_vec())
    );

    server.chat(&capable(instructed(), json!({"prompt_mode": "merge_custom"}))).await.ok();
    let base = server.last_turn()["instructions"].as_str().unwrap().to_owned();
    assert!(base.starts_with("You are a coding agent."), "{base}");
    assert_eq!(sent(&server), plain);

    server.chat(&capable(instructed(), json!({"prompt_mode": "codex_default"}))).await.ok();
    assert_eq!(server.last_turn()["instructions"], base);
    assert_eq!(sent(&server), [message("user", &["Sei größer 🦀", "hi"])]);

    server.chat(&capable(instructed(), json!({"prompt_mode": null}))).await.ok();
    assert_eq!(sent(&server), plain);

    let body = json!({"model": "gpt-5.5", "input": "hi", "instructions": "Sei größer 🦀"});
    server.responses(&capable(body, json!({"prompt_mode": "merge_custom"}))).await.ok();
    assert_eq!(server.last_turn()["instructions"], format!("{base}\n\nSei größer 🦀"));
}

#[tokio::test]
async fn a_profile_may_have_a_base_prompt_of_the_user_s() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompt.txt");
    std::fs::write(&file, "Mine.\n").unwrap();
    let server = TestServer::with_vars(&[
        ("CODEXWAY__PROFILES__CODEX__INSTRUCTIONS", "merge"),
        ("CODEXWAY__PROFILES__CODEX__BASE_PROMPT", file.to_str().unwrap()),
    ])
    .await;
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.last_turn()["instructions"], "Mine.");
}

#[tokio::test]
async fn the_official_client_s_tools_are_offered_to_those_who_want_them() {
    let server = TestServer::start().await;
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}});
    let body = |mode: &str, tools: &[Value]| {
        capable(with(ask("hi"), json!({"tools": tools})), json!({"tool_schema_mode": mode}))
    };
    server.chat(&body("custom_only", &[tool("f")])).await.ok();
    assert_eq!(tool_names(&server), ["f"]);
    server.chat(&body("merge_custom", &[tool("f")])).await.ok();
    assert_eq!(tool_names(&server), ["f", "shell", "apply_patch"]);
    // The client runs its own `shell`.
    server.chat(&body("merge_custom", &[tool("shell")])).await.ok();
    assert_eq!(tool_names(&server), ["shell", "apply_patch"]);
    let answer = server.chat(&body("codex_default", &[tool("f")])).await.ok();
    assert_eq!(tool_names(&server), ["shell", "apply_patch"]);
    assert_eq!(answer.header("x-codexway-dropped"), Some("tools"));
}

#[tokio::test]
async fn the_model_is_told_of_the_machine_when_that_is_wanted() {
    let server = TestServer::start().await;
    let body = with(
        ask("hi"),
        json!({"extra_body": {
            "codex_capabilities": {"include_environment_context": true}, "cwd": "/a <b>",
        }}),
    );
    let answer = server.chat(&body).await.ok();
    let (role, texts) = sent(&server).remove(0);
    assert_eq!(role, "user");
    assert!(
        texts[0].starts_with("<environment_context>\n  <cwd>/a &lt;b&gt;</cwd>\n"),
        "{texts:?}"
    );
    assert!(texts[0].contains("<sandbox_mode>read-only</sandbox_mode>"));
    assert_eq!(answer.header("x-codexway-dropped"), None);
}

#[tokio::test]
async fn a_profile_may_serve_one_dialect_only() {
    let server =
        TestServer::with_vars(&[("CODEXWAY__PROFILES__CODEX__PROTOCOL", "openai-chat")]).await;
    server.chat(&ask("hi")).await.ok();
    let body = json!({"model": "gpt-5.5", "input": "hi"});
    server.responses(&body).await.refused(400, "unsupported_value", "protocol");
    server.responses(&capable(body, json!({"protocol": "auto"}))).await.ok();
}

#[tokio::test]
async fn a_capability_at_fault_is_told_where() {
    let server = TestServer::start().await;
    for (capabilities, code, param) in [
        (json!({"prompt_mode": "mine"}), "invalid_value", "codex_capabilities.prompt_mode"),
        (json!({"prompt_mode": 1}), "invalid_type", "codex_capabilities.prompt_mode"),
        (json!({"prompt": "x"}), "invalid_value", "codex_capabilities.prompt"),
        (
            json!({"bypass_tool_call_reactor": "yes"}),
            "invalid_type",
            "codex_capabilities.bypass_tool_call_reactor",
        ),
        (json!([1]), "invalid_type", "codex_capabilities"),
    ] {
        server.chat(&capable(ask("hi"), capabilities)).await.refused(400, code, param);
    }
    let bare = with(ask("hi"), json!({"extra_body": {"tool_schema_mode": "none"}}));
    server.chat(&bare).await.refused(400, "invalid_value", "tool_schema_mode");
}

#[tokio::test]
async fn a_header_may_hold_capabilities_for_who_cannot_add_to_the_body() {
    let server = TestServer::start().await;
    let ask_with = async |header: &str, body: &Value| {
        let request = server.client.post(format!("{}/v1/chat/completions", server.url));
        server.send(request.header("x-codexway-capabilities", header).json(body)).await
    };
    for header in [
        "prompt_mode=merge_custom, tool_schema_mode=merge_custom",
        "prompt_mode = merge_custom; bypass_tool_call_reactor=false; tool_schema_mode=merge_custom;",
        r#"{"prompt_mode": "merge_custom", "tool_schema_mode": "merge_custom", "codex_passthrough": false}"#,
    ] {
        ask_with(header, &instructed()).await.ok();
        let base = server.last_turn()["instructions"].as_str().unwrap().to_owned();
        assert!(base.starts_with("You are a coding agent."), "{header}: {base}");
        assert_eq!(tool_names(&server), ["shell", "apply_patch"], "{header}");
    }
    // The body is nearer to the turn.
    let body = capable(instructed(), json!({"prompt_mode": "custom_only"}));
    ask_with("prompt_mode=merge_custom", &body).await.ok();
    assert_eq!(server.last_turn()["instructions"], "");
    for (header, code, param) in [
        ("prompt_mode=mine", "invalid_value", "x-codexway-capabilities.prompt_mode"),
        ("prompt=x", "invalid_value", "x-codexway-capabilities.prompt"),
        (
            "bypass_tool_call_reactor=1",
            "invalid_type",
            "x-codexway-capabilities.bypass_tool_call_reactor",
        ),
        ("prompt_mode", "invalid_value", "x-codexway-capabilities"),
        ("{prompt_mode", "invalid_value", "x-codexway-capabilities"),
    ] {
        ask_with(header, &instructed()).await.refused(400, code, param);
    }
}

#[tokio::test]
async fn the_model_s_name_may_say_profile_effort_verbosity_and_tier() {
    let second: [(&str, &str); 2] = [
        ("CODEXWAY__PROFILES__TERSE__VERBOSITY", "low"),
        ("CODEXWAY__PROFILES__CODEX__ALIASES", r#"{"quick": "gpt-5.5-low-fast"}"#),
    ];
    let server = TestServer::with_vars(&second[..1]).await;
    let told = |answer: Answer| answer.ok().json()["model"].as_str().unwrap().to_owned();
    for (name, effort, verbosity, tier) in [
        ("gpt-5.5-high", json!("high"), Value::Null, Value::Null),
        ("gpt-5.5:high", json!("high"), Value::Null, Value::Null),
        ("gpt-5.5(minimal)", json!("low"), Value::Null, Value::Null),
        ("gpt-5.5-xhigh-fast", json!("xhigh"), Value::Null, json!("priority")),
        ("gpt-5.5?reasoning_effort=high&verbosity=low", json!("high"), json!("low"), Value::Null),
        ("terse:gpt-5.5-high", json!("high"), json!("low"), Value::Null),
        ("openai-codex:gpt-5.5?verbosity=high", Value::Null, json!("high"), Value::Null),
        ("auto", Value::Null, Value::Null, Value::Null),
    ] {
        let answer = server.chat(&with(ask("hi"), json!({"model": name}))).await;
        let model = told(answer);
        let sent = server.last_turn();
        let got = (&sent["reasoning"]["effort"], &sent["text"]["verbosity"], &sent["service_tier"]);
        assert_eq!(got, (&effort, &verbosity, &tier), "{name}");
        assert!(name.ends_with(&model), "{name}: {model}");
    }
    // The name is the most deliberate place.
    let body = with(ask("hi"), json!({"model": "gpt-5.5-high", "reasoning_effort": "low"}));
    server.chat(&body).await.ok();
    assert_eq!(server.last_turn()["reasoning"]["effort"], "high");
    for unknown in ["nobody:gpt-5.5", "gpt-5.5-huge", "gpt-5.5?x=1"] {
        let answer = server.chat(&with(ask("hi"), json!({"model": unknown}))).await;
        answer.refused(404, "model_not_found", "model");
    }
}

fn weather() -> Value {
    json!({"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}]})
}

#[tokio::test]
async fn calls_are_shown_as_text_too_where_that_is_wanted() {
    let server = TestServer::start().await;
    let script =
        || Script::new().message("Let me see.").tool_call("get_weather", r#"{"city":"Graz"}"#);
    for (format, text) in [
        ("markdown", "**get_weather**\n\n```json\n{\n  \"city\": \"Graz\"\n}\n```"),
        ("codex_xml", "<get_weather>\n<city>Graz</city>\n</get_weather>"),
        ("summary", "get_weather(city: \"Graz\")"),
    ] {
        let expected = format!("Let me see.\n\n{text}");
        let body = capable(with(ask("hi"), weather()), json!({"tool_text_format": format}));
        server.simulator.script(script());
        let choice = server.chat(&body).await.ok().json()["choices"][0].clone();
        assert_eq!(choice["message"]["content"], expected);
        let call = &choice["message"]["tool_calls"][0]["function"];
        assert_eq!(call, &json!({"name": "get_weather", "arguments": "{\"city\":\"Graz\"}"}));
        assert_eq!(choice["finish_reason"], "tool_calls");
        server.simulator.script(script());
        let answer = server.chat(&with(body, json!({"stream": true}))).await.ok();
        let said: String = answer
            .frames()
            .iter()
            .filter(|frame| !frame.is_done())
            .filter_map(|frame| {
                frame.json()["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
            })
            .collect();
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn calls_are_mended_where_that_is_wanted() {
    let server = TestServer::start().await;
    let script = || Script::new().tool_call("functions.getWeather", "{'city': 'Graz',}");
    let plain = with(ask("hi"), weather());
    let mended = capable(plain.clone(), json!({"bypass_tool_call_reactor": false}));
    let call =
        |answer: &Value| answer["choices"][0]["message"]["tool_calls"][0]["function"].clone();
    server.simulator.script(script());
    let answer = server.chat(&plain).await.ok().json();
    let untouched = json!({"name": "functions.getWeather", "arguments": "{'city': 'Graz',}"});
    assert_eq!(call(&answer), untouched);
    let right = json!({"name": "get_weather", "arguments": "{\"city\":\"Graz\"}"});
    server.simulator.script(script());
    assert_eq!(call(&server.chat(&mended).await.ok().json()), right);

    server.simulator.script(script());
    let answer = server.chat(&with(mended, json!({"stream": true}))).await.ok();
    let (mut name, mut arguments) = (String::new(), String::new());
    for frame in answer.frames().iter().filter(|frame| !frame.is_done()) {
        let call = &frame.json()["choices"][0]["delta"]["tool_calls"][0]["function"];
        name.push_str(call["name"].as_str().unwrap_or_default());
        arguments.push_str(call["arguments"].as_str().unwrap_or_default());
    }
    assert_eq!(json!({"name": name, "arguments": arguments}), right);
}

#[tokio::test]
async fn the_profiles_that_ship_as_examples_do_what_they_say() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let instructed_input =
        json!({"model": "gpt-5.5", "input": "hi", "instructions": "Sei größer 🦀"});
    for (file, chat) in [("chat-clients.toml", true), ("responses-clients.toml", false)] {
        let server = TestServer::with_file(&folder.join(file)).await;
        let (served, other) = if chat {
            let served = server.chat(&with(instructed(), weather())).await;
            (served, server.responses(&instructed_input).await)
        } else {
            let tool = json!({"type": "function", "name": "get_weather", "strict": false,
                "parameters": {"type": "object", "properties": {}}});
            let body = with(instructed_input.clone(), json!({"tools": [tool]}));
            let served = server.responses(&body).await;
            assert_eq!(server.last_turn()["tools"], json!([tool]));
            (served, server.chat(&instructed()).await)
        };
        served.ok();
        other.refused(400, "unsupported_value", "protocol");
        let base = server.last_turn()["instructions"].as_str().unwrap().to_owned();
        assert!(base.starts_with("You are a coding agent."), "{base}");
        assert_eq!(sent(&server), [message("user", &["Sei größer 🦀", "hi"])]);
        assert_eq!(tool_names(&server), ["get_weather"]);
    }
}
