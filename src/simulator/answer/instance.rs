//! A value that is valid under a JSON schema, with the user's words where they fit.

use std::collections::VecDeque;

use serde_json::{Map, Number, Value, json};

use super::conversation::Conversation;
use super::{pattern, words};

/// From this depth on only what is required is made, from the second on nothing but leaves.
const DEEP: usize = 8;
const TOO_DEEP: usize = 24;

pub(super) struct Maker<'a> {
    root: &'a Value,
    conversation: &'a Conversation,
    /// Values for properties of these names.
    known: Vec<(&'a [&'a str], Value)>,
    /// Numbers of the text that no property has used yet.
    numbers: VecDeque<f64>,
    /// Makes properties that are not required, too.
    pub every_property: bool,
}

impl<'a> Maker<'a> {
    pub(super) fn new(root: &'a Value, conversation: &'a Conversation) -> Self {
        Self {
            root,
            conversation,
            known: Vec::new(),
            numbers: words::numbers(&conversation.words).into(),
            every_property: false,
        }
    }

    pub(super) fn know(&mut self, names: &'a [&'a str], value: Value) {
        self.known.push((names, value));
    }

    pub(super) fn make(&mut self) -> Value {
        let root = self.root;
        self.value(root, "", 0)
    }

    fn value(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > TOO_DEEP {
            return Value::Null;
        }
        if let Some(pointer) = schema["$ref"].as_str() {
            let root = self.root;
            let target = root.pointer(pointer.trim_start_matches('#')).unwrap_or(&Value::Null);
            return self.value(target, name, depth + 1);
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return self.one_of(values, name);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let merged = self.merged(schema, parts);
            return self.value(&merged, name, depth + 1);
        }
        if let Some(branches) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            let is_null = |branch: &&Value| branch["type"] == "null";
            let first = branches.iter().find(|branch| is_null(branch) == (depth > DEEP));
            let branch = first.or(branches.first()).unwrap_or(&Value::Null);
            return self.value(branch, name, depth + 1);
        }
        match kind(schema, depth) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => self.number(schema, true),
            "number" => self.number(schema, false),
            "boolean" => false.into(),
            "null" => Value::Null,
            _ => self.string(schema, name).into(),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        let mut made = Map::new();
        for (name, property) in super::fields(&schema["properties"]) {
            let wanted = required.iter().any(|key| key == name)
                || (self.every_property && depth < DEEP)
                || self.known(name, property).is_some();
            if wanted {
                made.insert(name.clone(), self.value(property, name, depth + 1));
            }
        }
        for name in required.iter().filter_map(Value::as_str) {
            if !made.contains_key(name) {
                made.insert(name.to_owned(), "example".into());
            }
        }
        made.into()
    }

    fn array(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(known) = self.known(name, schema) {
            return known;
        }
        let first = schema["prefixItems"].as_array().map_or(&[][..], Vec::as_slice);
        let least = schema["minItems"].as_u64().map_or(0, |least| least as usize);
        let most = schema["maxItems"].as_u64().map_or(usize::MAX, |most| most as usize);
        let usual = usize::from(depth < DEEP).max(first.len()).min(most);
        (0..least.max(usual))
            .map(|index| {
                let items = first.get(index).unwrap_or(&schema["items"]);
                let made = self.value(items, name.strip_suffix('s').unwrap_or(name), depth + 1);
                match (made, schema["uniqueItems"] == true && index > 0) {
                    (Value::String(text), true) => format!("{text} {}", index + 1).into(),
                    (Value::Number(number), true) => {
                        json!(number.as_f64().unwrap_or_default() as i64 + index as i64)
                    }
                    (made, _) => made,
                }
            })
            .collect()
    }

    fn number(&mut self, schema: &Value, whole: bool) -> Value {
        let bound = |key: &str| schema[key].as_f64();
        let step = bound("multipleOf").unwrap_or(if whole { 1.0 } else { 0.0 });
        let nudge = if step > 0.0 { step } else { 0.5 };
        let above = bound("exclusiveMinimum").map(|least| least + nudge);
        let below = bound("exclusiveMaximum").map(|most| most - nudge);
        let least = bound("minimum").unwrap_or(f64::MIN).max(above.unwrap_or(f64::MIN));
        let most = bound("maximum").unwrap_or(f64::MAX).min(below.unwrap_or(f64::MAX));
        let fits =
            |number: &f64| (least..=most).contains(number) && (step == 0.0 || number % step == 0.0);
        let said = self.numbers.iter().position(fits).and_then(|at| self.numbers.remove(at));
        let number = said.unwrap_or_else(|| {
            let near = 1.0_f64.max(least).min(most);
            if step > 0.0 { ((near / step).ceil() * step).min(most) } else { near }
        });
        match number.fract() == 0.0 && number.abs() < 1e15 {
            true => Value::from(number as i64),
            false => Number::from_f64(number).map_or(Value::Null, Value::Number),
        }
    }

    fn string(&self, schema: &Value, name: &str) -> String {
        if let Some(pattern) = schema["pattern"].as_str() {
            return pattern::sample(pattern);
        }
        if let Some(format) = schema["format"].as_str().and_then(formatted) {
            return format.to_owned();
        }
        let known = self.known(name, schema).and_then(|known| known.as_str().map(str::to_owned));
        let mut text = known.unwrap_or_else(|| self.guess(name));
        let least = schema["minLength"].as_u64().unwrap_or_default() as usize;
        let most = schema["maxLength"].as_u64().map_or(usize::MAX, |most| most as usize);
        while text.chars().count() < least {
            text.push('.');
        }
        if let Some((end, _)) = text.char_indices().nth(most) {
            text.truncate(end);
        }
        text
    }

    /// A string that suits a property of this name.
    fn guess(&self, name: &str) -> String {
        let said = self.conversation.words.trim();
        let name = name.to_ascii_lowercase();
        let first_place = || words::places(said).into_iter().next();
        let is = |names: &[&str]| names.iter().any(|one| name.contains(one));
        if is(&["city", "location", "place", "town"]) {
            first_place().unwrap_or_else(|| "Paris".to_owned())
        } else if is(&["country"]) {
            "France".to_owned()
        } else if is(&["path", "file"]) {
            words::file_name(said).unwrap_or_else(|| "hello.txt".to_owned())
        } else if is(&["answer", "result", "summary", "report"])
            && !self.conversation.outputs.is_empty()
        {
            self.conversation.report()
        } else if is(&["content", "text", "message", "query", "question", "prompt", "input"]) {
            let quote = words::quoted(said).pop().map(|(_, quote)| quote);
            quote
                .or(Some(words::shortened(said, 200)))
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| "example".to_owned())
        } else if is(&["name", "title", "person", "author"]) {
            first_place().unwrap_or_else(|| "Ada".to_owned())
        } else {
            "example".to_owned()
        }
    }

    /// The value known for a property of this name and of the schema's kind.
    fn known(&self, name: &str, schema: &Value) -> Option<Value> {
        let wanted = kind(schema, 0);
        let fits = |value: &Value| match value {
            Value::Array(_) => wanted == "array" && kind(&schema["items"], 0) == "string",
            _ => wanted == "string" && schema.get("enum").is_none(),
        };
        let named = self.known.iter().filter(|(names, _)| names.contains(&name));
        named.map(|(_, value)| value).find(|value| fits(value)).cloned()
    }

    /// The value that is known or mentioned, else the first.
    fn one_of(&self, values: &[Value], name: &str) -> Value {
        let said = self.conversation.words.to_ascii_lowercase();
        let known = self.known.iter().filter(|(names, _)| names.contains(&name));
        let known = known.map(|(_, value)| value).find(|value| values.contains(value));
        let is_said = |value: &&Value| {
            value
                .as_str()
                .is_some_and(|value| value.len() > 2 && said.contains(&value.to_ascii_lowercase()))
        };
        let mentioned = values.iter().find(is_said);
        known.or(mentioned).or(values.first()).cloned().unwrap_or_default()
    }

    /// The schema with what `allOf` adds to it.
    fn merged(&self, schema: &Value, parts: &[Value]) -> Value {
        let mut merged = schema.as_object().cloned().unwrap_or_default();
        merged.shift_remove("allOf");
        for part in parts {
            let target = part["$ref"].as_str().map(|pointer| pointer.trim_start_matches('#'));
            let part = target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(part);
            for (key, value) in super::fields(part) {
                match (merged.get_mut(key), value) {
                    (Some(Value::Object(into)), Value::Object(more)) => {
                        into.extend(more.clone());
                    }
                    (Some(Value::Array(into)), Value::Array(more)) => into.extend(more.clone()),
                    _ => drop(merged.insert(key.clone(), value.clone())),
                }
            }
        }
        merged.into()
    }
}

/// The type to make; of several, the first that is something.
fn kind(schema: &Value, depth: usize) -> &str {
    match &schema["type"] {
        Value::String(only) => only,
        Value::Array(kinds) => {
            let mut names = kinds.iter().filter_map(Value::as_str);
            let wanted = names.find(|name| (*name == "null") == (depth > DEEP));
            wanted.or_else(|| kinds.first()?.as_str()).unwrap_or("string")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn formatted(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => "2026-11-21",
        "date-time" => "2026-11-21T10:00:00Z",
        "time" => "10:00:00Z",
        "duration" => "PT1H",
        "email" => "ada@example.com",
        "uri" | "url" | "uri-reference" => "https://example.com/",
        "uuid" => "6f1c2a34-9d0e-4b57-8c21-1f2e3d4c5b6a",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        _ => return None,
    })
}
