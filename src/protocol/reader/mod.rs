//! JSON of which most is only cut out: a reader that walks it once.
//!
//! It checks what it passes, down to the depth, so nobody has to look at a text twice for that. What
//! it does not take is left to `serde_json`, which then says what is wrong with it.

use std::{fmt, ops::Range};

use serde::{Deserialize, de::IgnoredAny};

use de::Text;

pub use cut::from_object;
pub(super) use cut::known;
pub use object::{Entries, Entry, List, entries, object_with};

mod cut;
mod de;
mod object;
mod scan;
#[cfg(test)]
mod tests;

/// How deep lists and objects may stand in one another, which is as deep as `serde_json` will go.
pub const MAX_DEPTH: usize = 127;

/// How many commas may stand in a body, outside its texts: about as many values as it holds. What is
/// known of a value takes up to a hundred times the bytes of the shortest ones.
pub const MAX_COMMAS: usize = 1_000_000;

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
    let mut reader = Reader::new(json);
    let value = T::deserialize(&mut reader).ok()?;
    reader.peek().is_none().then_some(value)
}

/// Where the values of the members with these names stand in `json`; of several with one name the
/// last. `None` where `json` is no object, or one that cannot be read as quickly as that.
pub(super) fn places_of<const N: usize>(
    names: [&str; N],
    json: &str,
) -> Option<[Option<Range<usize>>; N]> {
    let mut reader = Reader::new(json);
    let mut found = [const { None }; N];
    reader.peek().filter(|byte| *byte == b'{')?;
    reader.open().ok()?;
    let mut first = true;
    while reader.more(b'}', first).ok()? {
        first = false;
        let key = reader.name().ok()?;
        reader.peek();
        let from = reader.at;
        reader.pass().ok()?;
        let key = &key.json[1..key.json.len() - 1];
        if let Some(place) = names.iter().position(|name| *name == key) {
            found[place] = Some(from..reader.at);
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
    /// How many more commas are read.
    commas: usize,
}

impl<'de> Reader<'de> {
    const fn new(json: &'de str) -> Self {
        Self { json, at: 0, depth: 0, commas: usize::MAX }
    }

    /// The next byte that is no white space, which is where the reader then stands.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// Whether there is another value before `close`, behind which the reader otherwise stands.
    fn more(&mut self, close: u8, first: bool) -> Result<bool, Doubt> {
        match self.peek() {
            Some(byte) if byte == close => self.at += 1,
            Some(_) if first => return Ok(true),
            Some(b',') => {
                self.at += 1;
                self.commas = self.commas.checked_sub(1).ok_or(Doubt)?;
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
            open @ (b'{' | b'[') => {
                let is_object = open == b'{';
                let close = if is_object { b'}' } else { b']' };
                self.open()?;
                let mut first = true;
                while self.more(close, first)? {
                    if is_object {
                        self.name()?;
                    }
                    self.pass()?;
                    first = false;
                }
                self.depth -= 1;
            }
            b'"' => return self.pass_text().map(drop),
            _ => return self.word().map(drop),
        }
        Ok(())
    }

    /// The name of the next member, behind whose colon the reader then stands.
    fn name(&mut self) -> Result<Text<'de>, Doubt> {
        let name = self.text()?;
        if self.peek() != Some(b':') {
            return Err(Doubt);
        }
        self.at += 1;
        Ok(name)
    }

    /// The next value, which must be a text.
    fn text(&mut self) -> Result<Text<'de>, Doubt> {
        if self.peek() != Some(b'"') {
            return Err(Doubt);
        }
        let from = self.at;
        let has_escapes = self.pass_text()?;
        Ok(Text { json: &self.json[from..self.at], is_plain: !has_escapes })
    }

    /// Goes behind the text that begins here; whether anything in it is escaped.
    fn pass_text(&mut self) -> Result<bool, Doubt> {
        let end = scan::end_of_text(self.json.as_bytes(), self.at + 1).ok_or(Doubt)?;
        self.at = end.behind;
        Ok(end.has_escapes)
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
