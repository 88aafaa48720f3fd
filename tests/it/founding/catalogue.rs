use std::{collections::BTreeSet, fs};

use codexway::simulator::{Options, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    TestServer, ask,
    binary::{codexway, logging, text},
    with,
};

#[tokio::test]
async fn instructions_are_the_same_every_time_and_nothing_is_fetched_for_them() {
    let mut sent = BTreeSet::new();
    for _ in 0..2 {
        let vars = [("CODEXWAY__PROFILES__CODEX__INSTRUCTIONS", "codex")];
        let server = TestServer::with_vars(&vars).await;
        for text in ["hi", "hello"] {
            server.chat(&ask(text)).await.ok();
            sent.insert(server.last_turn()["instructions"].as_str().unwrap().to_owned());
        }
        let asked: BTreeSet<String> =
            server.simulator.requests().into_iter().map(|asked| asked.path).collect();
        assert_eq!(asked, ["/backend-api/codex/responses".to_owned()].into());
    }
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[tokio::test]
async fn a_session_in_the_body_names_the_conversation_everywhere() {
    let server = TestServer::start().await;
    let response = json!({"model": "gpt-5.5", "input": "hi"});
    for (path, body, field) in [
        ("/v1/chat/completions", ask("hi"), "session_id"),
        ("/v1/chat/completions", ask("hi"), "prompt_cache_key"),
        ("/v1/responses", response.clone(), "session_id"),
        ("/v1/responses", response, "prompt_cache_key"),
    ] {
        let answer = server.post(path, &with(body, json!({field: "mine"}))).await.ok();
        assert_eq!(answer.header("x-codexway-dropped"), None, "{path} {field}");
        let turn = server.turns().pop().unwrap();
        let names =
            ["session-id", "thread-id", "x-client-request-id"].map(|name| turn.header(name));
        assert_eq!(
            (names, &turn.json()["prompt_cache_key"]),
            (["mine"; 3], &json!("mine")),
            "{path} {field}"
        );
    }
}

/// A home with a login in it, and the command that serves from there.
fn home(simulator: &Simulator) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".codex")).unwrap();
    fs::write(home.path().join(".codex/auth.json"), simulator.auth_json()).unwrap();
    home
}

#[tokio::test]
async fn that_a_client_names_no_conversation_is_logged_once_in_each() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let home = home(&simulator);
    let mut command = codexway(&home);
    command.env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url());
    let (child, info) = logging(&home, command, "server.log");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/chat/completions", info["url"].as_str().unwrap());
    let post = async |body: &Value, session: Option<&str>| {
        let request = client.post(&url).json(body);
        let request = session.iter().fold(request, |request, id| request.header("session-id", *id));
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    post(&ask("first"), Some("named")).await;
    for text in ["second", "third"] {
        let mut body = ask(text);
        for _ in 0..3 {
            post(&body, None).await;
            let messages = body["messages"].as_array_mut().unwrap();
            messages.push(json!({"role": "assistant", "content": "yes"}));
            messages.push(json!({"role": "user", "content": "more"}));
        }
    }
    post(&ask("second"), None).await; // It begins anew, as what it was.
    drop(child);
    let log = fs::read_to_string(home.path().join("server.log")).unwrap();
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains("the client names no conversation")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(log.matches("turn finished").count(), 8, "{log}");
    let names: BTreeSet<String> =
        simulator.turns().iter().map(|turn| turn.header("session-id").to_owned()).collect();
    assert_eq!(names.len(), 3);
    assert!(lines.iter().all(|line| names.iter().any(|name| line.contains(name))), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_lists_only_what_the_account_may_use() {
    for (plan, lacks) in [("plus", None), ("promax", Some("gpt-6-sol")), ("law", Some("gpt-5.5"))] {
        let simulator = Simulator::start(Options { plan: plan.to_owned(), ..Options::default() })
            .await
            .unwrap();
        let home = home(&simulator);
        let models = |args: &[&str]| {
            let mut command = codexway(&home);
            command.env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url());
            let output = command.args(args).output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            text(&output.stdout)
        };
        let listed: Value = serde_json::from_str(&models(&["models", "--json"])).unwrap();
        let ids: Vec<&str> =
            listed.as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
        assert!(ids.contains(&"gpt-6.1-sol"), "{plan}: {ids:?}");
        assert!(lacks.is_none_or(|id| !ids.contains(&id)), "{plan}: {ids:?}");
        assert!(!ids.contains(&"codex-auto-review"), "{plan}: {ids:?}");
        let table = models(&["models"]);
        assert_eq!(table.lines().count(), ids.len() + 1, "{plan}: {table}");
        for model in listed.as_array().unwrap() {
            let free = json!({"prompt": "0", "completion": "0", "input_cache_read": "0"});
            assert_eq!(model["pricing"], free, "{plan}");
            assert!(model["context_window"].as_u64().unwrap() >= 272_000, "{plan}");
        }
    }
}

#[tokio::test]
async fn a_tier_that_a_model_does_not_have_is_dropped_and_named() {
    let server = TestServer::start().await;
    for (model, tier, dropped) in [
        ("gpt-5.5", json!("priority"), None),
        ("gpt-5.5-fast", json!("priority"), None),
        ("gpt-daybreak-red-latest", Value::Null, Some("service_tier")),
    ] {
        let more = json!({"model": model, "service_tier": "priority"});
        let response = json!({"model": "gpt-5.5", "input": "hi"});
        for (path, body) in [("/v1/chat/completions", ask("hi")), ("/v1/responses", response)] {
            let answer = server.post(path, &with(body, more.clone())).await.ok();
            assert_eq!(answer.header("x-codexway-dropped"), dropped, "{path} {model}");
            assert_eq!(server.last_turn()["service_tier"], tier, "{path} {model}");
        }
    }
}
