//! The settings in force, and where each came from.

use config::{Value, ValueKind};
use serde_json::{Value as Json, json};

use super::{
    Loaded, Pairs,
    defaults::ORIGIN,
    schema::ROOT,
    shape::{Secret, Shape, Text, sorted},
    words::{join, quote},
};

/// One setting in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Dotted, with quotes where TOML asks for them.
    pub key: String,
    /// With `***` for what must not be shown.
    pub value: Json,
    /// `default`, a file, a variable or a flag.
    pub origin: String,
}

impl Entry {
    /// The value as TOML.
    pub fn text(&self) -> String {
        toml(&self.value)
    }
}

impl Loaded {
    /// Every setting, in the order of `default.toml`.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        collect(&ROOT, &Value::new(None, self.tree.clone()), "", &mut entries);
        entries
    }

    /// One setting a line, as TOML with its origin behind it.
    pub fn show(&self) -> String {
        let lines: Vec<_> = self
            .entries()
            .into_iter()
            .map(|entry| (format!("{} = {}", entry.key, entry.text()), entry.origin))
            .collect();
        // One long value must not push all origins off the screen.
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|n| *n <= 72).max();
        let width = width.unwrap_or_default();
        lines.iter().map(|(line, origin)| format!("{line:width$}  # {origin}\n")).collect()
    }

    pub fn show_json(&self) -> Json {
        let object =
            |entry: Entry| json!({"key": entry.key, "value": entry.value, "origin": entry.origin});
        self.entries().into_iter().map(object).collect()
    }
}

fn collect(shape: &Shape, value: &Value, key: &str, entries: &mut Vec<Entry>) {
    match (shape, &value.kind) {
        (Shape::Table(fields), ValueKind::Table(table)) => {
            let known = |(name, shape): &'static (&str, Shape)| {
                table.get(*name).map(|value| (*name, shape, value))
            };
            for (name, shape, value) in fields.iter().filter_map(known) {
                collect(shape, value, &join(key, name), entries);
            }
        }
        (Shape::Map(_, shape), ValueKind::Table(table)) if !table.is_empty() => {
            for (name, value) in sorted(table) {
                collect(shape, value, &join(key, name), entries);
            }
        }
        (Shape::Or(_, table), ValueKind::Table(_)) => collect(table, value, key, entries),
        _ => entries.push(Entry {
            key: key.to_owned(),
            value: masked(shape, value, key),
            origin: value.origin().unwrap_or(ORIGIN).to_owned(),
        }),
    }
}

fn masked(shape: &Shape, value: &Value, key: &str) -> Json {
    match (shape, &value.kind) {
        (Shape::Text(Text { secret: Secret::Always, .. }), _) => json!("***"),
        (Shape::Text(Text { secret: Secret::ByName, .. }), _) if hides(key) => {
            json!("***")
        }
        (Shape::List(shape), ValueKind::Array(values)) => {
            values.iter().map(|value| masked(shape, value, key)).collect()
        }
        (Shape::Or(_, shape), ValueKind::Table(_)) => masked(shape, value, key),
        (Shape::Or(shape, _), _) => masked(shape, value, key),
        (Shape::Table(fields), ValueKind::Table(table)) => fields
            .iter()
            .filter_map(|(name, shape)| table.get(*name).map(|value| (*name, shape, value)))
            .map(|(name, shape, value)| (name.to_owned(), masked(shape, value, name)))
            .collect(),
        (_, ValueKind::Boolean(flag)) => json!(flag),
        (_, ValueKind::I64(number)) => json!(number),
        (_, ValueKind::Table(_)) => json!({}),
        (_, other) => json!(other.to_string()),
    }
}

fn hides(key: &str) -> bool {
    key.rsplit(".headers.").next().is_some_and(Pairs::hides)
}

fn toml(value: &Json) -> String {
    match value {
        Json::Array(values) => {
            format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Json::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Json::Object(fields) => {
            let field = |(name, value)| format!("{name} = {}", toml(value));
            format!("{{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Json::String(text) => quote(text),
        other => other.to_string(),
    }
}
