//! What the upstream refuses.

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, with};

/// What a refusal of the upstream comes to, whichever way it is asked for.
async fn check(script: Script, status: u16, kind: &str, code: Value) -> Vec<Value> {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(script)); // However often it is tried.
    let mut errors = Vec::new();
    for stream in [false, true] {
        let chat = with(ask("hi"), json!({"stream": stream}));
        let responses = json!({"model": "gpt-5.5", "input": "hi", "stream": stream});
        for (path, body) in [("/v1/chat/completions", chat), ("/v1/responses", responses)] {
            let answer = server.post(path, &body).await;
            let (got, error) = answer.error();
            assert_eq!(
                (got, &error["type"], &error["code"]),
                (status, &json!(kind), &code),
                "{path} {error}"
            );
            let retry = ["retry-after", "x-should-retry"]
                .map(|name| answer.header(name).map(str::to_owned));
            errors.push(json!({"error": error, "retry": retry}));
            server.simulator.forget();
        }
    }
    errors
}

#[tokio::test]
async fn a_used_up_plan_is_a_429_that_says_not_to_try_again() {
    for told in check(
        Script::usage_limit_reached(3032),
        429,
        "usage_limit_reached",
        json!("usage_limit_reached"),
    )
    .await
    {
        assert_eq!(told["retry"], json!(["3032", "false"]));
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains("resets in 51 min"), "{message}");
    }
}

#[tokio::test]
async fn an_overload_hidden_in_a_200_is_a_503_that_may_be_tried_again() {
    for told in
        check(Script::overloaded_in_stream(), 503, "server_error", json!("server_is_overloaded"))
            .await
    {
        assert_eq!(told["retry"], json!(["1", null]));
    }
}

#[tokio::test]
async fn refusals_have_the_status_that_openai_would_use() {
    let invalid = "invalid_request_error";
    check(Script::context_length_exceeded(), 400, invalid, json!("context_length_exceeded")).await;
    check(Script::cyber_policy(), 400, invalid, json!("cyber_policy")).await;
    check(Script::usage_not_included(), 403, "permission_error", json!("usage_not_included")).await;
    check(Script::deactivated_workspace(), 403, "permission_error", json!("deactivated_workspace"))
        .await;
    check(Script::empty_404(), 403, "permission_error", json!("upstream_blocked")).await;
    check(Script::detail_500(), 503, "server_error", json!("server_error")).await;
    check(Script::envoy_503(), 503, "server_error", json!("server_error")).await;
    check(
        Script::detail_400("Unsupported parameter: foo"),
        400,
        invalid,
        json!("unsupported_parameter"),
    )
    .await;
    check(
        Script::new().error_event_only("server_is_overloaded", "busy"),
        503,
        "server_error",
        json!("server_is_overloaded"),
    )
    .await;
}

#[tokio::test]
async fn a_deactivated_account_is_told_in_the_backend_s_words_and_spends_no_refresh() {
    let server = TestServer::start().await;
    server.simulator.script(Script::unauthorized("account_deactivated"));
    let (status, error) = server.chat(&ask("hi")).await.error();
    assert_eq!((status, &error["code"]), (403, &json!("account_deactivated")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("has been deactivated"), "{message}");
    assert_eq!((server.turns().len(), server.simulator.refreshes()), (1, 0));
}

#[tokio::test]
async fn a_rate_limit_tells_how_long_to_wait() {
    for told in check(
        Script::rate_limited_in_stream(),
        429,
        "rate_limit_error",
        json!("rate_limit_exceeded"),
    )
    .await
    {
        assert!(told["retry"][0].as_str().unwrap().parse::<u64>().unwrap() >= 1);
    }
}

#[tokio::test]
async fn cloudflare_s_page_is_explained_and_not_shown() {
    for told in
        check(Script::cloudflare_challenge(), 403, "permission_error", json!("upstream_blocked"))
            .await
    {
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains("Cloudflare") && !message.contains('<'), "{message}");
    }
}
