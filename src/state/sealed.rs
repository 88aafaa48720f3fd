//! Encrypted reasoning, kept for clients whose dialect has no room for it.
//!
//! A chat client sends its tool calls back, but not the reasoning that led to them, and without it
//! the model thinks from the start again at every step. So the reasoning of a turn is kept under
//! the id of the first call behind it, and put back in front of that call when it returns.

use std::{borrow::Cow, time::Duration};

use super::kept::Kept;
use crate::protocol::Item;

/// How much is kept, in bytes of JSON.
const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The reasoning of one account's turns, by the call it led to. It can be read by that account
/// alone, so there is one of these for each.
#[derive(Debug)]
pub struct Sealed(Kept);

impl Default for Sealed {
    fn default() -> Self {
        Self(Kept::new(MAX_BYTES, MAX_AGE))
    }
}

impl Sealed {
    /// Puts the reasoning that is known in front of the calls it led to, unless the client has
    /// sent some of its own.
    pub fn restore(&self, input: &mut Vec<Item>) {
        if self.0.is_empty() || input.iter().any(is_reasoning) {
            return;
        }
        for item in std::mem::take(input) {
            let led = call_id(&item).and_then(|call| self.0.get(&call));
            input.extend(led.iter().flat_map(|items| items.iter().cloned()));
            input.push(item);
        }
    }
}

/// Watches a turn and keeps its reasoning.
#[derive(Debug)]
pub(super) struct Pending(Vec<Item>);

impl Pending {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes note of an item that has been finished: the next call claims what was thought
    /// before it.
    pub(super) fn item(&mut self, item: &Item, sealed: &Sealed) {
        if is_reasoning(item) {
            self.0.extend(without_id(item));
        } else if let Some(call) = call_id(item).filter(|_| !self.0.is_empty()) {
            sealed.0.put(call, std::mem::take(&mut self.0).into());
        }
    }
}

fn is_reasoning(item: &Item) -> bool {
    item.kind().as_deref() == Some("reasoning")
}

fn call_id(item: &Item) -> Option<String> {
    let is_call = matches!(item.kind().as_deref(), Some("function_call" | "custom_tool_call"));
    is_call.then(|| item.head().call_id.map(Cow::into_owned)).flatten()
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

    #[test]
    fn reasoning_returns_in_front_of_the_first_call_it_led_to() {
        let sealed = Sealed::default();
        let mut pending = Pending::new();
        let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
        let reasoning = json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
        let mut with_id = reasoning.clone();
        with_id["id"] = json!("rs_1");
        for item in [with_id, call("call_1"), call("call_2")] {
            pending.item(&Item::new(&item), &sealed);
        }
        let user = json!({"type": "message", "role": "user", "content": []});
        let output =
            |id: &str| json!({"type": "function_call_output", "call_id": id, "output": ""});
        let asked = [user, call("call_1"), call("call_2"), output("call_1"), output("call_2")];
        let mut input: Vec<Item> = asked.iter().map(Item::new).collect();
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
