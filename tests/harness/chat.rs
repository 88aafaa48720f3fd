use serde_json::{Map, Value};

use super::{decode::in_shape, frames::Frame};

const REASONS: [&str; 5] = ["stop", "length", "tool_calls", "content_filter", "function_call"];

/// A stream that the libraries of clients can put together: see each `check` below.
pub(super) fn stream(frames: &[Frame], well: bool, asked: &Value, n_choices: usize) {
    let (last, chunks) = frames.split_last().expect("a stream never ends silently");
    assert!(frames.iter().all(|frame| frame.event.is_none()), "a chunk has no name");
    assert_eq!(last.is_done(), well, "a success ends in [DONE], a failure does not: {last:?}");
    if !well {
        in_shape(&last.json());
    }
    let mut choices = vec![Choice::default(); n_choices];
    let mut usages = 0;
    let first = chunks.first().map(Frame::json);
    for (index, frame) in chunks.iter().enumerate() {
        let chunk = frame.json();
        assert_eq!(Some(&chunk["id"]), first.as_ref().map(|first| &first["id"]), "{chunk}");
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert!(chunk["created"].is_u64() && chunk["model"] == asked["model"], "{chunk}");
        let told = chunk["choices"].as_array().expect("a list of choices");
        match told.as_slice() {
            [] => {
                assert_eq!(index + 1, chunks.len(), "the usage comes last");
                assert!(chunk["usage"]["total_tokens"].is_u64(), "{chunk}");
                usages += 1;
            }
            [one] => {
                assert!(chunk["usage"].is_null());
                let at = one["index"].as_u64().expect("an index") as usize;
                choices[at].check(one);
            }
            _ => panic!("a chunk of several choices: {chunk}"),
        }
    }
    if well {
        let include_usage = asked["stream_options"]["include_usage"] == true;
        assert_eq!(usages, usize::from(include_usage), "usage is told once, to who asks");
        assert!(choices.iter().all(|choice| choice.role && choice.finished));
    }
}

#[derive(Clone, Default)]
struct Choice {
    role: bool,
    finished: bool,
    n_calls: usize,
    annotated: bool,
}

impl Choice {
    fn check(&mut self, told: &Value) {
        assert!(!self.finished, "a delta behind the finish: {told}");
        let delta = told["delta"].as_object().expect("a delta");
        assert!(told["logprobs"].is_null());
        match told["finish_reason"].as_str() {
            Some(reason) => {
                assert!(REASONS.contains(&reason) && delta.is_empty(), "{told}");
                assert!(self.role, "a finish before the role");
                self.finished = true;
                return;
            }
            None => assert!(told["finish_reason"].is_null(), "{told}"),
        }
        // Clients join the roles of all deltas, so it stands in the first alone.
        assert_eq!(delta.contains_key("role"), !std::mem::replace(&mut self.role, true), "{told}");
        assert!(delta.get("role").is_none_or(|role| role == "assistant"));
        for name in ["content", "refusal", "reasoning_content"] {
            let text = delta.get(name);
            assert!(text.is_none_or(|text| text.is_string() || text.is_null()), "{told}");
        }
        for call in
            delta.get("tool_calls").iter().flat_map(|calls| calls.as_array().expect("a list"))
        {
            self.call(call);
        }
        if delta.contains_key("annotations") {
            assert!(!std::mem::replace(&mut self.annotated, true), "citations come at once");
        }
    }

    /// The index is dense, and the id and the name of a call are said once.
    fn call(&mut self, call: &Value) {
        let index = call["index"].as_u64().expect("an index") as usize;
        let begins = index == self.n_calls;
        assert!(index <= self.n_calls, "{call}");
        self.n_calls += usize::from(begins);
        assert_eq!((call["id"].is_string(), call["type"].is_string()), (begins, begins), "{call}");
        let inner = inner(call);
        assert_eq!(inner.get("name").is_some_and(Value::is_string), begins, "{call}");
        let payload = inner.get("arguments").or(inner.get("input"));
        assert!(payload.is_some_and(Value::is_string), "{call}");
    }
}

fn inner(call: &Value) -> &Map<String, Value> {
    let inner = call.get("function").or(call.get("custom"));
    inner.and_then(Value::as_object).unwrap_or_else(|| panic!("of no kind: {call}"))
}

/// A whole completion in OpenAI's shape.
pub(super) fn whole(answer: &Value, asked: &Value, n_choices: usize) {
    assert_eq!(answer["object"], "chat.completion");
    assert!(answer["id"].is_string() && answer["created"].is_u64(), "{answer}");
    assert_eq!(answer["model"], asked["model"]);
    assert!(answer["usage"]["total_tokens"].is_u64(), "{answer}");
    let choices = answer["choices"].as_array().expect("a list of choices");
    assert_eq!(choices.len(), n_choices);
    for (index, choice) in choices.iter().enumerate() {
        assert_eq!(choice["index"], index);
        assert!(choice["finish_reason"].as_str().is_some_and(|it| REASONS.contains(&it)));
        let message = choice["message"].as_object().expect("a message");
        assert_eq!(message["role"], "assistant");
        for name in ["content", "refusal"] {
            assert!(message[name].is_string() || message[name].is_null(), "{answer}");
        }
        let calls = message.get("tool_calls").and_then(Value::as_array);
        let says = calls.is_some() || message.contains_key("function_call");
        assert!(says || message["content"].is_string() || message["refusal"].is_string());
        for call in calls.into_iter().flatten() {
            assert!(call["id"].is_string(), "{call}");
            let inner = inner(call);
            assert!(inner["name"].is_string(), "{call}");
            assert!(inner.get("arguments").or(inner.get("input")).is_some_and(Value::is_string));
        }
    }
}
