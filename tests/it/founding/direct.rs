use codexway::simulator::{Options, Script, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn a_chat_body_on_the_other_path_is_understood_with_all_it_says() {
    let server = TestServer::start().await;
    let body = with(
        ask("Say exactly pong"),
        json!({
            "reasoning_effort": "high",
            "session_id": "session-1",
            "stream": false,
            "tools": [{"type": "shell_tool"}],
        }),
    );
    server.simulator.script(Script::text("pong"));
    let answer = server.responses(&body).await.ok();
    assert_eq!(answer.header("x-codexway-dropped"), None);
    let completion = answer.json();
    assert_eq!(completion["object"], "chat.completion");
    assert_eq!(completion["choices"][0]["message"]["content"], "pong");
    let turn = server.turns().pop().unwrap();
    let sent = turn.json();
    assert_eq!(sent["reasoning"]["effort"], "high");
    let names = ["session-id", "thread-id", "x-client-request-id"].map(|name| turn.header(name));
    assert_eq!(names, ["session-1"; 3]);
    assert_eq!(sent["prompt_cache_key"], "session-1");
    assert_eq!((&sent["stream"], &sent["tool_choice"]), (&json!(true), &json!("auto")));
    assert_eq!(
        (&sent["tools"][0]["type"], &sent["tools"][0]["name"]),
        (&json!("function"), &json!("shell"))
    );
}

/// Its model calls it like any other function.
#[tokio::test]
async fn a_tool_that_is_only_named_is_offered_with_the_schema_of_the_official_client() {
    let server = TestServer::start().await;
    let named = json!({"tools": [{"type": "shell_tool"}]});
    let call = || Script::new().tool_call("shell", r#"{"command":["ls"]}"#);
    server.simulator.script(call());
    let answer = server.chat(&with(ask("look"), named.clone())).await.ok().json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["name"], "shell");
    server.simulator.script(call());
    let body = with(json!({"model": "gpt-5.5", "input": "look"}), named);
    let response = server.responses(&body).await.ok().json();
    assert_eq!(response["output"].as_array().unwrap().last().unwrap()["name"], "shell");
    let schema = server.last_turn()["tools"][0]["parameters"].take();
    assert_eq!(schema["required"], json!(["command"]));
}

#[tokio::test]
async fn a_key_without_the_right_to_write_responses_says_which_and_what_to_do() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let vars = [
        ("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai".to_owned()),
        ("OPENAI_API_BASE_URL", simulator.platform_url()),
        ("OPENAI_API_KEY", simulator.api_key()),
    ];
    let server = TestServer::before(simulator, &vars, "{}").await;
    let refusal = json!({"error": {
        "message": "You have insufficient permissions for this operation. Missing scopes: api.responses.write. Check that you have the correct role in your organization.",
        "type": "invalid_request_error", "param": null, "code": null,
    }});
    for (path, body) in [
        ("/v1/chat/completions", ask("hi")),
        ("/v1/responses", json!({"model": "gpt-5.5", "input": "hi"})),
    ] {
        server.simulator.script(Script::new().status(401, &[], &refusal.to_string()));
        let error = server.post(path, &body).await.refused(403, Value::Null, Value::Null);
        let message = error["message"].as_str().unwrap();
        for part in
            ["api.responses.write", "`$OPENAI_API_KEY`", "without restrictions", "`codex` upstream"]
        {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}
