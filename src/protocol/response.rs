//! A finished turn, put together from its events: once, for every dialect.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::{
    Event, Item, Kind, Malformed, Piece, Usage, from_json,
    open::{Open, with_id},
    usage::if_legible,
};

/// How much of a reply is kept, in bytes; a reply that outgrows it is an error.
const MAX_REPLY: usize = 256 * 1024 * 1024;

/// A finished turn.
#[derive(Clone, Debug)]
pub struct Response {
    pub outcome: Outcome,
    /// The final `response` object as the upstream sent it; its `output` is usually empty.
    pub object: Box<RawValue>,
    /// Every item of the answer, in order.
    pub output: Vec<Item>,
    pub usage: Usage,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    /// The reason: `max_output_tokens`, `content_filter`, …
    Incomplete(String),
    Failed(Failure),
}

/// What a failed turn says of itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Failure {
    #[serde(deserialize_with = "name")]
    pub code: Option<String>,
    #[serde(deserialize_with = "name")]
    pub r#type: Option<String>,
    #[serde(deserialize_with = "name")]
    pub message: Option<String>,
    #[serde(deserialize_with = "name")]
    pub param: Option<String>,
}

/// A name, or a number in the place of one; anything else is none, and no reason not to read the
/// rest.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(name) => Some(name),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Collects the items of a turn as its events go by.
///
/// The backend's last event says `"output": []`, so the items have to be taken from where they
/// were finished; one that never was is put together from what was told of it.
#[derive(Debug, Default)]
pub struct Gather {
    items: BTreeMap<u64, Item>,
    open: BTreeMap<u64, Open>,
    /// Pieces of texts are not read.
    ends_only: bool,
    size: usize,
}

/// What is told of an item, where it begins and where it is finished.
#[derive(Debug, Deserialize)]
pub struct ItemEvent {
    #[serde(default)]
    pub output_index: u64,
    pub item: Item,
}

/// What the last event of a turn says.
#[derive(Debug)]
pub struct Ending {
    pub outcome: Outcome,
    /// Usually empty.
    pub output: Vec<Item>,
    pub usage: Usage,
}

#[derive(Deserialize)]
struct Terminal<T> {
    response: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    output: Option<Vec<Item>>,
    #[serde(deserialize_with = "if_legible")]
    usage: Option<Usage>,
    incomplete_details: Option<IncompleteDetails>,
    error: Option<Failure>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IncompleteDetails {
    reason: Option<String>,
}

impl Event {
    /// The id of the response that the event tells of; `None` where it tells of none.
    #[must_use]
    pub fn response_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        self.read::<Terminal<Named>>().ok().map(|told| told.response.id)
    }
}

impl Ending {
    /// Reads a terminal event.
    ///
    /// # Errors
    /// When it tells of no response.
    pub fn of(event: &Event) -> Result<Self, Malformed> {
        let Terminal { response } = event.read()?;
        Ok(Self::told(event.kind, response))
    }

    fn told(kind: Kind, response: Told) -> Self {
        let Told { output, usage, incomplete_details, error } = response;
        let reason = || incomplete_details.and_then(|details| details.reason).unwrap_or_default();
        let outcome = match kind {
            Kind::Failed => Outcome::Failed(error.unwrap_or_default()),
            Kind::Incomplete => Outcome::Incomplete(reason()),
            _ => Outcome::Completed,
        };
        Self { outcome, output: output.unwrap_or_default(), usage: usage.unwrap_or_default() }
    }
}

impl Gather {
    #[must_use]
    pub const fn new() -> Self {
        Self { items: BTreeMap::new(), open: BTreeMap::new(), ends_only: false, size: 0 }
    }

    /// One that reads no deltas, for where they are passed on: there each one read costs, and its
    /// client has what it says.
    #[must_use]
    pub const fn of_ends() -> Self {
        Self { items: BTreeMap::new(), open: BTreeMap::new(), ends_only: true, size: 0 }
    }

    /// Takes what is needed from an event; yields the response when it was the last one.
    ///
    /// # Errors
    /// When an event that matters cannot be read, or the reply is larger than is bearable.
    pub fn event(&mut self, event: &Event) -> Result<Option<Response>, Malformed> {
        match event.kind {
            Kind::ItemAdded => {
                let ItemEvent { output_index, item } = event.read()?;
                self.keep(event.json.len())?;
                if !self.items.contains_key(&output_index) {
                    self.open.entry(output_index).or_default().begun = Some(item);
                }
            }
            Kind::ItemDone => {
                let ItemEvent { output_index, item } = event.read()?;
                self.keep(event.json.len())?;
                let begun = self.open.remove(&output_index).and_then(|open| open.begun);
                let item = match begun {
                    Some(begun) => with_id(item, &begun),
                    None => item,
                };
                self.items.insert(output_index, item);
            }
            Kind::Completed | Kind::Incomplete | Kind::Failed => {
                return self.finish(event).map(Some);
            }
            kind if self.ends_only && kind.is_delta() => {}
            _ => {
                if let Some(piece) = Piece::of(event)? {
                    self.piece(&piece)?;
                }
            }
        }
        Ok(None)
    }

    fn piece(&mut self, piece: &Piece<'_>) -> Result<(), Malformed> {
        if !self.items.contains_key(&piece.output_index) {
            self.keep(piece.text.get().len())?;
            self.open.entry(piece.output_index).or_default().add(piece);
        }
        Ok(())
    }

    /// The items so far, for a turn that broke off.
    #[must_use]
    pub fn so_far(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.items).into_values().collect()
    }

    fn keep(&mut self, size: usize) -> Result<(), Malformed> {
        self.size += size;
        if self.size > MAX_REPLY {
            return Err(Malformed::new(format!("the reply is larger than {MAX_REPLY} bytes")));
        }
        Ok(())
    }

    fn finish(&mut self, event: &Event) -> Result<Response, Malformed> {
        let Terminal { response } = event.read::<Terminal<&RawValue>>()?;
        let told = from_json(response.get()).map_err(Malformed::new)?;
        let Ending { outcome, output: theirs, usage } = Ending::told(event.kind, told);
        let theirs: Vec<Item> = (0..).zip(theirs).map(|(at, item)| self.named(at, item)).collect();
        let status = if outcome == Outcome::Completed { "completed" } else { "incomplete" };
        for (index, open) in std::mem::take(&mut self.open) {
            let at_the_end = usize::try_from(index).ok().and_then(|at| theirs.get(at));
            let whole = at_the_end.filter(|item| item.kind() == open.kind()).cloned();
            // Of a call whose pieces are not read nothing is known until they are told as one.
            let is_readable = !self.ends_only || open.is_told();
            let so_far = || if is_readable { open.item(status) } else { None };
            if let Some(item) = whole.or_else(so_far) {
                self.items.insert(index, item);
            }
        }
        let mut output = self.so_far();
        if theirs.len() > output.len() {
            output = theirs;
        }
        Ok(Response { outcome, object: response.to_owned(), output, usage })
    }

    /// An item that the last event tells, with the id under which it has been told before.
    fn named(&self, index: u64, item: Item) -> Item {
        let begun = || self.open.get(&index)?.begun.as_ref();
        match self.items.get(&index).or_else(begun) {
            Some(known) => with_id(item, known),
            None => item,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::sse::Frame;

    #[test]
    fn items_that_are_listed_without_ids_keep_those_that_are_known() {
        let item = |id: Value, kind: &str| json!({"id": id, "type": kind});
        let told = |kind: &str, index: u64, id: &str| json!({"type": kind, "output_index": index, "item": item(json!(id), "message")});
        let none = Value::Null;
        let listed = [
            item(none.clone(), "message"),
            item(json!("b"), "message"),
            json!({"type": "message"}),
            item(none.clone(), "reasoning"),
            item(none.clone(), "message"),
        ];
        let events = [
            told("response.output_item.done", 0, "0"),
            told("response.output_item.done", 1, "1"),
            told("response.output_item.added", 2, "2"),
            told("response.output_item.done", 3, "3"),
            json!({"type": "response.completed", "response": {"output": listed}}),
        ];
        let mut gather = Gather::new();
        let mut last = None;
        for event in events {
            let data = Bytes::from(event.to_string());
            let event = Event::parse(Frame { event: Bytes::new(), data }).unwrap();
            last = gather.event(&event).unwrap();
        }
        let ids: Vec<Value> =
            last.unwrap().output.iter().map(|item| json!(item.head().id)).collect();
        assert_eq!(ids, [json!("0"), json!("b"), json!("2"), none.clone(), none]);
    }
}
