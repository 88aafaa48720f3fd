//! JSON that is moved about rather than understood.

use std::{borrow::Cow, fmt};

use bytes::{BufMut, Bytes, BytesMut};
use memchr::{memchr2, memmem};
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, MapAccess, Visitor},
    ser::{SerializeMap, Serializer},
};
use serde_json::value::{RawValue, to_raw_value};

use super::quickly;

/// The JSON text of a value that cannot fail to serialise: strings, numbers, lists and maps of them.
///
/// # Panics
/// If `value` is a map with keys that are no strings, which no caller here has.
#[must_use]
pub fn raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    to_raw_value(value).expect("plain data serialises")
}

/// What a JSON string says, or `None` when `value` is no string.
#[must_use]
pub fn raw_str(value: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    if !value.get().starts_with('"') {
        return None;
    }
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|text| text.0)
}

/// JSON of many lines as one that server-sent events can hold; `None` where it is in one line. A
/// string cannot hold the bytes that end lines, so no value is changed.
pub(super) fn one_line(json: &[u8]) -> Option<Vec<u8>> {
    memchr2(b'\n', b'\r', json)?;
    let space = |&byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
    Some(json.iter().map(space).collect())
}

/// The same of a value that is known.
#[must_use]
pub fn on_one_line(json: Box<RawValue>) -> Box<RawValue> {
    let line = one_line(json.get().as_bytes()).and_then(|line| String::from_utf8(line).ok());
    line.and_then(|line| RawValue::from_string(line).ok()).unwrap_or(json)
}

/// The JSON string with U+FFFD for each half of a character, which no text can hold; `None` when
/// `value` is no string.
#[must_use]
pub fn with_whole_characters(value: &RawValue) -> Option<Box<RawValue>> {
    let json = value.get();
    let whole = json.starts_with('"').then(|| whole_characters(json))??;
    RawValue::from_string(whole).ok()
}

/// The same of a whole JSON text; `None` where it holds no such half, or cannot be read.
#[must_use]
pub fn without_halves(json: &[u8]) -> Option<String> {
    let holds = |escape: &[u8]| memmem::find(json, escape).is_some();
    // Most texts hold none of these at all, so they are walked once and not twice.
    if !holds(br"\u") || !(holds(br"\ud") || holds(br"\uD")) {
        return None;
    }
    std::str::from_utf8(json).ok().and_then(whole_characters)
}

/// The same of all strings in some JSON; `None` when that breaks off.
#[must_use]
pub fn whole_characters(json: &str) -> Option<String> {
    let mut rest = json;
    let mut whole = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (unit(rest), unit(rest.get(6..).unwrap_or_default())) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                whole.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        whole.push_str(rest.get(..length)?);
        rest = &rest[length..];
    }
    whole.push_str(rest);
    Some(whole)
}

/// Where the first half of a character begins that the inside of a JSON string ends in.
#[must_use]
pub fn last_half(inside: &str) -> Option<usize> {
    const LENGTH: usize = r"\ud83d".len();
    let at = inside.len().checked_sub(LENGTH)?;
    let unit = unit(inside.get(at..)?)?;
    // A backslash that is escaped itself escapes nothing.
    let escapes = inside[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
    (escapes.is_multiple_of(2) && matches!(unit, 0xD800..=0xDBFF)).then_some(at)
}

/// The unit of UTF-16 that the JSON begins with, if it is written as its number.
fn unit(json: &str) -> Option<u16> {
    u16::from_str_radix(json.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// The members of a JSON object in their order, each value as the text it came as.
///
/// Objects here have a few dozen members at the most, so looking one up walks the list.
#[derive(Clone, Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'a> Object<'a> {
    pub(super) const fn new(members: Vec<(Cow<'a, str>, Cow<'a, RawValue>)>) -> Self {
        Self(members)
    }

    pub(super) fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, RawValue>)> {
        self.0.into_iter()
    }

    /// # Errors
    /// When `json` is not one JSON object.
    pub fn parse(json: &'a [u8]) -> serde_json::Result<Self> {
        let quick = std::str::from_utf8(json).ok().and_then(quickly);
        quick.map_or_else(|| serde_json::from_slice(json), Ok)
    }

    #[must_use]
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    /// The member's text, if it is a string.
    #[must_use]
    pub fn str(&self, key: &str) -> Option<Cow<'_, str>> {
        raw_str(self.get(key)?)
    }

    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether the member is missing or `null`.
    #[must_use]
    pub fn lacks(&self, key: &str) -> bool {
        self.get(key).is_none_or(|value| value.get() == "null")
    }

    /// Replaces the member where it stands, or adds it at the end.
    pub fn set(&mut self, key: &'a str, value: Box<RawValue>) {
        self.put(key.into(), Cow::Owned(value));
    }

    /// Of several members with one name the last one stays, as with other readers of JSON.
    pub fn keep_last(&mut self) {
        for at in (0..self.0.len()).rev() {
            if self.0[at + 1..].iter().any(|(name, _)| *name == self.0[at].0) {
                self.0.remove(at);
            }
        }
    }

    /// The same with a value that is somebody else's.
    pub fn set_borrowed(&mut self, key: &'a str, value: &'a RawValue) {
        self.put(key.into(), Cow::Borrowed(value));
    }

    fn put(&mut self, key: Cow<'a, str>, value: Cow<'a, RawValue>) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Adds a member whose name is known at run time only; one of that name must not be there yet.
    pub fn add(&mut self, key: &str, value: Box<RawValue>) {
        self.0.push((Cow::Owned(key.to_owned()), Cow::Owned(value)));
    }

    /// Adds the member if there is none of that name.
    pub fn set_default(&mut self, key: &'a str, value: impl FnOnce() -> Box<RawValue>) {
        if !self.has(key) {
            self.0.push((Cow::Borrowed(key), Cow::Owned(value())));
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Cow<'a, RawValue>> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Adds the members of `other` behind these.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Replaces each member that `other` has too, and adds its others at the end.
    pub fn overlay(&mut self, other: Self) {
        other.0.into_iter().for_each(|(key, value)| self.put(key, value));
    }

    /// The JSON, as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.write(&mut out);
        out.freeze()
    }

    /// Writes the JSON.
    pub fn write(&self, out: &mut BytesMut) {
        out.reserve(self.0.iter().map(|(name, value)| name.len() + value.get().len() + 4).sum());
        let mut before: &[u8] = b"{";
        for (name, value) in &self.0 {
            out.put_slice(before);
            before = b",";
            let is_plain = |byte: u8| byte >= 0x20 && !matches!(byte, b'"' | b'\\');
            if name.bytes().all(is_plain) {
                out.put_u8(b'"');
                out.put_slice(name.as_bytes());
                out.put_u8(b'"');
            } else {
                out.put_slice(raw(name).get().as_bytes());
            }
            out.put_u8(b':');
            out.put_slice(value.get().as_bytes());
        }
        out.put_slice(if self.0.is_empty() { b"{}" } else { b"}" });
    }

    /// The same members, borrowed from nothing.
    #[must_use]
    pub fn into_owned(self) -> Object<'static> {
        let owned = |(name, value): (Cow<'a, str>, Cow<'a, RawValue>)| {
            (Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned()))
        };
        Object(self.0.into_iter().map(owned).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
                    members.push((name, Cow::Borrowed(map.next_value::<&'de RawValue>()?)));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_as_the_library_writes_it() {
        for json in [r#"{}"#, r#"{"a":1}"#, r#"{"a\"\\\n\u0001é":[ 1 ],"b":{"c":null}}"#] {
            let object = Object::parse(json.as_bytes()).unwrap();
            let mut out = BytesMut::new();
            object.write(&mut out);
            assert_eq!(out, raw(&object).get(), "{json}");
        }
    }

    #[test]
    fn halves_of_characters_are_replaced_and_nothing_else() {
        for (json, expected) in [
            (r#""a\ud83d b""#, Some("a\u{fffd} b")),
            (r#""\ud83d\ud83d\ude00\ude00""#, Some("\u{fffd}😀\u{fffd}")),
            (r#""\\ud83d\n\u00e9é\ud83d""#, Some("\\ud83d\néé\u{fffd}")),
            (r#""""#, Some("")),
            ("5", None),
        ] {
            let json: &RawValue = serde_json::from_str(json).unwrap();
            let whole = with_whole_characters(json);
            assert_eq!(whole.as_deref().and_then(raw_str).as_deref(), expected, "{json}");
        }
    }
}
