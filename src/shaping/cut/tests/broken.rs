use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::{StreamExt, stream};
use pretty_assertions::assert_eq;

use super::*;
use crate::upstream::{self, Events};

/// Says when it is dropped.
struct Upstream(Arc<AtomicBool>);

impl Drop for Upstream {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A stream of these events, which then goes on for ever, and whether it has been dropped.
fn endless(events: &[Value]) -> (Events, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    let upstream = Upstream(Arc::clone(&dropped));
    let events: Vec<_> = events.iter().map(event).map(Ok).collect();
    let events = stream::iter(events).chain(stream::pending()).inspect(move |_| {
        let _ = &upstream;
    });
    (events.boxed(), dropped)
}

fn broken(events: &[Value]) -> Events {
    let events: Vec<_> = events.iter().map(event).map(Ok).collect();
    stream::iter(events).chain(stream::iter([Err(upstream::Error::Truncated)])).boxed()
}

#[tokio::test]
async fn the_upstream_is_dropped_before_the_end_is_told() {
    let events = turn([message(0, &["One, ", "two", " three"])]);
    let (events, dropped) = endless(&events);
    let mut told = super::super::cut(events, &stop(&["two"]), || 7);
    let mut names = Vec::new();
    while let Some(event) = told.next().await {
        let event = event.unwrap();
        names.push(String::from_utf8(event.name.to_vec()).unwrap());
        assert_eq!(dropped.load(Ordering::SeqCst), names.len() > 4, "{names:?}");
        if event.kind.is_terminal() {
            let json: Value = serde_json::from_slice(&event.json).unwrap();
            assert_eq!(json["response"]["usage"]["input_tokens"], 7);
        }
    }
    assert_eq!(names.last().unwrap(), "response.completed");
}

#[tokio::test]
async fn the_stream_ends_with_the_turn() {
    let events = turn([message(0, &["One"])]);
    let (stream, _) = endless(&events);
    let told = super::super::cut(stream, &stop(&["two"]), || unreachable!("nothing was cut"));
    assert_eq!(told.count().await, events.len());
}

#[tokio::test]
async fn an_upstream_that_breaks_off_gives_what_was_held_and_its_error() {
    let events = turn([message(0, &["One, t", "w"])]);
    let mut told = super::super::cut(broken(&events[..5]), &stop(&["two"]), || 0);
    let mut text = String::new();
    while let Some(event) = told.next().await {
        match event {
            Ok(event) => {
                let json: Value = serde_json::from_slice(&event.json).unwrap();
                text.push_str(json["delta"].as_str().unwrap_or_default());
            }
            Err(error) => {
                assert!(matches!(error, upstream::Error::Truncated));
                assert!(told.next().await.is_none());
                assert_eq!(text, "One, tw");
                return;
            }
        }
    }
    panic!("the error was lost");
}

#[test]
fn a_failed_turn_tells_what_was_held_and_fails() {
    let mut events = turn([message(0, &["One, t"])]);
    events.truncate(4);
    events.push(json!({"type": "response.failed", "response": {"status": "failed"}}));
    let told = whole(&stop(&["two"]), &numbered(events));
    assert_eq!(deltas(&told), ["One, ", "t"]);
    assert_eq!(types(&told).last(), Some(&"failed"));
}

#[test]
fn a_text_whose_end_is_missing_is_decided_about_at_the_turns() {
    let events: Vec<Value> = turn([message(0, &["Tell", " me", " a"])]);
    let events: Vec<_> = [&events[..6], &events[9..]].concat();
    assert_eq!(said(&whole(&length(3), &events)), "Tell me a");
    let told = cut(&length(2), &events);
    assert_eq!(said(&told), "Tell me");
    assert_eq!(types(&told).last(), Some(&"incomplete"));
}

#[test]
fn half_a_character_that_nothing_completes_is_told_as_one_and_no_stop_is_looked_for_across_it() {
    let mut events = turn([message(0, &["ST", "x", "OP", "ab", "STOP"])]);
    let half = events[4].to_string().replace("\"x\"", "\"\\ud83d\"");
    let mut stage = Stage::new(&stop(&["STOP"]));
    let mut out = Vec::new();
    events[4] = json!(null);
    for json in &events[..8] {
        let event = match json {
            Value::Null => {
                Event::parse(Frame { event: Bytes::new(), data: half.clone().into() }).unwrap()
            }
            json => event(json),
        };
        if stage.event(event, &mut out) != Flow::On {
            break;
        }
    }
    let told: Vec<_> = out.iter().map(|event| std::str::from_utf8(&event.json).unwrap()).collect();
    assert!(told[3].contains("\"ST\u{fffd}OP\"") && told[4].contains("\"ab\""), "{told:?}");
    assert!(told[5].contains("output_text.done"), "{told:?}");
    assert!(told[5].contains("\"ST\u{fffd}OPab\""), "{told:?}");
}

#[test]
fn an_end_that_tells_another_text_is_believed() {
    let mut events = turn([message(0, &["One"])]);
    for event in &mut events[4..7] {
        *event = serde_json::from_str(&event.to_string().replace("One", "Two")).unwrap();
    }
    untouched(&stop(&["STOP"]), &events);
}

#[test]
fn pieces_of_an_item_that_was_never_begun_are_cut_too() {
    let mut events = turn([call(0, "function_call", &["Tell", " me", " a"])]);
    events.remove(1);
    let told = cut(&length(2), &events);
    let item = json!({"id": "call_0", "type": "function_call", "status": "incomplete", "arguments": "Tell me"});
    assert_eq!(last(&told)["output"], json!([item]));
    let events = [json!({"type": "response.output_text.delta", "delta": "a STOP"})];
    let told = cut(&stop(&["STOP"]), &events);
    let item = json!({"type": "message", "status": "completed", "content": [text_part("a ")], "role": "assistant"});
    assert_eq!(last(&told)["output"], json!([item]));
}

#[test]
fn what_comes_after_an_items_end_is_not_its() {
    let mut events = turn([message(0, &["One"])]);
    let late = events[3].clone();
    events.insert(7, late);
    events[7]["delta"] = json!("STOP");
    untouched(&stop(&["STOP"]), &numbered(events));
}

#[test]
fn a_text_of_two_kinds_is_taken_for_the_first() {
    let mut events = turn([message(0, &["One"])]);
    events.insert(4, json!({"type": "response.refusal.delta", "delta": "No", "item_id": "msg_0", "output_index": 0, "content_index": 0}));
    untouched(&length(1), &numbered(events));
}
