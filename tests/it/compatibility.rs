//! `docs/compatibility.md`, taken at its word.

use serde_json::{Value, json};

use crate::support::{TestServer, with};

mod answer;
mod field;
mod request;
pub(crate) mod table;

use field::Field;
use request::{CHAT, Endpoint, Proof, RESPONSES};
use table::{Faults, Row, names, rows};

const CHAT_REQUEST: &str = "Chat Completions: the request";
const CHAT_ANSWER: &str = "Chat Completions: the answer";
const CHUNK: &str = "Chat Completions: a chunk";
const RESPONSES_REQUEST: &str = "Responses: the request";
const RESPONSES_ANSWER: &str = "Responses: the answer";
const EVENTS: &str = "Responses: the events";

/// The names that OpenAI's specification has, of October 2026, and those that Open Responses adds.
const CHAT_NAMES: &str = include_str!("../fixtures/spec/chat.txt");
const RESPONSES_NAMES: &str = include_str!("../fixtures/spec/responses.txt");

async fn requests_are_treated_as_told(endpoint: Endpoint, heading: &str, part: fn(&Row) -> bool) {
    let lenient = TestServer::start().await;
    let vars = [("CODEXWAY__PROFILES__CODEX__PARAMETERS", "strict")];
    let strict = TestServer::with_vars(&vars).await;
    let rows: Vec<Row> = rows(heading).into_iter().filter(part).collect();
    Proof { endpoint, lenient: &lenient, strict: &strict }.rows(&rows).await.none();
}

/// Whether the row is about what is said rather than about how to answer.
fn is_about_input(row: &Row) -> bool {
    matches!(row.field().first(), "messages" | "input")
}

#[tokio::test]
async fn the_settings_of_a_chat_request_are_treated_as_told() {
    requests_are_treated_as_told(CHAT, CHAT_REQUEST, |row| !is_about_input(row)).await;
}

#[tokio::test]
async fn the_messages_of_a_chat_request_are_treated_as_told() {
    requests_are_treated_as_told(CHAT, CHAT_REQUEST, is_about_input).await;
}

#[tokio::test]
async fn the_settings_of_a_responses_request_are_treated_as_told() {
    requests_are_treated_as_told(RESPONSES, RESPONSES_REQUEST, |row| !is_about_input(row)).await;
}

#[tokio::test]
async fn the_items_of_a_responses_request_are_treated_as_told() {
    requests_are_treated_as_told(RESPONSES, RESPONSES_REQUEST, is_about_input).await;
}

#[tokio::test]
async fn a_profile_may_have_a_policy_for_one_field() {
    let parameters = r#"{ temperature = "reject", top_p = "forward" }"#;
    let server =
        TestServer::with_vars(&[("CODEXWAY__PROFILES__CODEX__PARAMETERS", parameters)]).await;
    for endpoint in [CHAT, RESPONSES] {
        let asked = |more: Value| with(endpoint.request(), more);
        let rejected = server.post(endpoint.path, &asked(json!({"temperature": 0.2}))).await;
        rejected.refused(400, "unsupported_parameter", "temperature");
        let dropped = server.post(endpoint.path, &asked(json!({"user": "ada"}))).await.ok();
        assert_eq!(dropped.header("x-codexway-dropped"), Some("user"));
        let forwarded = server.post(endpoint.path, &asked(json!({"top_p": 0.5}))).await;
        assert_eq!(server.last_turn()["top_p"], 0.5);
        assert_eq!(forwarded.error().0, 400);
    }
}

#[tokio::test]
async fn null_is_the_same_as_leaving_a_field_out() {
    let server = TestServer::start().await;
    let mut faults = Faults::default();
    for (endpoint, heading) in [(CHAT, CHAT_REQUEST), (RESPONSES, RESPONSES_REQUEST)] {
        for row in rows(heading) {
            let field = row.field();
            if ["model", endpoint.input.0].contains(&field.first()) {
                continue;
            }
            let request = with(endpoint.request(), json!({field.first(): null}));
            let answer = server.post(endpoint.path, &request).await;
            let named =
                ["x-codexway-dropped", "x-codexway-emulated"].map(|name| answer.header(name));
            if answer.status != 200 || named != [None, None] {
                faults.push(row.fault(format!("{} {named:?} {}", answer.status, answer.body)));
            }
        }
    }
    faults.none();
}

#[tokio::test]
async fn a_chat_answer_has_the_fields_that_are_told() {
    let server = TestServer::start().await;
    answer::prove(&rows(CHAT_ANSWER), &answer::whole(&server, CHAT).await).none();
}

#[tokio::test]
async fn chunks_have_the_fields_that_are_told() {
    let server = TestServer::start().await;
    answer::prove(&rows(CHUNK), &answer::streamed(&server, CHAT).await).none();
}

#[tokio::test]
async fn a_response_has_the_fields_that_are_told() {
    let server = TestServer::start().await;
    let mut samples = answer::whole(&server, RESPONSES).await;
    for streamed in answer::streamed(&server, RESPONSES).await {
        match samples.iter_mut().find(|sample| sample.name == streamed.name) {
            Some(sample) => sample.objects.extend(streamed.objects),
            None => samples.push(streamed),
        }
    }
    answer::prove(&rows(RESPONSES_ANSWER), &samples).none();
}

#[tokio::test]
async fn what_was_asked_for_is_told_again() {
    let server = TestServer::start().await;
    for (endpoint, answer, request) in
        [(CHAT, CHAT_ANSWER, CHAT_REQUEST), (RESPONSES, RESPONSES_ANSWER, RESPONSES_REQUEST)]
    {
        answer::prove_echoes(&server, endpoint, &rows(answer), request).await.none();
    }
}

#[tokio::test]
async fn the_events_of_a_response_are_those_that_are_told() {
    let server = TestServer::start().await;
    let samples = answer::streamed(&server, RESPONSES).await;
    let mut faults = Faults::default();
    let rows = rows(EVENTS);
    for row in &rows {
        let event = row.get("event").unwrap();
        let is_in = |sample: &answer::Sample| sample.events.iter().any(|name| name == event);
        let with: Vec<&str> = samples.iter().filter(|s| is_in(s)).map(|s| s.name).collect();
        let fits = match row.get("present").unwrap() {
            "always" => with.len() == samples.len(),
            "never" => with.is_empty(),
            "sometimes" => true,
            name => with.contains(&name) && !with.contains(&"plain"),
        };
        if !fits {
            faults.push(row.fault(format!("it is in the answers {with:?}")));
        }
    }
    for event in samples.iter().flat_map(|sample| &sample.events) {
        if !rows.iter().any(|row| row.get("event") == Some(event)) {
            faults.push(format!("no row tells of `{event}`"));
        }
    }
    faults.none();
}

#[tokio::test]
async fn nothing_is_padded_unless_that_is_wanted() {
    let server = TestServer::start().await;
    for endpoint in [CHAT, RESPONSES] {
        let more = json!({"stream": true, "stream_options": {"include_obfuscation": false}});
        let answer = server.post(endpoint.path, &with(endpoint.request(), more)).await.ok();
        let padded = |frame: &Value| frame.get("obfuscation").is_some();
        let frames = answer.frames();
        let mut frames = frames.iter().filter(|frame| !frame.is_done());
        assert!(!frames.any(|frame| padded(&frame.json())), "{}", endpoint.path);
    }
}

#[tokio::test]
async fn every_other_endpoint_is_there() {
    let server = TestServer::start().await;
    let mut faults = Faults::default();
    for row in rows("The other endpoints") {
        let (method, path) = row.get("request").unwrap().split_once(' ').unwrap();
        let url = format!("{}{}", server.url, path.replace("{id}", "a").replace("{item}", "b"));
        let request = server.client.request(method.parse().unwrap(), url).json(&json!({}));
        let answer = server.send(request).await;
        let code = answer.json()["error"]["code"].take();
        if ["unknown_url", "method_not_supported"].iter().any(|unserved| code == *unserved) {
            faults.push(row.fault(code));
        }
    }
    faults.none();
}

#[test]
fn the_tables_have_every_field_of_the_specification() {
    let mut faults = Faults::default();
    for (list, section, heading) in [
        (CHAT_NAMES, "request", CHAT_REQUEST),
        (CHAT_NAMES, "answer", CHAT_ANSWER),
        (CHAT_NAMES, "chunk", CHUNK),
        (RESPONSES_NAMES, "request", RESPONSES_REQUEST),
        (RESPONSES_NAMES, "answer", RESPONSES_ANSWER),
    ] {
        let names: Vec<Field> = names(list, section).into_iter().map(Field::parse).collect();
        let rows = rows(heading);
        for name in &names {
            if !rows.iter().any(|row| row.field().tells_of(name)) {
                faults.push(format!("no row under `{heading}` tells of `{name}`"));
            }
        }
        for row in rows.iter().filter(|row| !row.beyond) {
            if !names.iter().any(|name| row.field().tells_of(name)) {
                faults.push(row.fault("the specification has no such field"));
            }
        }
    }
    let rows = rows(EVENTS);
    let told: Vec<&str> = rows.iter().filter_map(|row| row.get("event")).collect();
    for name in names(RESPONSES_NAMES, "events") {
        if !told.contains(&name) {
            faults.push(format!("no row tells of the event `{name}`"));
        }
    }
    faults.none();
}

#[test]
fn a_row_tells_of_its_field_and_of_what_it_stands_in() {
    let tells = |row: &str, name: &str| Field::parse(row).tells_of(&Field::parse(name));
    assert!(tells("tools[function].function.name", "tools[function].function.name"));
    assert!(tells("tools[function].function.name", "tools[function]"));
    assert!(tells("messages[].name", "messages[user].name"));
    assert!(tells("tools[mcp].*", "tools[mcp].server_label"));
    assert!(!tells("tools[mcp]", "tools[mcp].server_label"));
    assert!(!tells("messages[user].name", "messages[system].name"));
    assert!(!tells("text.format(text)", "text.format(json_schema).name"));
    assert_eq!(Field::parse("text.format(json_schema).name").label(), "text.format.name");
    let mut request = json!({"a": [{"type": "b", "c": 1, "d": 2}, {"type": "e", "c": 3}]});
    assert_eq!(Field::parse("a[].c").values(&request), [1, 3]);
    assert_eq!(Field::parse("a[b].d").counted(&request), (1, 1));
    assert_eq!(Field::parse("a[].d").counted(&request), (2, 1));
    Field::parse("a[b].c").remove_from(&mut request);
    assert_eq!(request, json!({"a": [{"type": "b", "d": 2}, {"type": "e", "c": 3}]}));
}
