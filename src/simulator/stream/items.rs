//! One output item as events.

use serde_json::{Value, json};

use super::ids::{Ids, obfuscation};
use crate::simulator::script::Item;
use crate::simulator::seal::Seal;
use crate::simulator::turn::Turn;

/// An event before it has its sequence number: name and fields.
pub(super) type Draft = (&'static str, Value);

/// An item's events, in the three stretches that an interleaving keeps.
pub(super) struct Drawn {
    pub opening: Vec<Draft>,
    pub deltas: Vec<Draft>,
    pub closing: Vec<Draft>,
    /// The item as `output_item.done` has it.
    pub item: Value,
}

pub(super) struct Pen<'a> {
    pub turn: &'a Turn<'a>,
    pub seal: &'a Seal,
    pub ids: &'a Ids,
    /// `completed`, or `incomplete` where the stream ends so.
    pub status: &'static str,
}

impl Pen<'_> {
    /// `phase` is what a message without a phase of its own gets.
    pub(super) fn draw(&self, item: &Item, index: usize, phase: &str) -> Drawn {
        match item {
            Item::Message { text, phase: own, deltas } => {
                let phase = own.as_deref().unwrap_or(phase);
                let pieces = deltas.clone().unwrap_or_else(|| words(text));
                self.message(index, phase, text, &pieces)
            }
            Item::Refusal(text) => self.refusal(index, text),
            Item::Reasoning { summary } => self.reasoning(index, summary),
            Item::ToolCall { namespace, name, arguments } => {
                self.call(index, namespace.as_deref(), name, arguments)
            }
            Item::CustomToolCall { namespace, name, input } => {
                self.custom_call(index, namespace.as_deref(), name, input)
            }
            Item::WebSearch { query } => self.web_search(index, query),
            Item::ImageGeneration => self.image(index),
            Item::Compaction => self.compaction(index),
        }
    }

    fn message(&self, index: usize, phase: &str, text: &str, pieces: &[String]) -> Drawn {
        let id = self.ids.id("msg");
        let item = |status: &str, content: Value| {
            json!({
                "id": id,
                "type": "message",
                "status": status,
                "content": content,
                "phase": phase,
                "role": "assistant",
            })
        };
        let part = |text: &str| json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": text });
        let deltas = pieces.iter().map(|delta| {
            let fields = json!({
                "content_index": 0,
                "delta": delta,
                "item_id": id,
                "logprobs": [],
                "obfuscation": obfuscation(delta),
                "output_index": index,
            });
            ("response.output_text.delta", fields)
        });
        let text_done = json!({
            "content_index": 0,
            "item_id": id,
            "logprobs": [],
            "output_index": index,
            "text": text,
        });
        Drawn {
            opening: vec![
                added(index, &item("in_progress", json!([]))),
                content_part("response.content_part.added", index, &id, part("")),
            ],
            deltas: deltas.collect(),
            closing: vec![
                ("response.output_text.done", text_done),
                content_part("response.content_part.done", index, &id, part(text)),
            ],
            item: item(self.status, json!([part(text)])),
        }
    }

    fn refusal(&self, index: usize, text: &str) -> Drawn {
        let id = self.ids.id("msg");
        let item = |status: &str, content: Value| {
            json!({
                "id": id,
                "type": "message",
                "status": status,
                "content": content,
                "phase": "final_answer",
                "role": "assistant",
            })
        };
        let part = |text: &str| json!({ "type": "refusal", "refusal": text });
        let deltas = words(text).into_iter().map(|delta| {
            let fields = json!({
                "content_index": 0,
                "delta": delta,
                "item_id": id,
                "obfuscation": obfuscation(&delta),
                "output_index": index,
            });
            ("response.refusal.delta", fields)
        });
        let done =
            json!({ "content_index": 0, "item_id": id, "output_index": index, "refusal": text });
        Drawn {
            opening: vec![
                added(index, &item("in_progress", json!([]))),
                content_part("response.content_part.added", index, &id, part("")),
            ],
            deltas: deltas.collect(),
            closing: vec![
                ("response.refusal.done", done),
                content_part("response.content_part.done", index, &id, part(text)),
            ],
            item: item(self.status, json!([part(text)])),
        }
    }

    fn reasoning(&self, index: usize, summary: &[String]) -> Drawn {
        let id = self.ids.id("rs");
        let item = |sealed: &str, summary: Value| {
            let mut item = json!({ "id": id, "type": "reasoning" });
            if self.turn.wants_encrypted_reasoning() {
                item["encrypted_content"] = self.sealed(sealed).into();
            }
            item["summary"] = summary;
            item
        };
        let part = |text: &str| json!({ "type": "summary_text", "text": text });
        let whole_only = self.turn.body["stream_options"]["reasoning_summary_delivery"].is_string();
        let mut deltas = Vec::new();
        for (number, text) in summary.iter().enumerate() {
            let event = |rest: Value| {
                let mut fields =
                    json!({ "item_id": id, "output_index": index, "summary_index": number });
                merge(&mut fields, rest);
                fields
            };
            let part_of = |text: &str| event(json!({ "part": part(text) }));
            deltas.push(("response.reasoning_summary_part.added", part_of("")));
            for delta in words(text).iter().filter(|_| !whole_only) {
                let fields = event(json!({ "delta": delta, "obfuscation": obfuscation(delta) }));
                deltas.push(("response.reasoning_summary_text.delta", fields));
            }
            deltas.push(("response.reasoning_summary_text.done", event(json!({ "text": text }))));
            deltas.push(("response.reasoning_summary_part.done", part_of(text)));
        }
        let whole = summary.iter().map(|text| part(text)).collect();
        Drawn {
            opening: vec![added(index, &item("", json!([])))],
            deltas,
            closing: Vec::new(),
            item: item(&summary.concat(), whole),
        }
    }

    pub(super) fn sealed(&self, text: &str) -> String {
        let account = self.turn.account.as_ref().map_or("", |account| &account.id);
        self.seal.close(account, text)
    }
}

pub(super) fn added(index: usize, item: &Value) -> Draft {
    ("response.output_item.added", json!({ "item": item, "output_index": index }))
}

fn content_part(name: &'static str, index: usize, id: &str, part: Value) -> Draft {
    let fields = json!({ "content_index": 0, "item_id": id, "output_index": index, "part": part });
    (name, fields)
}

pub(super) fn merge(fields: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fields, more) {
        fields.extend(more);
    }
}

/// A word a delta, with the space in front of it.
fn words(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut after_space = true;
    for c in text.chars() {
        match pieces.last_mut() {
            Some(last) if after_space || !c.is_whitespace() => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        after_space = c.is_whitespace();
    }
    pieces
}
