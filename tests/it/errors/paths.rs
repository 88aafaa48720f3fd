//! Paths and methods that are not served.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask};

#[tokio::test]
async fn paths_and_methods_that_are_not_served_are_told_in_json() {
    let server = TestServer::start().await;
    for path in ["/v1/embeddings", "/v1/chat", "/nothing", "/v1/", "/profiles/codex/v1/nothing"] {
        server.get(path).await.refused(404, "unknown_url", Value::Null);
    }
    server.get("/v1/chat/completions").await.refused(405, "method_not_supported", Value::Null);
    server.get("/v1/responses").await.refused(426, "websocket_not_supported", Value::Null);
    server.post("/profiles/nobody/v1/responses", &json!({})).await.refused(
        404,
        "profile_not_found",
        Value::Null,
    );
    for path in ["/health", "/v1/health", "/ready", "/models", "/profiles/codex/v1/models"] {
        server.get(path).await.ok();
    }
    for path in [
        "/chat/completions",
        "/profiles/codex/chat/completions",
        "/profiles/codex/v1/chat/completions",
    ] {
        server.post(path, &ask("hi")).await.ok();
    }
}

#[tokio::test]
async fn a_path_that_looks_like_another_s_is_answered_with_what_mends_the_client() {
    let server = TestServer::start().await;
    for (path, mend) in [
        ("/v1/v1/chat/completions", "base URL has one `/v1` too many: take it away."),
        ("/v1/chat/completions/chat/completions", "base URL names an endpoint"),
        ("/api/v1/chat/completions", "something before its `/v1`"),
        ("/v1/chat", "end the client's base URL with `/v1`."),
        ("/codex/responses", "how the ChatGPT backend is asked"),
        ("/openai/deployments/x/chat/completions", "how Azure is asked"),
        ("/api/generate", "how Ollama is asked"),
        ("/v1/messages", "how Anthropic is asked"),
        ("/v1beta/models/x:generateContent", "how Gemini is asked"),
        ("/v1/completions", "The older completions are not served"),
        ("/v1/embeddings", "A plan has no embeddings"),
        ("/v1/images/generations", "A plan has nothing of the kind"),
    ] {
        let error = server.post(path, &json!({})).await.refused(404, "unknown_url", Value::Null);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(mend), "{path}: {message}");
    }
    let error = server.get("/nothing").await.refused(404, "unknown_url", Value::Null);
    assert_eq!(error["message"], "Unknown request URL: GET /nothing.");
}

#[tokio::test]
async fn slashes_too_many_in_a_path_do_no_harm() {
    let server = TestServer::start().await;
    for path in [
        "/v1/chat/completions/",
        "/v1//chat/completions",
        "//v1/chat/completions",
        "/chat/completions/",
        "/profiles/codex//v1/chat/completions/",
    ] {
        server.post(path, &ask("hi")).await.ok();
    }
    let body = json!({"model": "gpt-5.5", "input": "hi"});
    for path in ["/v1/responses/", "/v1/responses/input_tokens/", "/responses/"] {
        server.post(path, &body).await.ok();
    }
    for path in ["/health/", "/v1/ready/", "/metrics/", "/usage/", "/v1/models/?a=b"] {
        server.get(path).await.ok();
    }
    assert_eq!(server.get("/v1/models/gpt-5.5/").await.ok().json()["id"], "gpt-5.5");
    server.get("/v1/responses/").await.refused(426, "websocket_not_supported", Value::Null);
    let kept = server.post("/v1/conversations/", &json!({})).await.ok().json();
    let id = kept["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/v1/conversations/{id}/items/")).await.ok().status, 200);
}
