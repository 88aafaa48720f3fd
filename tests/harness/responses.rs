use serde_json::Value;

use super::frames::Frame;

const ENDS: [&str; 3] = ["response.completed", "response.incomplete", "response.failed"];

/// A stream of numbered events that ends in one that says how, and then in `[DONE]`.
pub(super) fn stream(frames: &[Frame]) {
    let (done, events) = frames.split_last().expect("a stream never ends silently");
    assert!(done.is_done(), "{done:?}");
    for (index, frame) in events.iter().enumerate() {
        let event = frame.json();
        let name = frame.event.as_deref().expect("an event has a name");
        // An upstream that names it beside the JSON alone is passed on as it is.
        assert!(event["type"].as_str().is_none_or(|kind| kind == name), "{event}");
        assert_eq!(event["sequence_number"], index, "{event}");
        let is_end = ENDS.contains(&name);
        assert_eq!(is_end, index + 1 == events.len(), "{event}");
        if is_end {
            response(&event["response"]);
        }
    }
}

/// A whole answer, which is never a failure.
pub(super) fn whole(answer: &Value) {
    response(answer);
    assert_ne!(answer["status"], "failed", "a failure is an error, not an answer");
}

/// What codexway itself answers for in a response; the rest is the upstream's.
fn response(response: &Value) {
    assert!(response["output"].is_array() && !response["usage"].is_null(), "{response}");
    assert_eq!(response["tools"], Value::Array(Vec::new()));
    assert!(response["text"].is_object() && response["reasoning"].is_object(), "{response}");
    assert!(response["store"].is_boolean(), "{response}");
}
