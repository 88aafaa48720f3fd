//! The request's own items, as they are kept and listed.

use std::borrow::Cow;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::protocol::{Item, Object, from_json, raw, raw_str};

/// The input as items that have ids, in the client's own words but for the short forms. Called
/// with what has been read as input before.
pub(super) fn items(input: &RawValue) -> Vec<Item> {
    if raw_str(input).is_some() {
        let mut item = Object::default();
        item.set("type", raw("message"));
        item.set("role", raw("user"));
        item.set("content", input.to_owned());
        return vec![full(item)];
    }
    let list: Vec<Object<'_>> = from_json(input.get()).unwrap_or_default();
    list.into_iter().map(full).collect()
}

/// The item with an id, its type, and content in parts.
fn full(mut item: Object<'_>) -> Item {
    let kind = item.str("type").map(Cow::into_owned);
    let kind = kind.unwrap_or_else(|| {
        if item.has("role") { "message".to_owned() } else { "item_reference".to_owned() }
    });
    let mut full = Object::default();
    if item.lacks("id") {
        full.add("id", raw(&format!("{}_{}", prefix(&kind), Uuid::now_v7().simple())));
        item.remove("id");
    }
    if item.lacks("type") {
        full.add("type", raw(&kind));
        item.remove("type");
    }
    full.extend(item);
    if kind == "message" {
        full.set_default("status", || raw("completed"));
        if let Some(text) = full.get("content").filter(|content| raw_str(content).is_some()) {
            let assistant = full.str("role").as_deref() == Some("assistant");
            let mut part = Object::default();
            part.set("type", raw(if assistant { "output_text" } else { "input_text" }));
            part.set("text", text.to_owned());
            for name in ["annotations", "logprobs"].into_iter().filter(|_| assistant) {
                part.set(name, raw(&[(); 0]));
            }
            full.set("content", raw(&[part]));
        }
    }
    Item::new(&full)
}

/// What the ids of such items begin with.
fn prefix(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "custom_tool_call" => "ctc",
        "custom_tool_call_output" => "ctco",
        "compaction" => "cmp",
        _ => "item",
    }
}
