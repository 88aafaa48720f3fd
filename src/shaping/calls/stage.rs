//! Event by event.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Calls, mend, text};
use crate::{
    config::ToolTextFormat,
    protocol::{Event, Item, Kind, Object, raw, raw_str},
};

/// What is known of the turn so far.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) wanted: Calls,
    /// The calls so far, as text.
    pub(super) shown: Vec<String>,
    /// The first `output_index` that no item has had.
    pub(super) next_index: u64,
    /// The names that were mended, by the `output_index` of their calls.
    pub(super) names: BTreeMap<u64, String>,
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    output_index: u64,
    item: Item,
}

impl Stage {
    pub(super) fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        match event.kind {
            Kind::ItemAdded => match event.read::<About>() {
                Ok(about) => self.added(event, &about, out),
                Err(_) => out.push(event),
            },
            // They come whole, with the finished item.
            Kind::ArgumentsDelta | Kind::ArgumentsDone if self.wanted.mended => {}
            Kind::ItemDone => match event.read::<About>() {
                Ok(about) => self.done(event, &about, out),
                Err(_) => out.push(event),
            },
            Kind::Completed | Kind::Incomplete => {
                self.show(out);
                out.push(event);
            }
            _ => out.push(event),
        }
    }

    fn added(&mut self, event: Event, about: &About, out: &mut Vec<Event>) {
        self.next_index = self.next_index.max(about.output_index + 1);
        let name = about.item.head().name;
        let better = name
            .filter(|_| self.wanted.mended)
            .and_then(|name| mend::name(&name, &self.wanted.tools));
        match better {
            Some(better) => {
                out.push(with_item(&event, &renamed(&about.item, &better)));
                self.names.insert(about.output_index, better);
            }
            None => out.push(event),
        }
    }

    fn done(&mut self, event: Event, about: &About, out: &mut Vec<Event>) {
        self.next_index = self.next_index.max(about.output_index + 1);
        let kind = about.item.kind().map(Cow::into_owned);
        if !matches!(kind.as_deref(), Some("function_call" | "custom_tool_call")) {
            out.push(event);
            return;
        }
        let mut item = about.item.clone();
        if self.wanted.mended {
            let known = self.names.get(&about.output_index).cloned();
            let name = item.head().name.map(Cow::into_owned).unwrap_or_default();
            if let Some(better) = known.or_else(|| mend::name(&name, &self.wanted.tools)) {
                item = renamed(&item, &better);
            }
            if kind.as_deref() == Some("function_call") {
                item = mended(item, about.output_index, out);
            }
            out.push(with_item(&event, &item));
        } else {
            out.push(event);
        }
        // A call that was cut off is not one that anybody should act on.
        if self.wanted.shown != ToolTextFormat::None && status(&item) != Some("incomplete".into()) {
            self.shown.extend(text::text(&item, self.wanted.shown));
        }
    }

    /// The calls as a message behind everything else.
    fn show(&mut self, out: &mut Vec<Event>) {
        if self.shown.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.shown).join("\n\n");
        let index = self.next_index;
        let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
        let part = |text: &str| json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text});
        let message = |status: &str, content: Vec<Value>| {
            json!({"id": id, "type": "message", "role": "assistant", "status": status,
                   "content": content})
        };
        let place = json!({"item_id": id, "output_index": index, "content_index": 0});
        let mut write = |kind: Kind, about: &Value, more: Value| {
            out.push(event(kind, &[about.clone(), more]));
        };
        let whole = json!({"output_index": index});
        write(Kind::ItemAdded, &whole, json!({"item": message("in_progress", Vec::new())}));
        write(Kind::PartAdded, &place, json!({"part": part("")}));
        write(Kind::TextDelta, &place, json!({"delta": text, "logprobs": []}));
        write(Kind::TextDone, &place, json!({"text": text, "logprobs": []}));
        write(Kind::PartDone, &place, json!({"part": part(&text)}));
        write(Kind::ItemDone, &whole, json!({"item": message("completed", vec![part(&text)])}));
    }
}

/// The call with arguments that are JSON, told in full before it; one that was cut off stays so.
fn mended(item: Item, index: u64, out: &mut Vec<Event>) -> Item {
    let Ok(mut members) = item.members() else { return item };
    let arguments = members.get("arguments").and_then(raw_str).unwrap_or_default().into_owned();
    let better = match status(&item) {
        Some(status) if status == "incomplete" => arguments,
        _ => mend::arguments(&arguments),
    };
    let id = members.str("id").map(Cow::into_owned);
    let place = json!({"item_id": id, "output_index": index});
    out.push(event(Kind::ArgumentsDelta, &[place.clone(), json!({"delta": better})]));
    out.push(event(Kind::ArgumentsDone, &[place, json!({"arguments": better})]));
    members.set("arguments", raw(&better));
    Item::new(&members)
}

fn status(item: &Item) -> Option<String> {
    Some(item.members().ok()?.str("status")?.into_owned())
}

fn renamed(item: &Item, name: &str) -> Item {
    let Ok(mut members) = item.members() else { return item.clone() };
    members.set("name", raw(name));
    Item::new(&members)
}

fn with_item(event: &Event, item: &Item) -> Event {
    let mut members = Object::parse(&event.json).unwrap_or_default();
    members.set_borrowed("item", item.json());
    Event { json: members.to_bytes(), ..event.clone() }
}

/// An event of which each part gives some members.
fn event(kind: Kind, parts: &[Value]) -> Event {
    let name = kind.name().unwrap_or_default();
    let mut members = serde_json::Map::new();
    members.insert("type".to_owned(), name.into());
    for part in parts {
        members.extend(part.as_object().cloned().unwrap_or_default());
    }
    Event {
        kind,
        name: Bytes::from_static(name.as_bytes()),
        json: Bytes::copy_from_slice(raw(&members).get().as_bytes()),
    }
}
