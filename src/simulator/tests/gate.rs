use super::*;

/// The gate's refusal of the smallest turn with these fields changed.
async fn refused(fields: Value) -> String {
    let client = client().await;
    let answer = client.ask(&with(body(), fields)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.text
}

#[tokio::test]
async fn each_rule_is_refused_in_the_gates_words() {
    for (fields, detail) in [
        (json!({ "stream": null }), "Stream must be set to true"),
        (json!({ "stream": false }), "Stream must be set to true"),
        (json!({ "store": null }), "Store must be set to false"),
        (json!({ "store": true }), "Store must be set to false"),
        (json!({ "input": "hello" }), "Input must be a list"),
        (json!({ "input": null }), "Input must be a list"),
        (json!({ "instructions": ["hi"] }), "Instructions must be a string"),
        (json!({ "temperature": 0 }), "Unsupported parameter: temperature"),
        (json!({ "max_output_tokens": 5 }), "Unsupported parameter: max_output_tokens"),
        (json!({ "previous_response_id": "r" }), "Unsupported parameter: previous_response_id"),
        (
            json!({ "prompt_cache_retention": "24h" }),
            "Unsupported parameter: prompt_cache_retention",
        ),
        (json!({ "user": "u", "top_p": 1 }), "Unsupported parameter: user"),
        (
            json!({ "stream_options": { "include_usage": true } }),
            "Unsupported parameter: stream_options",
        ),
        (json!({ "service_tier": "flex" }), "Unsupported service_tier: flex"),
        (json!({ "service_tier": "auto" }), "Unsupported service_tier: auto"),
        (
            json!({ "input": [{ "type": "message", "role": "system", "content": "Hi" }] }),
            "System messages are not allowed",
        ),
        (
            json!({ "input": [{ "role": "system", "content": "Hi" }] }),
            "System messages are not allowed",
        ),
        (
            json!({ "model": "gpt-5" }),
            "The 'gpt-5' model is not supported when using Codex with a ChatGPT account.",
        ),
        (
            json!({ "model": "GPT-5.5" }),
            "The 'GPT-5.5' model is not supported when using Codex with a ChatGPT account.",
        ),
    ] {
        assert_eq!(
            refused(fields.clone()).await,
            json!({ "detail": detail }).to_string(),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn stream_is_looked_at_before_parameters_and_instructions_before_input() {
    assert!(refused(json!({ "stream": null, "top_p": 1 })).await.contains("Stream must be"));
    let options = Options { instructions_required: true, ..Options::default() };
    let client = client_with(options).await;
    let answer = client.ask(&with(body(), json!({ "instructions": null, "input": "hi" }))).await;
    assert_eq!(answer.text, r#"{"detail":"Instructions are required"}"#);
}

#[tokio::test]
async fn what_official_clients_send_passes() {
    let client = client().await;
    for fields in [
        json!({ "instructions": null }),
        json!({ "service_tier": "priority" }),
        json!({ "stream_options": { "reasoning_summary_delivery": "sequential_cutoff" } }),
        json!({ "client_metadata": { "session_id": "s" }, "prompt_cache_key": "k" }),
        json!({ "input": [{ "role": "user", "content": "bare" }] }),
        json!({ "input": [{ "role": "developer", "content": "rules" }, user("hi")] }),
        json!({ "tools": [] }),
    ] {
        let answer = client.ask(&with(body(), fields.clone())).await;
        assert_eq!(answer.status, 200, "{fields}: {}", answer.text);
    }
}

#[tokio::test]
async fn bodies_are_json_plain_or_zstd() {
    let client = client().await;
    let sent = body().to_string();
    let packed = zstd::encode_all(sent.as_bytes(), 3).unwrap();
    let length = packed.len();
    let answer = Answer::of(client.turn().header("content-encoding", "zstd").body(packed)).await;
    assert_eq!(answer.status, 200);
    let recorded = client.sim.requests().pop().unwrap();
    assert_eq!((recorded.json(), recorded.encoded_len), (body(), length));

    let broken = client.turn().header("content-encoding", "zstd").body("nonsense");
    assert_eq!(Answer::of(broken).await.text, r#"{"detail":"Bad Request"}"#);
    let gzip = client.turn().header("content-encoding", "gzip").body(sent.clone());
    assert_eq!(Answer::of(gzip).await.status, 415);
    let no_json = client.turn().body("{");
    assert_eq!(Answer::of(no_json).await.text, r#"{"detail":"Bad Request"}"#);
    let form = client
        .request("POST", "/backend-api/codex/responses")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(sent);
    assert_eq!(Answer::of(form).await.text, r#"{"detail":"Unsupported content type"}"#);
}

/// The status for a model, with these headers instead of `version`.
async fn as_client(client: &Client, model: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client
        .http
        .post(format!("{}/codex/responses", client.sim.base_url()))
        .bearer_auth(&client.access)
        .header("chatgpt-account-id", &client.account)
        .header("content-type", "application/json")
        .body(with(body(), json!({ "model": model })).to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn new_models_want_a_new_client() {
    let client = client().await;
    let old = "The 'gpt-6-astra' model requires a newer version of Codex. Please upgrade to the \
               latest app or CLI and try again.";
    for headers in [
        &[][..],
        &[("version", "0.152.9")],
        &[("version", "later")],
        &[("user-agent", "codex-tui/0.135.0 (Mac OS 26.5.0; arm64)")],
        &[("user-agent", "somebody/0.169.0")],
    ] {
        let answer = as_client(&client, "gpt-6-astra", headers).await;
        assert_eq!(answer.json(), json!({ "detail": old }), "{headers:?}");
    }
    for headers in [
        &[("version", "0.153.0")][..],
        &[("version", "0.170.0-alpha.1")],
        &[("user-agent", "Codex Desktop/0.153.3 (Mac OS 26.5.0; arm64)")],
    ] {
        assert_eq!(as_client(&client, "gpt-6-astra", headers).await.status, 200, "{headers:?}");
    }
    assert_eq!(as_client(&client, "gpt-5.5", &[]).await.status, 200);
}

#[tokio::test]
async fn luna_is_not_found_for_old_clients_and_strangers() {
    let not_found = json!({ "error": {
        "message": "Model not found gpt-5.6-luna",
        "type": "invalid_request_error",
        "param": "model",
        "code": null,
    } });
    let client = client().await;
    let answer = as_client(&client, "gpt-5.6-luna", &[]).await;
    assert_eq!((answer.status, answer.text), (404, format!("{not_found:#}")));
    let new = ("version", VERSION);
    assert_eq!(as_client(&client, "gpt-5.6-luna", &[new]).await.status, 200);

    let options = Options { originator_gate: true, ..Options::default() };
    let client = client_with(options).await;
    let stranger = as_client(&client, "gpt-5.6-luna", &[new, ("originator", "pi")]).await;
    assert_eq!((stranger.status, stranger.json()), (404, not_found));
    let known = as_client(&client, "gpt-5.6-luna", &[new, ("originator", "codex_cli_rs")]).await;
    assert_eq!(known.status, 200);
}

#[tokio::test]
async fn a_plan_has_its_models() {
    let client = client_with(Options { plan: "free".to_owned(), ..Options::default() }).await;
    let answer = client.ask(&with(body(), json!({ "model": "codex-auto-review" }))).await;
    assert_eq!(
        answer.json()["detail"],
        "The 'codex-auto-review' model is not supported when using Codex with a ChatGPT account."
    );
}

#[tokio::test]
async fn checks_come_in_the_backends_order() {
    let client = client().await;
    let wrong = with(body(), json!({ "stream": null, "model": "none" }));
    client.sim.use_up_plan(Some(3600));
    let limited = client.ask(&wrong).await;
    assert_eq!((limited.status, limited.header("x-codex-primary-used-percent")), (429, "100"));
    assert_eq!(limited.json()["error"]["type"], "usage_limit_reached");
    assert_eq!(limited.json()["error"]["resets_in_seconds"], 3600);
    client.sim.revoke_access_tokens();
    assert_eq!(client.ask(&wrong).await.status, 401);
}
