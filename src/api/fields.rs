//! Taking a request apart, field by field, with errors that name the field.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::Error;
use crate::{protocol::Object, shaping::Ignored};

/// The body as an object of fields.
///
/// # Errors
/// When it is not JSON, or not an object.
pub(super) fn object(body: &[u8]) -> Result<Object<'_>, Error> {
    Object::parse(body).map_err(|error| {
        let text = error.to_string();
        if error.is_data() {
            return Error::invalid(format!("The body must be a JSON object: {text}."));
        }
        Error::invalid(format!("We could not parse the JSON body of your request: {text}."))
    })
}

/// Reads `json`, which stands at `param` of the request.
///
/// # Errors
/// When it does not fit; the error's param is the path to what does not.
pub(super) fn read<'a, T: Deserialize<'a>>(param: &str, json: &'a RawValue) -> Result<T, Error> {
    if let Ok(value) = serde_json::from_str(json.get()) {
        return Ok(value);
    }
    // Again, slowly, to learn where it went wrong.
    let mut deserializer = serde_json::Deserializer::from_str(json.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = match error.path().to_string() {
            path if path == "." => param.to_owned(),
            path if path.starts_with('[') => format!("{param}{path}"),
            path => format!("{param}.{path}"),
        };
        explain(path, &error.into_inner().to_string())
    })
}

/// serde's sentence in the API's terms.
fn explain(path: String, text: &str) -> Error {
    let text = text.split(" at line ").next().unwrap_or(text);
    if let Some(field) = text.strip_prefix("missing field `") {
        return Error::missing(format!("{path}.{}", field.trim_end_matches('`')));
    }
    if text.starts_with("unknown variant") || text.starts_with("invalid value") {
        return Error::wrong_value(path, text);
    }
    Error::invalid(format!("Invalid type for '{path}': {text}.")).code("invalid_type").param(path)
}

/// Reads a word that must be one of `values`.
///
/// # Errors
/// When it is not.
pub(super) fn one_of(param: &str, json: &RawValue, values: &[&str]) -> Result<String, Error> {
    let value: String = read(param, json)?;
    if values.contains(&&*value) {
        return Ok(value);
    }
    let values = values.join("', '");
    Err(Error::wrong_value(param, format!("'{value}'. Supported values are: '{values}'")))
}

/// Takes a field out of the request; `null` is the same as leaving it out.
///
/// # Errors
/// When it does not fit.
pub(super) fn take<T: DeserializeOwned>(
    fields: &mut Object<'_>,
    name: &str,
) -> Result<Option<T>, Error> {
    match take_raw(fields, name) {
        Some(json) => read(name, &json).map(Some),
        None => Ok(None),
    }
}

/// Takes a field out of the request as it was written; `null` is the same as leaving it out.
pub(super) fn take_raw<'a>(
    fields: &mut Object<'a>,
    name: &str,
) -> Option<std::borrow::Cow<'a, RawValue>> {
    fields.remove(name).filter(|json| json.get() != "null")
}

/// What a field that has no effect upstream must look like all the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// From, to, and the value that is the same as leaving it out.
    Number(f64, f64, f64),
    Integer(i64, i64),
    /// The value that is the same as leaving it out.
    Bool(bool),
    Text,
    /// The value that is the same as leaving it out.
    OneOf(&'static [&'static str], &'static str),
    Map,
    Any,
}

/// Checks the fields that have no effect and notes those that were asked for.
///
/// # Errors
/// When one of them is not of its shape.
pub(super) fn drop_known(
    fields: &mut Object<'_>,
    table: &[(&'static str, Shape)],
    ignored: &mut Ignored,
) -> Result<(), Error> {
    for (name, shape) in table {
        let Some(json) = take_raw(fields, name) else { continue };
        if shape.asks(name, &json)? {
            ignored.drop(*name);
        }
    }
    Ok(())
}

/// Notes every field that is left.
pub(super) fn drop_rest(fields: &Object<'_>, ignored: &mut Ignored) {
    for (name, json) in fields.iter() {
        if json.get() != "null" {
            ignored.drop(name);
        }
    }
}

impl Shape {
    /// Whether the value asks for anything.
    fn asks(self, name: &str, json: &RawValue) -> Result<bool, Error> {
        let range = |low: &dyn std::fmt::Display, high: &dyn std::fmt::Display| {
            Error::wrong_value(name, format!("it must be between {low} and {high}"))
        };
        match self {
            Self::Number(low, high, usual) => {
                let value: f64 = read(name, json)?;
                if !(low..=high).contains(&value) {
                    return Err(range(&low, &high));
                }
                Ok(value != usual)
            }
            Self::Integer(low, high) => {
                let value: i64 = read(name, json)?;
                if !(low..=high).contains(&value) {
                    return Err(range(&low, &high));
                }
                Ok(true)
            }
            Self::Bool(usual) => Ok(read::<bool>(name, json)? != usual),
            Self::Text => read::<String>(name, json).map(|_| true),
            Self::OneOf(values, usual) => Ok(one_of(name, json, values)? != usual),
            Self::Map => {
                let members: Object<'_> = read(name, json)?;
                Ok(members.iter().next().is_some())
            }
            Self::Any => Ok(true),
        }
    }
}
