use super::*;

async fn names(script: Script) -> Vec<String> {
    client().await.scripted(script).await.names()
}

#[tokio::test]
async fn a_failure_comes_before_the_items_or_after_them() {
    let early = names(Script::text("never said").failed("server_error", "no")).await;
    assert_eq!(early, ["response.created", "response.in_progress", "error", "response.failed"]);
    let late =
        names(Script::text("hi").whole_items().failed_after_text("server_error", "no")).await;
    assert_eq!(late[2..], ["response.output_item.done", "error", "response.failed"]);
    let alone = names(Script::new().error_event_only("server_error", "no")).await;
    assert_eq!(alone, ["response.created", "response.in_progress", "error"]);
}

#[tokio::test]
async fn failures_carry_code_and_message() {
    let answer = client().await.scripted(Script::context_length_exceeded()).await;
    let text = "Your input exceeds the context window of this model. Please adjust your input and \
                try again.";
    let events = answer.events();
    assert_eq!(
        events[2]["error"],
        json!({
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
            "message": text,
            "param": "input",
        })
    );
    let response = &events[3]["response"];
    assert_eq!(response["error"], json!({ "code": "context_length_exceeded", "message": text }));
    assert_eq!((&response["status"], &response["usage"]), (&"failed".into(), &Value::Null));
}

#[tokio::test]
async fn incomplete_is_an_end_with_a_reason() {
    let answer =
        client().await.scripted(Script::text("cut of").incomplete("max_output_tokens")).await;
    let last = answer.last();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(answer.items()[0]["status"], "incomplete");
}

#[tokio::test]
async fn refusals_have_their_status_and_body() {
    let client = client().await;
    for (script, status, part) in [
        (Script::overloaded_503(), 503, r#""code":"server_is_overloaded""#),
        (Script::usage_limit_reached(60), 429, r#""resets_in_seconds":60"#),
        (Script::usage_not_included(), 429, r#""type":"usage_not_included""#),
        (Script::cloudflare_challenge(), 403, "Just a moment..."),
        (Script::empty_404(), 404, ""),
        (Script::envoy_503(), 503, "upstream connect error"),
        (Script::cyber_policy_400(), 400, r#""code":"cyber_policy""#),
        (Script::detail_500(), 500, r#"{"detail":"Internal Server Error"}"#),
        (Script::unauthorized("token_revoked"), 401, r#""status":401"#),
        (Script::deactivated_workspace(), 402, "deactivated_workspace"),
        (Script::invalid_encrypted_content(), 400, "invalid_encrypted_content"),
        (Script::new().status(418, &[("x-tea", "yes")], "short"), 418, "short"),
    ] {
        let answer = client.scripted(script).await;
        assert_eq!(answer.status, status);
        assert!(answer.text.contains(part), "{}", answer.text);
    }
    for (script, code) in [
        (Script::overloaded_in_stream(), "server_is_overloaded"),
        (Script::rate_limited_in_stream(), "rate_limit_exceeded"),
        (Script::cyber_policy(), "cyber_policy"),
    ] {
        assert_eq!(client.scripted(script).await.last()["response"]["error"]["code"], code);
    }
}

#[tokio::test]
async fn a_cut_ends_the_connection_but_not_the_body() {
    let client = client().await;
    let answer = client.scripted(Script::text("hello").cut_after(3)).await;
    assert!(!answer.whole);
    assert_eq!(answer.events().len(), 3);

    let answer = client.scripted(Script::text("hello").cut_in_mid_event()).await;
    assert!(!answer.whole && !answer.text.ends_with("\n\n"));
    assert!(answer.text.contains("event: response.output_text.delta"));

    client.sim.script(Script::new().cut_before_headers());
    assert!(client.turn().body(body().to_string()).send().await.is_err());
}

#[tokio::test]
async fn a_body_can_end_without_a_last_event() {
    let answer = client().await.scripted(Script::text("hi").ends_without_terminal_event()).await;
    assert!(answer.whole);
    assert_eq!(answer.last()["type"], "response.output_item.done");
}

#[tokio::test]
async fn events_come_one_a_write() {
    let client = client().await;
    client.sim.script(Script::text("one two three"));
    let mut response = client.turn().body(body().to_string()).send().await.unwrap();
    let mut chunks = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        chunks += 1;
        assert!(chunk.ends_with(b"\n\n"));
    }
    assert_eq!(chunks, 11);
}

#[tokio::test]
async fn bytes_come_in_any_shape() {
    let client = client().await;
    let plain = client.scripted(Script::text("grüße")).await;
    let split = client.scripted(Script::text("grüße").split_every(3)).await;
    assert_eq!(split.said(), "grüße");
    assert_eq!(split.names(), plain.names());

    let crlf = client.scripted(Script::text("hi").crlf().bom().comments()).await;
    let text = crlf.text.strip_prefix('\u{feff}').unwrap();
    assert!(text.starts_with(": still here\r\n\r\nevent: response.created\r\ndata: {"));
    assert!(text.ends_with("}\r\n\r\n"));

    let lines = client.scripted(Script::text("hi").multi_line_data()).await;
    assert!(lines.text.starts_with("event: response.created\ndata: {\ndata:   \"type\""));
}

#[tokio::test]
async fn old_profiles_can_be_had() {
    let client = client().await;
    let typed = client.scripted(Script::text("hi").with_content_type().done_marker()).await;
    assert_eq!(typed.header("content-type"), "text/event-stream; charset=utf-8");
    assert!(typed.text.ends_with("data: [DONE]\n\n"));

    let full = client.scripted(Script::text("hi").full_output()).await;
    assert_eq!(full.last()["response"]["output"], Value::from(full.items()));
    let nameless = client.scripted(Script::text("hi").full_output_without_ids()).await;
    assert_eq!(nameless.last()["response"]["output"][0]["id"], Value::Null);
    let absent = client.scripted(Script::text("hi").absent_output()).await;
    assert_eq!(absent.last()["response"].get("output"), None);
    let done = client.scripted(Script::text("hi").response_done()).await;
    assert_eq!(done.last()["type"], "response.done");
}

#[tokio::test]
async fn other_events_stand_between() {
    let script = Script::text("hi")
        .whole_items()
        .rate_limits_event()
        .unknown_event("codex.future", json!({ "type": "codex.future" }))
        .keepalives();
    assert_eq!(
        names(script).await,
        [
            "response.created",
            "response.in_progress",
            "codex.rate_limits",
            "codex.future",
            "keepalive",
            "response.output_item.done",
            "response.completed",
        ]
    );
}

#[tokio::test]
async fn raw_bytes_and_compressed_ones_pass() {
    let client = client().await;
    let answer = client.scripted(Script::new().raw("data: nonsense\n\n")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "data: nonsense\n\n"));

    client.sim.script(Script::text("packed").gzip_body());
    let response = client.turn().body(body().to_string()).send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let packed = response.bytes().await.unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut text)
        .unwrap();
    assert!(text.contains("packed"));
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_turn() {
    let client = client().await;
    client.sim.script(Script::new().stall());
    let mut response = client.turn().body(body().to_string()).send().await.unwrap();
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b"event: response.created"));
    assert_eq!(client.sim.running(), 1);
    drop(response);
    client.sim.until_running(0).await;
}

#[tokio::test]
async fn pauses_come_where_they_are_wanted() {
    let client = client().await;
    let pause = Duration::from_millis(30);
    let started = std::time::Instant::now();
    let script = Script::text("hi").delay_before_headers(pause).delay_before_first_item(pause);
    assert_eq!(client.scripted(script.delay_between(pause)).await.said(), "hi");
    assert!(started.elapsed() >= 7 * pause);
}

#[tokio::test]
async fn scripts_wait_for_turns_that_pass_the_checks() {
    let client = client().await;
    client.sim.script(Script::text("first"));
    client.sim.script_always(Some(Script::text("always")));
    assert_eq!(client.ask(&with(body(), json!({ "store": true }))).await.status, 400);
    assert_eq!(client.ask(&body()).await.said(), "first");
    assert_eq!(client.ask(&body()).await.said(), "always");
    client.sim.script_always(None);
    assert!(client.ask(&body()).await.said().contains("simulator"));

    client.sim.script(Script::text("anything goes").unchecked());
    let nothing = client.http.post(format!("{}/codex/responses", client.sim.base_url()));
    assert_eq!(Answer::of(nothing).await.said(), "anything goes");
}
