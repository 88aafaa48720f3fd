//! The reader as what serde reads from.

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::Number;

use super::{
    Doubt, Reader, count,
    cut::{RAW, as_raw},
};

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.peek() {
            Some(b'{') => {
                self.open()?;
                let mut inside = Inside { reader: self, close: b'}', first: true, ended: false };
                let value = visitor.visit_map(&mut inside)?;
                inside.end().map(|()| value)
            }
            Some(b'[') => {
                self.open()?;
                let mut inside = Inside { reader: self, close: b']', first: true, ended: false };
                let value = visitor.visit_seq(&mut inside)?;
                inside.end().map(|()| value)
            }
            Some(b'"') => self.text()?.deserialize_any(visitor),
            Some(_) => match self.word()? {
                "null" => visitor.visit_unit(),
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                number => match count(number) {
                    Some(count) => visitor.visit_u64(count),
                    None => unusual(number, visitor),
                },
            },
            None => Err(Doubt),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        if self.peek() == Some(b'n') {
            self.word()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        if name == RAW {
            return visitor.visit_map(as_raw(self.cut()?));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.pass()?;
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        let json = self.cut()?;
        let mut library = serde_json::Deserializer::from_str(json);
        library.deserialize_enum(name, variants, visitor).map_err(|_| Doubt)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// A number as the library has it.
fn unusual<'de, V: Visitor<'de>>(number: &str, visitor: V) -> Result<V::Value, Doubt> {
    let number: Number = serde_json::from_str(number).map_err(|_| Doubt)?;
    if let Some(number) = number.as_u64() {
        visitor.visit_u64(number)
    } else if let Some(number) = number.as_i64() {
        visitor.visit_i64(number)
    } else {
        visitor.visit_f64(number.as_f64().ok_or(Doubt)?)
    }
}

/// What stands in a list or an object.
struct Inside<'r, 'de> {
    reader: &'r mut Reader<'de>,
    close: u8,
    first: bool,
    ended: bool,
}

impl Inside<'_, '_> {
    fn more(&mut self) -> Result<bool, Doubt> {
        let more = self.reader.more(self.close, self.first)?;
        self.first = false;
        self.ended = !more;
        Ok(more)
    }

    /// All of it has to be read.
    fn end(mut self) -> Result<(), Doubt> {
        if !self.ended && self.more()? {
            return Err(Doubt);
        }
        self.reader.depth -= 1;
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Doubt;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Doubt> {
        if !self.more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Doubt;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Doubt> {
        if !self.more()? {
            return Ok(None);
        }
        seed.deserialize(self.reader.name()?).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Doubt> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A text, and with it the name of a member.
pub(super) struct Text<'de> {
    /// In its quotes.
    pub(super) json: &'de str,
    /// Whether it says what it is, with nothing escaped.
    pub(super) is_plain: bool,
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        if self.is_plain {
            return visitor.visit_borrowed_str(&self.json[1..self.json.len() - 1]);
        }
        visitor.visit_string(serde_json::from_str(self.json).map_err(|_| Doubt)?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
