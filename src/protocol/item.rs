//! One entry of a conversation.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Draft, Object, from_json, quickly, raw, reader::known};

/// One entry of the conversation, kept exactly as it was written: a message, a call, its output,
/// reasoning, or something this version has never heard of.
#[derive(Clone, Debug)]
pub struct Item(String);

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
        raw(members).into()
    }

    /// An item that has been written, which has to be JSON.
    pub(super) fn of_json(json: String) -> Self {
        debug_assert!(quickly::<&RawValue>(&json).is_some());
        Self(json)
    }

    /// A message with one text part; `part` is `input_text`, or `output_text` for the assistant.
    #[must_use]
    pub fn message(role: &str, part: &str, text: &RawValue) -> Self {
        const REST: usize = 96;
        let mut draft = Draft::with_room(text.get().len() + REST);
        draft.object("message", |draft| {
            draft.text("role", role);
            draft.list("content", &[part], |draft, part| {
                draft.object(part, |draft| draft.json("text", text));
            });
        });
        draft.item()
    }

    #[must_use]
    pub fn json(&self) -> &RawValue {
        known(&self.0)
    }

    /// The members this crate reads; all missing when the item is no object of the usual types.
    #[must_use]
    pub fn head(&self) -> Head<'_> {
        from_json(&self.0).unwrap_or_default()
    }

    /// What it is: `message`, `function_call`, `reasoning`.
    #[must_use]
    pub fn kind(&self) -> Option<Cow<'_, str>> {
        early(&self.0, "type").map_or_else(|| self.head().kind, |kind| Some(kind.into()))
    }

    /// Whose it is: `user`, `assistant`, `developer`; of a message above all.
    #[must_use]
    pub fn role(&self) -> Option<Cow<'_, str>> {
        early(&self.0, "role").map_or_else(|| self.head().role, |role| Some(role.into()))
    }

    /// The parts of its content; none where it has none, or others than were asked for.
    #[must_use]
    pub fn parts<'a, T: Deserialize<'a>>(&'a self) -> Vec<T> {
        let content = self.head().content;
        content.and_then(|content| from_json(content.get()).ok()).unwrap_or_default()
    }

    /// All members, to be changed and written again with [`Item::new`].
    ///
    /// # Errors
    /// When the item is no object.
    pub fn members(&self) -> serde_json::Result<Object<'_>> {
        from_json(&self.0)
    }
}

/// The text of the member `name`, found without reading the rest where only texts stand before it
/// and nothing has to be unescaped: nearly everybody writes items so.
fn early<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = json.strip_prefix('{')?;
    loop {
        let (key, behind) = rest.strip_prefix('"')?.split_once('"')?;
        let (text, behind) = behind.strip_prefix(":\"")?.split_once('"')?;
        if key.contains('\\') || text.contains('\\') {
            return None;
        }
        if key == name {
            return Some(text);
        }
        rest = behind.strip_prefix(',')?;
    }
}

impl From<Box<RawValue>> for Item {
    fn from(json: Box<RawValue>) -> Self {
        Self(Box::<str>::from(json).into())
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_role_are_found_wherever_and_however_they_are_written() {
        for (json, kind, role) in [
            (r#"{"type":"message","role":"user","content":[]}"#, Some("message"), Some("user")),
            (
                r#"{"id":"msg_1","type":"message","status":"done","role":"user"}"#,
                Some("message"),
                Some("user"),
            ),
            (r#"{"id":"\",","type":"message"}"#, Some("message"), None),
            (r#"{"type":"message","role":"us\u0065r"}"#, Some("message"), Some("user")),
            (
                r#"{"content":[],"role":"user","type":"mess\u0061ge"}"#,
                Some("message"),
                Some("user"),
            ),
            (r#"{"type":"mess\u0061ge","role":"user"}"#, Some("message"), Some("user")),
            (r#"{"role":"assistant","content":"a user"}"#, None, Some("assistant")),
            (r#"{"type":"message","content":[{"role":"user"}]}"#, Some("message"), None),
            (r#"{ "type": "reasoning" }"#, Some("reasoning"), None),
            ("5", None, None),
        ] {
            let item: Item = serde_json::from_str(json).unwrap();
            assert_eq!(item.kind().as_deref(), kind, "{json}");
            assert_eq!(item.role().as_deref(), role, "{json}");
        }
    }
}
