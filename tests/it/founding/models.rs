use codexway::simulator::Options;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Setup, TestServer, ask, with};

async fn server(simulator: Options, vars: &[(&'static str, &str)]) -> TestServer {
    let vars = vars.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    TestServer::with(Setup { simulator, vars, ..Setup::default() }).await
}

/// What both dialects say of the model, streamed and whole: the same, and each a 404.
async fn told(server: &TestServer, model: &str) -> String {
    let mut messages = Vec::new();
    for stream in [false, true] {
        let chat = with(ask("hi"), json!({"model": model, "stream": stream}));
        let response = json!({"model": model, "input": "hi", "stream": stream});
        for answer in [server.chat(&chat).await, server.responses(&response).await] {
            let error = answer.refused(404, "model_not_found", "model");
            messages.push(error["message"].as_str().unwrap().to_owned());
        }
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[tokio::test]
async fn a_model_that_is_not_in_the_plan_says_so_and_what_it_takes() {
    let plan = Options { plan: "promax".to_owned(), ..Options::default() };
    let server = server(plan, &[]).await;
    // Before the plan's own catalogue has been seen it is the backend that refuses.
    says(
        &told(&server, "gpt-6-sol").await,
        &["gpt-6-sol", "not in your plan", "API key or another upstream"],
    );
    let n_asked = server.turns().len();
    let list = server.get("/v1/models").await.ok().json();
    let ids: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"gpt-5.5") && !ids.contains(&"gpt-6-sol"), "{ids:?}");
    says(
        &told(&server, "gpt-6-sol").await,
        &[
            "not in the plan of this account",
            "Model gpt-6-sol requires an API key or another upstream",
            "`codexway login`",
            "`gpt-5.6-sol`",
        ],
    );
    server.get("/v1/models/gpt-6-sol").await.refused(404, "model_not_found", "model");
    assert_eq!(server.turns().len(), n_asked, "nobody was asked again");
}

#[tokio::test]
async fn a_model_for_newer_clients_says_which_setting_to_raise() {
    let server =
        server(Options::default(), &[("CODEXWAY__UPSTREAMS__CODEX__VERSION", "0.124.0")]).await;
    says(
        &told(&server, "gpt-6-sol").await,
        &["requires a newer version of Codex", "`upstreams.codex.version`"],
    );
    assert!(server.turns().iter().all(|turn| turn.header("version") == "0.124.0"));
    let n_asked = server.turns().len();
    server.get("/v1/models").await.ok();
    says(
        &told(&server, "gpt-6-sol").await,
        &[
            "requires a newer version of Codex, `0.155.0`, than the `0.124.0`",
            "Raise `upstreams.codex.version`",
        ],
    );
    assert_eq!(server.turns().len(), n_asked);
    server.chat(&ask("hi")).await.ok();
}

#[tokio::test]
async fn a_model_for_other_clients_names_the_settings_and_nothing_is_tried_in_secret() {
    let gate = Options { originator_gate: true, ..Options::default() };
    let server = server(gate, &[]).await;
    let message = told(&server, "gpt-5.6-luna").await;
    says(
        &message,
        &["Model not found", "`version`", "`originator`", "`user_agent`", "[upstreams]"],
    );
    let turns = server.turns();
    assert_eq!(turns.len(), 4, "each was asked for once");
    assert!(turns.iter().all(|turn| turn.header("originator") == "codexway"));
    let gate = Options { originator_gate: true, ..Options::default() };
    let vars = [("CODEXWAY__UPSTREAMS__CODEX__ORIGINATOR", "codex_cli_rs")];
    let server = self::server(gate, &vars).await;
    server.chat(&with(ask("hi"), json!({"model": "gpt-5.6-luna"}))).await.ok();
}

#[tokio::test]
async fn a_model_of_the_platform_requires_an_api_key_or_another_upstream() {
    let server = server(Options::default(), &[]).await;
    for model in ["gpt-4o", "o3", "gpt-5.2-codex"] {
        let message = told(&server, model).await;
        let requires = format!("Model {model} requires an API key or another upstream");
        says(
            &message,
            &[
                "does not exist",
                "The nearest names are `gpt-",
                &requires,
                "`upstream = \"openai\"`",
            ],
        );
    }
    assert!(server.turns().is_empty());
    let answer = server.get("/v1/models/gpt-4o").await;
    says(
        answer.refused(404, "model_not_found", "model")["message"].as_str().unwrap(),
        &["Model gpt-4o requires an API key"],
    );
    // What development needs.
    let forward = [("CODEXWAY__PROFILES__CODEX__UNLISTED_MODELS", "forward")];
    let server = self::server(Options::default(), &forward).await;
    told(&server, "gpt-4o").await;
    assert_eq!(server.turns().len(), 4);
}

#[tokio::test]
async fn what_is_wrong_behind_a_model_s_name_is_told() {
    let server = server(Options::default(), &[]).await;
    for (model, wrong) in [("gpt-5.5?x=1", "`x=1`"), ("gpt-5.5?verbosity=loud", "`verbosity=loud`")]
    {
        let message = told(&server, model).await;
        says(&message, &[wrong, "`reasoning_effort`, `verbosity` and `service_tier`"]);
        assert!(!message.contains("API key"), "{message}");
    }
    says(&told(&server, "gpt-5.5-huge").await, &["`gpt-5.5`"]);
    let error = server.chat(&with(ask("hi"), json!({"model": ""}))).await;
    assert_eq!(error.error().1["param"], Value::from("model"));
}
