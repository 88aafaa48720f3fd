//! JSON of which most is only cut out: a reader that walks it once.
//!
//! It checks what it passes, down to the depth, so nobody has to look at a text twice for that. What
//! it does not take is left to `serde_json`, which then says what is wrong with it.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, UnitDeserializer},
    },
    forward_to_deserialize_any,
};

use super::scan;

/// How deep lists and objects may stand in one another, which is as deep as `serde_json` will go.
pub const MAX_DEPTH: usize = 127;

/// By what name `serde_json` asks for a value's text in place of the value. Were it another one
/// day, `RawValue`s would be read by `serde_json` itself, and a test would say so.
const RAW: &str = "$serde_json::private::RawValue";

/// Reads `json`.
///
/// # Errors
/// When it is not JSON, or does not fit.
pub fn from_json<'de, T: Deserialize<'de>>(json: &'de str) -> serde_json::Result<T> {
    quickly(json).map_or_else(|| serde_json::from_str(json), Ok)
}

/// Reads `json`; `None` where there may be something to be said about it, or where it is deeper
/// than [`MAX_DEPTH`].
#[must_use]
pub fn quickly<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let mut reader = Reader { json, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader).ok()?;
    reader.peek().is_none().then_some(value)
}

/// Where the value of the member `name` stands in `json`, if there is one; of several the last.
/// `None` where `json` is no object, or one that cannot be read as quickly as that.
pub(super) fn place_of(name: &str, json: &str) -> Option<Option<Range<usize>>> {
    let mut reader = Reader { json, at: 0, depth: 0 };
    let mut found = None;
    reader.peek().filter(|byte| *byte == b'{')?;
    reader.open().ok()?;
    let mut first = true;
    while reader.more(b'}', first).ok()? {
        first = false;
        let key = reader.text().ok()?;
        reader.expect(b':').ok()?;
        reader.peek();
        let from = reader.at;
        reader.pass().ok()?;
        if &key.json[1..key.json.len() - 1] == name {
            found = Some(from..reader.at);
        }
    }
    reader.peek().is_none().then_some(found)
}

/// That `serde_json` shall look at it.
#[derive(Debug)]
struct Doubt;

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("doubtful") // Nobody is told.
    }
}

impl std::error::Error for Doubt {}

impl serde::de::Error for Doubt {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Reader<'de> {
    json: &'de str,
    /// Behind what has been read.
    at: usize,
    /// How many lists and objects are open.
    depth: usize,
}

impl<'de> Reader<'de> {
    /// The next byte that is no white space, which is where the reader then stands.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Doubt> {
        if self.peek() != Some(byte) {
            return Err(Doubt);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether there is another value before `close`, behind which the reader otherwise stands.
    fn more(&mut self, close: u8, first: bool) -> Result<bool, Doubt> {
        match self.peek() {
            Some(byte) if byte == close => self.at += 1,
            Some(_) if first => return Ok(true),
            Some(b',') => {
                self.at += 1;
                return Ok(true);
            }
            _ => return Err(Doubt),
        }
        Ok(false)
    }

    fn open(&mut self) -> Result<(), Doubt> {
        if self.depth == MAX_DEPTH {
            return Err(Doubt);
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    /// The text of the next value.
    fn cut(&mut self) -> Result<&'de str, Doubt> {
        self.peek();
        let from = self.at;
        self.pass()?;
        Ok(&self.json[from..self.at])
    }

    /// Goes behind the next value, and sees that it is one.
    fn pass(&mut self) -> Result<(), Doubt> {
        match self.peek().ok_or(Doubt)? {
            b'{' => {
                self.open()?;
                let mut first = true;
                while self.more(b'}', first)? {
                    self.text()?;
                    self.expect(b':')?;
                    self.pass()?;
                    first = false;
                }
                self.depth -= 1;
            }
            b'[' => {
                self.open()?;
                let mut first = true;
                while self.more(b']', first)? {
                    self.pass()?;
                    first = false;
                }
                self.depth -= 1;
            }
            b'"' => return self.text().map(drop),
            _ => return self.word().map(drop),
        }
        Ok(())
    }

    /// The next value, which must be a text.
    fn text(&mut self) -> Result<Text<'de>, Doubt> {
        if self.peek() != Some(b'"') {
            return Err(Doubt);
        }
        let from = self.at;
        let end = scan::end_of_text(self.json.as_bytes(), from + 1).ok_or(Doubt)?;
        self.at = end.behind;
        Ok(Text { json: &self.json[from..end.behind], is_plain: !end.has_escapes })
    }

    /// The next value, which must be a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<&'de str, Doubt> {
        let rest = &self.json[self.at..];
        let of_word =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let word = &rest[..rest.bytes().take_while(of_word).count()];
        if count(word).is_none() && !matches!(word, "true" | "false" | "null") {
            serde_json::from_str::<IgnoredAny>(word).map_err(|_| Doubt)?;
        }
        self.at += word.len();
        Ok(word)
    }
}

/// The number that most numbers are: a small whole one that is not negative.
fn count(word: &str) -> Option<u64> {
    let is_usual = match word.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if is_usual { word.parse().ok() } else { None }
}

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
            Some(_) => {
                let word = self.word()?;
                match count(word) {
                    Some(number) => visitor.visit_u64(number),
                    None => by_library(word, visitor),
                }
            }
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
            return visitor.visit_map(Raw(Some(self.cut()?)));
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

fn by_library<'de, V: Visitor<'de>>(json: &'de str, visitor: V) -> Result<V::Value, Doubt> {
    let mut library = serde_json::Deserializer::from_str(json);
    library.deserialize_any(visitor).map_err(|_| Doubt)
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
        let key = seed.deserialize(self.reader.text()?)?;
        self.reader.expect(b':')?;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Doubt> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A text, and with it the name of a member.
struct Text<'de> {
    /// In its quotes.
    json: &'de str,
    /// Whether it says what it is, with nothing escaped.
    is_plain: bool,
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        if self.is_plain {
            return visitor.visit_borrowed_str(&self.json[1..self.json.len() - 1]);
        }
        by_library(self.json, visitor)
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

/// A value's text, as `serde_json` wants to be given it: the one member of an object.
struct Raw<'de>(Option<&'de str>);

impl<'de> MapAccess<'de> for Raw<'de> {
    type Error = Doubt;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Doubt> {
        if self.0.is_none() {
            return Ok(None);
        }
        seed.deserialize(BorrowedStrDeserializer::new(RAW)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Doubt> {
        match self.0.take() {
            Some(json) => seed.deserialize(BorrowedStrDeserializer::new(json)),
            None => seed.deserialize(UnitDeserializer::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, value::RawValue};

    use super::*;

    /// What is read as `T`, by this reader and by the library.
    fn both<'de, T: Deserialize<'de>>(json: &'de str) -> (Option<T>, Option<T>) {
        (quickly(json), serde_json::from_str(json).ok())
    }

    #[test]
    fn it_reads_what_the_library_reads_and_nothing_else() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let (deep, deeper) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1));
        for (json, is_json) in [
            (r#" { "a" : [ 1, -2.5e+3, true, false, null, "x\n\u00e9" ] , "b\t" : { } } "#, true),
            (r#"{"a":1,"a":2}"#, true),
            ("[[],{},\"\",0]", true),
            ("\"\\ud83d\\ude00\"", true),
            ("[0,-0,9,1234567890123456789,12345678901234567890,1e9,0.5]", true),
            ("1e999", false),
            (&*deep, true),
            (&*deeper, false),
            ("", false),
            ("[1,]", false),
            ("[,1]", false),
            ("[1 2]", false),
            (r#"{"a"}"#, false),
            (r#"{"a":1,}"#, false),
            (r#"{a:1}"#, false),
            (r#"{"a":1]"#, false),
            (r#"{"a" "b"}"#, false),
            ("[1", false),
            ("[] []", false),
            ("01", false),
            ("-", false),
            ("1.", false),
            ("nul", false),
            ("nullx", false),
            ("\"a\nb\"", false),
            (r#""\ud83d""#, false),
            ("\u{feff}[]", false),
        ] {
            let (ours, theirs) = both::<Value>(json);
            assert_eq!(ours, theirs, "{json}");
            assert_eq!(ours.is_some(), is_json, "{json}");
        }
    }

    #[test]
    fn values_are_cut_out_as_they_were_written() {
        #[derive(Debug, Deserialize)]
        struct Some<'a> {
            #[serde(borrow)]
            list: Vec<&'a RawValue>,
            #[serde(borrow, default)]
            missing: Option<&'a RawValue>,
            nothing: Option<Box<RawValue>>,
        }
        let json = r#"{"list": [ {"a" : 1}, "\ud800" ,2 ], "other": {"x": [1]}, "nothing": null}"#;
        let (ours, theirs) = both::<Some<'_>>(json);
        // Were it not for the name that the library asks by, it would be left to the library.
        let ours = ours.expect("it is read without the library");
        assert_eq!(format!("{ours:?}"), format!("{:?}", theirs.unwrap()));
        assert_eq!(ours.list.len(), 3);
        assert!(ours.missing.is_none() && ours.nothing.is_none());
    }

    #[test]
    fn what_does_not_fit_is_explained_by_the_library() {
        #[derive(Debug, Deserialize)]
        struct Named {
            #[expect(dead_code, reason = "only whether it can be read is of interest")]
            name: String,
        }
        for json in [r#"{"name":1}"#, r#"{"name":"a","name":"b"}"#, "{}", "[1,2]", "3"] {
            let ours = from_json::<Named>(json).unwrap_err();
            let theirs = serde_json::from_str::<Named>(json).unwrap_err();
            assert_eq!(ours.to_string(), theirs.to_string());
        }
        assert!(from_json::<[u8; 1]>("[1,2]").is_err());
    }
}
