use codexway::simulator::Options;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Setup, TestServer, ask, kinds, with};

#[tokio::test]
async fn a_message_in_the_input_may_leave_out_its_type() {
    let server = TestServer::start().await;
    let bare =
        json!({"role": "user", "content": [{"type": "input_text", "text": "Say exactly pong"}]});
    let typed = with(bare.clone(), json!({"type": "message"}));
    let mut sent = Vec::new();
    for item in [bare, typed] {
        let body = json!({"model": "gpt-5.5", "input": [item]});
        let response = server.responses(&body).await.ok().json();
        let said = response["output"].as_array().unwrap().last().unwrap()["content"][0].clone();
        assert_eq!(said["text"], "pong");
        assert_eq!(kinds(&server.last_turn()["input"]), ["message"]);
        sent.push(server.last_turn()["input"].clone());
    }
    assert_eq!(sent[0], sent[1]);
}

/// The backend of June 2026 refused a turn whose `instructions` it did not like; ours are always
/// there, and nothing that clients call a system text ends up where it is refused.
#[tokio::test]
async fn system_text_of_any_shape_passes_a_backend_that_wants_instructions() {
    let simulator = Options { instructions_required: true, ..Options::default() };
    let server = TestServer::with(Setup { simulator, ..Setup::default() }).await;
    let user = json!({"role": "user", "content": "hi"});
    let parts = json!([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]);
    let systems = [
        json!([]),
        json!([{"role": "system", "content": ""}]),
        json!([{"role": "system", "content": "You are OpenHands agent."}]),
        json!([{"role": "system", "content": parts}]),
        json!([{"role": "developer", "content": "Be brief."}]),
        json!([{"role": "system", "content": "one"}, {"role": "system", "content": "größer 🦀"}]),
        json!([{"role": "system", "content": "x".repeat(100_000)}]),
    ];
    for system in &systems {
        let mut messages = system.as_array().unwrap().clone();
        messages.push(user.clone());
        server.chat(&json!({"model": "gpt-5.5", "messages": messages})).await.ok();
    }
    for system in &systems[..4] {
        let mut input = system.clone();
        for part in input
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .flat_map(|m| m["content"].as_array_mut())
            .flatten()
        {
            part["type"] = json!("input_text");
        }
        input.as_array_mut().unwrap().push(user.clone());
        server.responses(&json!({"model": "gpt-5.5", "input": input})).await.ok();
    }
    for instructions in [Value::Null, json!(""), json!("You are brief."), json!("größer 🦀")] {
        let body = json!({"model": "gpt-5.5", "input": "hi", "instructions": instructions});
        server.responses(&body).await.ok();
    }
    let turns = server.turns();
    assert_eq!(turns.len(), systems.len() + 4 + 4);
    for turn in turns {
        let sent = turn.json();
        assert!(sent["instructions"].is_string(), "{sent}");
        let roles = sent["input"].as_array().unwrap().iter().map(|item| &item["role"]);
        assert!(!roles.into_iter().any(|role| role == "system"), "{sent}");
    }
}

#[tokio::test]
async fn each_upstream_may_go_by_a_name_of_its_own() {
    let simulator = codexway::simulator::Simulator::start(Options::default()).await.unwrap();
    let auth_json = simulator.auth_json();
    let upstream = |name: &str, setting: &str| -> &'static str {
        format!("CODEXWAY__UPSTREAMS__{name}__{setting}").leak()
    };
    let mut vars = vec![
        (upstream("CODEX", "ORIGINATOR"), "codex_cli_rs".to_owned()),
        (
            upstream("CODEX", "USER_AGENT"),
            "codex_cli_rs/0.155.0 (via codexway/{version})".to_owned(),
        ),
        (upstream("PI", "ORIGINATOR"), "pi".to_owned()),
        (upstream("PI", "HEADERS"), r#"{ "OpenAI-Beta" = "responses=experimental" }"#.to_owned()),
        ("CODEXWAY__PROFILES__OTHER__UPSTREAM", "pi".to_owned()),
    ];
    for (setting, url) in [("BASE_URL", simulator.base_url()), ("AUTH_URL", simulator.auth_url())] {
        vars.push((upstream("PI", setting), url));
    }
    let server = TestServer::before(simulator, &vars, &auth_json).await;
    server.chat(&ask("hi")).await.ok();
    server.chat(&with(ask("hi"), json!({"model": "other:gpt-5.5"}))).await.ok();
    let [usual, other] = server.turns().try_into().unwrap();
    let told = |turn: &codexway::simulator::Recorded| {
        ["originator", "user-agent", "openai-beta"].map(|name| turn.header(name).to_owned())
    };
    let version = env!("CARGO_PKG_VERSION");
    let agent = format!("codex_cli_rs/0.155.0 (via codexway/{version})");
    assert_eq!(told(&usual), ["codex_cli_rs", &*agent, ""]);
    assert_eq!(told(&other), ["pi", &*format!("codexway/{version}"), "responses=experimental"]);
    // The catalogue is asked for by the same name.
    server.get("/v1/models").await.ok();
    let asked = server.simulator.requests().pop().unwrap();
    assert_eq!(
        (&*asked.path, asked.header("originator")),
        ("/backend-api/codex/models", "codex_cli_rs")
    );
}

#[tokio::test]
async fn no_limit_of_tokens_goes_upstream() {
    let server = TestServer::start().await;
    let response = json!({"model": "gpt-5.5", "input": "hi"});
    for (path, body, limit) in [
        ("/v1/chat/completions", ask("hi"), "max_tokens"),
        ("/v1/chat/completions", ask("hi"), "max_completion_tokens"),
        ("/v1/responses", response, "max_output_tokens"),
    ] {
        let answer = server.post(path, &with(body, json!({limit: 4096}))).await.ok();
        assert_eq!(answer.header("x-codexway-emulated"), Some(limit));
        let sent = server.last_turn();
        let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        assert!(limits.iter().all(|name| sent.get(name).is_none()), "{sent}");
    }
}

#[tokio::test]
async fn a_question_without_tools_is_answered() {
    let server = TestServer::start().await;
    const ASKED: &str = "Say 'ok' and nothing else.";
    let answer = server.chat(&ask(ASKED)).await.ok().json();
    assert_eq!(answer["choices"][0]["message"]["content"], "ok");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let body = json!({"model": "gpt-5.5", "input": ASKED});
    let response = server.responses(&body).await.ok().json();
    assert_eq!(response["output"].as_array().unwrap().last().unwrap()["content"][0]["text"], "ok");
    for turn in server.turns() {
        let sent = turn.json();
        let absent = ["tools", "tool_choice", "parallel_tool_calls"];
        assert!(absent.iter().all(|name| sent.get(name).is_none()), "{sent}");
    }
}
