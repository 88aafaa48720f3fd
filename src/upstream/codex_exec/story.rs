//! What the program prints, line by line, as the events of a turn.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::failure;
use crate::{
    protocol::{Event, unix_now, without_halves},
    sse::Frame,
    upstream::Error,
};

/// A turn as the program tells it.
pub(super) struct Story {
    id: String,
    model: String,
    created_at: u64,
    sequence: u64,
    /// Items that have begun, by the program's name for them, in their order.
    items: Vec<Told>,
}

/// An item as far as it has been told.
struct Told {
    name: String,
    id: String,
    text: String,
}

/// What a line comes to.
pub(super) enum Step {
    On(Vec<Event>),
    /// The turn is over, with its last event or with an error.
    End(Result<Event, Error>),
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Line {
    #[serde(rename = "thread.started")]
    Started,
    #[serde(rename = "item.started", alias = "item.updated")]
    Going { item: Item },
    #[serde(rename = "item.completed")]
    Done { item: Item },
    #[serde(rename = "turn.completed")]
    Completed { usage: Option<Usage> },
    #[serde(rename = "turn.failed")]
    Failed { error: Message },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
    /// What the program warns of.
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
}

impl Story {
    pub(super) fn new(model: String) -> Self {
        Self { id: name("resp"), model, created_at: unix_now(), sequence: 0, items: Vec::new() }
    }

    /// # Errors
    /// When the line is not what the program is known to print.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Step, Error> {
        let unreadable =
            |error| Error::Garbled(format!("`codex exec` printed what cannot be read: {error}"));
        let whole = without_halves(line);
        let line = whole.as_ref().map_or(line, |whole| whole.as_bytes());
        if line.trim_ascii().is_empty() {
            return Ok(Step::On(Vec::new()));
        }
        let line: Line = serde_json::from_slice(line).map_err(unreadable)?;
        let mut events = Vec::new();
        match line {
            Line::Started => {
                for kind in ["response.created", "response.in_progress"] {
                    let response = self.response("in_progress", Value::Null);
                    events.push(self.event(kind, json!({"response": response}))?);
                }
            }
            Line::Going { item } => self.item(&item, false, &mut events)?,
            Line::Done { item } => self.item(&item, true, &mut events)?,
            Line::Completed { usage } => {
                let mut response = self.response("completed", usage.unwrap_or_default().json());
                response["completed_at"] = unix_now().into();
                let last = self.event("response.completed", json!({"response": response}));
                return Ok(Step::End(last));
            }
            Line::Failed { error } => return Ok(Step::End(Err(failure::of(&error.message)))),
            // Among them the errors that it gets over: those that it does not are told again.
            Line::Other => {}
        }
        Ok(Step::On(events))
    }

    fn item(&mut self, item: &Item, done: bool, events: &mut Vec<Event>) -> Result<(), Error> {
        let kind = match item.kind.as_str() {
            "agent_message" => &MESSAGE,
            "reasoning" => &REASONING,
            // What the agent does for itself is not part of the answer.
            other => {
                tracing::debug!(item = other, "codex exec: {}", item.message);
                return Ok(());
            }
        };
        let index = match self.items.iter().position(|told| told.name == item.id) {
            Some(index) => index,
            None => {
                let id = name(kind.prefix);
                self.items.push(Told { name: item.id.clone(), id, text: String::new() });
                let index = self.items.len() - 1;
                self.open(kind, index, events)?;
                index
            }
        };
        // It tells the whole text each time, so what is new of it is its end.
        let Some(new) = item.text.strip_prefix(self.items[index].text.as_str()) else {
            return Err(Error::Garbled("`codex exec` took back what it had said".to_owned()));
        };
        if !new.is_empty() {
            let place = self.place(kind, index);
            events.push(self.event(kind.delta, with(place, json!({"delta": new})))?);
            self.items[index].text.push_str(new);
        }
        if done {
            self.close(kind, index, events)?;
        }
        Ok(())
    }

    fn open(&mut self, kind: &Kind, index: usize, events: &mut Vec<Event>) -> Result<(), Error> {
        let id = &self.items[index].id;
        let item = (kind.item)(id, "in_progress", json!([]));
        events.push(
            self.event("response.output_item.added", json!({"output_index": index, "item": item}))?,
        );
        let part = with(self.place(kind, index), json!({"part": (kind.part)("")}));
        events.push(self.event(kind.part_added, part)?);
        Ok(())
    }

    fn close(&mut self, kind: &Kind, index: usize, events: &mut Vec<Event>) -> Result<(), Error> {
        let Told { id, text, .. } = &self.items[index];
        let (id, text) = (id.clone(), text.clone());
        let place = || self.place(kind, index);
        let (said, part) = (
            with(place(), json!({"text": text})),
            with(place(), json!({"part": (kind.part)(&text)})),
        );
        events.push(self.event(kind.done, said)?);
        events.push(self.event(kind.part_done, part)?);
        let item = (kind.item)(&id, "completed", json!([(kind.part)(&text)]));
        events.push(
            self.event("response.output_item.done", json!({"output_index": index, "item": item}))?,
        );
        Ok(())
    }

    fn place(&self, kind: &Kind, index: usize) -> Value {
        json!({"item_id": self.items[index].id, "output_index": index, kind.index: 0})
    }

    fn response(&self, status: &str, usage: Value) -> Value {
        json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "model": self.model,
            "output": [],
            "usage": usage,
        })
    }

    fn event(&mut self, kind: &str, fields: Value) -> Result<Event, Error> {
        let json = with(json!({"type": kind}), fields);
        let json = with(json, json!({"sequence_number": self.sequence}));
        self.sequence += 1;
        Ok(Event::parse(Frame { event: Bytes::new(), data: json.to_string().into() })?)
    }
}

impl Usage {
    fn json(&self) -> Value {
        json!({
            "input_tokens": self.input_tokens,
            "input_tokens_details": {
                "cached_tokens": self.cached_input_tokens,
                "cache_write_tokens": self.cache_write_input_tokens,
            },
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"reasoning_tokens": self.reasoning_output_tokens},
            "total_tokens": self.input_tokens + self.output_tokens,
        })
    }
}

/// How an item of a kind is told upstream.
struct Kind {
    prefix: &'static str,
    index: &'static str,
    part_added: &'static str,
    delta: &'static str,
    done: &'static str,
    part_done: &'static str,
    part: fn(&str) -> Value,
    item: fn(&str, &str, Value) -> Value,
}

const MESSAGE: Kind = Kind {
    prefix: "msg",
    index: "content_index",
    part_added: "response.content_part.added",
    delta: "response.output_text.delta",
    done: "response.output_text.done",
    part_done: "response.content_part.done",
    part: |text| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []}),
    item: |id, status, content| {
        json!({
            "id": id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        })
    },
};

const REASONING: Kind = Kind {
    prefix: "rs",
    index: "summary_index",
    part_added: "response.reasoning_summary_part.added",
    delta: "response.reasoning_summary_text.delta",
    done: "response.reasoning_summary_text.done",
    part_done: "response.reasoning_summary_part.done",
    part: |text| json!({"type": "summary_text", "text": text}),
    item: |id, _, summary| json!({"id": id, "type": "reasoning", "summary": summary}),
};

fn name(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

fn with(mut json: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut json, more) {
        members.extend(more);
    }
    json
}
