use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, with};

fn conversation(extra: &[(&str, &str)]) -> Value {
    let mut messages = vec![
        json!({"role": "system", "content": "You are brief. ".repeat(600)}),
        json!({"role": "user", "content": "Say exactly one"}),
    ];
    messages.extend(extra.iter().map(|(role, text)| json!({"role": role, "content": text})));
    json!({"model": "gpt-5.5", "messages": messages})
}

#[tokio::test]
async fn a_lite_conversation_is_continued_in_its_own_shape() {
    let server = TestServer::start().await;
    let user = |text: &str| json!({"type": "message", "role": "user", "content": text});
    let wait = json!({"type": "function", "name": "wait", "parameters": {"type": "object", "properties": {}}});
    let tools = json!({"type": "additional_tools", "role": "developer", "tools": [
        {"type": "namespace", "name": "functions", "description": "", "tools": [wait]}]});
    let ask = |input: Value| {
        json!({"model": "gpt-6-sol", "input": input, "parallel_tool_calls": false,
            "reasoning": {"context": "all_turns"}})
    };
    let first = server.responses(&ask(json!([tools, user("hi")]))).await.ok().json();
    let next = with(ask(json!([user("more")])), json!({"previous_response_id": first["id"]}));
    server.responses(&next).await.ok();
    let turn = server.turns().pop().unwrap();
    assert_eq!(turn.header("x-openai-internal-codex-responses-lite"), "true");
    assert_eq!(turn.json()["input"][0]["type"], "additional_tools");
}

#[tokio::test]
async fn a_growing_conversation_keeps_its_name_and_so_its_cache() {
    let server = TestServer::start().await;
    server.chat(&conversation(&[])).await.ok();
    let grown = conversation(&[("assistant", "one"), ("user", "Say exactly two")]);
    let usage = server.chat(&grown).await.ok().json()["usage"].clone();
    let [first, second] = server.turns().try_into().unwrap();
    let id = first.header("session-id").to_owned();
    assert!(!id.is_empty());
    for turn in [first, second] {
        assert_eq!(
            [
                turn.header("session-id"),
                turn.header("thread-id"),
                turn.header("x-client-request-id")
            ],
            [&id; 3]
        );
        assert_eq!(turn.json()["prompt_cache_key"], *id);
    }
    let cached = usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
    assert!(cached >= 1024, "{usage}");
}

#[tokio::test]
async fn clients_name_their_conversations_in_many_ways() {
    let server = TestServer::start().await;
    for header in
        ["session-id", "session_id", "x-session-id", "x-session-affinity", "conversation_id"]
    {
        let request =
            server.client.post(format!("{}/v1/chat/completions", server.url)).header(header, "s-1");
        server.send(request.json(&ask("hi"))).await.ok();
        let turn = server.turns().pop().unwrap();
        assert_eq!(
            (turn.header("session-id"), &turn.json()["prompt_cache_key"]),
            ("s-1", &json!("s-1")),
            "{header}"
        );
    }
    server.chat(&with(ask("hi"), json!({"prompt_cache_key": "k-1"}))).await.ok();
    let turn = server.turns().pop().unwrap();
    assert_eq!((turn.header("session-id"), turn.header("thread-id")), ("k-1", "k-1"));
    server.chat(&with(ask("hi"), json!({"prompt_cache_key": "é".repeat(100)}))).await.ok();
    let turn = server.turns().pop().unwrap();
    assert_eq!(turn.json()["prompt_cache_key"], turn.header("session-id"));
}

#[tokio::test]
async fn other_conversations_and_other_users_have_other_names() {
    let server = TestServer::start().await;
    for body in [
        ask("hi"),
        ask("hello"),
        with(ask("hi"), json!({"user": "ada"})),
        with(ask("hi"), json!({"model": "gpt-6-sol"})),
    ] {
        server.chat(&body).await.ok();
    }
    let mut names: Vec<String> =
        server.turns().iter().map(|turn| turn.header("session-id").to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[tokio::test]
async fn codexway_says_who_it_is_and_passes_nothing_else_of_the_client_on() {
    let server = TestServer::start().await;
    let request = server.client.post(format!("{}/v1/chat/completions", server.url));
    let request = request
        .header("user-agent", "OpenAI/Python 3.52.0")
        .header("x-stainless-lang", "python")
        .header("authorization", "Bearer sk-local")
        .header("cookie", "a=b")
        .header("x-codex-turn-state", "state-1");
    server.send(request.json(&ask("hi"))).await.ok();
    let turn = server.turns().pop().unwrap();
    let agent = format!("codexway/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!((turn.header("originator"), turn.header("user-agent")), ("codexway", &*agent));
    assert_eq!((turn.header("version"), turn.header("x-codex-turn-state")), ("0.155.0", "state-1"));
    assert_eq!((turn.header("x-stainless-lang"), turn.header("cookie")), ("", ""));
    assert!(!turn.header("authorization").contains("sk-local"));
    assert_eq!(turn.header("accept"), "text/event-stream");
}

#[tokio::test]
async fn large_requests_are_compressed() {
    let server = TestServer::start().await;
    server.chat(&conversation(&[])).await.ok();
    let turn = server.turns().pop().unwrap();
    assert_eq!(turn.header("content-encoding"), "zstd");
    assert!(turn.encoded_len * 4 < turn.body.len());
    let server = TestServer::with_vars(&[("CODEXWAY__UPSTREAMS__CODEX__COMPRESSION", "off")]).await;
    server.chat(&conversation(&[])).await.ok();
    assert_eq!(server.turns().pop().unwrap().header("content-encoding"), "");
}
