use pretty_assertions::assert_eq;

use super::*;
use crate::support::{Setup, ask, kinds, with};

#[tokio::test]
async fn a_running_conversation_moves_to_a_socket_that_was_opened_beside_it() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    // No turn waits for a connection.
    assert_eq!(travelled(&agent.step(&server).await), "codex;http");
    agent.until_on_socket(&server).await;
    agent.step(&server).await;
    let turns = server.turns();
    let [.., before, last] = &turns[..] else { panic!("two turns") };
    assert_eq!((before.transport, last.transport), (Transport::WebSocket, Transport::WebSocket));
    assert_eq!(upgrades(&server), 1);
    assert_eq!(last.header("session-id"), turns[0].header("session-id"));
    assert_eq!(last.header("openai-beta"), "responses_websockets=2026-02-06");
    assert_eq!(last.header("originator"), "codexway");
}

#[tokio::test]
async fn only_what_is_new_is_sent_and_the_backend_knows_the_rest() {
    let server = always().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    for _ in 0..3 {
        assert_eq!(travelled(&agent.step(&server).await), "codex;websocket");
    }
    let turns = server.turns();
    let first = message(&turns[0]);
    assert_eq!(
        (&first["type"], &first["previous_response_id"]),
        (&json!("response.create"), &Value::Null)
    );
    assert_eq!(kinds(&first["input"]), ["message", "message"]);
    for turn in &turns[1..] {
        let message = message(turn);
        assert!(message["previous_response_id"].as_str().unwrap().starts_with("resp_"));
        assert_eq!(kinds(&message["input"]), ["function_call_output"]);
        assert_eq!(message["tools"], first["tools"]);
    }
    let thought = ["reasoning", "message", "function_call", "function_call_output"];
    let all = [&["message", "message"][..], &thought, &thought].concat();
    assert_eq!(kinds(&turns[2].json()["input"]), all);
    assert_eq!(upgrades(&server), 1);
}

#[tokio::test]
async fn what_the_handshake_told_is_told_with_the_first_turn_alone() {
    let server = always().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    for is_told in [true, false] {
        let answer = agent.step(&server).await;
        assert_eq!(answer.header("x-codex-turn-state").is_some(), is_told);
        assert_eq!(answer.header("openai-model"), None);
        assert!(answer.header("x-codex-primary-used-percent").is_some());
    }
    assert_eq!(upgrades(&server), 1);
}

#[tokio::test]
async fn a_history_that_was_changed_is_sent_whole() {
    let server = always().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    agent.step(&server).await;
    agent.body["messages"][2]["content"] = json!("Let me see.");
    agent.step(&server).await;
    let changed = message(server.turns().last().unwrap());
    assert_eq!(changed["previous_response_id"], Value::Null);
    assert_eq!(kinds(&changed["input"])[..2], ["message", "message"]);
    // The same conversation with other tools is another request.
    agent.step(&server).await;
    assert_ne!(message(server.turns().last().unwrap())["previous_response_id"], Value::Null);
    agent.body["parallel_tool_calls"] = json!(false);
    agent.step(&server).await;
    assert_eq!(message(server.turns().last().unwrap())["previous_response_id"], Value::Null);
    assert_eq!(upgrades(&server), 1);
}

#[tokio::test]
async fn a_responses_client_goes_on_too_by_its_items_or_by_an_id() {
    let server = always().await;
    server.simulator.script_always(Some(Script::new().reasoning("Hm.").message("one")));
    let body = json!({"model": "gpt-5.5", "input": "Count", "prompt_cache_key": "counting",
        "include": ["reasoning.encrypted_content"]});
    let first = server.responses(&body).await.ok().json();
    let mut items = vec![json!({"role": "user", "content": "Count"})];
    items.extend(first["output"].as_array().unwrap().iter().cloned());
    items.push(json!({"role": "user", "content": "On"}));
    let second = server.responses(&with(body.clone(), json!({"input": items}))).await.ok().json();
    let by_id = json!({"input": "And on", "previous_response_id": second["id"]});
    server.responses(&with(body, by_id)).await.ok();
    for turn in &server.turns()[1..] {
        let message = message(turn);
        assert_eq!(kinds(&message["input"]), ["message"]);
        assert!(message["previous_response_id"].is_string());
    }
}

#[tokio::test]
async fn errors_are_those_of_http() {
    let over_http = TestServer::with_vars(&[(TRANSPORT, "http")]).await;
    let over_socket = always().await;
    for script in [
        Script::usage_limit_reached(3032),
        Script::usage_not_included(),
        Script::rate_limited_in_stream(),
        Script::context_length_exceeded(),
        Script::cyber_policy(),
        Script::cyber_policy_400(),
        Script::detail_400("Unsupported parameter: foo"),
        Script::deactivated_workspace(),
    ] {
        let mut told = Vec::new();
        for server in [&over_http, &over_socket] {
            server.simulator.script(script.clone());
            let answer = server.chat(&ask("hi")).await;
            told.push((answer.error(), answer.header("retry-after").map(str::to_owned)));
        }
        assert_eq!(told[0], told[1]);
    }
}

#[tokio::test]
async fn limits_are_told_as_the_events_tell_them() {
    let server = always().await;
    let told = async || {
        let answer = server.chat(&ask("hi")).await.ok();
        answer.header("x-codex-primary-used-percent").map(str::to_owned)
    };
    server.simulator.script(Script::text("ho").unknown_event(
        "codex.rate_limits",
        json!({"type": "codex.rate_limits", "rate_limits": {"primary": {"used_percent": 77}}}),
    ));
    assert_eq!(told().await.as_deref(), Some("31"));
    assert_eq!(told().await.as_deref(), Some("77"));
    assert_eq!(upgrades(&server), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_at_the_upgrade_is_replaced_once() {
    let server = always().await;
    server.simulator.revoke_access_tokens();
    assert_eq!(travelled(&server.chat(&ask("hi")).await.ok()), "codex;websocket");
    assert_eq!((server.simulator.refreshes(), upgrades(&server)), (1, 2));
}

#[tokio::test]
async fn another_account_gets_another_connection() {
    let server = always().await;
    server.simulator.script_always(Some(Script::new().tool_call("read", "{}")));
    let mut agent = Agent::new("Read a.txt");
    agent.step(&server).await;
    let other = server.simulator.auth_json_of("grace@example.com");
    std::fs::write(server.auth_file(), other).unwrap();
    // It is noticed when it is: the file is looked at now and then.
    let first = server.turns()[0].header("chatgpt-account-id").to_owned();
    loop {
        let answer = server.chat(&agent.body).await;
        let last = server.turns().pop().unwrap();
        if last.header("chatgpt-account-id") != first {
            answer.ok();
            assert_eq!(message(&last)["previous_response_id"], Value::Null);
            break;
        }
    }
    assert_eq!(upgrades(&server), 2);
}

#[tokio::test]
async fn a_client_that_leaves_closes_the_connection_of_its_turn() {
    let server = always().await;
    server.simulator.script(Script::new().stall());
    let asked = server.client.post(format!("{}/v1/chat/completions", server.url)).json(&ask("hi"));
    let left = tokio::spawn(asked.send());
    server.simulator.until_running(1).await;
    left.abort();
    server.simulator.until_running(0).await;
    server.chat(&ask("hi")).await.ok();
    assert_eq!(upgrades(&server), 2);
}

#[tokio::test]
async fn the_lite_shape_is_told_with_each_turn() {
    let server = always().await;
    let tools = json!({"type": "additional_tools", "role": "developer", "tools": []});
    let hi = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]});
    let body = json!({"model": "gpt-6-sol", "input": [tools, hi], "parallel_tool_calls": false,
        "reasoning": {"context": "all_turns"}, "client_metadata": {"a": "b"}});
    server.responses(&body).await.ok();
    let metadata = message(&server.turns()[0])["client_metadata"].clone();
    assert_eq!(
        metadata,
        json!({"a": "b", "ws_request_header_x_openai_internal_codex_responses_lite": "true"})
    );
}

#[tokio::test]
async fn turns_of_one_conversation_at_once_have_connections_of_their_own() {
    let setup = Setup { vars: vec![(TRANSPORT, "websocket".to_owned())], ..Setup::default() };
    let server = TestServer::with(setup).await;
    server.chat(&with(ask("hi"), json!({"n": 3}))).await.ok();
    let turns = server.turns();
    assert_eq!(turns.len(), 3);
    assert!(turns.iter().all(|turn| message(turn)["previous_response_id"].is_null()));
    assert_eq!(upgrades(&server), 3);
}
