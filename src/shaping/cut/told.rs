//! What the events of a turn tell, as far as it is read here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{what::What, write::Place};
use crate::protocol::{Item, Object, raw_str};

/// The members of events, each kind of which has some.
#[derive(Deserialize)]
pub(super) struct Told<'a> {
    #[serde(default)]
    pub(super) output_index: u64,
    #[serde(default)]
    pub(super) content_index: u64,
    #[serde(borrow, default)]
    pub(super) item_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) part: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) annotation: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) item: Option<Item>,
}

impl Told<'_> {
    /// Where the text stands. The payload of a call stands where a message has its first part.
    pub(super) const fn place(&self, what: What) -> Place {
        (self.output_index, if what.is_part() { self.content_index } else { 0 })
    }

    /// The whole of a text.
    pub(super) fn whole(&self, what: What) -> Option<Cow<'_, str>> {
        let whole = match what {
            What::Text => self.text,
            What::Refusal => self.refusal,
            What::Arguments => self.arguments,
            What::Input => self.input,
        };
        whole.and_then(raw_str)
    }
}

/// What text a part is, and the whole of it; `None` if it is no text.
pub(super) fn text(part: &RawValue) -> Option<(What, Option<String>)> {
    let members = Object::parse(part.get().as_bytes()).ok()?;
    let what = What::of_part(&members.str("type")?)?;
    Some((what, members.str(what.member()).map(Cow::into_owned)))
}
