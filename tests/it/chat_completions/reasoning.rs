//! What the model thinks.

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{deltas, streamed, weather_tool};
use crate::support::{TestServer, ask, kinds, with};

#[tokio::test]
async fn reasoning_is_shown_in_the_format_that_the_profile_chooses() {
    let script = || Script::new().reasoning("first").message("answer");
    let text = |deltas: &[Value], key: &str| -> String {
        deltas.iter().filter_map(|delta| delta[key].as_str()).collect()
    };
    for (format, key, expected, content) in [
        ("reasoning_content", "reasoning_content", "first", "answer"),
        ("reasoning", "reasoning", "first", "answer"),
        (
            "think-tags",
            "content",
            "<think>first</think>\n\nanswer",
            "<think>first</think>\n\nanswer",
        ),
        ("none", "reasoning_content", "", "answer"),
    ] {
        let vars = [("CODEXWAY__PROFILES__CODEX__REASONING__FORMAT", format)];
        let server = TestServer::with_vars(&vars).await;
        server.simulator.script(script());
        let (deltas, _) = deltas(&server.chat(&streamed("hi")).await.ok());
        assert_eq!(
            (text(&deltas, key), text(&deltas, "content")),
            (expected.into(), content.into()),
            "{format}"
        );
        server.simulator.script(script());
        let message = server.chat(&ask("hi")).await.ok().json()["choices"][0]["message"].clone();
        assert_eq!(message["content"], content, "{format}");
    }
}

#[tokio::test]
async fn encrypted_reasoning_comes_back_before_the_call_it_led_to() {
    let server = TestServer::start().await;
    for stream in [true, false] {
        let script =
            Script::new().reasoning("let me look").tool_call("get_weather", r#"{"city":"Paris"}"#);
        server.simulator.script(script);
        let first = with(ask("weather?"), json!({"tools": [weather_tool()], "stream": stream}));
        let answer = server.chat(&first).await.ok();
        let id = match stream {
            true => deltas(&answer)
                .0
                .iter()
                .find_map(|delta| delta["tool_calls"][0]["id"].as_str().map(str::to_owned)),
            false => answer.json()["choices"][0]["message"]["tool_calls"][0]["id"]
                .as_str()
                .map(str::to_owned),
        };
        let id = id.unwrap();
        let mut second = first.clone();
        second["messages"].as_array_mut().unwrap().extend([
            json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]}),
            json!({"role": "tool", "tool_call_id": id, "content": "rain"}),
        ]);
        server.chat(&second).await.ok();
        let sent = server.last_turn();
        let kinds = kinds(&sent["input"]);
        assert_eq!(kinds, ["message", "reasoning", "function_call", "function_call_output"]);
        assert!(
            sent["input"][1]["encrypted_content"].is_string()
                && sent["input"][1].get("id").is_none()
        );
    }
}

#[tokio::test]
async fn reasoning_that_a_client_carries_itself_goes_back_with_its_message() {
    let server = TestServer::start().await;
    server.simulator.script(Script::new().reasoning("hm").message("well"));
    let include = json!(["reasoning.encrypted_content"]);
    let body = json!({"model": "gpt-5.5", "input": "hi", "include": include});
    let told = server.responses(&body).await.ok().json();
    let sealed = &told["output"][0]["encrypted_content"];
    let details = json!([{"type": "reasoning.encrypted", "data": sealed, "id": "rs_1",
        "format": "openai-responses-v1", "index": 0}]);
    let others = json!([{"type": "reasoning.text", "text": "hm"}]);
    for (said, details, kinds_sent, dropped) in [
        ("well", &details, ["message", "reasoning", "message", "message"].as_slice(), None),
        ("", &details, &["message", "message"], None),
        ("well", &others, &["message"; 3], Some("messages.reasoning_details")),
    ] {
        let messages = json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": said, "reasoning_details": details},
            {"role": "user", "content": "go on"},
        ]);
        let answer = server.chat(&with(ask("hi"), json!({"messages": messages}))).await.ok();
        assert_eq!(answer.header("x-codexway-dropped"), dropped);
        let sent = server.last_turn();
        assert_eq!(kinds(&sent["input"]), kinds_sent);
        if kinds_sent.contains(&"reasoning") {
            assert_eq!(sent["input"][1]["encrypted_content"], *sealed);
        }
    }
}

#[tokio::test]
async fn reasoning_that_the_backend_cannot_read_any_more_is_left_out_once() {
    let server = TestServer::start().await;
    let body = json!({"model": "gpt-5.5", "input": [
        {"type": "message", "role": "user", "content": "Say exactly yes"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABnotours"},
    ]});
    let answer = server.responses(&body).await.ok().json();
    let output = answer["output"].as_array().unwrap();
    assert_eq!(output.last().unwrap()["content"][0]["text"], "yes");
    let statuses: Vec<u16> = server.turns().iter().map(|turn| turn.status).collect();
    assert_eq!(statuses, [400, 200]);
}

#[tokio::test]
async fn reasoning_is_asked_for_and_hidden_in_the_words_of_other_routers() {
    let server = TestServer::start().await;
    for (asked, effort, shown) in [
        (json!({"reasoning": {"effort": "high"}}), json!("high"), true),
        (json!({"reasoning": {"effort": "high", "exclude": true}}), json!("high"), false),
        (json!({"include_reasoning": false}), Value::Null, false),
        (json!({"reasoning": {"enabled": true}, "include_reasoning": true}), Value::Null, true),
        (json!({"reasoning_effort": "low", "reasoning": {"effort": "high"}}), json!("low"), true),
    ] {
        server.simulator.script(Script::new().reasoning("hm").message("well"));
        let answer = server.chat(&with(ask("hi"), asked.clone())).await.ok();
        assert_eq!(server.last_turn()["reasoning"]["effort"], effort, "{asked}");
        let message = answer.json()["choices"][0]["message"].clone();
        assert_eq!(message.get("reasoning_content").is_some(), shown, "{asked}: {message}");
        assert_eq!(answer.header("x-codexway-dropped"), None);
    }
    let body = with(ask("hi"), json!({"reasoning": {"max_tokens": 2000}}));
    let answer = server.chat(&body).await.ok();
    assert_eq!(answer.header("x-codexway-dropped"), Some("reasoning.max_tokens"));
    let body = with(ask("hi"), json!({"reasoning": {"effort": "huge"}}));
    server.chat(&body).await.refused(400, "invalid_value", "reasoning.effort");
}
