//! Items that are put together here: written as the text they are sent as, in one go.

use serde_json::value::RawValue;

use super::{Item, raw};

/// JSON that is being written: objects which begin with their type, as items and their parts do.
#[derive(Debug)]
pub struct Draft(String);

impl Draft {
    /// One with room for so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Writes an object of that type, a plain word; `members` writes what else is in it.
    pub fn object(&mut self, kind: &str, members: impl FnOnce(&mut Self)) {
        self.0.push_str(r#"{"type":""#);
        self.0.push_str(kind);
        self.0.push('"');
        members(self);
        self.0.push('}');
    }

    /// Writes a member that is JSON already; `name` is a plain word.
    pub fn json(&mut self, name: &str, value: &RawValue) {
        self.name(name);
        self.0.push_str(value.get());
    }

    /// Writes a member that is a text; `name` is a plain word.
    pub fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        if text.bytes().any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
            self.0.push_str(raw(text).get());
        } else {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        }
    }

    /// Writes a member that is a list; `write` writes each of its entries, as an object.
    pub fn list<T>(&mut self, name: &str, entries: &[T], write: impl Fn(&mut Self, &T)) {
        self.name(name);
        self.0.push('[');
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            write(self, entry);
        }
        self.0.push(']');
    }

    /// The item, which is the one object that has been written.
    #[must_use]
    pub fn item(self) -> Item {
        Item::of_json(self.0)
    }

    fn name(&mut self, name: &str) {
        self.0.push_str(",\"");
        self.0.push_str(name);
        self.0.push_str("\":");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_the_json_that_it_says() {
        let mut draft = Draft::with_room(9);
        draft.object("message", |draft| {
            draft.text("role", "us\"er\n");
            draft.json("text", &raw(&[1, 2]));
            draft.list("none", &[(); 0], |_, ()| {});
            draft.list("some", &["a", "b"], |draft, kind| draft.object(kind, |_| {}));
        });
        assert_eq!(
            draft.item().json().get(),
            r#"{"type":"message","role":"us\"er\n","text":[1,2],"none":[],"some":[{"type":"a"},{"type":"b"}]}"#
        );
    }
}
