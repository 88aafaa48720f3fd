//! An item whose end has not come.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use serde_json::{json, value::RawValue};

use super::{Item, Piece, What, Words, raw};

/// What has been told of an item under way.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// As it was announced.
    pub(super) begun: Option<Item>,
    /// Its texts, by the part they are.
    texts: BTreeMap<(u64, What), Words>,
}

impl Open {
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        self.texts.entry((piece.part, piece.what)).or_default().add(piece);
    }

    /// What it is: as it was announced, or else by what has been told of it.
    pub(super) fn kind(&self) -> Option<Cow<'_, str>> {
        match &self.begun {
            Some(begun) => begun.kind(),
            None => self.texts.keys().find_map(|(_, what)| match what {
                What::Text | What::Refusal => Some("message".into()),
                What::Summary | What::Thought => Some("reasoning".into()),
                What::Arguments | What::Input => None, // A call of nobody knows what.
            }),
        }
    }

    /// The item as far as it has been told; `None` where that comes to nothing.
    pub(super) fn item(&self, status: &str) -> Option<Item> {
        let fresh = match self.kind()?.as_ref() {
            "message" => Item::new(&json!({"type": "message", "role": "assistant"})),
            "reasoning" => Item::new(&json!({"type": "reasoning", "summary": []})),
            "function_call" => return self.call(What::Arguments, status),
            "custom_tool_call" => return self.call(What::Input, status),
            _ => return None,
        };
        if self.texts.is_empty() {
            return None;
        }
        let mut members = self.begun.as_ref().unwrap_or(&fresh).members().ok()?;
        for (name, kinds) in [
            ("summary", [What::Summary].as_slice()),
            ("content", &[What::Text, What::Refusal, What::Thought]),
        ] {
            let parts: Vec<Part> = self.parts(kinds).collect();
            if !parts.is_empty() {
                members.set(name, raw(&parts));
            }
        }
        members.set("status", raw(status));
        Some(Item::new(&members))
    }

    fn call(&self, payload: What, status: &str) -> Option<Item> {
        let mut members = self.begun.as_ref()?.members().ok()?;
        if let Some(words) = self.texts.get(&(0, payload)).filter(|words| !words.is_empty()) {
            members.set(payload.member(), words.json());
        }
        members.set("status", raw(status));
        Some(Item::new(&members))
    }

    /// Whether anything has been told of it but that it is there.
    pub(super) fn is_told(&self) -> bool {
        !self.texts.is_empty()
    }

    fn parts(&self, kinds: &[What]) -> impl Iterator<Item = Part> {
        let texts = self.texts.iter().filter(|((_, what), _)| kinds.contains(what));
        texts.map(|((_, what), words)| Part::new(*what, words.json()))
    }
}

/// A part of a message or of reasoning.
#[derive(Serialize)]
#[serde(untagged)]
enum Part {
    Text { r#type: &'static str, annotations: [(); 0], logprobs: [(); 0], text: Box<RawValue> },
    Refusal { r#type: &'static str, refusal: Box<RawValue> },
    Thought { r#type: &'static str, text: Box<RawValue> },
}

impl Part {
    const fn new(what: What, text: Box<RawValue>) -> Self {
        match what {
            What::Refusal => Self::Refusal { r#type: "refusal", refusal: text },
            What::Summary => Self::Thought { r#type: "summary_text", text },
            What::Thought => Self::Thought { r#type: "reasoning_text", text },
            What::Text | What::Arguments | What::Input => {
                Self::Text { r#type: "output_text", annotations: [], logprobs: [], text }
            }
        }
    }
}

/// The item with the id of the one that is `known` in its place, where it has none of its own.
pub(super) fn with_id(item: Item, known: &Item) -> Item {
    let id = known.head().id;
    let Some(id) = id.filter(|_| item.kind() == known.kind()) else { return item };
    match item.members() {
        Ok(mut members) if members.lacks("id") => {
            members.set("id", raw(&*id));
            Item::new(&members)
        }
        _ => item,
    }
}
