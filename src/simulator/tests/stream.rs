use super::*;

#[tokio::test]
async fn a_turn_streams_every_event_in_order() {
    let client = client().await;
    let answer = client.scripted(Script::text("Hello there.").reasoning("Greeting.")).await;
    assert_eq!(
        answer.names(),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let events = answer.events();
    let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..16).map(Some).collect::<Vec<_>>());
    assert_eq!(answer.said(), "Hello there.");
    assert_eq!(
        events[9]["part"],
        json!({
            "type": "output_text", "annotations": [], "logprobs": [], "text": "",
        })
    );
    assert_eq!(answer.items()[1]["phase"], "final_answer");
}

#[tokio::test]
async fn the_200_says_nothing_about_its_type_and_much_about_limits() {
    let client = client().await;
    let answer = client.ask(&body()).await;
    assert_eq!(answer.header("content-type"), "");
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    assert!(answer.header("set-cookie").starts_with("__cf_bm="));
    assert_eq!(answer.header("x-codex-primary-used-percent"), "31");
    assert_eq!(answer.header("x-codex-credits-has-credits"), "False");
    assert_eq!(answer.header("openai-model"), "gpt-5.5");
    for name in ["x-codex-turn-state", "x-models-etag", "x-oai-request-id", "cf-ray"] {
        assert_ne!(answer.header(name), "", "{name}");
    }
    assert!(!answer.text.contains("[DONE]"));
}

#[tokio::test]
async fn the_response_echoes_the_request_and_keeps_its_output_to_itself() {
    let client = client().await;
    let tools = json!([function("f", json!({ "type": "object", "properties": {} }))]);
    let asked = with(body(), json!({ "tools": tools, "prompt_cache_key": "k" }));
    let answer = client.ask(&asked).await;
    let events = answer.events();
    for event in [&events[0], &events[1], events.last().unwrap()] {
        let response = &event["response"];
        assert_eq!(response["instructions"], "Be brief.");
        assert_eq!(response["tools"], tools);
        assert_eq!(response["prompt_cache_key"], "k");
        assert_eq!(response["output"], json!([]));
        assert_eq!(response["service_tier"], "auto");
        assert_eq!(response["reasoning"], json!({ "effort": "medium", "summary": null }));
    }
    let last = &events.last().unwrap()["response"];
    assert_eq!((&last["status"], last["completed_at"].is_u64()), (&"completed".into(), true));
    let usage = &last["usage"];
    let sum = usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], sum);
}

#[tokio::test]
async fn ids_share_their_first_half_and_deltas_are_padded() {
    let client = client().await;
    let answer = client.scripted(Script::text("One two three.").tool_call("f", "{}")).await;
    let events = answer.events();
    let response = events[0]["response"]["id"].as_str().unwrap();
    let created = events[0]["response"]["created_at"].as_u64().unwrap();
    assert_eq!(response.len(), "resp_".len() + 50);
    let shared = &response[5..31];
    assert!(shared.ends_with(&format!("01{created:08x}")));
    for item in answer.items() {
        let (_, digits) = item["id"].as_str().unwrap().split_once('_').unwrap();
        assert_eq!((digits.len(), &digits[..26]), (50, shared));
    }
    for event in events.iter().filter(|event| event["obfuscation"].is_string()) {
        let length = |key: &str| event[key].as_str().unwrap().chars().count();
        assert_eq!(length("delta") + length("obfuscation"), 16);
    }
}

#[tokio::test]
async fn a_tool_call_streams_its_arguments() {
    let client = client().await;
    let arguments = r#"{"city":"Paris"}"#;
    let script = Script::text("Looking.").tool_call("get_weather", arguments);
    let answer = client.scripted(script).await;
    let items = answer.items();
    assert_eq!(items[0]["phase"], "commentary");
    assert_eq!(items[1]["type"], "function_call");
    assert_eq!(items[1]["arguments"], arguments);
    assert_eq!(items[1]["status"], "completed");
    assert!(items[1]["call_id"].as_str().unwrap().starts_with("call_"));
    let deltas: String = answer
        .events()
        .iter()
        .filter(|event| event["type"] == "response.function_call_arguments.delta")
        .map(|event| event["delta"].as_str().unwrap())
        .collect();
    assert_eq!(deltas, arguments);
}

#[tokio::test]
async fn other_items_have_their_own_events() {
    let client = client().await;
    let script = Script::new()
        .web_search()
        .image_generation()
        .custom_tool_call("apply_patch", "*** Begin Patch")
        .namespaced_tool_call("clock", "now", "{}")
        .refusal("I cannot.");
    let answer = client.scripted(script).await;
    let types: Vec<_> = answer.items().iter().map(|item| item["type"].clone()).collect();
    assert_eq!(
        types,
        [
            "web_search_call",
            "image_generation_call",
            "custom_tool_call",
            "function_call",
            "message"
        ]
    );
    let names = answer.names();
    for name in [
        "response.web_search_call.searching",
        "response.image_generation_call.partial_image",
        "response.custom_tool_call_input.delta",
        "response.refusal.delta",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    let items = answer.items();
    assert_eq!(items[3]["namespace"], "clock");
    assert_eq!(items[4]["content"], json!([{ "type": "refusal", "refusal": "I cannot." }]));
}

#[tokio::test]
async fn calls_can_interleave() {
    let client = client().await;
    let script =
        Script::new().tool_call("a", r#"{"a":"1234567890"}"#).tool_call("b", "{}").interleaved();
    let answer = client.scripted(script).await;
    let indexes: Vec<_> = answer
        .events()
        .iter()
        .filter(|event| event["output_index"].is_u64())
        .map(|event| event["output_index"].as_u64().unwrap())
        .collect();
    assert_eq!(indexes, [0, 1, 0, 1, 0, 0, 0, 0, 1, 1]);
}

#[tokio::test]
async fn summaries_can_come_without_deltas() {
    let client = client().await;
    client.sim.script(Script::text("ok").reasoning("one two"));
    let options =
        json!({ "stream_options": { "reasoning_summary_delivery": "sequential_cutoff" } });
    let names = client.ask(&with(body(), options)).await.names();
    assert!(!names.iter().any(|name| name == "response.reasoning_summary_text.delta"));
    assert!(names.iter().any(|name| name == "response.reasoning_summary_text.done"));
}

#[tokio::test]
async fn compaction_gives_one_item() {
    let client = client().await;
    let input = json!([user("hi"), { "type": "compaction_trigger" }]);
    let answer = client.ask(&with(body(), json!({ "input": input }))).await;
    let items = answer.items();
    assert_eq!((items.len(), &items[0]["type"]), (1, &"compaction".into()));
    let replayed = json!({ "input": [items[0], user("go on")] });
    assert_eq!(client.ask(&with(body(), replayed)).await.status, 200);
}

/// `input_tokens_details` of the answer in a session.
async fn cache(client: &Client, session: &str, fields: Value) -> Value {
    let body = with(body(), fields).to_string();
    let request = client.turn().header("session-id", session).body(body);
    let usage = Answer::of(request).await.last()["response"]["usage"].take();
    usage["input_tokens_details"].clone()
}

fn long(tail: &str) -> Value {
    json!({ "instructions": "All work and no play. ".repeat(250), "input": [user(tail)] })
}

#[tokio::test]
async fn a_session_id_pins_the_cache() {
    let client = client().await;
    let first = cache(&client, "s", long("one")).await;
    assert_eq!(first["cached_tokens"], 0);
    let tokens = first["cache_write_tokens"].as_u64().unwrap();
    assert!(tokens > 1375, "{tokens}");

    let second = cache(&client, "s", long("two")).await;
    let common = u64::try_from("All work and no play. ".len() * 250 / 4 / 128 * 128).unwrap();
    assert_eq!(second["cached_tokens"], common);
    assert_eq!(second["cache_write_tokens"], tokens - common);

    assert_eq!(cache(&client, "other", long("two")).await["cached_tokens"], 0);
}

#[tokio::test]
async fn short_prompts_and_unpinned_ones_are_not_cached() {
    let client = client().await;
    for _ in 0..2 {
        let cached = cache(&client, "s", json!({})).await;
        assert_eq!(cached, json!({ "cache_write_tokens": 0, "cached_tokens": 0 }));
    }
    let keyed = with(long("one"), json!({ "prompt_cache_key": "k" }));
    let mut hits = Vec::new();
    for _ in 0..4 {
        let usage =
            client.ask(&with(body(), keyed.clone())).await.last()["response"]["usage"].take();
        hits.push(usage["input_tokens_details"]["cached_tokens"] != 0);
    }
    assert_eq!(hits, [false, true, false, true]);
}
