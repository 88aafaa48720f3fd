use codexway::simulator::{Options, Script, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, ask, with};

/// codexway in front of the simulator's platform, with a key that works.
async fn platform() -> TestServer {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let key = simulator.api_key();
    before(simulator, &[("OPENAI_API_KEY", key)]).await
}

async fn before(simulator: Simulator, more: &[(&'static str, String)]) -> TestServer {
    let mut vars = vec![
        ("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai".to_owned()),
        ("OPENAI_API_BASE_URL", simulator.platform_url()),
    ];
    vars.extend_from_slice(more);
    TestServer::before(simulator, &vars, "{}").await
}

fn old(more: Value) -> Value {
    with(with(ask("hi"), json!({"model": "gpt-4o"})), more)
}

fn told(answer: &Answer, name: &str) -> Option<String> {
    answer.header(name).map(str::to_owned)
}

#[tokio::test]
async fn what_the_platform_takes_arrives_there_and_nothing_is_dropped() {
    let server = platform().await;
    let taken = json!({
        "temperature": 0.2,
        "top_p": 0.5,
        "top_logprobs": 2,
        "user": "ada",
        "safety_identifier": "ada-1",
        "service_tier": "flex",
        "prompt_cache_key": "mine",
        "prompt_cache_retention": "24h",
    });
    let chat = with(taken.clone(), json!({"metadata": {"a": "b"}, "max_tokens": 100}));
    let answer = server.chat(&old(chat)).await.ok();
    assert_eq!(answer.header("x-codexway-upstream"), Some("openai;http"));
    assert_eq!(answer.header("x-codexway-dropped"), None);
    assert_eq!(answer.header("x-codexway-emulated"), None);
    let sent = server.last_turn();
    assert_eq!((&sent["max_output_tokens"], &sent["metadata"]), (&json!(100), &json!({"a": "b"})));
    assert_eq!((&sent["instructions"], &sent["store"]), (&Value::Null, &json!(false)));
    for (name, value) in taken.as_object().unwrap() {
        assert_eq!(sent[name], *value, "{name}");
    }

    let more = json!({
        "model": "gpt-4o", "input": "hi", "max_output_tokens": 100, "max_tool_calls": 3,
        "truncation": "auto",
    });
    let answer = server.responses(&with(taken.clone(), more)).await.ok();
    assert_eq!(answer.header("x-codexway-dropped"), None);
    let (sent, told) = (server.last_turn(), answer.json());
    assert_eq!((&sent["max_tool_calls"], &sent["truncation"]), (&json!(3), &json!("auto")));
    for (name, value) in taken.as_object().unwrap() {
        assert_eq!(sent[name], *value, "{name}");
    }
    assert_eq!((&told["temperature"], &told["max_output_tokens"]), (&json!(0.2), &json!(100)));
}

#[tokio::test]
async fn what_its_responses_lack_is_still_emulated() {
    let server = platform().await;
    let answer = server.chat(&old(json!({"stop": "x", "n": 2, "max_tokens": 5}))).await.ok();
    assert_eq!(answer.header("x-codexway-emulated"), Some("n,stop,max_tokens"));
    assert_eq!(answer.json()["choices"].as_array().unwrap().len(), 2);
    let sent = server.last_turn();
    assert_eq!((&sent["stop"], &sent["max_output_tokens"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn both_dialects_stream_from_the_platform() {
    let server = platform().await;
    server.simulator.script(Script::new().deltas(&["he", "llo"]));
    let frames = server.chat(&old(json!({"stream": true}))).await.ok().frames();
    let said: Vec<String> = frames
        .iter()
        .filter(|frame| !frame.is_done())
        .filter_map(|frame| {
            frame.json()["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(said.concat(), "hello");
    assert!(frames.last().unwrap().is_done());

    server.simulator.script(Script::text("hello"));
    let body = json!({"model": "gpt-5.5", "input": "hi", "stream": true});
    let frames = server.responses(&body).await.ok().frames();
    let [.., last, done] = frames.as_slice() else { panic!("{frames:?}") };
    assert!(done.is_done());
    assert_eq!(last.json()["response"]["output"][0]["content"][0]["text"], "hello");
    assert_eq!(last.json()["response"]["store"], true, "it is kept here");
    assert_eq!(server.last_turn()["stream_options"], json!({"include_obfuscation": false}));
}

#[tokio::test]
async fn a_response_goes_on_from_one_that_is_kept_here() {
    let server = platform().await;
    let body = json!({"model": "gpt-5.5", "input": "Say exactly one"});
    let first = server.responses(&body).await.ok().json();
    let next = json!({
        "model": "gpt-5.5", "input": "and now?", "previous_response_id": first["id"],
    });
    server.responses(&next).await.ok();
    let sent = server.last_turn();
    assert_eq!(sent["previous_response_id"], Value::Null);
    assert!(sent["input"].as_array().unwrap().len() >= 3, "{sent}");
    let id = first["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/v1/responses/{id}")).await.ok().json()["id"], first["id"]);
}

#[tokio::test]
async fn a_model_that_does_not_reason_is_asked_for_no_reasoning() {
    let server = platform().await;
    server.chat(&old(json!({}))).await.ok();
    let sent = server.last_turn();
    assert_eq!((&sent["include"], &sent["reasoning"]), (&json!([]), &Value::Null));
    let tries = server.turns().len();
    server.chat(&old(json!({}))).await.ok();
    assert_eq!(server.turns().len(), tries + 1, "what was learnt is not asked again");

    // What the client itself asks for is its own to be told of.
    let asked = json!({"model": "gpt-4o", "input": "hi", "reasoning": {"summary": "auto"}});
    server.responses(&asked).await.refused(400, "unsupported_parameter", "reasoning.summary");
    let asked =
        json!({"model": "gpt-4o", "input": "hi", "include": ["reasoning.encrypted_content"]});
    server.responses(&asked).await.refused(400, Value::Null, "include");
}

#[tokio::test]
async fn an_organisation_without_summaries_is_still_served() {
    let options = Options { organization_verified: false, ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let key = simulator.api_key();
    let server = before(simulator, &[("OPENAI_API_KEY", key)]).await;
    server.chat(&ask("hi")).await.ok();
    let sent = server.last_turn();
    assert_eq!(sent["reasoning"]["summary"], Value::Null);
    assert_eq!(sent["include"], json!(["reasoning.encrypted_content"]));
}

#[tokio::test]
async fn what_a_model_lacks_is_told_in_the_platform_s_words() {
    let server = platform().await;
    let error = server.chat(&with(ask("hi"), json!({"temperature": 0.1}))).await;
    let error = error.refused(400, "unsupported_parameter", "temperature");
    assert_eq!(
        error["message"],
        "Unsupported parameter: 'temperature' is not supported with this model."
    );
    server.chat(&with(ask("hi"), json!({"model": "gpt-99"}))).await.refused(
        404,
        "model_not_found",
        "model",
    );
    assert_eq!(server.last_turn()["model"], "gpt-99", "the platform knows its models best");
}

#[tokio::test]
async fn the_name_of_an_older_model_may_say_more_too() {
    let server = platform().await;
    server.chat(&with(ask("hi"), json!({"model": "o3-high"}))).await.ok();
    let sent = server.last_turn();
    assert_eq!((&sent["model"], &sent["reasoning"]["effort"]), (&json!("o3"), &json!("high")));
}

#[tokio::test]
async fn models_are_the_platform_s_with_what_is_known_of_them() {
    let server = platform().await;
    let list = server.get("/v1/models").await.ok().json();
    let find = |id: &str| list["data"].as_array().unwrap().iter().find(|model| model["id"] == id);
    let known = find("gpt-5.5").unwrap();
    assert_eq!(known["reasoning_efforts"], json!(["low", "medium", "high", "xhigh"]));
    assert_eq!(known.get("pricing"), None, "here a turn costs what the platform asks for it");
    assert!(find("gpt-4o").is_some());
    assert!(find("text-embedding-3-small").is_none(), "it does not talk");
    server.get("/v1/models/gpt-4o").await.ok();
    let catalog = server.get("/v1/models?client_version=0.169.0").await.ok().json();
    assert!(catalog["models"][0]["supported_reasoning_levels"].is_array());
}

#[tokio::test]
async fn a_key_that_is_refused_is_named_by_its_place_and_never_shown() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let key = simulator.api_key();
    simulator.revoke_api_key(&key);
    let server = before(simulator, &[("OPENAI_API_KEY", key.clone())]).await;
    let answer = server.chat(&ask("hi")).await;
    let error = answer.refused(401, "upstream_auth_failed", Value::Null);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("$OPENAI_API_KEY") && message.contains("invalid_api_key"),
        "{message}"
    );
    assert!(!message.contains(&key[..7]) && !message.contains(&key[key.len() - 4..]), "{message}");
}

#[tokio::test]
async fn a_key_file_is_read_again_when_its_key_is_refused() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let server =
        before(simulator, &[("CODEXWAY__ACCOUNTS__DEFAULT__KEY_FILE", path.clone())]).await;

    let error = server.chat(&ask("hi")).await.refused(401, "upstream_auth_failed", Value::Null);
    assert!(error["message"].as_str().unwrap().contains(&path), "{error}");
    assert_eq!(server.get("/ready").await.status, 503);

    let old = server.simulator.api_key();
    std::fs::write(&path, format!("{old}\n")).unwrap();
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.get("/ready").await.status, 200);

    server.simulator.revoke_api_key(&old);
    server.chat(&ask("hi")).await.refused(401, "upstream_auth_failed", Value::Null);
    std::fs::write(&path, server.simulator.api_key()).unwrap();
    server.chat(&ask("hi")).await.ok();
}

#[tokio::test]
async fn limits_are_told_as_the_platform_tells_them() {
    let server = platform().await;
    let well = server.chat(&ask("hi")).await.ok();
    assert_eq!(told(&well, "x-ratelimit-remaining-requests").as_deref(), Some("499"));
    assert!(told(&well, "x-codexway-upstream-request-id").unwrap().starts_with("req_"));
    for name in ["set-cookie", "openai-organization"] {
        assert_eq!(told(&well, name), None);
    }

    server.simulator.script(Script::platform_rate_limited(1500));
    let answer = server.chat(&ask("hi")).await;
    answer.refused(429, "rate_limit_exceeded", Value::Null);
    assert_eq!(told(&answer, "retry-after").as_deref(), Some("2"));
    assert_eq!(told(&answer, "retry-after-ms").as_deref(), Some("1500"));
    assert_eq!(told(&answer, "x-ratelimit-remaining-requests").as_deref(), Some("0"));

    server.simulator.script(Script::insufficient_quota());
    let answer = server.chat(&ask("hi")).await;
    let error = answer.refused(429, "insufficient_quota", Value::Null);
    assert_eq!(error["type"], "insufficient_quota");
    assert_eq!(told(&answer, "x-should-retry").as_deref(), Some("false"));

    server.simulator.script_always(Some(Script::platform_500()));
    let error = server.chat(&ask("hi")).await.refused(503, "server_error", Value::Null);
    assert!(error["message"].as_str().unwrap().contains("(request req_"), "{error}");
}
