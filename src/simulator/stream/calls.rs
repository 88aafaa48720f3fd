//! Calls of the client's tools as events.

use serde_json::json;

use super::ids::{Ids, obfuscation};
use super::items::{Drawn, Pen, added};

impl Pen<'_> {
    pub(super) fn call(
        &self,
        index: usize,
        namespace: Option<&str>,
        name: &str,
        arguments: &str,
    ) -> Drawn {
        let id = self.ids.id("fc");
        let call_id = Ids::call_id();
        let item = |status: &str, arguments: &str| {
            let mut item = json!({
                "id": id,
                "type": "function_call",
                "status": status,
                "arguments": arguments,
                "call_id": call_id,
                "name": name,
            });
            if let Some(namespace) = namespace {
                item["namespace"] = namespace.into();
            }
            item
        };
        let deltas = pieces(arguments).into_iter().map(|delta| {
            let obfuscation = obfuscation(&delta);
            let fields = json!({
                "delta": delta,
                "item_id": id,
                "obfuscation": obfuscation,
                "output_index": index,
            });
            ("response.function_call_arguments.delta", fields)
        });
        let done = json!({ "arguments": arguments, "item_id": id, "output_index": index });
        Drawn {
            opening: vec![added(index, &item("in_progress", ""))],
            deltas: deltas.collect(),
            closing: vec![("response.function_call_arguments.done", done)],
            item: item(self.status, arguments),
        }
    }

    pub(super) fn custom_call(
        &self,
        index: usize,
        namespace: Option<&str>,
        name: &str,
        input: &str,
    ) -> Drawn {
        let id = self.ids.id("ctc");
        let call_id = Ids::call_id();
        let item = |status: &str, input: &str| {
            let mut item = json!({
                "id": id,
                "type": "custom_tool_call",
                "status": status,
                "call_id": call_id,
                "input": input,
                "name": name,
            });
            if let Some(namespace) = namespace {
                item["namespace"] = namespace.into();
            }
            item
        };
        let deltas = pieces(input).into_iter().map(|delta| {
            let obfuscation = obfuscation(&delta);
            let fields = json!({
                "delta": delta,
                "item_id": id,
                "obfuscation": obfuscation,
                "output_index": index,
            });
            ("response.custom_tool_call_input.delta", fields)
        });
        let done = json!({ "input": input, "item_id": id, "output_index": index });
        Drawn {
            opening: vec![added(index, &item("in_progress", ""))],
            deltas: deltas.collect(),
            closing: vec![("response.custom_tool_call_input.done", done)],
            item: item(self.status, input),
        }
    }
}

/// Code comes in short runs of characters.
fn pieces(text: &str) -> Vec<String> {
    const LENGTH: usize = 8;
    let letters: Vec<_> = text.chars().collect();
    letters.chunks(LENGTH).map(|piece| piece.iter().collect()).collect()
}
