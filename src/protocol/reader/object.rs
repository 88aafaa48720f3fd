//! Objects, cut into their members: that of a body, and with it those in its long list.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Doubt, MAX_COMMAS, Reader, cut::raw_value};
use crate::protocol::Object;

/// How many entries of a list are taken apart in advance. No conversation has as many, and the
/// members of millions of tiny objects would take many times the memory that their JSON does.
const APART: usize = 10_000;

/// A list that was taken apart with what it stood in.
#[derive(Debug)]
pub struct List<'a> {
    json: &'a str,
    entries: Entries<'a>,
}

/// The entries of a list.
pub type Entries<'a> = Vec<Entry<'a>>;

/// One entry of a list, and its members where it is an object and they are known.
pub type Entry<'a> = (&'a RawValue, Option<Object<'a>>);

impl<'a> List<'a> {
    /// Its entries, if it is `json` itself and not another list that reads the same.
    #[must_use]
    pub fn entries_of(self, json: &RawValue) -> Option<Entries<'a>> {
        std::ptr::eq(self.json, json.get()).then_some(self.entries)
    }
}

/// The entries of the list `json`, in one walk. `None` where there may be something to be said about
/// it.
#[must_use]
pub fn entries(json: &str) -> Option<Entries<'_>> {
    let mut reader = Reader::new(json);
    reader.peek().filter(|byte| *byte == b'[')?;
    let entries = reader.entries().ok()?;
    reader.peek().is_none().then_some(entries)
}

/// The members of the object `json`, and the list that the first of them is that has one of these
/// names: all of it in one walk. `None` where there may be something to be said about it, or where it
/// has more than [`MAX_COMMAS`].
#[must_use]
pub fn object_with<'a>(names: &[&str], json: &'a str) -> Option<(Object<'a>, Option<List<'a>>)> {
    let mut reader = Reader { commas: MAX_COMMAS, ..Reader::new(json) };
    let mut list = None;
    let value = |reader: &mut Reader<'a>, name: &str| {
        if list.is_some() || !names.contains(&name) || reader.peek() != Some(b'[') {
            return reader.pass();
        }
        let from = reader.at;
        let entries = reader.entries()?;
        list = Some(List { json: &json[from..reader.at], entries });
        Ok(())
    };
    let object = reader.object(value).ok()?;
    reader.peek().is_none().then_some((object, list))
}

impl<'de> Reader<'de> {
    /// The next value, which must be an object. `value` goes behind the value of each member.
    fn object(
        &mut self,
        mut value: impl FnMut(&mut Self, &str) -> Result<(), Doubt>,
    ) -> Result<Object<'de>, Doubt> {
        /// A borrowed one, where that can be.
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        if self.peek() != Some(b'{') {
            return Err(Doubt);
        }
        self.open()?;
        let mut members = Vec::new();
        while self.more(b'}', members.is_empty())? {
            let Name(name) = Name::deserialize(self.name()?)?;
            let json = self.cut_by(|reader| value(reader, &name))?;
            members.push((name, Cow::Borrowed(json)));
        }
        self.depth -= 1;
        Ok(Object::new(members))
    }

    /// The next value, which must be a list.
    fn entries(&mut self) -> Result<Entries<'de>, Doubt> {
        self.open()?;
        let mut entries = Vec::new();
        while self.more(b']', entries.is_empty())? {
            let mut members = None;
            let json = self.cut_by(|reader| {
                if reader.peek() != Some(b'{') || entries.len() >= APART {
                    return reader.pass();
                }
                members = Some(reader.object(|reader, _| reader.pass())?);
                Ok(())
            })?;
            entries.push((json, members));
        }
        self.depth -= 1;
        Ok(entries)
    }

    /// The text of the next value, behind which `pass` goes.
    fn cut_by(
        &mut self,
        pass: impl FnOnce(&mut Self) -> Result<(), Doubt>,
    ) -> Result<&'de RawValue, Doubt> {
        self.peek();
        let from = self.at;
        pass(self)?;
        raw_value(&self.json[from..self.at])
    }
}
