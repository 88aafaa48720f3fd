//! Settings from variables and flags: a name and a text become a place in the tree and a value.

use config::{FileFormat, Format, Value, ValueKind};

use super::{
    error::Fault,
    schema::ROOT,
    shape::{Shape, Tree, sorted},
    words::join,
};

/// The variables that are settings, in a fixed order: name, key, value.
pub(super) fn variables(env: &[(String, String)]) -> Vec<(&str, &str, &str)> {
    const PREFIX: &str = "CODEXWAY__";
    let ours =
        |name: &'_ str| name.get(..PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(PREFIX));
    let named = env.iter().filter(|(name, _)| ours(name));
    let mut found: Vec<_> =
        named.map(|(name, value)| (name.as_str(), &name[PREFIX.len()..], value.as_str())).collect();
    found.sort_unstable();
    found
}

/// Where a setting stands, and its form if there is one.
pub(super) struct Place {
    path: Vec<String>,
    shape: Option<&'static Shape>,
}

impl Place {
    /// From `SERVER__MAX_TURNS`. Names that the user chose are found in `trees` whatever their
    /// case; a new one in capitals is taken to be in small letters.
    pub(super) fn of_variable(key: &str, trees: [&Tree; 2]) -> Self {
        let mut place = Self { path: Vec::new(), shape: Some(&ROOT) };
        let mut rest = Some(key);
        while let Some(text) = rest {
            let (name, tail) = match place.shape.and_then(Shape::below) {
                // An alias or a header may hold anything.
                Some(Shape::Map(_, shape)) if shape.below().is_none() => (text, None),
                _ => text.split_once("__").map_or((text, None), |(name, tail)| (name, Some(tail))),
            };
            let known = trees.iter().find_map(|tree| name_in(tree, &place.path, name));
            place.step(match (place.shape.and_then(Shape::below), known) {
                (Some(Shape::Map(..)), Some(known)) => known,
                (Some(Shape::Map(..)), None) if name.contains(|c: char| c.is_lowercase()) => {
                    name.to_owned()
                }
                _ => name.to_lowercase(),
            });
            rest = tail;
        }
        place
    }

    /// From `server.max_turns`; names that hold a dot stand in double quotes.
    pub(super) fn of_key(key: &str) -> Self {
        let mut place = Self { path: Vec::new(), shape: Some(&ROOT) };
        for (index, part) in key.split('"').enumerate() {
            let quoted = index % 2 == 1;
            let names = part.split(if quoted { '"' } else { '.' });
            names.filter(|name| !name.is_empty()).for_each(|name| place.step(name.to_owned()));
        }
        place
    }

    fn step(&mut self, name: String) {
        self.shape = match self.shape.and_then(Shape::below) {
            Some(Shape::Map(_, shape)) => Some(shape),
            Some(Shape::Table(fields)) => {
                fields.iter().find(|(field, _)| *field == name).map(|(_, shape)| shape)
            }
            _ => None,
        };
        self.path.push(name);
    }

    pub(super) fn key(&self) -> String {
        self.path.iter().fold(String::new(), |key, name| join(&key, name))
    }

    /// A tree that holds nothing but `value`, here.
    pub(super) fn holding(self, value: Value) -> Tree {
        let mut names = self.path.into_iter().rev();
        let last = Tree::from([(names.next().unwrap_or_default(), value.clone())]);
        let nest = |tree, name| Tree::from([(name, Value::new(origin(&value).as_ref(), tree))]);
        names.fold(last, nest)
    }

    /// Text in the form that the setting asks for; lists and tables are written as TOML or JSON.
    pub(super) fn read(&self, text: &str, origin: &str) -> Result<Value, Fault> {
        let structured = matches!(
            self.shape,
            Some(Shape::List(_) | Shape::Map(..) | Shape::Table(_) | Shape::Or(..))
        );
        let uri = origin.to_owned();
        let value = |kind: ValueKind| Ok(Value::new(Some(&uri), kind));
        let plain = text.trim();
        match self.shape {
            Some(Shape::Whole) if let Ok(number) = plain.parse() => value(ValueKind::I64(number)),
            Some(Shape::Flag) if matches!(plain, "true" | "1") => value(ValueKind::Boolean(true)),
            Some(Shape::Flag) if matches!(plain, "false" | "0") => value(ValueKind::Boolean(false)),
            _ if structured && plain.starts_with(['[', '{']) => {
                inline(plain, origin).ok_or_else(|| {
                    let message =
                        format!("`{}` can be read neither as TOML nor as JSON", self.key());
                    Fault::new(origin, &self.key(), message)
                })
            }
            Some(Shape::List(_)) if plain.is_empty() => value(ValueKind::Array(Vec::new())),
            Some(Shape::List(_)) => {
                value(ValueKind::Array(vec![Value::new(Some(&uri), text.to_owned())]))
            }
            _ => value(ValueKind::String(text.to_owned())),
        }
    }
}

fn origin(value: &Value) -> Option<String> {
    value.origin().map(str::to_owned)
}

fn name_in(tree: &Tree, path: &[String], name: &str) -> Option<String> {
    let mut tree = tree;
    for step in path {
        let ValueKind::Table(table) = &tree.get(step)?.kind else { return None };
        tree = table;
    }
    let mut names = sorted(tree).into_iter().map(|(known, _)| known);
    names.find(|known| known.eq_ignore_ascii_case(name)).cloned()
}

fn inline(text: &str, origin: &str) -> Option<Value> {
    let toml = FileFormat::Toml.parse(Some(&origin.to_owned()), &format!("value = {text}"));
    match toml {
        Ok(mut table) if table.len() == 1 => table.remove("value"),
        _ => Some(from_json(&serde_json::from_str(text).ok()?, origin)),
    }
}

pub(super) fn from_json(json: &serde_json::Value, origin: &str) -> Value {
    use serde_json::Value as Json;
    let kind = match json {
        Json::Null => ValueKind::Nil,
        Json::Bool(flag) => ValueKind::Boolean(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => ValueKind::I64(whole),
            None => ValueKind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => ValueKind::String(text.clone()),
        Json::Array(values) => {
            ValueKind::Array(values.iter().map(|value| from_json(value, origin)).collect())
        }
        Json::Object(fields) => ValueKind::Table(
            fields.iter().map(|(name, value)| (name.clone(), from_json(value, origin))).collect(),
        ),
    };
    Value::new(Some(&origin.to_owned()), kind)
}
