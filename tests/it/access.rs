use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{TestServer, ask};

#[tokio::test]
async fn web_pages_are_refused_unless_their_origin_is_listed() {
    let server = TestServer::with_vars(&[(
        "CODEXWAY__SERVER__ALLOWED_ORIGINS",
        r#"["http://app.example"]"#,
    )])
    .await;
    let url = format!("{}/v1/chat/completions", server.url);
    let from = |origin: &str| server.client.post(&url).header("origin", origin).json(&ask("hi"));
    for origin in ["https://evil.example", "null", "http://app.example.evil.example"] {
        server.send(from(origin)).await.refused(403, "origin_not_allowed", Value::Null);
    }
    let quiet = server
        .client
        .get(format!("{}/v1/models", server.url))
        .header("sec-fetch-site", "cross-site");
    server.send(quiet).await.refused(403, "origin_not_allowed", Value::Null);
    assert!(server.turns().is_empty());

    let answer = server.send(from("http://app.example")).await.ok();
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://app.example"));
    server.send(from(&server.url)).await.ok();
    let preflight =
        |origin: &str| server.client.request(http::Method::OPTIONS, &url).header("origin", origin);
    assert_eq!(server.send(preflight("http://app.example")).await.status, 204);
    let refused = server.send(preflight("https://evil.example")).await;
    refused.refused(403, "origin_not_allowed", Value::Null);
    assert_eq!(refused.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_name_that_was_bound_to_this_machine_by_somebody_else_is_refused() {
    let server =
        TestServer::with_vars(&[("CODEXWAY__SERVER__ALLOWED_HOSTS", r#"["box.lan"]"#)]).await;
    let port = server.url.rsplit(':').next().unwrap();
    for (host, status) in [
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("user@evil.example", 403),
        ("localhost", 200),
        ("codexway.localhost", 200),
        ("[::1]", 200),
        ("box.lan", 200),
    ] {
        let request = server.client.get(format!("{}/v1/models", server.url));
        let answer = server.send(request.header("host", format!("{host}:{port}"))).await;
        assert_eq!(answer.status, status, "{host}");
    }
}

#[tokio::test]
async fn with_local_keys_only_their_holders_are_let_in() {
    let server =
        TestServer::with_vars(&[("CODEXWAY__SERVER__KEYS", r#"["sk-one", "sk-two"]"#)]).await;
    let url = format!("{}/v1/chat/completions", server.url);
    let request = || server.client.post(&url).json(&ask("hi"));
    server.send(request()).await.refused(401, "invalid_api_key", Value::Null);
    let error = server.send(request().bearer_auth("sk-three")).await.refused(
        401,
        "invalid_api_key",
        Value::Null,
    );
    assert!(!error.to_string().contains("sk-"), "{error}");
    server.send(request().bearer_auth("sk-one")).await.ok();
    server.send(request().header("x-api-key", "sk-two")).await.ok();
    assert_eq!(server.get("/health").await.status, 200);
    server.get("/v1/models").await.refused(401, "invalid_api_key", Value::Null);
}

#[tokio::test]
async fn more_turns_than_may_run_wait_for_a_place() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__MAX_TURNS", "1")]).await;
    server.simulator.script(Script::new().stall());
    let stalled = crate::support::with(ask("hi"), serde_json::json!({"stream": true}));
    let body = ask("hi");
    let (first, second) = (server.chat(&stalled), server.chat(&body));
    tokio::pin!(first, second);
    tokio::select! {
        _ = &mut first => panic!("it stalls"),
        () = server.simulator.until_running(1) => {}
    }
    let refused = tokio::select! {
        _ = &mut first => panic!("it stalls"),
        answer = &mut second => answer,
    };
    refused.refused(429, "too_many_turns", Value::Null);
    assert_eq!(refused.header("retry-after"), Some("1"));
}
