//! Calls of the client's tools as events.

use serde_json::json;

use super::ids::{Ids, obfuscation};
use super::items::{Drawn, Pen, added};

/// What tells the two kinds of call apart on the wire.
struct Kind {
    item: &'static str,
    id_prefix: &'static str,
    /// The member that holds what the tool is given.
    payload: &'static str,
    delta: &'static str,
    done: &'static str,
}

const FUNCTION: Kind = Kind {
    item: "function_call",
    id_prefix: "fc",
    payload: "arguments",
    delta: "response.function_call_arguments.delta",
    done: "response.function_call_arguments.done",
};

const CUSTOM: Kind = Kind {
    item: "custom_tool_call",
    id_prefix: "ctc",
    payload: "input",
    delta: "response.custom_tool_call_input.delta",
    done: "response.custom_tool_call_input.done",
};

impl Pen<'_> {
    pub(super) fn call(
        &self,
        index: usize,
        namespace: Option<&str>,
        name: &str,
        arguments: &str,
    ) -> Drawn {
        self.draw_call(&FUNCTION, index, (namespace, name), arguments)
    }

    pub(super) fn custom_call(
        &self,
        index: usize,
        namespace: Option<&str>,
        name: &str,
        input: &str,
    ) -> Drawn {
        self.draw_call(&CUSTOM, index, (namespace, name), input)
    }

    fn draw_call(
        &self,
        kind: &Kind,
        index: usize,
        (namespace, name): (Option<&str>, &str),
        payload: &str,
    ) -> Drawn {
        let id = self.ids.id(kind.id_prefix);
        let call_id = Ids::call_id();
        let item = |status: &str, payload: &str| {
            let mut item = json!({
                "id": id,
                "type": kind.item,
                "status": status,
                kind.payload: payload,
                "call_id": call_id,
                "name": name,
            });
            if let Some(namespace) = namespace {
                item["namespace"] = namespace.into();
            }
            item
        };
        let deltas = pieces(payload).into_iter().map(|delta| {
            let obfuscation = obfuscation(&delta);
            let fields = json!({
                "delta": delta,
                "item_id": id,
                "obfuscation": obfuscation,
                "output_index": index,
            });
            (kind.delta, fields)
        });
        let done = json!({ kind.payload: payload, "item_id": id, "output_index": index });
        Drawn {
            opening: vec![added(index, &item("in_progress", ""))],
            deltas: deltas.collect(),
            closing: vec![(kind.done, done)],
            item: item(self.status, payload),
        }
    }
}

/// Code comes in short runs of characters.
fn pieces(text: &str) -> Vec<String> {
    const LENGTH: usize = 8;
    let letters: Vec<_> = text.chars().collect();
    letters.chunks(LENGTH).map(|piece| piece.iter().collect()).collect()
}
