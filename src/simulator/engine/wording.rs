//! The engine's sentences. Clients match on them, so they are kept in one place.

use serde_json::{Map, Value};

use crate::simulator::reply::Refusal;

pub(super) type Object = Map<String, Value>;

pub(super) fn missing(path: &str) -> Refusal {
    refuse(format!("Missing required parameter: '{path}'."), path, "missing_required_parameter")
}

pub(super) fn unknown(path: &str) -> Refusal {
    refuse(format!("Unknown parameter: '{path}'."), path, "unknown_parameter")
}

pub(super) fn invalid_value(path: &str, got: &str, supported: &[&str]) -> Refusal {
    let supported = list(supported);
    refuse(
        format!("Invalid value: '{got}'. Supported values are: {supported}."),
        path,
        "invalid_value",
    )
}

pub(super) fn unsupported_value(path: &str, got: &str, model: &str, supported: &[&str]) -> Refusal {
    let supported = list(supported);
    refuse(
        format!(
            "Unsupported value: '{got}' is not supported with the '{model}' model. Supported \
             values are: {supported}."
        ),
        path,
        "unsupported_value",
    )
}

/// `expected` with its article: `a string`.
pub(super) fn wrong_type(path: &str, expected: &str, got: &Value) -> Refusal {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    refuse(
        format!("Invalid type for '{path}': expected {expected}, but got {got} instead."),
        path,
        "invalid_type",
    )
}

pub(super) fn refuse(message: impl Into<String>, path: &str, code: &str) -> Refusal {
    Refusal::engine(400, message, Some(path), Some(code))
}

/// `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`.
fn list(values: &[&str]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("'{value}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [init @ .., last] => format!("{}, and {last}", init.join(", ")),
    }
}

/// The object at `path`.
pub(super) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Object, Refusal> {
    value.as_object().ok_or_else(|| wrong_type(path, "an object", value))
}

/// A string that has to be there.
pub(super) fn text<'a>(object: &'a Object, path: &str, key: &str) -> Result<&'a str, Refusal> {
    let path = format!("{path}.{key}");
    match object.get(key) {
        None => Err(missing(&path)),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(wrong_type(&path, "a string", other)),
    }
}

/// A string out of a list, if it is there.
pub(super) fn choice(value: &Value, path: &str, supported: &[&str]) -> Result<(), Refusal> {
    match value {
        Value::Null => Ok(()),
        Value::String(text) if supported.contains(&text.as_str()) => Ok(()),
        Value::String(text) => Err(invalid_value(path, text, supported)),
        other => {
            let one_of = list(supported).replace(", and ", ", or ").replace(" and ", " or ");
            Err(wrong_type(path, &format!("one of {one_of}"), other))
        }
    }
}

pub(super) fn known_keys(object: &Object, path: &str, known: &[&str]) -> Result<(), Refusal> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) if path.is_empty() => Err(unknown(key)),
        Some(key) => Err(unknown(&format!("{path}.{key}"))),
    }
}

/// Ids, names and keys have at most this many characters.
pub(super) fn short(text: &str, path: &str) -> Result<(), Refusal> {
    const LONGEST: usize = 64;
    let length = text.chars().count();
    if length <= LONGEST {
        return Ok(());
    }
    Err(refuse(
        format!(
            "Invalid '{path}': string too long. Expected a string with maximum length {LONGEST}, \
             but got a string with length {length} instead."
        ),
        path,
        "string_above_max_length",
    ))
}

/// A name out of letters, digits, `_` and `-`.
pub(super) fn name(text: &str, path: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(refuse(
            format!(
                "Invalid '{path}': empty string. Expected a string with minimum length 1, but got \
                 an empty string instead."
            ),
            path,
            "empty_string",
        ));
    }
    short(text, path)?;
    if text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Ok(());
    }
    Err(refuse(
        format!(
            "Invalid '{path}': string does not match pattern. Expected a string that matches the \
             pattern '^[a-zA-Z0-9_-]+$'."
        ),
        path,
        "invalid_value",
    ))
}
