//! JSON read with goodwill, as models write it when they slip: fenced, with trailing commas, other
//! quotes, bare keys, the words of Python, or without its end.

use serde_json::{Map, Value};

/// How deep values may stand in one another.
const MAX_DEPTH: usize = 64;

/// The object in `text`, if there is one to be seen.
pub(super) fn object(text: &str) -> Option<Value> {
    let text = unfenced(text);
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.value()?;
    reader.space();
    (value.is_object() && reader.rest.is_empty()).then_some(value)
}

/// The text without the fence that marks it as code.
fn unfenced(text: &str) -> &str {
    let Some(inner) = text.strip_prefix("```") else { return text };
    let inner = inner.split_once('\n').map_or(inner, |(_, inner)| inner);
    inner.trim_end().trim_end_matches("```").trim()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let value = match self.rest.chars().next()? {
            '{' => self.members().map(Value::Object),
            '[' => self.elements().map(Value::Array),
            quote @ ('"' | '\'') => self.text(quote).map(Value::String),
            _ => self.word(),
        };
        self.depth -= 1;
        value
    }

    fn members(&mut self) -> Option<Map<String, Value>> {
        self.eat('{');
        let mut members = Map::new();
        loop {
            self.space();
            if self.rest.is_empty() || self.eat('}') {
                return Some(members);
            }
            let key = match self.rest.chars().next()? {
                quote @ ('"' | '\'') => self.text(quote)?,
                _ => self.bare()?.to_owned(),
            };
            if !self.eat(':') {
                return self.rest.is_empty().then_some(members); // Cut off behind its key.
            }
            self.space();
            if self.rest.is_empty() {
                return Some(members);
            }
            members.insert(key, self.value()?);
            if !self.eat(',') {
                self.space();
                if !self.rest.is_empty() && !self.rest.starts_with('}') {
                    return None;
                }
            }
        }
    }

    fn elements(&mut self) -> Option<Vec<Value>> {
        self.eat('[');
        let mut elements = Vec::new();
        loop {
            self.space();
            if self.rest.is_empty() || self.eat(']') {
                return Some(elements);
            }
            elements.push(self.value()?);
            if !self.eat(',') {
                self.space();
                if !self.rest.is_empty() && !self.rest.starts_with(']') {
                    return None;
                }
            }
        }
    }

    /// A text in either kind of quotes, with line breaks as they are, and perhaps without its end.
    fn text(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('b') => text.push('\u{8}'),
                    Some('f') => text.push('\u{c}'),
                    Some('u') => {
                        let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&digits, 16).ok()?;
                        text.push(char::from_u32(code)?);
                    }
                    Some(other) => text.push(other),
                    None => break,
                },
                c if c == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        self.rest = "";
        Some(text)
    }

    fn bare(&mut self) -> Option<&str> {
        let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '$'));
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn word(&mut self) -> Option<Value> {
        match self.bare()? {
            "true" | "True" => Some(Value::Bool(true)),
            "false" | "False" => Some(Value::Bool(false)),
            "null" | "None" | "undefined" => Some(Value::Null),
            number => serde_json::from_str(number).ok().filter(Value::is_number),
        }
    }
}
