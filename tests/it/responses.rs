use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, kinds, with};

fn ask(text: &str) -> Value {
    json!({"model": "gpt-5.5", "input": text})
}

fn streamed(text: &str) -> Value {
    with(ask(text), json!({"stream": true}))
}

/// The events in order, and what holds for each of them checked.
#[track_caller]
fn events(answer: &Answer) -> Vec<Value> {
    let frames = answer.frames();
    let (last, events) = frames.split_last().expect("a stream");
    assert!(last.is_done(), "{last:?}");
    let events: Vec<Value> = events
        .iter()
        .map(|frame| {
            assert_eq!(frame.event.as_deref(), frame.json()["type"].as_str());
            frame.json()
        })
        .collect();
    let numbers: Vec<u64> =
        events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
    events
}

/// Every key that the open specification of Responses asks for.
const KEYS: [&str; 30] = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
];

#[track_caller]
fn is_full(response: &Value) {
    let missing: Vec<&&str> = KEYS.iter().filter(|key| response.get(**key).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {response}");
    assert_eq!(response.get("user"), None);
}

#[tokio::test]
async fn a_whole_response_has_its_output_and_every_key() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("hello"));
    let body = server.responses(&ask("hi")).await.ok().json();
    is_full(&body);
    assert_eq!(body["status"], "completed");
    assert_eq!(body["output"][0]["content"][0]["text"], "hello");
    assert!(body["usage"]["total_tokens"].as_u64().unwrap() > 0);
    // What codexway adds on the way up is nobody's business on the way down.
    assert_eq!(
        (&body["prompt_cache_key"], &body["safety_identifier"]),
        (&Value::Null, &Value::Null)
    );
    let sent = server.last_turn();
    assert_eq!(
        sent["input"],
        json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}])
    );
    assert_eq!(sent.get("reasoning"), None);
}

#[tokio::test]
async fn a_stream_passes_on_every_event_and_fills_the_last_one() {
    let server = TestServer::start().await;
    server.simulator.script(Script::new().reasoning("hm").message("hello").tool_call("f", "{}"));
    let body = with(
        streamed("hi"),
        json!({
            "reasoning": {"summary": "auto"},
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false}],
        }),
    );
    let events = events(&server.responses(&body).await.ok());
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    is_full(&last["response"]);
    let kinds = kinds(&last["response"]["output"]);
    assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    assert_eq!(done, last["response"]["output"].as_array().unwrap().iter().collect::<Vec<_>>());
    for created in &events[..2] {
        is_full(&created["response"]);
        assert_eq!(created["response"]["output"], json!([]));
    }
}

#[tokio::test]
async fn the_client_s_own_request_is_what_the_answer_tells() {
    let server = TestServer::start().await;
    let body = with(
        ask("hi"),
        json!({
            "instructions": "be brief", "temperature": 0.5, "max_output_tokens": 100,
            "metadata": {"a": "b"}, "store": false, "truncation": "auto",
            "text": {"verbosity": "low"}, "reasoning": {"effort": "high"},
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}],
            "tool_choice": "none",
        }),
    );
    let answer = server.responses(&body).await.ok();
    let told = answer.json();
    is_full(&told);
    for (key, value) in [
        ("instructions", json!("be brief")),
        ("temperature", json!(0.5)),
        ("max_output_tokens", json!(100)),
        ("metadata", json!({"a": "b"})),
        ("store", json!(false)),
        ("truncation", json!("auto")),
        ("tool_choice", json!("none")),
        ("previous_response_id", Value::Null),
    ] {
        assert_eq!(told[key], value, "{key}");
    }
    assert_eq!(told["text"], json!({"verbosity": "low", "format": {"type": "text"}}));
    assert_eq!(
        (&told["reasoning"]["effort"], &told["reasoning"]["summary"]),
        (&json!("high"), &Value::Null)
    );
    assert_eq!(
        (&told["tools"][0]["description"], &told["tools"][0]["strict"]),
        (&Value::Null, &json!(true))
    );
    let mut dropped: Vec<&str> = answer.header("x-codexway-dropped").unwrap().split(',').collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["temperature", "truncation"]);
    assert_eq!(answer.header("x-codexway-emulated"), Some("max_output_tokens"));
}

#[tokio::test]
async fn input_items_keep_what_is_theirs_and_lose_what_needs_a_store() {
    let server = TestServer::start().await;
    let first = server
        .responses(&with(
            ask("think"),
            json!({"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]}),
        ))
        .await
        .ok()
        .json();
    let reasoning = &first["output"][0];
    assert_eq!(reasoning["type"], "reasoning", "{first}");
    let body = json!({"model": "gpt-5.5", "input": [
        {"role": "system", "content": "one"},
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "two"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        reasoning,
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "item_reference", "id": "rs_2"},
        {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary",
         "content": [{"type": "output_text", "text": "ok", "annotations": []}]},
        {"role": "assistant", "content": "plain"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed", "parsed_arguments": {}},
        {"type": "function_call_output", "call_id": "call_1", "output": "done"},
    ]});
    let answer = server.responses(&body).await.ok();
    assert_eq!(answer.header("x-codexway-dropped"), Some("input[4],input[5]"));
    let text = |kind: &str, text: &str| json!([{"type": kind, "text": text}]);
    assert_eq!(
        server.last_turn()["input"],
        json!([
            {"type": "message", "role": "developer", "content": text("input_text", "one")},
            {"type": "message", "role": "developer", "content": text("input_text", "two")},
            {"type": "message", "role": "user", "content": text("input_text", "hi")},
            {"type": "reasoning", "encrypted_content": reasoning["encrypted_content"], "summary": reasoning["summary"]},
            {"type": "message", "role": "assistant", "phase": "commentary",
             "content": [{"type": "output_text", "text": "ok", "annotations": []}]},
            {"type": "message", "role": "assistant", "content": text("output_text", "plain")},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "done"},
        ])
    );
}

#[tokio::test]
async fn the_backend_s_private_events_are_for_the_official_client_alone() {
    let server = TestServer::start().await;
    let script = || {
        Script::text("hi")
            .rate_limits_event()
            .keepalives()
            .unknown_event("response.novelty", json!({"type": "response.novelty", "a": [1]}))
    };
    server.simulator.script(script());
    let kinds = |events: Vec<Value>| -> Vec<String> {
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    let seen = kinds(events(&server.responses(&streamed("hi")).await.ok()));
    assert!(seen.iter().all(|kind| kind != "keepalive" && !kind.starts_with("codex.")), "{seen:?}");
    assert!(seen.iter().any(|kind| kind == "response.novelty"));

    server.simulator.script(script());
    let url = format!("{}/v1/responses", server.url);
    let request = server.client.post(url).header("originator", "codex_exec").json(&streamed("hi"));
    let seen: Vec<String> = server
        .send(request)
        .await
        .ok()
        .frames()
        .iter()
        .filter(|frame| !frame.is_done())
        .map(|frame| frame.json()["type"].as_str().unwrap().to_owned())
        .collect();
    assert!(seen.iter().any(|kind| kind == "keepalive"), "{seen:?}");
    assert!(seen.iter().any(|kind| kind == "codex.rate_limits"));
}

#[tokio::test]
async fn the_lite_shape_is_passed_on_with_its_header() {
    let server = TestServer::start().await;
    let body = json!({"model": "gpt-6-sol", "stream": true, "tool_choice": "auto", "parallel_tool_calls": false,
    "reasoning": {"effort": "low", "context": "all_turns"}, "store": false,
    "include": ["reasoning.encrypted_content"],
    "input": [
        {"type": "additional_tools", "id": "at_1", "role": "developer", "tools": [
            {"type": "namespace", "name": "functions", "description": "", "tools": [
                {"type": "function", "name": "wait", "description": "", "strict": false, "parameters": {"type": "object", "properties": {}}}]}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say exactly yes"}]},
    ]});
    let events = events(&server.responses(&body).await.ok());
    let output = events.last().unwrap()["response"]["output"].as_array().unwrap();
    assert_eq!(output.last().unwrap()["content"][0]["text"], "yes");
    let turn = server.turns().pop().unwrap();
    assert_eq!(turn.header("x-openai-internal-codex-responses-lite"), "true");
    assert_eq!(turn.json()["input"][0].get("id"), None);
}

#[tokio::test]
async fn what_was_never_kept_is_not_found() {
    let server = TestServer::start().await;
    let error = server.responses(&with(ask("hi"), json!({"previous_response_id": "resp_1"}))).await;
    let error = error.refused(400, "previous_response_not_found", "previous_response_id");
    assert_eq!(error["message"], "Previous response with id 'resp_1' not found.");
    let body = json!({"model": "gpt-5.5", "input": [{"type": "item_reference", "id": "msg_1"}]});
    let error = server.responses(&body).await.refused(404, Value::Null, "input");
    assert_eq!(error["message"], "Item with id 'msg_1' not found.");
    let body = with(ask("hi"), json!({"background": true, "store": false}));
    server.responses(&body).await.refused(400, "unsupported_parameter", "background");
    let body = with(ask("hi"), json!({"conversation": "conv_1"}));
    server.responses(&body).await.refused(404, Value::Null, "conversation");
    let body = with(ask("hi"), json!({"conversation": "conv_1", "previous_response_id": "resp_1"}));
    server.responses(&body).await.refused(400, "mutually_exclusive_parameters", Value::Null);
    assert_eq!(server.turns().len(), 0);
}

#[tokio::test]
async fn an_end_by_another_name_and_a_full_output_are_understood() {
    let server = TestServer::start().await;
    for script in [
        Script::text("hi").response_done(),
        Script::text("hi").full_output(),
        Script::text("hi").absent_output(),
        Script::text("hi").done_marker(),
    ] {
        server.simulator.script(script.clone());
        let events = events(&server.responses(&streamed("hi")).await.ok());
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"]["output"][0]["content"][0]["text"], "hi");
        server.simulator.script(script);
        assert_eq!(
            server.responses(&ask("hi")).await.ok().json()["output"][0]["content"][0]["text"],
            "hi"
        );
    }
}

#[tokio::test]
async fn items_may_be_sent_back_by_their_ids_while_they_are_kept() {
    let server = TestServer::start().await;
    let script = || Script::new().reasoning("hm").message("well").tool_call("f", "{}");
    for (stream, store) in [(true, None), (false, Some(true)), (false, Some(false))] {
        server.simulator.script(script());
        let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false});
        let first = with(ask("go"), json!({"stream": stream, "store": store, "tools": [tool]}));
        let answer = server.responses(&first).await.ok();
        let response =
            if stream { events(&answer).pop().unwrap()["response"].clone() } else { answer.json() };
        let output = response["output"].as_array().unwrap();
        let mut input = vec![json!({"role": "user", "content": "go"})];
        input.extend(output.iter().map(|item| json!({"type": "item_reference", "id": item["id"]})));
        let call = output.last().unwrap()["call_id"].clone();
        input.push(json!({"type": "function_call_output", "call_id": call, "output": "done"}));
        let answer = server.responses(&json!({"model": "gpt-5.5", "input": input})).await;
        if store == Some(false) {
            answer.refused(404, Value::Null, "input");
            continue;
        }
        answer.ok();
        let sent = server.last_turn();
        let kinds = kinds(&sent["input"]);
        assert_eq!(
            kinds,
            ["message", "reasoning", "message", "function_call", "function_call_output"]
        );
        assert_eq!(sent["input"][2]["content"][0]["text"], "well");
        assert!(sent["input"].as_array().unwrap().iter().all(|item| item.get("id").is_none()));
    }
}

/// A stream of these events.
fn raw(events: &[Value]) -> Script {
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Script::new().raw(text.into_bytes())
}

#[tokio::test]
async fn what_usage_and_calls_lack_is_filled_in() {
    let server = TestServer::start().await;
    let call = json!({"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f",
                      "arguments": "{}"});
    let usage = json!({"input_tokens": 3, "output_tokens": 4, "input_tokens_details": null});
    let script = raw(&[
        json!({"type": "response.output_item.done", "output_index": 0, "item": call}),
        json!({"type": "response.completed",
               "response": {"id": "resp_1", "status": "completed", "output": [], "usage": usage}}),
    ]);
    server.simulator.script(script.clone());
    let whole = server.responses(&ask("hi")).await.ok().json();
    let full = json!({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0}});
    assert_eq!(whole["usage"], full);
    let ended = with(call, json!({"status": "completed"}));
    assert_eq!(whole["output"], json!([ended]));
    server.simulator.script(script);
    let events = server.responses(&streamed("hi")).await.ok().frames();
    let done = events.iter().find(|it| it.event.as_deref() == Some("response.output_item.done"));
    assert_eq!(done.unwrap().json()["item"], ended);
    assert_eq!(events[events.len() - 2].json()["response"]["output"], json!([ended]));
}

#[tokio::test]
async fn a_stream_begins_with_the_response_whatever_the_upstream_begins_with() {
    let server = TestServer::start().await;
    let response = |status: &str| {
        json!({"id": "resp_1", "object": "response", "created_at": 1_790_000_000, "model": "m",
               "status": status, "output": [], "usage": null})
    };
    let told = |kind: &str, status: &str| json!({"type": kind, "response": response(status)});
    let created = told("response.created", "in_progress");
    let in_progress = told("response.in_progress", "in_progress");
    let completed = told("response.completed", "completed");
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "hi"});
    let odd = json!({"type": "response.odd"});
    for (what, stream, model) in [
        ("no in_progress", vec![&created, &delta, &completed], "m"),
        ("no created", vec![&in_progress, &delta, &completed], "m"),
        ("neither", vec![&delta, &completed], "gpt-5.5"),
        ("the end only", vec![&completed], "m"),
        ("something odd", vec![&odd, &created, &in_progress, &completed], "gpt-5.5"),
    ] {
        let stream: Vec<Value> = stream.into_iter().cloned().collect();
        server.simulator.script(raw(&stream));
        let events = events(&server.responses(&streamed("hi")).await.ok());
        let [first, second, .., last] = &events[..] else { panic!("{what}: {events:?}") };
        for begun in [first, second] {
            assert_eq!(begun["response"]["status"], "in_progress", "{what}");
            assert_eq!(begun["response"]["model"], model, "{what}");
            assert_eq!(begun["response"]["id"], last["response"]["id"], "{what}");
            is_full(&begun["response"]);
        }
        let is_created = |event: &&Value| event["type"] == "response.created";
        assert_eq!(events.iter().filter(is_created).count(), 1, "{what}");
        assert_eq!(last["type"], "response.completed", "{what}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_before_it_begins_fails_in_the_usual_order() {
    let server = TestServer::start().await;
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "hi"});
    server.simulator.script(raw(&[delta]));
    let events = events(&server.responses(&streamed("hi")).await.ok());
    assert_eq!(events.last().unwrap()["type"], "response.failed");
}

#[tokio::test]
async fn each_word_of_the_beginning_is_the_upstream_s() {
    let server = TestServer::start().await;
    let told = |kind: &str, status: &str, tier: &str| {
        let response = json!({"id": "resp_1", "created_at": 1_790_000_000, "model": "m",
                              "status": status, "service_tier": tier, "output": [], "usage": null});
        json!({"type": kind, "response": response})
    };
    for [queued, begun] in
        [["default", "default"], ["default", "priority"], ["priority", "default"]]
    {
        server.simulator.script(raw(&[
            told("response.created", "queued", "default"),
            told("response.queued", "queued", queued),
            told("response.in_progress", "in_progress", begun),
            told("response.completed", "completed", begun),
        ]));
        let frames = server.responses(&streamed("hi")).await.ok().frames();
        let told: Vec<_> = frames
            .iter()
            .filter(|frame| !frame.is_done())
            .map(|frame| {
                let event = frame.json();
                let response = &event["response"];
                is_full(response);
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (text(&event["type"]), text(&response["status"]), text(&response["service_tier"]))
            })
            .collect();
        let expected = [
            ("response.created", "queued", "default"),
            ("response.queued", "queued", queued),
            ("response.in_progress", "in_progress", begun),
            ("response.completed", "completed", begun),
        ];
        let expected = expected
            .map(|(kind, status, tier)| (kind.to_owned(), status.to_owned(), tier.to_owned()));
        assert_eq!(told, expected);
    }
}
