use pretty_assertions::assert_eq;

use super::*;
use crate::{
    simulator::{Options, Script, Simulator},
    sse::{Decoder, MAX_FRAME},
};

#[test]
fn a_cut_message_ends_in_the_shape_of_a_whole_one() {
    // The turn as it would have been had the model stopped there by itself.
    let mut expected = turn([message(0, &["One, "])]);
    let completed = expected.last_mut().unwrap();
    completed["response"]["completed_at"] = json!(NOW);
    completed["response"]["output"] = json!([message_item(0, "completed", &[text_part("One, ")])]);
    completed["response"]["usage"] = json!({
        "input_tokens": INPUT,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": INPUT + 3,
    });
    let told = cut(&stop(&["two"]), &turn([message(0, &["One, ", "two"])]));
    // The delta that was left out has taken its number with it.
    assert_eq!(without_numbers(&told), without_numbers(&expected));
    let numbers: Vec<_> = told.iter().map(|event| event["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 5, 6, 7, 8].map(Some));
}

#[test]
fn a_cut_call_ends_with_the_arguments_so_far() {
    for (kind, member) in [("function_call", "arguments"), ("custom_tool_call", "input")] {
        let mut expected = turn([call(0, kind, &["Tell"])]);
        let end = expected.len() - 1;
        expected[end - 1]["item"]["status"] = json!("incomplete");
        let told = cut(&length(1), &turn([call(0, kind, &["Tell", " me", " a"])]));
        assert_eq!(without_numbers(&told[..end]), without_numbers(&expected[..end]));
        assert_eq!(told[end]["type"], "response.incomplete");
        assert_eq!(last(&told)["output"][0][member], "Tell");
        assert_eq!(last(&told)["completed_at"], json!(null));
    }
}

#[test]
fn a_cut_refusal_ends_with_what_it_said() {
    let mut expected = turn([refusal(0, &["Tell"])]);
    let end = expected.len() - 1;
    expected[end - 1]["item"]["status"] = json!("incomplete");
    let told = cut(&length(1), &turn([refusal(0, &["Tell", " me"])]));
    assert_eq!(without_numbers(&told[..end]), without_numbers(&expected[..end]));
}

#[test]
fn parts_that_have_ended_stay_in_their_message() {
    let mut events = turn([message(0, &["first"])]);
    let mut second = turn([message(0, &["One, ", "two"])]);
    second.iter_mut().for_each(|event| event["content_index"] = json!(1));
    events.truncate(6);
    events.extend_from_slice(&second[2..]);
    let told = cut(&stop(&["two"]), &numbered(events));
    let content = json!([text_part("first"), text_part("One, ")]);
    assert_eq!(last(&told)["output"][0]["content"], content);
    assert_eq!(of(&told, "response.output_text.done").len(), 2);
    assert_eq!(of(&told, "response.content_part.done").len(), 2);
}

#[test]
fn annotations_that_were_told_stay_with_their_text() {
    let mut events = turn([message(0, &["see [1], ", "STOP"])]);
    let annotation = json!({"type": "url_citation", "url": "http://example.com"});
    events.insert(4, json!({"type": "response.output_text.annotation.added", "annotation": annotation, "annotation_index": 0, "content_index": 0, "item_id": "msg_0", "output_index": 0}));
    let told = cut(&stop(&["STOP"]), &numbered(events));
    assert_eq!(last(&told)["output"][0]["content"][0]["annotations"], json!([annotation]));
}

#[test]
fn an_item_that_the_cut_leaves_behind_is_told_to_be_incomplete() {
    let thought = reasoning(0, "hm");
    let events = turn([thought[..2].to_vec(), message(1, &["a", "STOP"])]);
    let told = cut(&stop(&["STOP"]), &events);
    let left = json!({"id": "rs_1", "type": "reasoning", "summary": [], "status": "incomplete"});
    assert_eq!(last(&told)["output"][0], left);
    assert_eq!(of(&told, "response.output_item.done").len(), 2);
    assert_eq!(last(&told)["output"][1]["status"], "completed");
}

#[tokio::test]
async fn what_is_made_up_has_the_shape_of_what_the_simulator_sends() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let texts = Script::text("One, two").deltas(&["One, ", "two"]).reasoning("Counting.");
    let events = simulated(&simulator, texts).await;
    let told = cut(&stop(&["two"]), &events);
    assert_eq!(shapes(&but_deltas(told)), shapes(&but_deltas(events)));

    for script in [
        Script::text("One, two").incomplete("max_output_tokens"),
        Script::new().refusal("No, no.").incomplete("max_output_tokens"),
        Script::new().tool_call("f", "{\"a\": 1}").incomplete("max_output_tokens"),
        Script::new().custom_tool_call("f", "One, two").incomplete("max_output_tokens"),
    ] {
        let events = simulated(&simulator, script).await;
        let told = cut(&length(1), &events);
        assert_eq!(shapes(&but_deltas(told)), shapes(&but_deltas(events)));
    }
}

fn but_deltas(mut events: Vec<Value>) -> Vec<Value> {
    events.retain(|event| !event["type"].as_str().unwrap().ends_with(".delta"));
    events
}

/// The events of a simulated turn.
async fn simulated(simulator: &Simulator, script: Script) -> Vec<Value> {
    simulator.script(script.unchecked());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/codex/responses", simulator.base_url());
    let answer = client.post(url).body("{}").send().await.unwrap().bytes().await.unwrap();
    let mut decoder = Decoder::new(MAX_FRAME);
    decoder.push(&answer);
    let frames = std::iter::from_fn(|| decoder.next().unwrap());
    frames.map(|frame| serde_json::from_slice(&frame.data).unwrap()).collect()
}

/// What members events have, and of which types; what a response has put out is left aside.
fn shapes(events: &[Value]) -> Vec<Value> {
    fn shape(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.iter().filter(|(name, _)| *name != "output");
                let mut members: Vec<_> =
                    members.map(|(key, value)| json!([key, shape(value)])).collect();
                members.sort_by_key(Value::to_string);
                members.into()
            }
            Value::Array(values) => values.iter().map(shape).collect(),
            Value::String(_) => json!("text"),
            Value::Number(_) => json!("number"),
            other => other.clone(),
        }
    }
    events.iter().map(|event| json!([event["type"], shape(event)])).collect()
}
