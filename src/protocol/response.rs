//! A finished turn, put together from its events: once, for every dialect.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Event, Item, Kind, Malformed, Usage, from_json, raw};

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
    pub code: Option<String>,
    pub r#type: Option<String>,
    pub message: Option<String>,
    pub param: Option<String>,
}

/// Collects the items of a turn as its events go by.
///
/// The backend's last event says `"output": []`, so the items have to be taken from where they
/// were finished; where one never was, its text is taken from its own last event.
#[derive(Debug, Default)]
pub struct Gather {
    items: BTreeMap<u64, Item>,
    started: BTreeMap<u64, Item>,
    texts: BTreeMap<u64, BTreeMap<u64, Box<RawValue>>>,
    size: usize,
}

#[derive(Deserialize)]
struct ItemEvent {
    #[serde(default)]
    output_index: u64,
    item: Item,
}

#[derive(Deserialize)]
struct TextEvent {
    #[serde(default)]
    output_index: u64,
    #[serde(default)]
    content_index: u64,
    text: Box<RawValue>,
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
    usage: Option<Usage>,
    incomplete_details: Option<IncompleteDetails>,
    error: Option<Failure>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IncompleteDetails {
    reason: Option<String>,
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
        Self { items: BTreeMap::new(), started: BTreeMap::new(), texts: BTreeMap::new(), size: 0 }
    }

    /// Takes what is needed from an event; yields the response when it was the last one.
    ///
    /// # Errors
    /// When an event that matters cannot be read, or the reply is larger than is bearable.
    pub fn event(&mut self, event: &Event) -> Result<Option<Response>, Malformed> {
        match event.kind {
            Kind::ItemAdded => {
                let ItemEvent { output_index, item } = event.read()?;
                self.keep(event)?;
                self.started.insert(output_index, item);
            }
            Kind::ItemDone => {
                let ItemEvent { output_index, item } = event.read()?;
                self.keep(event)?;
                self.started.remove(&output_index);
                self.texts.remove(&output_index);
                self.items.insert(output_index, item);
            }
            Kind::TextDone => {
                let TextEvent { output_index, content_index, text } = event.read()?;
                self.keep(event)?;
                if self.started.contains_key(&output_index) {
                    self.texts.entry(output_index).or_default().insert(content_index, text);
                }
            }
            Kind::Completed | Kind::Incomplete | Kind::Failed => {
                return self.finish(event).map(Some);
            }
            _ => {}
        }
        Ok(None)
    }

    /// The items so far, for a turn that broke off.
    #[must_use]
    pub fn so_far(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.items).into_values().collect()
    }

    fn keep(&mut self, event: &Event) -> Result<(), Malformed> {
        self.size += event.json.len();
        if self.size > MAX_REPLY {
            return Err(Malformed::new(format!("the reply is larger than {MAX_REPLY} bytes")));
        }
        Ok(())
    }

    fn finish(&mut self, event: &Event) -> Result<Response, Malformed> {
        let Terminal { response } = event.read::<Terminal<&RawValue>>()?;
        let told = from_json(response.get()).map_err(Malformed::new)?;
        let Ending { outcome, output: theirs, usage } = Ending::told(event.kind, told);
        for (index, texts) in std::mem::take(&mut self.texts) {
            self.items.insert(index, text_message(self.started.remove(&index), texts));
        }
        let mut output = self.so_far();
        if theirs.len() > output.len() {
            output = theirs;
        }
        Ok(Response { outcome, object: response.to_owned(), output, usage })
    }
}

/// A message whose end never came, from the texts that did.
fn text_message(started: Option<Item>, texts: BTreeMap<u64, Box<RawValue>>) -> Item {
    #[derive(serde::Serialize)]
    struct Part {
        r#type: &'static str,
        annotations: [(); 0],
        logprobs: [(); 0],
        text: Box<RawValue>,
    }
    let parts: Vec<Part> = texts
        .into_values()
        .map(|text| Part { r#type: "output_text", annotations: [], logprobs: [], text })
        .collect();
    let started = started
        .unwrap_or_else(|| Item::new(&serde_json::json!({"type": "message", "role": "assistant"})));
    let Ok(mut members) = started.members() else { return started };
    members.set("status", raw("completed"));
    members.set("content", raw(&parts));
    Item::new(&members)
}
