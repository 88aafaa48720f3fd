use std::fs;

use codexway::simulator::Script;
use serde_json::{Value, json};

use crate::support::{Answer, Frame, TestServer, binary, frames, kinds, with};

fn ask(text: &str) -> Value {
    json!({"model": "gpt-5.5", "input": text})
}

fn text_of(response: &Value) -> &str {
    let last = response["output"].as_array().unwrap().last().unwrap();
    last["content"][0]["text"].as_str().unwrap()
}

/// The texts of the messages that were sent upstream.
fn sent_texts(server: &TestServer) -> Vec<String> {
    let sent = server.last_turn();
    let items = sent["input"].as_array().unwrap();
    let messages = items.iter().filter(|item| item["type"] == "message");
    messages.map(|item| item["content"][0]["text"].as_str().unwrap().to_owned()).collect()
}

fn not_found(answer: &Answer, id: &str) {
    let error = answer.refused(404, Value::Null, Value::Null);
    assert_eq!(error["message"], format!("Response with id '{id}' not found."));
}

impl TestServer {
    async fn delete(&self, path: &str) -> Answer {
        self.send(self.client.delete(format!("{}{path}", self.url))).await
    }

    async fn done(&self, script: Script, body: &Value) -> Value {
        self.simulator.script(script);
        self.responses(body).await.ok().json()
    }
}

#[tokio::test]
async fn a_response_goes_on_from_the_one_before_it() {
    let server = TestServer::start().await;
    let script = Script::new().reasoning("hm").message("one");
    let first = server.done(script, &with(ask("first"), json!({"instructions": "be brief"}))).await;
    let body = with(ask("second"), json!({"previous_response_id": first["id"]}));
    let second = server.done(Script::text("two"), &body).await;
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_eq!(sent_texts(&server), ["first", "one", "second"]);
    let sent = server.last_turn();
    // The instructions are not inherited; the reasoning is, sealed and without its id.
    assert_eq!(sent["instructions"], "");
    assert_eq!(kinds(&sent["input"]), ["message", "reasoning", "message", "message"]);
    assert!(sent["input"][1]["encrypted_content"].is_string());
    assert!(sent["input"].as_array().unwrap().iter().all(|item| item.get("id").is_none()));
    assert_eq!(sent.get("previous_response_id"), None);

    let body = with(ask("third"), json!({"previous_response_id": second["id"], "stream": true}));
    server.responses(&body).await.ok();
    assert_eq!(sent_texts(&server), ["first", "one", "second", "two", "third"]);
}

#[tokio::test]
async fn a_chain_with_a_tool_call_sends_the_call_before_its_output() {
    let server = TestServer::start().await;
    let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false});
    let script = Script::new().reasoning("hm").tool_call("f", "{}");
    let first = server.done(script, &with(ask("go"), json!({"tools": [tool]}))).await;
    let call = first["output"].as_array().unwrap().last().unwrap()["call_id"].clone();
    let output = json!([{"type": "function_call_output", "call_id": call, "output": "42"}]);
    let body = json!({"model": "gpt-5.5", "input": output, "previous_response_id": first["id"]});
    server.responses(&body).await.ok();
    let sent = server.last_turn();
    let expected = ["message", "reasoning", "function_call", "function_call_output"];
    assert_eq!(kinds(&sent["input"]), expected);
}

#[tokio::test]
async fn what_is_kept_can_be_read_and_deleted() {
    let server = TestServer::start().await;
    let labels = json!({"metadata": {"topic": "x"}});
    let first = server.done(Script::text("one"), &with(ask("hi"), labels)).await;
    let path = format!("/v1/responses/{}", first["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.ok().json(), first);
    let deleted = server.delete(&path).await.ok().json();
    assert_eq!(deleted, json!({"id": first["id"], "object": "response", "deleted": true}));
    let id = first["id"].as_str().unwrap();
    not_found(&server.get(&path).await, id);
    not_found(&server.delete(&path).await, id);
    not_found(&server.get(&format!("{path}/input_items")).await, id);
    let body = with(ask("on"), json!({"previous_response_id": id}));
    server.responses(&body).await.refused(
        400,
        "previous_response_not_found",
        "previous_response_id",
    );
}

#[tokio::test]
async fn a_streamed_response_is_kept_as_its_last_event_told_it() {
    let server = TestServer::start().await;
    let answer = server.responses(&with(ask("hi"), json!({"stream": true}))).await.ok();
    let frames = answer.frames();
    let last = frames.iter().rfind(|frame| !frame.is_done()).unwrap().json()["response"].clone();
    let path = format!("/v1/responses/{}", last["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.ok().json(), last);
}

#[tokio::test]
async fn nothing_is_kept_that_is_not_to_be() {
    let server = TestServer::start().await;
    let answer = server.responses(&with(ask("hi"), json!({"store": false}))).await.ok().json();
    assert_eq!(answer["store"], false);
    let id = answer["id"].as_str().unwrap();
    not_found(&server.get(&format!("/v1/responses/{id}")).await, id);

    let server = TestServer::with_vars(&[("CODEXWAY__STATE__STORE", "off")]).await;
    let answer = server.responses(&ask("hi")).await.ok().json();
    let id = answer["id"].as_str().unwrap();
    not_found(&server.get(&format!("/v1/responses/{id}")).await, id);
    let body = with(ask("hi"), json!({"background": true}));
    server.responses(&body).await.refused(400, "unsupported_value", "background");
    let answer = server.post("/v1/conversations", &json!({})).await;
    answer.refused(404, "store_is_off", Value::Null);
}

#[tokio::test]
async fn encrypted_reasoning_is_shown_to_those_who_ask_for_it() {
    let server = TestServer::start().await;
    let script = || Script::new().reasoning("hm").message("well");
    let sealed = |response: &Value| response["output"][0].get("encrypted_content").is_some();
    let hidden = server.done(script(), &ask("hi")).await;
    assert_eq!((hidden["output"][0]["type"].as_str(), sealed(&hidden)), (Some("reasoning"), false));
    let include = json!({"include": ["reasoning.encrypted_content"]});
    assert!(sealed(&server.done(script(), &with(ask("hi"), include)).await));
    server.simulator.script(script());
    let streamed = server.responses(&with(ask("hi"), json!({"stream": true}))).await.ok();
    assert!(!streamed.body.contains("encrypted_content"), "{}", streamed.body);

    let path = format!("/v1/responses/{}", hidden["id"].as_str().unwrap());
    assert!(!sealed(&server.get(&path).await.ok().json()));
    let with_it = format!("{path}?include[]=reasoning.encrypted_content");
    assert!(sealed(&server.get(&with_it).await.ok().json()));
    // A client that sends its items back as it got them loses nothing.
    let mut input = vec![json!({"role": "user", "content": "hi"})];
    input.extend(hidden["output"].as_array().unwrap().iter().cloned());
    input.push(json!({"role": "user", "content": "on"}));
    server.responses(&json!({"model": "gpt-5.5", "input": input})).await.ok();
    assert!(server.last_turn()["input"][1]["encrypted_content"].is_string());
}

#[tokio::test]
async fn input_items_are_listed_in_pages() {
    let server = TestServer::start().await;
    let input: Vec<Value> =
        (0..5).map(|n| json!({"role": "user", "content": format!("m{n}")})).collect();
    let body = json!({"model": "gpt-5.5", "input": input});
    let response = server.responses(&body).await.ok().json();
    let path = format!("/v1/responses/{}/input_items", response["id"].as_str().unwrap());
    let list = |query: &str| {
        let path = format!("{path}?{query}");
        let server = &server;
        async move { server.get(&path).await.ok().json() }
    };
    let texts = |list: &Value| -> Vec<String> {
        let data = list["data"].as_array().unwrap();
        data.iter().map(|item| item["content"][0]["text"].as_str().unwrap().to_owned()).collect()
    };
    let all = list("").await;
    assert_eq!(all["object"], "list");
    assert_eq!((texts(&all).join(" "), &all["has_more"]), ("m4 m3 m2 m1 m0".into(), &json!(false)));
    assert_eq!(all["first_id"], all["data"][0]["id"]);
    assert_eq!(all["last_id"], all["data"][4]["id"]);
    assert!(all["data"][0]["id"].as_str().unwrap().starts_with("msg_"));

    let page = list("order=asc&limit=2").await;
    assert_eq!((texts(&page).join(" "), &page["has_more"]), ("m0 m1".into(), &json!(true)));
    let after = page["last_id"].as_str().unwrap();
    let page = list(&format!("order=asc&limit=3&after={after}")).await;
    assert_eq!((texts(&page).join(" "), &page["has_more"]), ("m2 m3 m4".into(), &json!(false)));

    for (query, param) in [("limit=0", "limit"), ("limit=x", "limit"), ("order=up", "order")] {
        let answer = server.get(&format!("{path}?{query}")).await;
        answer.refused(400, "invalid_value", param);
    }
}

#[tokio::test]
async fn a_background_response_is_queued_at_once_and_found_when_it_is_done() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("slow but sure"));
    let queued = server.responses(&with(ask("hi"), json!({"background": true}))).await.ok().json();
    assert_eq!((&queued["status"], &queued["background"]), (&json!("queued"), &json!(true)));
    let path = format!("/v1/responses/{}", queued["id"].as_str().unwrap());
    // Reading its events waits for its end.
    let events = server.get(&format!("{path}?stream=true")).await.ok();
    let told = server.get(&path).await.ok().json();
    assert_eq!((told["status"].as_str(), text_of(&told)), (Some("completed"), "slow but sure"));
    assert_eq!(told["id"], queued["id"]);
    let frames = events.frames();
    let kinds: Vec<String> = frames
        .iter()
        .filter(|frame| !frame.is_done())
        .map(|frame| frame.json()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds[..3], ["response.created", "response.queued", "response.in_progress"]);
    assert_eq!(kinds.last().unwrap(), "response.completed");
    for (index, frame) in frames.iter().filter(|frame| !frame.is_done()).enumerate() {
        assert_eq!(frame.json()["sequence_number"], json!(index));
    }
    let later = server.get(&format!("{path}?stream=true&starting_after=3")).await.ok();
    assert_eq!(later.frames()[0].json()["sequence_number"], 4);
    let body = with(ask("on"), json!({"previous_response_id": queued["id"]}));
    server.responses(&body).await.ok();
    assert_eq!(sent_texts(&server), ["hi", "slow but sure", "on"]);
}

#[tokio::test]
async fn a_streamed_background_response_outlives_its_client() {
    let server = TestServer::start().await;
    let body = with(ask("hi"), json!({"background": true, "stream": true}));
    let answer = server.responses(&body).await.ok();
    let id = answer.frames()[0].json()["response"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/responses/{id}");
    assert_eq!(server.get(&path).await.ok().json()["status"], "completed");
    assert_eq!(server.get(&format!("{path}?stream=true")).await.ok().body, answer.body);
}

#[tokio::test]
async fn a_background_response_that_fails_is_kept_as_failed() {
    let server = TestServer::start().await;
    server.simulator.script_always(Some(Script::new().failed("server_error", "no luck")));
    let queued = server.responses(&with(ask("hi"), json!({"background": true}))).await.ok().json();
    let path = format!("/v1/responses/{}", queued["id"].as_str().unwrap());
    server.get(&format!("{path}?stream=true")).await.ok();
    let told = server.get(&path).await.ok().json();
    assert_eq!(told["status"], "failed");
    assert!(told["error"]["message"].as_str().unwrap().contains("no luck"), "{told}");
}

#[tokio::test]
async fn a_background_response_can_be_cancelled_and_no_other() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("never").stall());
    let queued = server.responses(&with(ask("hi"), json!({"background": true}))).await.ok().json();
    let path = format!("/v1/responses/{}", queued["id"].as_str().unwrap());
    let body = with(ask("on"), json!({"previous_response_id": queued["id"]}));
    server.responses(&body).await.refused(
        400,
        "previous_response_not_finished",
        "previous_response_id",
    );
    let cancelled = server.post(&format!("{path}/cancel"), &json!({})).await.ok().json();
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(server.get(&path).await.ok().json()["status"], "cancelled");
    let again = server.post(&format!("{path}/cancel"), &json!({})).await.ok().json();
    assert_eq!(again["status"], "cancelled");

    let response = server.responses(&ask("hi")).await.ok().json();
    let path = format!("/v1/responses/{}/cancel", response["id"].as_str().unwrap());
    let error = server.post(&path, &json!({})).await.refused(400, Value::Null, Value::Null);
    assert_eq!(error["message"], "Cannot cancel a synchronous response.");
    not_found(&server.post("/v1/responses/resp_0/cancel", &json!({})).await, "resp_0");
    let streamed = format!("{}?stream=true", path.trim_end_matches("/cancel"));
    server.get(&streamed).await.refused(400, "unsupported_value", "stream");
}

#[tokio::test]
async fn who_follows_a_background_response_is_told_that_it_was_cancelled() {
    let server = TestServer::start().await;
    server.simulator.script(Script::text("so far").stall_after_items());
    let body = with(ask("hi"), json!({"background": true, "stream": true}));
    let url = format!("{}/v1/responses", server.url);
    let mut following = server.client.post(url).json(&body).send().await.unwrap();
    let mut told = String::new();
    while !told.contains("response.output_item.done") {
        told += std::str::from_utf8(&following.chunk().await.unwrap().unwrap()).unwrap();
    }
    let id = frames(&told)[0].json()["response"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/responses/{id}");
    let cancelled = server.post(&format!("{path}/cancel"), &json!({})).await.ok().json();
    assert_eq!((&cancelled["status"], text_of(&cancelled)), (&json!("cancelled"), "so far"));
    told += &following.text().await.unwrap();

    let frames = frames(&told);
    let [events @ .., done] = frames.as_slice() else { panic!("{told}") };
    assert!(done.is_done(), "{told}");
    let numbers = events.iter().map(|event| event.json()["sequence_number"].clone());
    assert!(numbers.eq((0..events.len()).map(Value::from)), "{told}");
    // The API has no event for it; the response in it says what became of it.
    let last = events.last().map(Frame::json).unwrap();
    assert_eq!(last["type"], "response.failed");
    assert_eq!(last["response"], cancelled);
    assert_eq!(last["response"]["error"], Value::Null);
    assert_eq!(server.get(&path).await.ok().json(), cancelled);
    assert_eq!(server.get(&format!("{path}?stream=true")).await.ok().body, told);
}

#[tokio::test]
async fn a_background_response_that_cannot_be_kept_is_logged_and_counted_as_an_error() {
    for (name, value, status) in
        [("CODEXWAY__STATE__STORE", "off", 400), ("CODEXWAY__STATE__MAX_BYTES", "1", 500)]
    {
        let home = tempfile::tempdir().unwrap();
        let mut command = binary::codexway(&home);
        command.arg("demo").env(name, value);
        let (child, info) = binary::logging(&home, command, "server.log");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = info["url"].as_str().unwrap();
        let body = with(ask("hi"), json!({"background": true}));
        let refused = client.post(format!("{url}/v1/responses")).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), status);
        let id = refused.headers()["x-request-id"].to_str().unwrap().to_owned();
        let metrics = client.get(format!("{url}/metrics")).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let mut turns = metrics.lines().filter(|line| line.starts_with("codexway_turns_total{"));
        let counted = turns.next().unwrap();
        assert!(counted.contains(r#"outcome="error""#) && counted.ends_with(" 1"), "{counted}");
        assert_eq!(turns.next(), None);
        drop(child);
        let log = fs::read_to_string(home.path().join("server.log")).unwrap();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("request.id")).collect();
        let [line] = lines[..] else { panic!("{log}") };
        assert!(line.contains("turn failed"), "{line}");
        assert!(line.contains(&id) && line.contains(r#"turn.dialect="responses""#), "{line}");
    }
}

#[tokio::test]
async fn a_conversation_grows_with_the_responses_in_it() {
    let server = TestServer::start().await;
    let begin = json!({"metadata": {"a": "b"}, "items": [{"role": "user", "content": "zero"}]});
    let conversation = server.post("/v1/conversations", &begin).await.ok().json();
    assert_eq!(
        (&conversation["object"], &conversation["metadata"]),
        (&json!("conversation"), &json!({"a": "b"}))
    );
    let id = conversation["id"].as_str().unwrap();
    let body = with(ask("first"), json!({"conversation": id}));
    let first = server.done(Script::text("one"), &body).await;
    assert_eq!(first["conversation"], json!({"id": id}));
    assert_eq!(sent_texts(&server), ["zero", "first"]);
    let body = with(ask("second"), json!({"conversation": {"id": id}}));
    server.done(Script::text("two"), &body).await;
    assert_eq!(sent_texts(&server), ["zero", "first", "one", "second"]);

    let path = format!("/v1/conversations/{id}");
    let items = server.get(&format!("{path}/items?order=asc")).await.ok().json();
    let data = items["data"].as_array().unwrap();
    let texts: Vec<&Value> = data.iter().map(|item| &item["content"][0]["text"]).collect();
    assert_eq!(texts, ["zero", "first", "one", "second", "two"]);
    let one = format!("{path}/items/{}", data[1]["id"].as_str().unwrap());
    assert_eq!(server.get(&one).await.ok().json(), data[1]);
    assert_eq!(server.delete(&one).await.ok().json(), conversation);
    server.get(&one).await.refused(404, Value::Null, "item_id");

    let more = json!({"items": [{"role": "user", "content": "more"}]});
    let added = server.post(&format!("{path}/items"), &more).await.ok().json();
    assert_eq!(added["data"][0]["content"][0]["text"], "more");
    let labels = json!({"metadata": {"c": "d"}});
    let updated = server.post(&path, &labels).await.ok().json();
    assert_eq!(updated["metadata"], json!({"c": "d"}));
    assert_eq!(server.get(&path).await.ok().json(), updated);

    let deleted = server.delete(&path).await.ok().json();
    assert_eq!(deleted, json!({"id": id, "object": "conversation.deleted", "deleted": true}));
    server.get(&path).await.refused(404, Value::Null, Value::Null);
    let body = with(ask("on"), json!({"conversation": id}));
    server.responses(&body).await.refused(404, Value::Null, "conversation");
}

#[tokio::test]
async fn a_conversation_at_fault_is_told_where() {
    let server = TestServer::start().await;
    let many: Vec<Value> = (0..21).map(|_| json!({"role": "user", "content": "x"})).collect();
    for (body, code, param) in [
        (json!({"items": many}), "invalid_value", "items"),
        (json!({"items": "x"}), "invalid_type", "items"),
        (json!({"items": [{"role": "king", "content": "x"}]}), "invalid_value", "items[0].role"),
        (json!({"items": [{"role": "user"}]}), "missing_required_parameter", "items[0].content"),
        (json!({"metadata": {"a": 1}}), "invalid_type", "metadata.a"),
    ] {
        server.post("/v1/conversations", &body).await.refused(400, code, param);
    }
}

#[tokio::test]
async fn a_conversation_is_compacted_to_what_was_said_and_one_sealed_item() {
    let server = TestServer::start().await;
    let input = json!([
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "second"},
    ]);
    let body = json!({"model": "gpt-5.5", "input": input, "instructions": "be brief"});
    let compacted = server.post("/v1/responses/compact", &body).await.ok().json();
    assert_eq!(compacted["object"], "response.compaction");
    assert_eq!(kinds(&compacted["output"]), ["message", "message", "compaction"]);
    assert_eq!(compacted["output"][1]["content"][0]["text"], "second");
    assert!(compacted["usage"]["total_tokens"].is_u64());
    let sent = server.last_turn();
    let trigger = sent["input"].as_array().unwrap().last().unwrap();
    assert_eq!(trigger, &json!({"type": "compaction_trigger"}));

    let mut input = compacted["output"].as_array().unwrap().clone();
    input.push(json!({"role": "user", "content": "third"}));
    server.responses(&json!({"model": "gpt-5.5", "input": input})).await.ok();
    let body = json!({"input": "hi"});
    let answer = server.post("/v1/responses/compact", &body).await;
    answer.refused(400, "missing_required_parameter", "model");
}

#[tokio::test]
async fn the_size_of_a_request_is_counted_without_running_it() {
    let server = TestServer::start().await;
    let count = |body: Value| {
        let server = &server;
        async move {
            let answer = server.post("/v1/responses/input_tokens", &body).await.ok().json();
            assert_eq!(answer["object"], "response.input_tokens");
            answer["input_tokens"].as_u64().unwrap()
        }
    };
    let short = count(json!({"model": "gpt-5.5", "input": "hello world"})).await;
    assert!((2..20).contains(&short), "{short}");
    let words = "hello world ".repeat(100);
    let long = count(json!({"model": "gpt-5.5", "input": words})).await;
    assert!((200..260).contains(&long), "{long}");
    assert_eq!(server.turns().len(), 0);
    let first = server.responses(&ask(&words)).await.ok().json();
    let on = json!({"model": "gpt-5.5", "input": "hi", "previous_response_id": first["id"]});
    assert!(count(on).await > long);
    assert!(count(json!({"instructions": "be brief"})).await > 0);
}
