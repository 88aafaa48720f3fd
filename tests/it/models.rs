use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn the_list_tells_clients_what_they_need_to_configure_themselves() {
    let server = TestServer::start().await;
    let list = server.get("/v1/models").await.ok().json();
    assert_eq!(list["object"], "list");
    let models = list["data"].as_array().unwrap();
    let model = models.iter().find(|model| model["id"] == "gpt-5.5").unwrap();
    assert_eq!(
        *model,
        json!({
            "id": "gpt-5.5", "object": "model", "created": model["created"], "owned_by": "openai",
            "context_window": 272_000, "context_length": 272_000,
            "input_modalities": ["text", "image"],
            "reasoning_efforts": ["low", "medium", "high", "xhigh"],
            "default_reasoning_effort": "medium",
            "service_tiers": ["priority"],
            "pricing": {"prompt": "0", "completion": "0", "input_cache_read": "0"},
        })
    );
    assert!(
        models.iter().all(|model| model["id"] != "codex-auto-review"),
        "hidden models are not offered"
    );
    assert_eq!(server.get("/v1/models/gpt-5.5").await.ok().json(), *model);
    server.get("/v1/models/gpt-7").await.refused(404, "model_not_found", "model");
}

#[tokio::test]
async fn without_an_upstream_the_built_in_list_serves() {
    let server = TestServer::with_vars(&[(
        "CODEXWAY__UPSTREAMS__CODEX__BASE_URL",
        "http://127.0.0.1:1/backend-api",
    )])
    .await;
    let list = server.get("/v1/models").await.ok().json();
    assert!(list["data"].as_array().unwrap().iter().any(|model| model["id"] == "gpt-6.1-sol"));
    server.chat(&ask("hi")).await.refused(502, "upstream_error", Value::Null);
}

#[tokio::test]
async fn the_official_client_gets_the_catalogue_in_its_own_shape() {
    let server = TestServer::start().await;
    let catalog = server.get("/v1/models?client_version=0.169.0").await.ok().json();
    assert!(catalog["models"].as_array().unwrap().iter().any(|model| model["slug"] == "gpt-5.5"));
}

#[tokio::test]
async fn aliases_and_the_profile_s_model_choose_what_is_asked_for() {
    let server = TestServer::with_vars(&[
        ("CODEXWAY__PROFILES__CODEX__ALIASES", r#"{ "gpt-4o" = "gpt-5.5" }"#),
        ("CODEXWAY__PROFILES__CODEX__MODEL", "gpt-6-sol"),
    ])
    .await;
    let answer = server.chat(&with(ask("hi"), json!({"model": "gpt-4o"}))).await.ok().json();
    assert_eq!(
        (&answer["model"], &server.last_turn()["model"]),
        (&json!("gpt-4o"), &json!("gpt-5.5"))
    );
    let mut nameless = ask("hi");
    nameless.as_object_mut().unwrap().remove("model");
    for body in [nameless, with(ask("hi"), json!({"model": "auto"}))] {
        server.chat(&body).await.ok();
        assert_eq!(server.last_turn()["model"], "gpt-6-sol");
    }
    let list = server.get("/v1/models").await.ok().json();
    assert!(list["data"].as_array().unwrap().iter().any(|model| model["id"] == "gpt-4o"));
}

#[tokio::test]
async fn an_unlisted_model_passes_only_where_the_profile_says_so() {
    let server =
        TestServer::with_vars(&[("CODEXWAY__PROFILES__CODEX__UNLISTED_MODELS", "forward")]).await;
    let error = server.chat(&with(ask("hi"), json!({"model": "gpt-7"}))).await.refused(
        404,
        "model_not_found",
        "model",
    );
    assert!(
        error["message"].as_str().unwrap().starts_with("The 'gpt-7' model is not supported"),
        "{error}"
    );
    assert_eq!(server.turns().len(), 1);
}

#[tokio::test]
async fn a_model_that_wants_a_newer_client_says_which_setting_helps() {
    let server = TestServer::with_vars(&[("CODEXWAY__UPSTREAMS__CODEX__VERSION", "0.100.0")]).await;
    let error = server.chat(&with(ask("hi"), json!({"model": "gpt-6-astra"}))).await;
    let error = error.refused(404, "model_not_found", "model");
    assert!(error["message"].as_str().unwrap().contains("upstreams.codex.version"), "{error}");
}

#[tokio::test]
async fn what_the_plan_has_left_is_told_by_the_length_of_its_windows() {
    let server = TestServer::start().await;
    let usage = server.get("/usage").await.ok().json();
    let windows = usage["windows"].as_array().unwrap();
    assert!(!windows.is_empty(), "{usage}");
    for window in windows {
        assert!(window["minutes"].is_u64() && window["used_percent"].is_number(), "{window}");
        assert!(window["resets_at"].is_i64(), "{window}");
    }
    assert_eq!(server.get("/v1/usage").await.ok().json()["plan"], usage["plan"]);
    let vars = [("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai")];
    TestServer::with_vars(&vars).await.get("/usage").await.refused(404, "no_plan", Value::Null);
}
