//! What a turn says, piece by piece.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Event, Kind, Malformed};

/// A piece of a text, or in the end all of it.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub what: What,
    /// It is all of the text, whatever pieces of it have come.
    pub whole: bool,
    pub output_index: u64,
    /// The text's place in its item. An item that is a call has one text.
    pub part: u64,
    /// A JSON string.
    pub text: &'a RawValue,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Text,
    Refusal,
    Arguments,
    Input,
    Summary,
    Thought,
}

impl What {
    /// What an event of that kind tells, and whether it tells all of it.
    const fn of(kind: Kind) -> Option<(Self, bool)> {
        Some(match kind {
            Kind::TextDelta => (Self::Text, false),
            Kind::ArgumentsDelta => (Self::Arguments, false),
            Kind::ReasoningSummaryDelta => (Self::Summary, false),
            Kind::ReasoningTextDelta => (Self::Thought, false),
            Kind::CustomInputDelta => (Self::Input, false),
            Kind::RefusalDelta => (Self::Refusal, false),
            Kind::TextDone => (Self::Text, true),
            Kind::RefusalDone => (Self::Refusal, true),
            Kind::ArgumentsDone => (Self::Arguments, true),
            Kind::CustomInputDone => (Self::Input, true),
            _ => return None,
        })
    }

    /// The member that holds the whole text.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Refusal => "refusal",
            Self::Arguments => "arguments",
            Self::Input => "input",
            Self::Text | Self::Summary | Self::Thought => "text",
        }
    }

    /// The member that says which part it is.
    const fn part(self) -> &'static str {
        match self {
            Self::Summary => "summary_index",
            _ => "content_index",
        }
    }

    const fn is_payload(self) -> bool {
        matches!(self, Self::Arguments | Self::Input)
    }
}

impl<'a> Piece<'a> {
    /// The piece that the event tells, if it tells one.
    ///
    /// # Errors
    /// When it should and cannot be read.
    pub fn of(event: &'a Event) -> Result<Option<Self>, Malformed> {
        let Some((what, whole)) = What::of(event.kind) else { return Ok(None) };
        let text = if whole { what.member() } else { "delta" };
        let quickly = event.members(["output_index", what.part(), text]).and_then(|found| {
            let [index, part, text] = found;
            let index = index.map_or(Some(0), |index| index.get().parse().ok())?;
            Some((index, part, Some(text?)))
        });
        let (output_index, part, text) = match quickly {
            Some(found) => found,
            None => slowly(event, what, whole)?,
        };
        let Some(text) = text.filter(|text| text.get().starts_with('"')) else {
            // Its end without the text says nothing, and nothing is lost.
            return if whole { Ok(None) } else { Err(Malformed::new("a delta is no text")) };
        };
        let part = part.filter(|_| !what.is_payload()).and_then(|part| part.get().parse().ok());
        Ok(Some(Self { what, whole, output_index, part: part.unwrap_or(0), text }))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.get() == r#""""#
    }
}

/// The index, the part and the text.
type Found<'a> = (u64, Option<&'a RawValue>, Option<&'a RawValue>);

/// The same from JSON that is not written as usual.
fn slowly(event: &Event, what: What, whole: bool) -> Result<Found<'_>, Malformed> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Members<'a> {
        output_index: u64,
        #[serde(borrow)]
        content_index: Option<&'a RawValue>,
        #[serde(borrow)]
        summary_index: Option<&'a RawValue>,
        #[serde(borrow)]
        delta: Option<&'a RawValue>,
        #[serde(borrow)]
        text: Option<&'a RawValue>,
        #[serde(borrow)]
        refusal: Option<&'a RawValue>,
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
        #[serde(borrow)]
        input: Option<&'a RawValue>,
    }
    let members: Members<'_> = event.read()?;
    let part = if what == What::Summary { members.summary_index } else { members.content_index };
    let text = match what {
        _ if !whole => members.delta,
        What::Refusal => members.refusal,
        What::Arguments => members.arguments,
        What::Input => members.input,
        What::Text | What::Summary | What::Thought => members.text,
    };
    Ok((members.output_index, part, text))
}

/// A text that is put together from its pieces.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// What stands between the quotes of the JSON string.
    inside: String,
    whole: bool,
}

impl Words {
    /// Adds a piece; the whole text stands for all pieces that come before or after it.
    pub fn add(&mut self, piece: &Piece<'_>) {
        let json = piece.text.get();
        let inside = &json[1..json.len() - 1];
        if piece.whole && !inside.is_empty() {
            self.inside.clear();
            self.whole = true;
        } else if self.whole {
            return;
        }
        self.inside.push_str(inside);
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.inside.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.inside.is_empty()
    }

    /// The text as a JSON string.
    ///
    /// # Panics
    /// Never: what stands in JSON strings makes up another one.
    #[must_use]
    pub fn json(&self) -> Box<RawValue> {
        let json = format!("\"{}\"", self.inside);
        RawValue::from_string(json).expect("pieces of JSON strings make one")
    }
}
