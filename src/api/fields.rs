//! Taking a request apart, field by field, with errors that name the field.

use std::{
    borrow::Cow,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use super::{Error, error::Bound};
use crate::protocol::{
    self, Entries, Entry, List, MAX_COMMAS, MAX_DEPTH, Object, from_object, object_with, quickly,
};

/// How many fields a body may have. Each of them is looked for among all, and no API has a tenth.
const MAX_FIELDS: usize = 1000;

/// The fields that hold a conversation, in all dialects.
const LONG: [&str; 2] = ["messages", "input"];

/// The fields of a body.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    object: Object<'a>,
    /// The list in one of [`LONG`].
    list: Option<List<'a>>,
}

impl<'a> Deref for Fields<'a> {
    type Target = Object<'a>;

    fn deref(&self) -> &Object<'a> {
        &self.object
    }
}

impl DerefMut for Fields<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.object
    }
}

impl<'a> Fields<'a> {
    /// The entries of the list `json`, which stands at `param` of the request; most likely they
    /// were taken apart with the body.
    ///
    /// # Errors
    /// When it is no list.
    pub(super) fn entries<'e>(
        &mut self,
        param: &str,
        json: &'e RawValue,
    ) -> Result<Entries<'e>, Error>
    where
        'a: 'e,
    {
        let known = self.list.take().and_then(|list| list.entries_of(json));
        known.map_or_else(|| entries(param, json), Ok)
    }
}

/// The body as an object of fields.
///
/// # Errors
/// When it is not JSON, or not an object, or has too many fields, values or levels.
pub fn object(body: &[u8]) -> Result<Fields<'_>, Error> {
    let read = std::str::from_utf8(body).ok().and_then(|body| object_with(&LONG, body));
    let (object, list) = match read {
        Some(read) => read,
        None => (doubtful(body)?, None),
    };
    let mut fields = Fields { object, list };
    if fields.iter().nth(MAX_FIELDS).is_some() {
        let message = format!("The body has more than {MAX_FIELDS} fields.");
        return Err(Error::invalid(message).code("too_many_fields"));
    }
    fields.keep_last();
    Ok(fields)
}

/// What is wrong with the body, or the fields after all.
fn doubtful(body: &[u8]) -> Result<Object<'_>, Error> {
    within_limits(body)?;
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        if error.is_data() {
            return Error::invalid(format!("The body must be a JSON object: {text}."));
        }
        Error::invalid(format!("We could not parse the JSON body of your request: {text}."))
    })
}

/// Sees how deep and how wide the JSON is.
///
/// # Errors
/// When lists and objects stand deeper in one another than they may, which is as deep as what reads
/// them further on will go; or when there is more in them than anybody could mean.
fn within_limits(json: &[u8]) -> Result<(), Error> {
    let (mut depth, mut commas) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next().filter(|byte| **byte != b'"') {
                    if *byte == b'\\' {
                        bytes.next(); // What is escaped ends nothing.
                    }
                }
            }
            b'{' | b'[' if depth == MAX_DEPTH => {
                let message =
                    format!("The body's JSON is nested more than {MAX_DEPTH} levels deep.");
                return Err(Error::invalid(message).code("json_too_deep"));
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if commas == MAX_COMMAS => {
                let message = format!("The body's JSON holds more than {MAX_COMMAS} values.");
                return Err(Error::invalid(message).code("json_too_many_values"));
            }
            b',' => commas += 1,
            _ => {}
        }
    }
    Ok(())
}

/// Reads `json`, which stands at `param` of the request.
///
/// # Errors
/// When it does not fit; the error's param is the path to what does not.
pub(super) fn read<'a, T: Deserialize<'a>>(
    param: impl Into<String>,
    json: &'a RawValue,
) -> Result<T, Error> {
    serde_json::from_str(json.get()).or_else(|_| read_slowly(&param.into(), json))
}

/// The same of what may be large.
///
/// # Errors
/// When it does not fit.
pub(super) fn read_large<'a, T: Deserialize<'a>>(
    param: impl Into<String>,
    json: &'a RawValue,
) -> Result<T, Error> {
    quickly(json.get()).map_or_else(|| read_slowly(&param.into(), json), Ok)
}

/// The entries of the list `json`, which stands at `param` of the request.
///
/// # Errors
/// When it is no list.
pub(super) fn entries<'a>(
    param: impl Into<String>,
    json: &'a RawValue,
) -> Result<Entries<'a>, Error> {
    if let Some(entries) = protocol::entries(json.get()) {
        return Ok(entries);
    }
    let list: Vec<&RawValue> = read(param, json)?;
    Ok(list.into_iter().map(|json| (json, None)).collect())
}

/// Reads one of them, which has to be an object.
///
/// # Errors
/// When it does not fit.
pub(super) fn read_entry<'a, T: Deserialize<'a>>(
    param: impl Into<String>,
    (json, members): Entry<'a>,
) -> Result<T, Error> {
    match members.and_then(from_object) {
        Some(value) => Ok(value),
        None => read(param, json).map(|Members(value)| value),
    }
}

/// Learns where it goes wrong.
fn read_slowly<'a, T: Deserialize<'a>>(param: &str, json: &'a RawValue) -> Result<T, Error> {
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

/// A struct that is written as an object; serde alone would also read it from a list of its members.
#[derive(Debug)]
pub(super) struct Members<T>(pub(super) T);

impl<T> Deref for Members<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Members<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Members)
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// serde's sentence in the API's terms.
fn explain(path: String, text: &str) -> Error {
    let text = &*unquoted(text.split(" at line ").next().unwrap_or(text));
    if let Some(field) = text.strip_prefix("missing field `") {
        return Error::missing(format!("{path}.{}", field.trim_end_matches('`')));
    }
    if text.starts_with("unknown variant") || text.starts_with("invalid value") {
        return Error::wrong_value(path, text);
    }
    Error::invalid(format!("Invalid type for '{path}': {text}.")).code("invalid_type").param(path)
}

/// serde's sentence without the text that it found, since errors are logged.
fn unquoted(text: &str) -> Cow<'_, str> {
    match (text.find("string \""), text.rfind("\", expected ")) {
        (Some(from), Some(to)) if from + "string".len() < to => {
            Cow::Owned(format!("{}{}", &text[..from + "string".len()], &text[to + 1..]))
        }
        _ => Cow::Borrowed(text),
    }
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
pub(super) fn take_raw<'a>(fields: &mut Object<'a>, name: &str) -> Option<Cow<'a, RawValue>> {
    fields.remove(name).filter(|json| json.get() != "null")
}

/// # Errors
/// When the number is not between the two bounds.
pub(super) fn in_range(
    name: &str,
    kind: &str,
    value: f64,
    (low, high): (f64, f64),
    json: &RawValue,
) -> Result<(), Error> {
    if value < low {
        return Err(Error::out_of_range(name, kind, Bound::AtLeast(low), json.get()));
    }
    if value > high {
        return Err(Error::out_of_range(name, kind, Bound::AtMost(high), json.get()));
    }
    Ok(())
}

/// Checks the labels that a client may put on what it asks for; whether there are any.
///
/// # Errors
/// When they are not up to 16 texts of up to 512 characters, named by up to 64.
pub(super) fn metadata(name: &str, json: &RawValue) -> Result<bool, Error> {
    let members: Object<'_> = read(name, json)?;
    let count = members.iter().count();
    if count > 16 {
        return Err(Error::too_long(name, "object", 16, count));
    }
    for (key, value) in members.iter() {
        let at = format!("{name}.{key}");
        let text: String = read(&at, value)?;
        for (len, max) in [(key.chars().count(), 64), (text.chars().count(), 512)] {
            if len > max {
                return Err(Error::too_long(at, "string", max, len));
            }
        }
    }
    Ok(members.iter().next().is_some())
}
