use std::time::Duration;

use base64::Engine as _;
use codexway::simulator::{Options, Script, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{
    Setup, TestServer, ask,
    binary::{codexway, listening},
    with,
};

#[tokio::test]
async fn the_address_of_the_backend_may_end_in_codex() {
    for end in ["", "/", "/codex", "/codex/"] {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let base = format!("{}{end}", simulator.base_url());
        let auth_json = simulator.auth_json();
        let vars = [("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", base)];
        let server = TestServer::before(simulator, &vars, &auth_json).await;
        server.chat(&ask("hi")).await.ok();
        assert_eq!(server.turns().pop().unwrap().path, "/backend-api/codex/responses", "{end}");
    }
}

fn unsigned(claims: &Value) -> String {
    let part =
        |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.none", part(&json!({"alg": "none"})), part(claims))
}

#[tokio::test]
async fn a_token_that_does_not_tell_its_account_is_told_by_the_claim() {
    let lacking = unsigned(&json!({"exp": 4_000_000_000_u64}));
    let empty = unsigned(&json!({"exp": 4_000_000_000_u64, "https://api.openai.com/auth": {}}));
    for (token, what) in [
        ("opaque", "the access token is malformed"),
        ("a.b.c", "the access token is malformed"),
        (&lacking, "the access token lacks the claim"),
        (&empty, "the access token lacks the claim"),
    ] {
        let file =
            json!({"tokens": {"access_token": token, "refresh_token": "r", "id_token": "i"}});
        let auth_json = Some(file.to_string());
        let server = TestServer::with(Setup { auth_json, ..Setup::default() }).await;
        let response = json!({"model": "gpt-5.5", "input": "hi"});
        for answer in [server.chat(&ask("hi")).await, server.responses(&response).await] {
            let error = answer.refused(401, "upstream_auth_failed", Value::Null);
            let message = error["message"].as_str().unwrap();
            for part in
                [what, "`https://api.openai.com/auth.chatgpt_account_id`", "`codexway login`"]
            {
                assert!(message.contains(part), "{part} in {message}");
            }
            assert!(!message.contains(token), "{message}");
        }
        assert!(server.turns().is_empty());
    }
}

#[tokio::test]
async fn the_account_of_the_token_is_the_one_that_is_named() {
    let server = TestServer::start().await;
    server.chat(&ask("hi")).await.ok();
    let file: Value = serde_json::from_slice(&std::fs::read(server.auth_file()).unwrap()).unwrap();
    let token = file["tokens"]["access_token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let account = claims["https://api.openai.com/auth"]["chatgpt_account_id"].as_str().unwrap();
    assert_eq!(server.turns()[0].header("chatgpt-account-id"), account);
}

#[tokio::test]
async fn what_the_backend_insists_on_is_right_whatever_a_client_sends() {
    let server = TestServer::start().await;
    let tool = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    let chat_tool = json!({"tools": [{"type": "function", "function": tool}]});
    let flat_tool =
        json!({"tools": [with(tool.clone(), json!({"type": "function", "strict": false}))]});
    let odd = json!({"store": true, "stream": false});
    let response = json!({"model": "gpt-5.5", "input": "hi"});
    let bodies = [
        ("/v1/chat/completions", with(ask("hi"), odd.clone()), false),
        (
            "/v1/chat/completions",
            with(with(ask("hi"), chat_tool), json!({"verbosity": "high"})),
            true,
        ),
        ("/v1/responses", with(response.clone(), with(odd, json!({"include": []}))), false),
        (
            "/v1/responses",
            with(with(response.clone(), flat_tool), json!({"text": {"verbosity": "high"}})),
            true,
        ),
        (
            "/v1/responses",
            with(response, json!({"include": ["reasoning.encrypted_content"]})),
            false,
        ),
    ];
    for (path, body, full) in bodies {
        server.post(path, &body).await.ok();
        let turn = server.turns().pop().unwrap();
        let sent = turn.json();
        assert_eq!((&sent["store"], &sent["stream"]), (&json!(false), &json!(true)));
        assert_eq!(sent["include"], json!(["reasoning.encrypted_content"]));
        assert!(sent["instructions"].is_string() && sent["input"].is_array());
        let key = sent["prompt_cache_key"].as_str().unwrap();
        assert!(!key.is_empty() && key.len() <= 64);
        assert_eq!(key, turn.header("session-id"));
        let explicit =
            [&sent["tool_choice"], &sent["parallel_tool_calls"], &sent["text"]["verbosity"]];
        let expected = if full {
            [json!("auto"), json!(true), json!("high")]
        } else {
            [Value::Null, Value::Null, Value::Null]
        };
        assert_eq!(explicit.map(Clone::clone), expected, "{path}");
    }
}

/// The simulator refuses an effort that its model does not have, as the backend does.
#[tokio::test]
async fn every_effort_may_be_asked_of_every_model() {
    let server = TestServer::start().await;
    let list = server.get("/v1/models").await.ok().json()["data"].take();
    for model in list.as_array().unwrap() {
        let has = model["reasoning_efforts"].as_array().unwrap();
        for effort in ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"] {
            let more = json!({"model": model["id"], "reasoning_effort": effort});
            server.chat(&with(ask("hi"), more)).await.ok();
            let sent = server.last_turn()["reasoning"].take();
            let expected = match effort {
                // Nothing is said of reasoning to a model that cannot do without.
                "none" if !has.contains(&json!("none")) => sent == Value::Null,
                effort if has.contains(&json!(effort)) => sent["effort"] == effort,
                "none" | "minimal" | "low" => sent["effort"] == "low",
                _ => sent["effort"] == *has.last().unwrap(),
            };
            assert!(expected, "{effort} of {}: {sent}", model["id"]);
        }
    }
}

#[tokio::test]
async fn a_token_that_lives_is_not_refreshed_again() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let expired = simulator.auth_json_expiring(Duration::ZERO);
    let server = TestServer::before(simulator, &[], &expired).await;
    for _ in 0..5 {
        server.chat(&ask("hi")).await.ok();
    }
    server.get("/v1/models").await.ok();
    let asked = server.simulator.requests();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/oauth/token").count(), 1);
}

#[tokio::test]
async fn a_newer_model_is_served_with_what_its_nearest_relative_can() {
    let server =
        TestServer::with_vars(&[("CODEXWAY__PROFILES__CODEX__UNLISTED_MODELS", "forward")]).await;
    for (effort, sent) in [("minimal", "low"), ("high", "high"), ("max", "xhigh")] {
        // The simulator does not know it either.
        server.simulator.script(Script::text("ok").unchecked());
        let more = json!({"model": "gpt-5.9", "reasoning_effort": effort, "verbosity": "low"});
        server.chat(&with(ask("hi"), more)).await.ok();
        let turn = server.last_turn();
        assert_eq!(
            (&turn["model"], &turn["reasoning"]["effort"]),
            (&json!("gpt-5.9"), &json!(sent))
        );
        assert_eq!(turn["text"]["verbosity"], "low");
    }
}

#[tokio::test]
async fn turns_travel_over_a_websocket_where_the_settings_say_so() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".codex")).unwrap();
    std::fs::write(home.path().join(".codex/auth.json"), simulator.auth_json()).unwrap();
    let mut command = codexway(&home);
    command
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url())
        .env("CODEXWAY__UPSTREAMS__CODEX__TRANSPORT", "websocket");
    let (_child, info) = listening(&home, command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/chat/completions", info["url"].as_str().unwrap());
    let answer = client.post(url).json(&ask("hi")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-codexway-upstream"], "codex;websocket");
}
