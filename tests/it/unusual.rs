//! Halves of characters, byte order marks, frames that say nothing, errors with numbers for names.

use std::io::Write;

use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{TestServer, ask, frames, with};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

async fn post(server: &TestServer, path: &str, body: impl Into<Vec<u8>>) -> (u16, String) {
    let request = server.client.post(format!("{}{path}", server.url)).body(body.into());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn half_a_character_is_replaced_wherever_a_client_left_it() {
    let server = TestServer::start().await;
    let part = |kind: &str| json!([{"type": kind, "text": "cut ~"}]);
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "cut ~"}});
    let custom = json!({"type": "custom", "custom": {"name": "f", "format": grammar}});
    for (path, body) in [
        (RESPONSES, json!({"input": "cut ~"})),
        (RESPONSES, json!({"input": "hi", "instructions": "cut ~"})),
        (RESPONSES, json!({"input": [{"role": "user", "content": "cut ~"}]})),
        (RESPONSES, json!({"input": [{"role": "user", "content": "cut ~"}], "store": false})),
        (
            RESPONSES,
            json!({"input": [{"role": "assistant", "content": "cut ~"}, {"role": "user", "content": "hi"}]}),
        ),
        (RESPONSES, json!({"input": [{"role": "user", "content": part("input_text")}]})),
        (CHAT, json!({"messages": [{"role": "user", "content": "cut ~"}]})),
        (CHAT, json!({"messages": [{"role": "user", "content": part("text")}]})),
        (CHAT, json!({"messages": [{"role": "user", "content": "hi"}], "tools": [custom]})),
    ] {
        for half in [r"\ud83d", r"\uDE00", r"\ud83d\ud83d\ude00"] {
            let body = with(json!({"model": "gpt-5.5"}), body.clone());
            let (status, told) = post(&server, path, body.to_string().replace('~', half)).await;
            assert_eq!(status, 200, "{body} {told}");
            let sent = server.last_turn().to_string();
            let whole = if half.len() > 6 { "cut \u{fffd}😀" } else { "cut \u{fffd}" };
            assert!(sent.contains(whole), "{sent}");
        }
    }
    let items = json!({"items": [{"role": "user", "content": "cut ~"}]}).to_string();
    let (status, told) = post(&server, "/v1/conversations", items.replace('~', r"\ud83d")).await;
    assert_eq!(status, 200, "{told}");
    // What is whole, and what is no escape at all, stays as it was written.
    let body = json!({"model": "gpt-5.5", "input": "~"}).to_string();
    post(&server, RESPONSES, body.replace('~', r"\ud83d\ude00 \\ud83d")).await;
    assert_eq!(server.last_turn()["input"][0]["content"][0]["text"], r"😀 \ud83d");
}

#[tokio::test]
async fn a_mark_of_the_byte_order_is_no_part_of_the_body() {
    let server = TestServer::start().await;
    let body = [b"\xef\xbb\xbf".as_slice(), ask("hi").to_string().as_bytes()].concat();
    assert_eq!(post(&server, RESPONSES, body).await.0, 200);
}

#[tokio::test]
async fn a_content_coding_is_known_in_capitals() {
    let server = TestServer::start().await;
    let mut body = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    body.write_all(ask("hi").to_string().as_bytes()).unwrap();
    let request = server.client.post(format!("{}{CHAT}", server.url));
    let request = request.header("content-encoding", "GZIP").body(body.finish().unwrap());
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_turn_that_was_cancelled_upstream_is_no_success() {
    let server = TestServer::start().await;
    let begun = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "a"});
    let ended =
        json!({"type": "response.done", "response": {"id": "resp_1", "status": "cancelled"}});
    let stream = format!("data: {begun}\n\ndata: {ended}\n\n");
    server.simulator.script(Script::new().raw(stream.into_bytes()));
    let (status, error) = server.post(CHAT, &ask("hi")).await.error();
    assert_eq!(status, 503, "{error}");
}

#[tokio::test]
async fn a_character_in_two_pieces_is_told_whole_where_the_turn_is_cut() {
    let server = TestServer::start().await;
    let delta = |text: &str| {
        format!(
            r#"data: {{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"{text}"}}"#
        ) + "\n\n"
    };
    let script = |pieces: &[&str]| {
        let item = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": []});
        let added = json!({"type": "response.output_item.added", "output_index": 0, "item": item});
        let text: String = pieces.iter().map(|piece| delta(piece)).collect();
        Script::new().raw(format!("data: {added}\n\n{text}").into_bytes())
    };
    for (pieces, said) in [
        (vec!["hello ", r"\ud83d", r"\ude00", " world STOP tail"], "hello 😀 world "),
        (vec![r"a\ud83d", r"\ude00b STOP"], "a😀b "),
        (vec!["a", r"\ud83d", "b STOP"], "a\u{fffd}b "),
        (vec![r"a \\ud83d", " STOP"], r"a \ud83d "),
    ] {
        for stream in [false, true] {
            server.simulator.script(script(&pieces));
            let body = with(ask("hi"), json!({"stop": ["STOP"], "stream": stream}));
            let answer = server.post(CHAT, &body).await.ok();
            let text = match stream {
                false => {
                    answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
                }
                true => frames(&answer.body)
                    .iter()
                    .filter(|frame| !frame.is_done())
                    .filter_map(|frame| {
                        let delta = frame.json()["choices"][0]["delta"]["content"].clone();
                        delta.as_str().map(str::to_owned)
                    })
                    .collect(),
            };
            assert_eq!(text, said, "{pieces:?} {stream}");
        }
    }
}

#[tokio::test]
async fn frames_that_say_nothing_end_nothing() {
    let server = TestServer::start().await;
    let events = [
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "words"}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}),
    ];
    let [delta, completed] = events.map(|event| format!("data: {event}\n\n"));
    for nothing in [
        "data:\n\n",
        "data:  \n\n",
        "event: ping\ndata:\n\n",
        "event: ping\ndata: ping\n\n",
        "event: ping\ndata: {}\n\n",
        "data: [DONE]\n\n",
    ] {
        let stream = format!("{nothing}{delta}{nothing}{completed}");
        server.simulator.script(Script::new().raw(stream.into_bytes()));
        let answer = server.post(CHAT, &ask("hi")).await.ok().json();
        assert_eq!(answer["choices"][0]["message"]["content"], "words", "{nothing}");
    }
}

#[tokio::test]
async fn an_error_keeps_its_words_whatever_it_is_named() {
    let server = TestServer::start().await;
    for (status, body) in [
        (400, json!({"error": {"message": "in words", "code": 400}})),
        (400, json!({"error": {"message": "in words", "type": 7, "param": ["x"]}})),
        (400, json!({"message": "in words"})),
        (400, json!({"errors": [{"message": "in words"}]})),
        (400, json!({"detail": {"error": {"message": "in words"}}})),
    ] {
        server.simulator.script(Script::new().status(status, &[], &body.to_string()));
        let answer = server.post(CHAT, &ask("hi")).await;
        let told = answer.json()["error"]["message"].to_string();
        assert!(told.contains("in words"), "{body} {told}");
    }
    for event in [
        json!({"type": "error", "error": {"message": "in words", "code": 400}}),
        json!({"type": "error", "code": 500, "message": "in words"}),
        json!({"type": "response.failed", "response": {"error": {"message": "in words", "code": 1}}}),
    ] {
        let begun = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "a"});
        let stream = format!("data: {begun}\n\ndata: {event}\n\n");
        server.simulator.script(Script::new().raw(stream.into_bytes()));
        let answer = server.post(CHAT, &ask("hi")).await;
        assert!(answer.json()["error"]["message"].to_string().contains("in words"), "{event}");
    }
}

#[tokio::test]
async fn a_failure_without_words_is_still_told_as_one() {
    let server = TestServer::start().await;
    let begun = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "a"});
    let failed = json!({"type": "response.failed", "response": {"id": "resp_1", "error": null}});
    let stream = format!("data: {begun}\n\ndata: {failed}\n\n");
    server.simulator.script(Script::new().raw(stream.into_bytes()));
    let body = json!({"model": "gpt-5.5", "input": "hi", "stream": true});
    let events = server.post(RESPONSES, &body).await.ok().frames();
    let last = events.iter().rfind(|frame| !frame.is_done()).unwrap().json();
    assert_eq!(last["type"], "response.failed");
    assert!(last["response"]["error"]["message"].is_string(), "{last}");
}

#[tokio::test]
async fn reasoning_that_was_put_into_a_conversation_is_sent_with_its_seal() {
    let server = TestServer::start().await;
    let script = Script::new().reasoning("hm").message("one");
    server.simulator.script(script);
    let first = server.responses(&json!({"model": "gpt-5.5", "input": "first"})).await.ok().json();
    let output = first["output"].clone();
    assert_eq!(
        (&output[0]["type"], &output[0]["encrypted_content"]),
        (&json!("reasoning"), &Value::Null)
    );
    let conversation = server.post("/v1/conversations", &json!({})).await.ok().json();
    let id = conversation["id"].as_str().unwrap();
    let path = format!("/v1/conversations/{id}/items");
    server.post(&path, &json!({"items": output})).await.ok();
    let by_conversation = json!({"model": "gpt-5.5", "input": "second", "conversation": id});
    let said = json!({"role": "user", "content": "second"});
    let by_id = json!({"type": "item_reference", "id": output[0]["id"]});
    let again = json!([output[0], output[1], said]);
    for body in [
        by_conversation,
        json!({"model": "gpt-5.5", "input": again}),
        json!({"model": "gpt-5.5", "input": [by_id, output[1], said]}),
    ] {
        let answer = server.responses(&body).await.ok();
        assert_eq!(answer.header("x-codexway-dropped"), None, "{body}");
        let sent = server.last_turn();
        assert_eq!(sent["input"][0]["type"], "reasoning", "{body}");
        assert!(sent["input"][0]["encrypted_content"].is_string(), "{sent}");
    }
    // What was never sealed is named each time.
    let bare = json!({"id": "rs_none", "type": "reasoning", "summary": []});
    for _ in 0..2 {
        let body = json!({"model": "gpt-5.5", "input": [bare, said]});
        let answer = server.responses(&body).await.ok();
        assert_eq!(answer.header("x-codexway-dropped"), Some("input[0]"));
    }
}
