//! What has gone wrong in programs like this one, each as a test that it does not go wrong here.
//! They stand in the order of the list that they come from; a comment says what breaks.
//!
//! One entry of that list has no test: a proxy that wrote itself into the Codex CLI's own settings
//! and, once switched off, left it unable to log in. Nothing here writes another program's settings.

use codexway::simulator::{Options, Script, Simulator};
use futures_util::future::join_all;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, ask, with};

/// The texts of the messages that were sent upstream, with their roles.
fn sent_texts(server: &TestServer) -> Vec<(String, String)> {
    let sent = server.last_turn();
    let messages = sent["input"].as_array().unwrap().iter().filter(|item| item["role"].is_string());
    messages
        .flat_map(|item| {
            let parts = item["content"].as_array().unwrap().iter();
            parts.map(|part| (item["role"].to_string(), part["text"].as_str().unwrap().to_owned()))
        })
        .collect()
}

fn streamed(body: Value) -> Value {
    with(body, json!({"stream": true}))
}

fn weather_tool() -> Value {
    json!({"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}})
}

/// The first system message alone was sent on, or it became one of the user's.
#[tokio::test]
async fn every_system_message_is_sent_in_its_place_and_with_its_authority() {
    let server = TestServer::start().await;
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let messages = [
        said("system", "one"),
        said("system", "two"),
        said("user", "three"),
        said("system", "four"),
        said("developer", "five"),
        said("user", "six"),
    ];
    server.chat(&json!({"model": "gpt-5.5", "messages": messages})).await.ok();
    let roles: Vec<(String, String)> = sent_texts(&server);
    let roles: Vec<(&str, &str)> =
        roles.iter().map(|(role, text)| (role.trim_matches('"'), &**text)).collect();
    assert_eq!(
        roles,
        [
            ("developer", "one"),
            ("developer", "two"),
            ("user", "three"),
            ("developer", "four"),
            ("developer", "five"),
            ("user", "six"),
        ]
    );
}

/// The call of a search that the backend runs itself came out as one of a tool that the client has
/// never heard of, and was waited for.
#[tokio::test]
async fn a_search_that_the_backend_runs_is_no_call_of_the_client_s() {
    let server = TestServer::start().await;
    let body = with(ask("search"), json!({"web_search_options": {}}));
    server.simulator.script(Script::new().web_search().message("found"));
    let choice = server.chat(&body).await.ok().json()["choices"][0].clone();
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("stop"), &json!("found"))
    );
    assert_eq!(choice["message"].get("tool_calls"), None);
    server.simulator.script(Script::new().web_search().message("found"));
    let answer = server.chat(&streamed(body)).await.ok();
    assert!(!answer.body.contains("tool_calls") && answer.body.ends_with("data: [DONE]\n\n"));
}

/// A turn that had failed was finished with the reason `stop`.
#[tokio::test]
async fn a_failed_turn_is_never_finished() {
    let server = TestServer::start().await;
    let script = || Script::text("half").failed_after_text("server_error", "it broke");
    server.simulator.script(script());
    let answer = server.chat(&streamed(ask("hi"))).await.ok();
    assert!(!answer.body.contains(r#""finish_reason":""#) && !answer.body.contains("[DONE]"));
    assert_eq!(answer.frames().last().unwrap().json()["error"]["message"], "it broke");
    server.simulator.script(script());
    assert!(server.chat(&ask("hi")).await.error().0 >= 500);
}

/// Everything beyond ASCII was stripped from the instructions.
#[tokio::test]
async fn no_character_is_lost_on_the_way() {
    const TEXT: &str = "Grüße, 北京 — 👩‍🚀 \u{202e}\u{0}\u{feff} \"\\";
    let server = TestServer::start().await;
    server.simulator.script(Script::text(TEXT));
    let messages = json!([{"role": "system", "content": TEXT}, {"role": "user", "content": TEXT}]);
    let answer = server.chat(&json!({"model": "gpt-5.5", "messages": messages})).await.ok().json();
    assert_eq!(answer["choices"][0]["message"]["content"], TEXT);
    assert!(sent_texts(&server).iter().all(|(_, text)| text == TEXT));
    let body = json!({"model": "gpt-5.5", "input": TEXT, "instructions": TEXT});
    server.responses(&body).await.ok();
    assert_eq!(server.last_turn()["instructions"], TEXT);
}

/// An image came to the model as the text that its part is printed as.
#[tokio::test]
async fn an_image_is_sent_as_an_image() {
    const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==";
    let server = TestServer::start().await;
    let content = json!([
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "high"}},
    ]);
    let body = json!({"model": "gpt-5.5", "messages": [{"role": "user", "content": content}]});
    server.chat(&body).await.ok();
    assert_eq!(
        server.last_turn()["input"][0]["content"],
        json!([
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": PIXEL, "detail": "high"},
        ])
    );
}

/// The session was one field for the whole process, so turns at the same time swapped theirs.
#[tokio::test]
async fn turns_at_the_same_time_keep_their_own_sessions() {
    let server = TestServer::start().await;
    let turns = (0..24).map(|n| {
        let request = server.client.post(format!("{}/v1/chat/completions", server.url));
        let request = request.header("x-session-id", format!("session-{n}"));
        server.send(request.json(&ask(&format!("Say exactly {n}"))))
    });
    for (n, answer) in join_all(turns).await.into_iter().enumerate() {
        assert_eq!(answer.ok().json()["choices"][0]["message"]["content"], n.to_string());
    }
    let turns = server.turns();
    assert_eq!(turns.len(), 24);
    for turn in turns {
        let sent = turn.json();
        let text = sent["input"][0]["content"][0]["text"].as_str().unwrap();
        let session = format!("session-{}", text.trim_start_matches("Say exactly "));
        assert_eq!(
            (turn.header("session-id"), &sent["prompt_cache_key"]),
            (&*session, &json!(session))
        );
    }
}

/// Tools that stand in the input were taken out of it, or flattened into the list beside it.
#[tokio::test]
async fn tools_that_stand_in_the_input_stay_there() {
    let server = TestServer::start().await;
    let tools = json!([{"type": "function", "name": "f", "strict": false,
        "parameters": {"type": "object", "properties": {}}}]);
    let holder = json!({"type": "additional_tools", "role": "developer", "tools": tools});
    let said = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]});
    let body = json!({"model": "gpt-5.6-sol", "input": [holder, said], "parallel_tool_calls": false,
        "reasoning": {"context": "all_turns"}});
    server.responses(&body).await.ok();
    let sent = server.last_turn();
    assert_eq!(sent["input"], body["input"]);
    assert_eq!(sent.get("tools"), None);
}

/// The tiers that OpenAI documents were refused, and only those of the backend taken.
#[tokio::test]
async fn every_documented_service_tier_is_taken() {
    let server = TestServer::start().await;
    for (tier, sent, dropped) in [
        ("auto", Value::Null, None),
        ("default", Value::Null, None),
        ("flex", Value::Null, Some("service_tier")),
        ("scale", Value::Null, Some("service_tier")),
        ("priority", json!("priority"), None),
    ] {
        let tier = json!({"service_tier": tier});
        for answer in [
            server.chat(&with(ask("hi"), tier.clone())).await,
            server.responses(&with(json!({"model": "gpt-5.5", "input": "hi"}), tier.clone())).await,
        ] {
            assert_eq!(answer.ok().header("x-codexway-dropped"), dropped, "{tier}");
            assert_eq!(server.last_turn()["service_tier"], sent, "{tier}");
        }
    }
}

/// The ids of calls were lost on the way, so outputs belonged to nothing any more.
#[tokio::test]
async fn a_call_keeps_its_id_from_the_backend_to_the_client_and_back() {
    let server = TestServer::start().await;
    for stream in [false, true] {
        server.simulator.script(
            Script::new()
                .tool_call("get_weather", r#"{"city":"Paris"}"#)
                .tool_call("get_weather", "{}"),
        );
        let tools = json!({"tools": [weather_tool()], "stream": stream});
        let answer = server.chat(&with(ask("weather?"), tools.clone())).await.ok();
        let ids = call_ids(&answer, stream);
        assert!(ids.len() == 2 && ids.iter().all(|id| id.starts_with("call_")), "{ids:?}");
        let calls: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}))
            .collect();
        let mut body = with(ask("weather?"), tools);
        let messages = body["messages"].as_array_mut().unwrap();
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": calls}));
        for id in ids.iter().rev() {
            messages.push(json!({"role": "tool", "tool_call_id": id, "content": "rain"}));
        }
        server.chat(&body).await.ok();
        let sent = server.last_turn();
        let items = &sent["input"].as_array().unwrap()[1..];
        let sent: Vec<&str> = items.iter().map(|item| item["call_id"].as_str().unwrap()).collect();
        assert_eq!(sent, [&ids[0], &ids[1], &ids[1], &ids[0]]);
    }
}

fn call_ids(answer: &Answer, stream: bool) -> Vec<String> {
    let id = |call: &Value| call["id"].as_str().map(str::to_owned);
    if !stream {
        let calls = answer.json()["choices"][0]["message"]["tool_calls"].clone();
        return calls.as_array().unwrap().iter().filter_map(id).collect();
    }
    let chunks = answer.frames().into_iter().filter(|frame| !frame.is_done());
    chunks.filter_map(|chunk| id(&chunk.json()["choices"][0]["delta"]["tool_calls"][0])).collect()
}

/// `created` was 0, or a counter.
#[tokio::test]
async fn an_answer_was_created_now() {
    let server = TestServer::start().await;
    let began = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let whole = server.chat(&ask("hi")).await.ok().json()["created"].as_u64().unwrap();
    let chunks = server.chat(&streamed(ask("hi"))).await.ok().frames();
    let ended = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let mut times: Vec<u64> = chunks[..chunks.len() - 1]
        .iter()
        .map(|chunk| chunk.json()["created"].as_u64().unwrap())
        .collect();
    times.dedup();
    assert_eq!(times.len(), 1, "it changes: {times:?}");
    assert!((began..=ended).contains(&whole) && (began..=ended).contains(&times[0]));
}

/// Usage was told to clients that had not asked, which take a chunk without a choice for a fault.
#[tokio::test]
async fn usage_is_streamed_to_those_alone_who_ask() {
    let server = TestServer::start().await;
    for options in [json!(null), json!({}), json!({"include_usage": false})] {
        let body = with(streamed(ask("hi")), json!({"stream_options": options}));
        let frames = server.chat(&body).await.ok().frames();
        let (done, chunks) = frames.split_last().unwrap();
        assert!(done.is_done());
        for chunk in chunks {
            let chunk = chunk.json();
            assert_eq!((chunk.get("usage"), chunk["choices"].as_array().unwrap().len()), (None, 1));
        }
    }
}

/// A photograph made a body of more than 2 MB, or 10 MB, and that was the limit.
#[tokio::test]
async fn a_body_with_large_images_fits() {
    // The size is what matters; the backend looks at the head.
    let image =
        format!("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{}", "AAAA".repeat(11 << 18));
    let content = json!([{"type": "image_url", "image_url": {"url": image}}]);
    let messages = json!([{"role": "user", "content": content}]);
    assert!(sent_whole(messages).await > 11 << 20);
}

/// How many bytes come to the backend of a chat request with these messages.
async fn sent_whole(messages: Value) -> usize {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("ok"));
    // A name of its own saves hashing all of it.
    let body = json!({"model": "gpt-5.5", "messages": messages, "prompt_cache_key": "large"});
    server.chat(&body).await.ok();
    let turn = server.turns().pop().unwrap();
    assert_eq!(turn.status, 200);
    turn.body.len()
}

/// Of two processes that refreshed one login at once the loser wiped out what the winner had got.
#[tokio::test]
async fn who_loses_the_race_for_a_token_leaves_the_winner_s_alone() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let spent = simulator.auth_json_expiring(std::time::Duration::ZERO);
    let loser = TestServer::before(simulator.clone(), &[], &spent).await;
    let winner = TestServer::before(simulator.clone(), &[], &spent).await;
    winner.chat(&ask("hi")).await.ok();
    let won = std::fs::read(winner.auth_file()).unwrap();

    loser.chat(&ask("hi")).await.refused(401, "upstream_auth_failed", Value::Null);
    assert_eq!(std::fs::read_to_string(loser.auth_file()).unwrap(), spent, "the file was touched");
    // In one file the winner's tokens would have been there by then.
    std::fs::write(loser.auth_file(), &won).unwrap();
    loser.chat(&ask("hi")).await.ok();
    assert_eq!(std::fs::read(loser.auth_file()).unwrap(), won);
    assert_eq!(simulator.refreshes(), 1);
}

/// The same file in two processes: one of them spends the token, both go on.
#[tokio::test]
async fn two_processes_that_share_a_login_spend_its_token_once() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let expired = simulator.auth_json_expiring(std::time::Duration::ZERO);
    let one = TestServer::before(simulator.clone(), &[], &expired).await;
    let folder = one.account.path().to_str().unwrap().to_owned();
    let source = [("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", folder)];
    let other = TestServer::before(simulator.clone(), &source, &expired).await;
    let body = ask("hi");
    let turns = (0..12).map(|n| if n % 2 == 0 { one.chat(&body) } else { other.chat(&body) });
    join_all(turns).await.into_iter().for_each(|answer| drop(answer.ok()));
    assert_eq!(simulator.refreshes(), 1);
}

/// While the plan was used up tokens were not refreshed, so the login was dead when it was not.
#[tokio::test]
async fn a_used_up_plan_does_not_let_the_login_die() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let expired = simulator.auth_json_expiring(std::time::Duration::ZERO);
    let server = TestServer::before(simulator, &[], &expired).await;
    server.simulator.use_up_plan(Some(3600));
    server.chat(&ask("hi")).await.refused(429, "usage_limit_reached", Value::Null);
    assert_eq!(server.simulator.refreshes(), 1);
    server.simulator.use_up_plan(None);
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.simulator.refreshes(), 1);
}

/// The headers of the backend were copied to the client, its cookies among them.
#[tokio::test]
async fn the_backend_s_cookies_stay_here() {
    let server = TestServer::start().await;
    for body in [ask("hi"), streamed(ask("hi"))] {
        let answer = server.chat(&body).await.ok();
        for name in ["set-cookie", "cf-ray", "server", "x-oai-request-id"] {
            assert_eq!(answer.header(name), None, "{name}");
        }
    }
    // Nor is one that was set sent back.
    server.chat(&ask("hi")).await.ok();
    assert!(server.turns().iter().all(|turn| turn.header("cookie").is_empty()));
}

/// The code by which clients know that they have to send everything again had another name.
#[tokio::test]
async fn a_response_that_is_not_known_has_openai_s_own_error() {
    let server = TestServer::start().await;
    let body = json!({"model": "gpt-5.5", "input": "hi", "previous_response_id": "resp_gone"});
    for body in [body.clone(), streamed(body)] {
        let error = server.responses(&body).await.refused(
            400,
            "previous_response_not_found",
            "previous_response_id",
        );
        assert_eq!(error["message"], "Previous response with id 'resp_gone' not found.");
        assert_eq!(error["type"], "invalid_request_error");
    }
}

/// A WebSocket was answered with 405, which the Codex CLI takes for a bad connection and tries
/// again five times; 426 makes it use HTTP at once, as for one of a version that nobody speaks.
#[tokio::test]
async fn who_asks_for_a_websocket_that_cannot_be_had_is_told_to_use_http() {
    let server = TestServer::start().await;
    let request = server.client.get(format!("{}/v1/responses", server.url));
    let request = request
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "12")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    server.send(request).await.refused(426, "websocket_not_supported", Value::Null);
}

/// A conversation larger than a WebSocket frame may be was dropped as a whole.
#[tokio::test]
async fn a_conversation_of_more_than_16_mib_arrives_whole() {
    let messages: Value = (0..17)
        .map(|n| json!({"role": "user", "content": format!("{n} {}", "word ".repeat(210_000))}))
        .collect();
    let bytes = messages.to_string().len();
    assert!(bytes > 16 << 20 && sent_whole(messages).await >= bytes);
}
