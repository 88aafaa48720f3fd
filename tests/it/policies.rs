use std::time::Duration;

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn several_choices_are_as_many_turns_in_one_answer() {
    let server = TestServer::start().await;
    let script = || {
        for text in ["one", "two", "three"] {
            server.simulator.script(Script::text(text));
        }
    };
    script();
    let answer = server.chat(&with(ask("hi"), json!({"n": 3}))).await.ok();
    assert_eq!(answer.header("x-codexway-emulated"), Some("n"));
    let whole = answer.json();
    let choices = whole["choices"].as_array().unwrap();
    let mut texts: Vec<&str> =
        choices.iter().map(|choice| choice["message"]["content"].as_str().unwrap()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["one", "three", "two"]);
    assert_eq!(choices.iter().map(|choice| &choice["index"]).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(server.turns().len(), 3);
    let single = server.chat(&ask("hi")).await.ok().json();
    let input = |answer: &Value| answer["usage"]["prompt_tokens"].as_u64().unwrap();
    assert_eq!(input(&whole), 3 * input(&single));

    script();
    let body =
        with(ask("hi"), json!({"stream": true, "n": 3, "stream_options": {"include_usage": true}}));
    let answer = server.chat(&body).await.ok();
    let (chunks, rest) = answer.chunks();
    assert_eq!(rest, "[DONE]");
    let ids: std::collections::HashSet<String> =
        chunks.iter().map(|chunk| chunk["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    let mut texts = Vec::new();
    for index in 0..3 {
        let of_choice = || {
            chunks.iter().filter_map(move |chunk| {
                chunk["choices"].as_array()?.iter().find(|choice| choice["index"] == index)
            })
        };
        let text: String =
            of_choice().filter_map(|choice| choice["delta"]["content"].as_str()).collect();
        texts.push(text);
        let roles = of_choice().filter(|choice| choice["delta"].get("role").is_some()).count();
        let ends = of_choice().filter(|choice| choice["finish_reason"] == "stop").count();
        assert_eq!((roles, ends), (1, 1));
    }
    texts.sort_unstable();
    assert_eq!(texts, ["one", "three", "two"]);
    let usage = chunks.last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(input(usage), 3 * input(&single));
}

/// The SDKs put a choice down where its first chunk comes, and then look it up by its number.
#[tokio::test]
async fn choices_appear_in_the_order_of_their_numbers() {
    let server = TestServer::start().await;
    for pause in [40, 20, 0] {
        let script = Script::text("word").delay_before_first_item(Duration::from_millis(pause));
        server.simulator.script(script);
    }
    let (chunks, _) =
        server.chat(&with(ask("hi"), json!({"stream": true, "n": 3}))).await.ok().chunks();
    let mut seen: Vec<u64> = Vec::new();
    for chunk in &chunks {
        let index = chunk["choices"][0]["index"].as_u64().unwrap();
        if !seen.contains(&index) {
            seen.push(index);
        }
    }
    assert_eq!(seen, [0, 1, 2]);
}

#[tokio::test]
async fn a_choice_that_fails_fails_the_whole() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("one"));
    server.simulator.script_always(Some(Script::new().failed("server_is_overloaded", "busy")));
    let answer = server.chat(&with(ask("hi"), json!({"n": 2}))).await;
    answer.refused(503, "server_is_overloaded", Value::Null);
}

#[tokio::test]
async fn each_field_has_the_policy_that_the_profile_gives_it() {
    const PARAMETERS: &str = "CODEXWAY__PROFILES__CODEX__PARAMETERS";
    let body = with(ask("hi"), json!({"temperature": 0.5, "stop": "%%", "n": 1, "top_p": 1}));
    let server = TestServer::with_vars(&[(PARAMETERS, "strict")]).await;
    server.chat(&body).await.refused(400, "unsupported_parameter", "temperature");
    let emulated = server.chat(&with(ask("hi"), json!({"stop": "%%"}))).await.ok();
    assert_eq!(emulated.header("x-codexway-emulated"), Some("stop"));

    for (name, policy, field, outcome) in [
        ("__TEMPERATURE", "reject", "temperature", Err("unsupported_parameter")),
        ("__STOP", "reject", "stop", Err("unsupported_parameter")),
        ("__STOP", "drop", "stop", Ok("temperature,stop")),
        ("__STREAM", "reject", "temperature", Ok("temperature")),
    ] {
        let name: &'static str = Box::leak(format!("{PARAMETERS}{name}").into_boxed_str());
        let server = TestServer::with_vars(&[(name, policy)]).await;
        let answer = server.chat(&body).await;
        match outcome {
            Err(code) => drop(answer.refused(400, code, field)),
            Ok(dropped) => {
                let mut names: Vec<&str> =
                    answer.header("x-codexway-dropped").unwrap().split(',').collect();
                names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
                assert_eq!(names.join(","), dropped);
            }
        }
    }
    // Forwarded, it is the backend that refuses it.
    let name = "CODEXWAY__PROFILES__CODEX__PARAMETERS__TEMPERATURE";
    let server = TestServer::with_vars(&[(name, "forward")]).await;
    let error = server.chat(&body).await;
    assert_eq!(error.status, 400, "{}", error.body);
    assert_eq!(server.last_turn()["temperature"], 0.5);
}
