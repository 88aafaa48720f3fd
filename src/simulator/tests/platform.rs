use pretty_assertions::assert_eq;

use super::*;

/// Asks the platform with this key.
async fn ask(client: &Client, key: &str, body: Value) -> Answer {
    let request = client.http.post(format!("{}/responses", client.sim.platform_url()));
    Answer::of(request.bearer_auth(key).json(&body)).await
}

#[tokio::test]
async fn the_platform_takes_what_the_backend_refuses() {
    let client = client().await;
    let key = client.sim.api_key();
    let body = json!({
        "model": "gpt-4o",
        "stream": true,
        "input": [{ "role": "system", "content": "Be brief." }, user("Say exactly hello")],
        "temperature": 0.5,
        "max_output_tokens": 16,
        "metadata": { "a": "b" },
        "service_tier": "flex",
        "stream_options": { "include_obfuscation": false },
    });
    let answer = ask(&client, &key, body).await;
    assert_eq!((answer.status, answer.header("x-ratelimit-limit-requests")), (200, "500"));
    assert!(!answer.text.contains("obfuscation") && !answer.text.contains("codex."));
    let told = &answer.last()["response"];
    assert_eq!((&told["temperature"], &told["metadata"]), (&json!(0.5), &json!({ "a": "b" })));
    assert_eq!(told["output"][0]["content"][0]["text"], "hello", "the last event lists the items");
}

#[tokio::test]
async fn the_platform_answers_at_once_unless_asked_to_stream() {
    let client = client().await;
    let key = client.sim.api_key();
    let answer = ask(&client, &key, json!({ "model": "gpt-5.5", "input": "Say exactly hi" })).await;
    let output = &answer.json()["output"];
    let message = output.as_array().unwrap().iter().find(|item| item["type"] == "message");
    assert_eq!(message.unwrap()["content"][0]["text"], "hi");
}

#[tokio::test]
async fn the_platform_refuses_what_it_does_not_know() {
    let client = client().await;
    let key = client.sim.api_key();
    for (more, status, param, code) in [
        (json!({ "stop": "x" }), 400, json!("stop"), json!("unknown_parameter")),
        (json!({ "model": "gpt-99" }), 400, json!("model"), json!("model_not_found")),
        (json!({ "model": null }), 400, json!("model"), json!("missing_required_parameter")),
        (
            json!({ "model": "text-embedding-3-small" }),
            400,
            json!("model"),
            json!("unsupported_model"),
        ),
        (
            json!({ "max_output_tokens": 15 }),
            400,
            json!("max_output_tokens"),
            json!("integer_below_min_value"),
        ),
        (
            json!({ "temperature": 2.5 }),
            400,
            json!("temperature"),
            json!("decimal_above_max_value"),
        ),
        (json!({ "temperature": "hot" }), 400, json!("temperature"), json!("invalid_type")),
        (
            json!({ "model": "gpt-5.5", "temperature": 0 }),
            400,
            json!("temperature"),
            json!("unsupported_parameter"),
        ),
        (json!({ "service_tier": "fast" }), 400, json!("service_tier"), json!("invalid_value")),
        (
            json!({ "reasoning": { "effort": "low" } }),
            400,
            json!("reasoning.effort"),
            json!("unsupported_parameter"),
        ),
        (json!({ "include": ["reasoning.encrypted_content"] }), 400, json!("include"), Value::Null),
        (
            json!({ "store": false, "background": true }),
            400,
            json!("store"),
            json!("invalid_value"),
        ),
    ] {
        let body = with(json!({ "model": "gpt-4o", "input": "hi" }), more.clone());
        let answer = ask(&client, &key, body).await;
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, &error["param"], &error["code"]),
            (status, &param, &code),
            "{more}"
        );
        assert!(answer.header("x-request-id").starts_with("req_"));
    }
}

#[tokio::test]
async fn the_platform_lets_in_who_has_a_key() {
    let client = client().await;
    let key = client.sim.api_key();
    let models = format!("{}/models", client.sim.platform_url());
    let list = Answer::of(client.http.get(&models).bearer_auth(&key)).await.json();
    assert!(list["data"].as_array().unwrap().iter().any(|model| model["id"] == "gpt-4o"));
    let one = Answer::of(client.http.get(format!("{models}/gpt-99")).bearer_auth(&key)).await;
    assert_eq!((one.status, &one.json()["error"]["code"]), (404, &json!("model_not_found")));

    client.sim.revoke_api_key(&key);
    let refused = Answer::of(client.http.get(&models).bearer_auth(&key)).await;
    let error = &refused.json()["error"];
    assert_eq!((refused.status, &error["code"]), (401, &json!("invalid_api_key")));
    assert!(!error["message"].as_str().unwrap().contains(&key), "it repeats the ends alone");
    let nobody = Answer::of(client.http.get(&models)).await;
    assert_eq!((nobody.status, &nobody.json()["error"]["code"]), (401, &Value::Null));
}
