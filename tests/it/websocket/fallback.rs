use std::time::Duration;

use pretty_assertions::assert_eq;

use super::*;
use crate::support::{ask, with};

#[tokio::test]
async fn a_backend_without_sockets_is_asked_once_and_no_turn_notices() {
    let refusals = [
        Script::new().status(426, &[], ""),
        Script::cloudflare_challenge(),
        Script::empty_404(),
        Script::overloaded_503(),
        Script::new().cut_before_headers(),
    ];
    for refusal in refusals {
        let server = TestServer::start().await;
        server.simulator.script_upgrades_always(Some(refusal));
        let mut agent = Agent::new("Read a.txt");
        // It may take some turns until the answer is there, but none of them waits for it.
        for _ in 0..3 {
            assert_eq!(travelled(&agent.step(&server).await), "codex;http");
        }
        while upgrades(&server) == 0 {
            agent.step(&server).await;
        }
        let mut other = Agent::new("Read b.txt");
        for _ in 0..3 {
            assert_eq!(travelled(&other.step(&server).await), "codex;http");
        }
        assert!(upgrades(&server) <= 2, "{}", upgrades(&server));
        let turns = server.turns();
        assert!(turns.iter().all(|turn| turn.transport == Transport::Http));
    }
}

#[tokio::test]
async fn an_upgrade_that_hangs_holds_nobody_up() {
    let server = TestServer::start().await;
    server.simulator.script_upgrades_always(Some(Script::new().stall()));
    let mut agent = Agent::new("Read a.txt");
    for _ in 0..4 {
        assert_eq!(travelled(&agent.step(&server).await), "codex;http");
    }
    assert!(upgrades(&server) <= 1);
}

#[tokio::test]
async fn a_turn_that_is_not_heard_goes_over_http_and_is_answered_once() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    agent.until_on_socket(&server).await;
    let before = server.turns().len();
    server.simulator.script(Script::new().cut_before_headers());
    assert_eq!(travelled(&agent.step(&server).await), "codex;http");
    let turns = server.turns();
    let last: Vec<_> = turns[before..].iter().map(|turn| turn.transport).collect();
    assert_eq!(last, [Transport::WebSocket, Transport::Http]);
    // The connection had worked before, so another one may.
    agent.until_on_socket(&server).await;
    let counters = server.get("/metrics").await.ok().body;
    assert!(counters.contains(r#"codexway_retries_total{reason="websocket"}"#), "{counters}");
}

#[tokio::test]
async fn a_turn_that_is_met_with_silence_is_a_timeout_and_not_run_twice() {
    for transport in ["auto", "websocket"] {
        let vars = [(TRANSPORT, transport), ("CODEXWAY__SERVER__IDLE_TIMEOUT", "2s")];
        let server = TestServer::with_vars(&vars).await;
        server.simulator.script_always(Some(thinking_call()));
        let mut agent = Agent::new("Read a.txt");
        agent.until_on_socket(&server).await;
        let before = server.turns().len();
        server.simulator.script(thinking_call().delay_before_headers(Duration::from_secs(60)));
        server.chat(&agent.body).await.refused(504, "timeout", Value::Null);
        assert_eq!(server.turns().len() - before, 1, "{transport}");
    }
}

#[tokio::test]
async fn a_turn_of_which_something_was_said_is_never_sent_again() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    agent.until_on_socket(&server).await;
    let before = server.turns().len();
    server.simulator.script(Script::text("one two three").cut_after(6));
    let answer = server.chat(&with(agent.body.clone(), json!({"stream": true}))).await.ok();
    assert!(answer.body.contains("one"), "{}", answer.body);
    assert!(answer.body.contains(r#""code":"upstream_stream_truncated""#), "{}", answer.body);
    assert_eq!(server.turns().len() - before, 1);
}

#[tokio::test]
async fn a_connection_at_the_end_of_its_life_is_replaced_and_no_turn_is_lost() {
    for transport in ["auto", "websocket"] {
        let server = TestServer::with_vars(&[(TRANSPORT, transport)]).await;
        server.simulator.script_always(Some(thinking_call()));
        let mut agent = Agent::new("Read a.txt");
        agent.until_on_socket(&server).await;
        server.simulator.age_websockets();
        agent.step(&server).await;
        agent.until_on_socket(&server).await;
        assert_eq!(upgrades(&server), 2, "{transport}");
    }
}

#[tokio::test]
async fn a_turn_too_large_for_a_message_goes_over_http() {
    let server = always().await;
    let body = ask(&"x".repeat(16 << 20));
    server.simulator.script(Script::text("much"));
    assert_eq!(travelled(&server.chat(&body).await.ok()), "codex;http");
    assert!(server.turns().iter().all(|turn| turn.transport == Transport::Http));
}

#[tokio::test]
async fn what_asks_for_a_title_opens_no_connection() {
    let server = TestServer::start().await;
    server.chat(&ask("A title for this, please")).await.ok();
    server.chat(&ask("A title for this, please")).await.ok();
    assert_eq!(upgrades(&server), 0);
}

#[tokio::test]
async fn a_conversation_has_one_socket_and_its_other_turns_use_http() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(thinking_call()));
    let mut agent = Agent::new("Read a.txt");
    agent.until_on_socket(&server).await;
    server.simulator.script(Script::new().stall());
    let url = format!("{}/v1/chat/completions", server.url);
    let held = tokio::spawn(server.client.post(url).json(&agent.body).send());
    server.simulator.until_running(1).await;
    assert_eq!(travelled(&agent.step(&server).await), "codex;http");
    held.abort();
    server.simulator.until_running(0).await;
}

#[tokio::test]
async fn where_only_sockets_will_do_their_refusal_is_told() {
    let server = always().await;
    server.simulator.script_upgrades_always(Some(Script::cloudflare_challenge()));
    server.chat(&ask("hi")).await.refused(403, "upstream_blocked", Value::Null);
    assert!(server.turns().is_empty());
}

#[tokio::test]
async fn http_alone_asks_for_no_socket() {
    let server = TestServer::with_vars(&[(TRANSPORT, "http")]).await;
    server.simulator.script_always(Some(thinking_call().delay_before_first_item(Duration::ZERO)));
    let mut agent = Agent::new("Read a.txt");
    for _ in 0..3 {
        assert_eq!(travelled(&agent.step(&server).await), "codex;http");
    }
    assert_eq!(upgrades(&server), 0);
}
