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
