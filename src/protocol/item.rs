//! One entry of a conversation.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Object, from_json, raw};

/// One entry of the conversation, kept exactly as it was written: a message, a call, its output,
/// reasoning, or something this version has never heard of.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Item(Box<RawValue>);

/// The members of an item that some code here reads.
#[derive(Debug, Default, Deserialize)]
pub struct Head<'a> {
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub phase: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub content: Option<&'a RawValue>,
}

impl Item {
    /// An item from its members.
    #[must_use]
    pub fn new(members: &(impl Serialize + ?Sized)) -> Self {
        Self(raw(members))
    }

    /// A message with one text part; `part` is `input_text`, or `output_text` for the assistant.
    #[must_use]
    pub fn message(role: &str, part: &str, text: &RawValue) -> Self {
        #[derive(Serialize)]
        struct Part<'a> {
            r#type: &'a str,
            text: &'a RawValue,
        }
        #[derive(Serialize)]
        struct Message<'a> {
            r#type: &'a str,
            role: &'a str,
            content: [Part<'a>; 1],
        }
        let content = [Part { r#type: part, text }];
        Self::new(&Message { r#type: "message", role, content })
    }

    #[must_use]
    pub fn json(&self) -> &RawValue {
        &self.0
    }

    /// The members this crate reads; all missing when the item is no object of the usual types.
    #[must_use]
    pub fn head(&self) -> Head<'_> {
        from_json(self.0.get()).unwrap_or_default()
    }

    /// Whose it is: `user`, `assistant`, `developer`; of a message only.
    #[must_use]
    pub fn role(&self) -> Option<Cow<'_, str>> {
        self.head().role
    }

    /// All members, to be changed and written again with [`Item::new`].
    ///
    /// # Errors
    /// When the item is no object.
    pub fn members(&self) -> serde_json::Result<Object<'_>> {
        from_json(self.0.get())
    }
}

impl From<Box<RawValue>> for Item {
    fn from(json: Box<RawValue>) -> Self {
        Self(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_wherever_and_however_it_is_written() {
        for (json, role) in [
            (r#"{"type":"message","role":"user","content":[]}"#, Some("user")),
            (r#"{"content":[],"role":"us\u0065r"}"#, Some("user")),
            (r#"{"role":"assistant","content":"a user"}"#, Some("assistant")),
            (r#"{"type":"message","content":[{"role":"user"}]}"#, None),
            (r#"["user"]"#, None),
        ] {
            let item: Item = serde_json::from_str(json).unwrap();
            assert_eq!(item.role().as_deref(), role, "{json}");
        }
    }
}
