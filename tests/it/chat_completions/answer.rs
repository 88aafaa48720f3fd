//! What comes back: text, in one piece or many, and how it ends.

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::{deltas, streamed, weather_tool};
use crate::support::{TestServer, ask, with};

#[tokio::test]
async fn a_whole_answer_is_one_completion() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("hello"));
    let answer = server.chat(&ask("hi")).await.ok();
    let mut body = answer.json();
    for key in ["id", "created", "usage", "service_tier"] {
        body[key].take();
    }
    assert_eq!(
        body,
        json!({
            "id": null, "object": "chat.completion", "created": null, "model": "gpt-5.5",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": "hello", "refusal": null, "annotations": []},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": null, "service_tier": null,
        })
    );
    assert_eq!(answer.header("x-codexway-upstream"), Some("codex;http"));
    assert_eq!(answer.header("x-codexway-dropped"), None);
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.header("x-codex-primary-used-percent").is_some());
    assert!(answer.header("x-ratelimit-remaining-requests").is_some());
    assert!(answer.header("openai-processing-ms").is_some());
}

#[tokio::test]
async fn a_streamed_answer_has_one_role_the_text_and_one_finish() {
    let server = TestServer::start().await;
    server.simulator.script(Script::new().deltas(&["he", "llo \"\n", "wörld 🦀"]));
    let answer = server.chat(&streamed("hi")).await.ok();
    let (deltas, finish) = deltas(&answer);
    assert_eq!(
        deltas,
        [
            json!({"role": "assistant", "content": "", "refusal": null}),
            json!({"content": "he"}),
            json!({"content": "llo \"\n"}),
            json!({"content": "wörld 🦀"}),
        ]
    );
    assert_eq!(finish, "stop");
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert!(answer.frames().iter().all(|frame| frame.event.is_none()));
    let without_usage =
        |frame: &crate::support::Frame| frame.is_done() || frame.json().get("usage").is_none();
    assert!(answer.frames().iter().all(without_usage), "usage was not asked for");
}

#[tokio::test]
async fn the_usage_chunk_comes_last_and_only_when_asked_for() {
    let server = TestServer::start().await;
    let body = with(streamed("hi"), json!({"stream_options": {"include_usage": true}}));
    let frames = server.chat(&body).await.ok().frames();
    let (usage, others) = frames[..frames.len() - 1].split_last().unwrap();
    assert_eq!(usage.json()["choices"], json!([]));
    let told = &usage.json()["usage"];
    assert_eq!(
        told["prompt_tokens"].as_u64().unwrap() + told["completion_tokens"].as_u64().unwrap(),
        told["total_tokens"].as_u64().unwrap()
    );
    assert!(told["prompt_tokens_details"]["cached_tokens"].is_u64());
    assert!(told["completion_tokens_details"]["reasoning_tokens"].is_u64());
    assert!(others.iter().all(|frame| frame.json()["usage"].is_null()));
}

#[tokio::test]
async fn items_without_deltas_lose_nothing() {
    let server = TestServer::start().await;
    let script = || {
        let script = Script::new().reasoning("thinking").message("well");
        script.tool_call("get_weather", r#"{"city":"Paris"}"#).whole_items()
    };
    let body = with(streamed("weather?"), json!({"tools": [weather_tool()]}));
    server.simulator.script(script());
    let (deltas, finish) = deltas(&server.chat(&body).await.ok());
    assert_eq!(deltas[1], json!({"reasoning_content": "thinking"}));
    assert_eq!(deltas[2], json!({"content": "well"}));
    assert_eq!(deltas[4]["tool_calls"][0]["function"]["arguments"], r#"{"city":"Paris"}"#);
    assert_eq!((deltas.len(), &*finish), (5, "tool_calls"));

    server.simulator.script(script());
    let body = with(body, json!({"stream": false}));
    let message = &server.chat(&body).await.ok().json()["choices"][0]["message"];
    assert_eq!(message["content"], "well");
    assert_eq!(message["reasoning_content"], "thinking");
    assert_eq!(message["tool_calls"][0]["function"]["name"], "get_weather");
}

#[tokio::test]
async fn a_commentary_and_an_answer_are_one_text_but_only_the_answer_is_json() {
    let server = TestServer::start().await;
    let script = || {
        let script = Script::new().message_with_phase("commentary", "let me see");
        script.message_with_phase("final_answer", r#"{"a":1}"#)
    };
    let format = json!({"response_format": {"type": "json_object"}});
    for (extra, expected) in [(json!({}), "let me see\n\n{\"a\":1}"), (format, r#"{"a":1}"#)] {
        server.simulator.script(script());
        let body = with(ask("json"), extra);
        let whole = server.chat(&body).await.ok().json();
        assert_eq!(whole["choices"].as_array().unwrap().len(), 1);
        assert_eq!(whole["choices"][0]["message"]["content"], expected);
        server.simulator.script(script());
        let (deltas, _) = deltas(&server.chat(&with(body, json!({"stream": true}))).await.ok());
        let text: String = deltas.iter().filter_map(|delta| delta["content"].as_str()).collect();
        assert_eq!(text, expected);
    }
}

#[tokio::test]
async fn an_incomplete_turn_ends_in_its_reason_even_with_a_call_in_it() {
    let server = TestServer::start().await;
    for (reason, finish) in [("max_output_tokens", "length"), ("content_filter", "content_filter")]
    {
        for stream in [false, true] {
            let script =
                Script::new().tool_call("get_weather", r#"{"city":"Par"#).incomplete(reason);
            server.simulator.script(script);
            let body = with(ask("weather?"), json!({"stream": stream, "tools": [weather_tool()]}));
            let answer = server.chat(&body).await.ok();
            let told = match stream {
                true => deltas(&answer).1,
                false => answer.json()["choices"][0]["finish_reason"].as_str().unwrap().to_owned(),
            };
            assert_eq!(told, finish);
        }
    }
}

#[tokio::test]
async fn an_image_that_was_made_is_shown() {
    let server = TestServer::start().await;
    let tools = json!({"tools": [{"type": "image_generation"}]});
    server.simulator.script(Script::text("here").image_generation());
    let whole = server.chat(&with(ask("draw"), tools.clone())).await.ok().json();
    let images = whole["choices"][0]["message"]["images"].clone();
    assert!(images[0]["image_url"]["url"].as_str().unwrap().starts_with("data:image/png;base64,"));
    server.simulator.script(Script::text("here").image_generation());
    let answer = server.chat(&with(streamed("draw"), tools)).await.ok();
    let (chunks, _) = answer.chunks();
    let delta = chunks.iter().find_map(|chunk| chunk["choices"][0]["delta"].get("images"));
    assert_eq!(delta, Some(&images));
}
