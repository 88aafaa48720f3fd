//! What a connection knows of its conversation, and whether a request goes on from that.
//!
//! Clients send back what the backend said as they understood it: without ids and states, and with
//! arguments written anew. What was thought, chat clients do not send at all; it is put back, but
//! only in front of calls. So items are compared by what they mean, and what was thought on this
//! connection may be missing, or stand further behind. Anything else that differs makes the
//! request another one.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    io,
    sync::LazyLock,
};

use serde_json::Value;

use crate::protocol::{Item, Request};

/// A response that can be gone on from.
#[derive(Debug)]
pub(super) struct Known {
    response_id: String,
    seen: Seen,
}

/// What the backend has been told, and has said. Nothing of it is kept but hashes.
#[derive(Debug)]
pub(super) struct Seen {
    fields: u64,
    items: Vec<Print>,
}

#[derive(Debug)]
struct Print {
    text: u64,
    meaning: u64,
    /// Whether the model thought it, on this connection.
    is_thought: bool,
}

impl Known {
    pub(super) const fn new(response_id: String, seen: Seen) -> Self {
        Self { response_id, seen }
    }

    /// How many items of the input the connection knows, if the request says all that it knows,
    /// and more; `fields` is what [`fields`] says of the request.
    pub(super) fn begins(&mut self, fields: u64, input: &[Item]) -> Option<usize> {
        if self.seen.fields != fields {
            return None;
        }
        let mut n_known = 0;
        let mut missing: Vec<&mut Print> = Vec::new();
        for print in &mut self.seen.items {
            loop {
                let mut item = input.get(n_known).map(Probe::new);
                let item = item.as_mut();
                if let Some(item) = item {
                    if print.is_of(item) {
                        n_known += 1;
                        break;
                    }
                    if let Some(at) = missing.iter_mut().position(|missing| missing.is_of(item)) {
                        missing.swap_remove(at);
                        n_known += 1;
                        continue;
                    }
                }
                if !print.is_thought {
                    return None;
                }
                missing.push(print);
                break;
            }
        }
        (n_known < input.len()).then_some(n_known)
    }

    /// The id of the response, and what leads up to its end.
    pub(super) fn into_parts(self) -> (String, Seen) {
        (self.response_id, self.seen)
    }
}

impl Seen {
    pub(super) const fn new(fields: u64) -> Self {
        Self { fields, items: Vec::new() }
    }

    /// Takes note of what the backend is told.
    pub(super) fn told(&mut self, input: &[Item]) {
        self.items.extend(input.iter().map(Print::new));
    }

    /// Takes note of what the backend has said.
    pub(super) fn said(&mut self, item: &Item) {
        let is_thought = item.kind().is_some_and(|kind| kind == "reasoning");
        self.items.push(Print { is_thought, ..Print::new(item) });
    }
}

/// Everything in a request that is neither its input nor about the client.
pub(super) fn fields(request: &mut Request) -> u64 {
    struct Written<H>(H);
    impl<H: Hasher> io::Write for Written<H> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let input = std::mem::take(&mut request.input);
    let metadata = request.client_metadata.take();
    let mut written = Written(KEYS.build_hasher());
    // What cannot be written will not be sent either.
    let _ = serde_json::to_writer(&mut written, request);
    (request.input, request.client_metadata) = (input, metadata);
    written.0.finish()
}

impl Print {
    fn new(item: &Item) -> Self {
        Self { text: hash(item.json().get()), meaning: meaning(item), is_thought: false }
    }

    fn is_of(&mut self, probe: &mut Probe<'_>) -> bool {
        let is_same = self.text == probe.text || self.meaning == probe.meaning();
        if is_same {
            self.text = probe.text;
        }
        is_same
    }
}

/// An item that is looked for. Most come back as they are, so what it means is asked for only if
/// it does not.
struct Probe<'a> {
    item: &'a Item,
    text: u64,
    meaning: Option<u64>,
}

impl<'a> Probe<'a> {
    fn new(item: &'a Item) -> Self {
        Self { item, text: hash(item.json().get()), meaning: None }
    }

    fn meaning(&mut self) -> u64 {
        *self.meaning.get_or_insert_with(|| meaning(self.item))
    }
}

/// With keys of this process alone: nobody outside can make two items that are taken for one.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

fn hash(value: impl Hash) -> u64 {
    KEYS.hash_one(value)
}

fn meaning(item: &Item) -> u64 {
    let Ok(Value::Object(mut members)) = serde_json::from_str(item.json().get()) else {
        return hash(item.json().get());
    };
    for name in ["id", "status", "phase"] {
        members.remove(name);
    }
    members.retain(|_, value| !value.is_null());
    match members.get("type").and_then(Value::as_str) {
        Some("reasoning") if members.contains_key("encrypted_content") => {
            members.retain(|name, _| matches!(name.as_str(), "type" | "encrypted_content"));
        }
        Some("message") => {
            if let Some(content) = members.get_mut("content") {
                *content = parts(content.take());
            }
        }
        Some("function_call") => {
            let arguments = members.get("arguments").and_then(Value::as_str);
            if let Some(arguments) = arguments.and_then(|text| serde_json::from_str(text).ok()) {
                members.insert("arguments".to_owned(), arguments);
            }
        }
        _ => {}
    }
    let members: BTreeMap<String, Value> = members.into_iter().collect();
    hash(serde_json::to_string(&members).unwrap_or_default())
}

/// Texts, and what else there is, without what the backend notes beside a text.
fn parts(content: Value) -> Value {
    let part = |mut part: Value| match part["text"].take() {
        Value::String(text) => Value::String(text),
        _ => part,
    };
    match content {
        Value::Array(list) => list.into_iter().map(part).collect(),
        text => Value::Array(vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(items: &[Value]) -> Request {
        Request {
            model: "m".to_owned(),
            input: items.iter().map(Item::new).collect(),
            ..Request::default()
        }
    }

    fn user(text: &str) -> Value {
        let content = json!([{"type": "input_text", "text": text}]);
        json!({"type": "message", "role": "user", "content": content})
    }

    /// What `begins` says of `now` after a turn with `before` to which the backend said `said`.
    fn known(before: &[Value], said: &[Value], now: &Request) -> Option<usize> {
        let (mut before, mut now) = (request(before), now.clone());
        let mut seen = Seen::new(fields(&mut before));
        seen.told(&before.input);
        said.iter().for_each(|item| seen.said(&Item::new(item)));
        let fields = fields(&mut now);
        Known::new("resp_1".to_owned(), seen).begins(fields, &now.input)
    }

    fn said() -> [Value; 3] {
        let text = json!({"type": "output_text", "text": "Let me look.", "annotations": [], "logprobs": []});
        [
            json!({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}),
            json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "phase": "commentary", "content": [text]}),
            json!({"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "read", "arguments": "{\"path\": \"a\"}"}),
        ]
    }

    fn echo() -> [Value; 4] {
        [
            json!({"type": "reasoning", "encrypted_content": "gAAA", "summary": []}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me look."}]}),
            json!({"type": "function_call", "call_id": "call_1", "name": "read", "arguments": "{\"path\":\"a\"}"}),
            json!({"type": "function_call_output", "call_id": "call_1", "output": "…"}),
        ]
    }

    #[test]
    fn a_client_s_echo_is_known_by_what_it_means() {
        let [thought, message, call, output] = echo();
        let hi = user("hi");
        let carried =
            request(&[hi.clone(), thought, message.clone(), call.clone(), output.clone()]);
        assert_eq!(known(std::slice::from_ref(&hi), &said(), &carried), Some(4));
        // A chat client has no room for what was thought.
        let not_carried = request(&[hi.clone(), message, call, output]);
        assert_eq!(known(std::slice::from_ref(&hi), &said(), &not_carried), Some(3));
        // What we put back for it stands in front of the call.
        let [thought, message, call, output] = echo();
        let put_back = request(&[hi.clone(), message, thought, call, output]);
        assert_eq!(known(&[hi], &said(), &put_back), Some(4));
    }

    #[test]
    fn a_divergence_is_seen() {
        let [thought, message, call, output] = echo();
        let hi = user("hi");
        let diverges = |items: &[&Value]| {
            let items: Vec<Value> = items.iter().map(|item| (*item).clone()).collect();
            known(std::slice::from_ref(&hi), &said(), &request(&items)).is_none()
        };
        let mut other_call = call.clone();
        other_call["arguments"] = json!("{\"path\":\"b\"}");
        let mut other_thought = thought.clone();
        other_thought["encrypted_content"] = json!("gBBB");
        assert!(diverges(&[&user("ho"), &thought, &message, &call, &output]));
        assert!(diverges(&[&hi, &thought, &message, &other_call, &output]));
        assert!(diverges(&[&hi, &other_thought, &message, &call, &output]));
        assert!(diverges(&[&hi, &message, &thought, &thought, &call, &output]));
        assert!(diverges(&[&hi, &call, &output]));
        assert!(diverges(&[&hi, &message]));
        // Nothing new is nothing to answer.
        assert!(diverges(&[&hi, &message, &call]));
    }

    #[test]
    fn another_model_or_tool_is_another_request_and_other_metadata_is_not() {
        let [thought, message, call, output] = echo();
        let hi = user("hi");
        let same = request(&[hi.clone(), thought, message, call, output]);
        let known = |now: &Request| known(std::slice::from_ref(&hi), &said(), now);
        let metadata = Some(crate::protocol::raw(&json!({"turn": "2"})));
        assert_eq!(known(&Request { client_metadata: metadata, ..same.clone() }), Some(4));
        assert_eq!(known(&Request { model: "n".to_owned(), ..same.clone() }), None);
        let tools = Some(vec![crate::protocol::raw(&json!({"type": "function"}))]);
        assert_eq!(known(&Request { tools, ..same.clone() }), None);
        let instructions = Some(crate::protocol::raw("Be brief."));
        assert_eq!(known(&Request { instructions, ..same }), None);
    }

    #[test]
    fn thoughts_that_the_client_itself_sent_may_not_go_missing() {
        let [thought, _, _, _] = echo();
        let hi = user("hi");
        let more = user("more");
        let without = request(&[hi.clone(), more]);
        assert_eq!(known(&[hi, thought], &[], &without), None);
    }
}
