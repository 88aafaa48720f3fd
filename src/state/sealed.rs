//! Encrypted reasoning, kept for clients whose dialect has no room for it.
//!
//! A chat client sends its tool calls back, but not the reasoning that led to them, and without it
//! the model thinks from the start again at every step. So the reasoning of a turn is kept under
//! the id of the first call behind it, and put back in front of that call when it returns.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::protocol::{Event, Item, Kind};

/// How much is kept, in bytes of JSON.
const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The reasoning of one account's turns. It can be read by that account alone, so there is one of
/// these for each.
#[derive(Debug, Default)]
pub struct Sealed(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_call: HashMap<String, Arc<[Item]>>,
    /// Calls with what they cost, oldest first.
    order: VecDeque<(Instant, String, usize)>,
    bytes: usize,
}

impl Sealed {
    /// Puts the reasoning that is known in front of the calls it led to, unless the client has
    /// sent some of its own.
    pub fn restore(&self, input: &mut Vec<Item>) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_call.is_empty() || input.iter().any(is_reasoning) {
            return;
        }
        for item in std::mem::take(input) {
            let led = call_id(&item).and_then(|call| kept.by_call.get(&call));
            input.extend(led.into_iter().flat_map(|items| items.iter().cloned()));
            input.push(item);
        }
    }

    fn keep(&self, call: String, items: Arc<[Item]>) {
        let cost = call.len() + items.iter().map(|item| item.json().get().len()).sum::<usize>();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.order.push_back((now, call.clone(), cost));
        kept.by_call.insert(call, items);
        kept.bytes += cost;
        while let Some((since, _, _)) = kept.order.front() {
            if kept.bytes <= MAX_BYTES && now.duration_since(*since) < MAX_AGE {
                break;
            }
            if let Some((_, call, cost)) = kept.order.pop_front() {
                kept.by_call.remove(&call);
                kept.bytes -= cost;
            }
        }
    }
}

/// Watches a turn and keeps its reasoning.
#[derive(Debug)]
pub struct Witness {
    sealed: Arc<Sealed>,
    /// Reasoning that no call has claimed yet.
    pending: Vec<Item>,
}

impl Witness {
    #[must_use]
    pub const fn new(sealed: Arc<Sealed>) -> Self {
        Self { sealed, pending: Vec::new() }
    }

    /// Takes note of an event that goes by.
    pub fn event(&mut self, event: &Event) {
        #[derive(serde::Deserialize)]
        struct Done {
            item: Item,
        }
        if event.kind != Kind::ItemDone {
            return;
        }
        let Ok(Done { item }) = event.read() else { return };
        if is_reasoning(&item) {
            self.pending.extend(without_id(&item));
        } else if let Some(call) = call_id(&item).filter(|_| !self.pending.is_empty()) {
            self.sealed.keep(call, std::mem::take(&mut self.pending).into());
        }
    }
}

fn is_reasoning(item: &Item) -> bool {
    item.head().kind.as_deref() == Some("reasoning")
}

fn call_id(item: &Item) -> Option<String> {
    let head = item.head();
    let is_call = matches!(head.kind.as_deref(), Some("function_call" | "custom_tool_call"));
    head.call_id.filter(|_| is_call).map(std::borrow::Cow::into_owned)
}

/// As the backend takes it back: nothing but what is sealed, and its summary.
fn without_id(item: &Item) -> Option<Item> {
    let mut members = item.members().ok()?;
    members.remove("id");
    members.remove("status");
    members.has("encrypted_content").then(|| Item::new(&members))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sse::Frame;

    fn done(item: &Value) -> Event {
        let data = json!({"type": "response.output_item.done", "item": item}).to_string();
        Event::parse(Frame { event: bytes::Bytes::new(), data: data.into() }).unwrap()
    }

    fn item(json: &Value) -> Item {
        Item::new(json)
    }

    #[test]
    fn reasoning_returns_in_front_of_the_first_call_it_led_to() {
        let sealed = Arc::new(Sealed::default());
        let mut witness = Witness::new(Arc::clone(&sealed));
        let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
        let reasoning = json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
        let mut with_id = reasoning.clone();
        with_id["id"] = json!("rs_1");
        for event in [with_id, call("call_1"), call("call_2")] {
            witness.event(&done(&event));
        }
        let user = json!({"type": "message", "role": "user", "content": []});
        let output =
            |id: &str| json!({"type": "function_call_output", "call_id": id, "output": ""});
        let asked = [user, call("call_1"), call("call_2"), output("call_1"), output("call_2")];
        let mut input: Vec<Item> = asked.iter().map(item).collect();
        sealed.restore(&mut input);
        let mut expected = asked.to_vec();
        expected.insert(1, reasoning);
        let told: Vec<Value> =
            input.iter().map(|item| serde_json::from_str(item.json().get()).unwrap()).collect();
        assert_eq!(told, expected);
        // A client that carries its own reasoning is left alone.
        sealed.restore(&mut input);
        assert_eq!(input.len(), expected.len());
    }
}
