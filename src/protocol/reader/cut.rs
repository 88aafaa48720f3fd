//! What has been cut out, as what serde reads from: its text is not walked again where that is
//! what is wanted.

use std::{borrow::Cow, iter};

use serde::{
    Deserialize, Deserializer,
    de::{
        IntoDeserializer, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, MapDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

use super::{Doubt, Reader};
use crate::protocol::Object;

/// By what name `serde_json` asks for a value's text in place of the value. Were it another one
/// day, `RawValue`s would be read by `serde_json` itself, and a test would say so.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// Reads what has these members; `None` where it does not fit.
#[must_use]
pub fn from_object<'de, T: Deserialize<'de>>(members: Object<'de>) -> Option<T> {
    let member = |(name, json)| match json {
        Cow::Borrowed(json) => (name, Cut(RawValue::get(json))),
        Cow::Owned(_) => (name, Cut("")), // Of that nothing could be borrowed.
    };
    T::deserialize(MapDeserializer::new(members.into_members().map(member))).ok()
}

/// A text that is known to be JSON, as such.
pub(in crate::protocol) fn known(json: &str) -> &RawValue {
    let library = |_| serde_json::from_str(json);
    raw_value(json).or_else(library).expect("it is known to be JSON")
}

/// The same of what has just been walked.
pub(super) fn raw_value(json: &str) -> Result<&RawValue, Doubt> {
    <&RawValue>::deserialize(Cut(json))
}

/// A value's text as `serde_json` wants to be given it: as the one member of an object.
pub(super) fn as_raw<'de>(json: &'de str) -> impl MapAccess<'de, Error = Doubt> {
    let [name, json] = [RAW, json].map(BorrowedStrDeserializer::new);
    MapDeserializer::new(iter::once((name, json)))
}

/// The text of one value.
struct Cut<'de>(&'de str);

impl<'de> Cut<'de> {
    fn reader(&self) -> Reader<'de> {
        Reader::new(self.0)
    }
}

impl<'de> IntoDeserializer<'de, Doubt> for Cut<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Cut<'de> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.reader().deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        if self.0 == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        if name == RAW {
            return visitor.visit_map(as_raw(self.0));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        self.reader().deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}
