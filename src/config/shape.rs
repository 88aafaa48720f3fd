//! What a setting may look like, and the faults of one that does not.

use config::{Map, Value, ValueKind};

use super::{
    error::Fault,
    renamed,
    words::{did_you_mean, join, list, nearest},
};

pub(super) type Tree = Map<String, Value>;

/// The form of one setting. The whole of them is [`super::schema::ROOT`].
#[derive(Debug)]
pub(super) enum Shape {
    Text(Text),
    Whole,
    Flag,
    Choice(&'static [&'static str]),
    List(&'static Self),
    /// Names that the user chooses.
    Map(Names, &'static Self),
    /// Names that we choose.
    Table(&'static [(&'static str, Self)]),
    /// A single value or a table.
    Or(&'static Self, &'static Self),
}

#[derive(Debug)]
pub(super) struct Text {
    pub(super) expected: &'static str,
    pub(super) valid: fn(&str) -> bool,
    pub(super) secret: Secret,
}

/// Whether a text must not be shown.
#[derive(Debug, PartialEq)]
pub(super) enum Secret {
    Never,
    Always,
    /// As [`super::Pairs::hides`] says.
    ByName,
}

#[derive(Debug)]
pub(super) struct Names {
    pub(super) expected: &'static str,
    pub(super) valid: fn(&str) -> bool,
}

impl Shape {
    /// What may stand below this, if anything may.
    pub(super) fn below(&self) -> Option<&Self> {
        match self {
            Self::Map(..) | Self::Table(_) => Some(self),
            Self::Or(_, table) => Some(table),
            Self::Text(_) | Self::Whole | Self::Flag | Self::Choice(_) | Self::List(_) => None,
        }
    }

    fn is_secret(&self) -> bool {
        match self {
            Self::Text(text) => text.secret != Secret::Never,
            Self::List(shape) | Self::Map(_, shape) | Self::Or(shape, _) => shape.is_secret(),
            Self::Whole | Self::Flag | Self::Choice(_) | Self::Table(_) => false,
        }
    }

    pub(super) fn expected(&self) -> String {
        match self {
            Self::Text(text) => text.expected.to_owned(),
            Self::Whole => "a whole number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => list(words),
            Self::List(_) => "a list".to_owned(),
            Self::Map(..) | Self::Table(_) => "a table".to_owned(),
            Self::Or(one, _) => format!("{}, or a table", one.expected()),
        }
    }
}

/// Adds what is wrong with `value` to `faults`; `key` and `origin` say where it stands.
pub(super) fn check(
    shape: &Shape,
    value: &Value,
    key: &str,
    origin: &str,
    faults: &mut Vec<Fault>,
) {
    let origin = value.origin().unwrap_or(origin);
    match (shape, &value.kind) {
        (Shape::Table(fields), ValueKind::Table(table)) => {
            for (name, value) in sorted(table) {
                let key = join(key, name);
                match fields.iter().find(|(field, _)| field == name) {
                    Some((_, shape)) => check(shape, value, &key, origin, faults),
                    None => renamed::unknown(fields, name, value, &key, origin, faults),
                }
            }
        }
        (Shape::Map(names, shape), ValueKind::Table(table)) => {
            for (name, value) in sorted(table) {
                let key = join(key, name);
                if !(names.valid)(name) {
                    let message = format!("the name in `{key}` must be {}", names.expected);
                    faults.push(Fault::new(value.origin().unwrap_or(origin), &key, message));
                }
                check(shape, value, &key, origin, faults);
            }
        }
        (Shape::List(shape), ValueKind::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                check(shape, value, &format!("{key}[{index}]"), origin, faults);
            }
        }
        (Shape::Or(_, table), ValueKind::Table(_)) => check(table, value, key, origin, faults),
        (Shape::Or(one, _), kind) if fits(one, kind) => {}
        _ if fits(shape, &value.kind) => {}
        _ => faults.push(Fault::new(origin, key, unfit(shape, &value.kind, key))),
    }
}

fn fits(shape: &Shape, kind: &ValueKind) -> bool {
    match (shape, kind) {
        (Shape::Whole, ValueKind::I64(number)) => *number > 0,
        (Shape::Flag, ValueKind::Boolean(_)) => true,
        (Shape::Choice(words), kind) => words.contains(&kind.to_string().as_str()),
        (Shape::Text(text), ValueKind::String(value)) => (text.valid)(value),
        (Shape::Text(text), ValueKind::I64(number)) => (text.valid)(&number.to_string()),
        _ => false,
    }
}

fn unfit(shape: &Shape, kind: &ValueKind, key: &str) -> String {
    let (single, expected) = match shape {
        Shape::Or(one, _) => (*one, shape.expected()),
        _ => (shape, shape.expected()),
    };
    let found = match (single, kind) {
        (Shape::Whole, ValueKind::I64(number)) => {
            return format!("`{key}` must be at least 1, not {number}");
        }
        (_, ValueKind::Table(_)) => ", not a table".to_owned(),
        (_, ValueKind::Array(_)) => ", not a list".to_owned(),
        _ if shape.is_secret() => String::new(),
        (_, ValueKind::String(text)) => format!(", not {text:?}"),
        (_, other) => format!(", not {other}"),
    };
    let hint = match (single, kind) {
        (Shape::Choice(words), ValueKind::String(text)) => {
            nearest(text, words.iter().copied()).map(did_you_mean).unwrap_or_default()
        }
        _ => String::new(),
    };
    format!("`{key}` must be {expected}{found}{hint}")
}

pub(super) fn sorted(table: &Tree) -> Vec<(&String, &Value)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(name, _)| *name);
    pairs
}
