//! What is sent again on the client's behalf, and what is not.

use std::time::Duration;

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, is_alone, with};

/// The counter of that name and labels, as `/metrics` tells it.
async fn counted(server: &TestServer, line: &str) -> u64 {
    let told = server.get("/metrics").await.ok();
    let value = told.body.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn what_passes_is_tried_again_before_the_first_word() {
    if !is_alone("retries::what_passes_is_tried_again_before_the_first_word") {
        return;
    }
    let faults: [(&str, Script); 6] = [
        ("overloaded", Script::overloaded_503()),
        ("overloaded", Script::envoy_503()),
        ("overloaded", Script::overloaded_in_stream()),
        ("overloaded", Script::new().error_event_only("slow_down", "busy")),
        ("unreachable", Script::text("never").cut_before_headers()),
        ("truncated", Script::text("never").cut_after(2)),
    ];
    for (reason, fault) in faults {
        let server = TestServer::start().await;
        let line = format!("codexway_retries_total{{reason=\"{reason}\"}}");
        let counted_before = counted(&server, &line).await;
        for stream in [false, true] {
            let chat = with(ask("Say exactly yes"), json!({"stream": stream}));
            let responses =
                json!({"model": "gpt-5.5", "input": "Say exactly yes", "stream": stream});
            for (path, body) in [("/v1/chat/completions", chat), ("/v1/responses", responses)] {
                let before = server.turns().len();
                server.simulator.script(fault.clone());
                server.simulator.script(fault.clone());
                let told = server.post(path, &body).await.ok().body;
                assert!(told.contains("yes") && !told.contains("never"), "{told}");
                assert_eq!(server.turns().len() - before, 3, "{reason}");
            }
        }
        assert_eq!(counted(&server, &line).await - counted_before, 8, "{reason}");
    }
}

#[tokio::test]
async fn an_overload_that_lasts_is_told_after_three_more_tries() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(Script::overloaded_in_stream()));
    server.chat(&ask("hi")).await.refused(503, "server_is_overloaded", Value::Null);
    assert_eq!(server.turns().len(), 4);
}

#[tokio::test]
async fn the_upstream_says_when_to_come_back() {
    let server = TestServer::start().await;
    let busy = |wait| Script::new().status(503, &[("retry-after-ms", wait)], "busy");
    server.simulator.script(busy("1"));
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.turns().len(), 2);
    // So long a wait is for the client to decide about, and it hears of it.
    server.simulator.script(busy("30000"));
    let answer = server.chat(&ask("hi")).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("30")));
    assert_eq!(server.turns().len(), 3);
}

#[tokio::test]
async fn nothing_is_tried_again_once_something_was_said() {
    let server = TestServer::start().await;
    let faults = [
        Script::text("hello").failed_after_text("server_is_overloaded", "busy"),
        Script::text("hello").cut_after(6),
        Script::text("hello").cut_in_mid_event(),
    ];
    for fault in faults {
        server.simulator.script_always(Some(fault));
        for stream in [false, true] {
            let before = server.turns().len();
            let answer = server.chat(&with(ask("hi"), json!({"stream": stream}))).await;
            assert!(answer.body.contains(r#""error""#), "{}", answer.body);
            assert_eq!(server.turns().len() - before, 1);
        }
    }
}

#[tokio::test]
async fn what_is_final_is_not_tried_again() {
    let server = TestServer::start().await;
    let refusals = [
        (Script::usage_limit_reached(3032), 429),
        (Script::usage_not_included(), 403),
        (Script::rate_limited_in_stream(), 429),
        (Script::context_length_exceeded(), 400),
        (Script::cyber_policy(), 400),
        (Script::cloudflare_challenge(), 403),
        (Script::detail_400("Unsupported parameter: foo"), 400),
    ];
    for (refusal, status) in refusals {
        server.simulator.script_always(Some(refusal));
        let before = server.turns().len();
        assert_eq!(server.chat(&ask("hi")).await.error().0, status);
        assert_eq!(server.turns().len() - before, 1, "{status}");
    }
}

#[tokio::test]
async fn a_client_that_has_waited_long_enough_is_told() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__KEEPALIVE", "100ms")]).await;
    server.simulator.script_always(Some(Script::overloaded_503()));
    server.chat(&ask("hi")).await.refused(503, "server_is_overloaded", Value::Null);
    assert_eq!(server.turns().len(), 1);
}

/// A server with signs of life each 100 ms, behind which answers take their time.
async fn with_signs_of_life() -> TestServer {
    TestServer::with_vars(&[("CODEXWAY__SERVER__KEEPALIVE", "100ms")]).await
}

#[tokio::test]
async fn a_stream_begins_before_the_upstream_has_answered_at_all() {
    let server = with_signs_of_life().await;
    let pause = Duration::from_secs(1);
    let chat = with(ask("hi"), json!({"stream": true}));
    let responses = json!({"model": "gpt-5.5", "input": "hi", "stream": true});
    for (path, body) in [("/v1/chat/completions", chat), ("/v1/responses", responses)] {
        server.simulator.script(Script::text("hello").delay_before_headers(pause));
        let before = server.turns().len();
        let told = server.post(path, &body).await.ok().body;
        assert!(told.starts_with(": keepalive") && told.contains("hello"), "{told}");
        assert_eq!(server.turns().len() - before, 1);
    }
    // However long that takes.
    server.simulator.script(Script::new().delay_before_headers(Duration::from_secs(3600)));
    let url = format!("{}/v1/responses", server.url);
    let body = json!({"model": "gpt-5.5", "input": "hi", "stream": true});
    assert_eq!(server.client.post(url).json(&body).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_fails_behind_a_status_line_is_told_in_the_stream_and_not_tried_again() {
    let server = with_signs_of_life().await;
    let late = || Script::overloaded_503().delay_before_headers(Duration::from_secs(1));
    server.simulator.script_always(Some(late()));
    let answer = server.chat(&with(ask("hi"), json!({"stream": true}))).await.ok();
    assert!(answer.body.contains(r#""code":"server_is_overloaded""#), "{}", answer.body);
    assert!(!answer.body.contains("[DONE]"), "{}", answer.body);
    assert_eq!(server.turns().len(), 1);
    // Who waits for the whole answer is told by its status.
    server.chat(&ask("hi")).await.refused(503, "server_is_overloaded", Value::Null);
    assert_eq!(server.turns().len(), 2);
}

#[tokio::test]
async fn a_whole_answer_has_the_upstream_s_headers_however_late_they_are() {
    let server = with_signs_of_life().await;
    server.simulator.script(Script::text("hello").delay_before_headers(Duration::from_secs(1)));
    let answer = server.chat(&ask("hi")).await.ok();
    assert!(answer.header("x-codex-primary-used-percent").is_some());
}

#[tokio::test]
async fn turns_are_counted_by_how_they_ended() {
    if !is_alone("retries::turns_are_counted_by_how_they_ended") {
        return;
    }
    let server = TestServer::start().await;
    server.chat(&ask("Say exactly yes")).await.ok();
    server.responses(&json!({"model": "gpt-5.5", "input": "hi", "stream": true})).await.ok();
    server.chat(&json!({"model": "gpt-5.5"})).await.refused(
        400,
        "missing_required_parameter",
        "messages",
    );
    let turns = async |dialect: &str, outcome: &str| {
        let labels =
            format!(r#"dialect="{dialect}",upstream="codex",profile="codex",outcome="{outcome}""#);
        counted(&server, &format!("codexway_turns_total{{{labels}}}")).await
    };
    assert_eq!(turns("chat", "ok").await, 1);
    assert_eq!(turns("responses", "ok").await, 1);
    assert_eq!(turns("chat", "error").await, 1);

    server.simulator.expire_access_tokens();
    server.chat(&ask("hi")).await.ok();
    assert_eq!(counted(&server, r#"codexway_refreshes_total{outcome="ok"}"#).await, 1);
    assert_eq!(counted(&server, r#"codexway_retries_total{reason="unauthorized"}"#).await, 1);

    // A client that leaves.
    server.simulator.script(Script::text("never").stall());
    let body = with(ask("hi"), json!({"stream": true}));
    let waiting = server.client.post(format!("{}/v1/chat/completions", server.url));
    let left = waiting.json(&body).timeout(Duration::from_millis(300)).send().await;
    drop(left);
    while turns("chat", "cancelled").await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(counted(&server, "codexway_turns_running").await, 0);

    for line in [
        "codexway_turn_duration_seconds_count",
        "codexway_time_to_first_content_seconds_count",
        r#"codexway_tokens_total{kind="input"}"#,
        r#"codexway_tokens_total{kind="output"}"#,
    ] {
        assert!(counted(&server, line).await > 0, "{line}");
    }
    let told = server.get("/metrics").await.ok();
    assert_eq!(told.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "# TYPE codexway_turns_total counter",
        "# TYPE codexway_turn_duration_seconds histogram",
        "codexway_time_to_first_content_seconds_bucket{le=\"0.25\"}",
        "codexway_build_info{version=\"",
        "codexway_limit_used_ratio{window_minutes=\"300\"}",
    ] {
        assert!(told.body.contains(line), "{line}\n{}", told.body);
    }
}
