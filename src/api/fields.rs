//! Taking a request apart, field by field, with errors that name the field.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Error, error::Bound};
use crate::{
    config::Policy,
    protocol::{Object, raw},
    shaping::{Can, Fate, Ignored},
};

/// The body as an object of fields.
///
/// # Errors
/// When it is not JSON, or not an object.
pub fn object(body: &[u8]) -> Result<Object<'_>, Error> {
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
    /// A text of up to so many characters.
    Short(usize),
    /// The value that is the same as leaving it out.
    OneOf(&'static [&'static str], &'static str),
    Map,
    /// Up to 16 short texts by name.
    Metadata,
    /// Numbers from -100 to 100, by token.
    Bias,
    Any,
}

/// A field that the backend refuses: its name, what it must look like all the same, and whether
/// the platform takes it.
pub(super) type Known = (&'static str, Shape, bool);

/// Checks the fields that the backend refuses and decides on those that were asked for; what is
/// to be sent all the same goes into `rest`.
///
/// # Errors
/// When one of them is not of its shape.
pub(super) fn settle_known(
    fields: &mut Object<'_>,
    table: &[Known],
    ignored: &mut Ignored,
    rest: &mut Object<'static>,
) -> Result<(), Error> {
    for &(name, shape, platform) in table {
        let Some(json) = take_raw(fields, name) else { continue };
        let can = Can { platform, emulate: false };
        if shape.asks(name, &json)? && ignored.decide(name, can) == Fate::Forward {
            rest.set(name, json.into_owned());
        }
    }
    Ok(())
}

/// Leaves out the fields that the profile does not want to have an effect, though they could.
///
/// # Errors
/// When the profile rejects one of them.
pub(super) fn screen(
    fields: &mut Object<'_>,
    known: &[Known],
    ignored: &mut Ignored,
) -> Result<(), Error> {
    const EMULATED: [&str; 5] =
        ["stop", "n", "max_tokens", "max_completion_tokens", "max_output_tokens"];
    let settled =
        |name: &str| known.iter().any(|(row, ..)| *row == name) || EMULATED.contains(&name);
    let named: Vec<String> = fields
        .iter()
        .filter(|(name, json)| json.get() != "null" && !settled(name))
        .map(|(name, _)| name.to_owned())
        .filter(|name| matches!(ignored.asked(name), Some(Policy::Drop | Policy::Reject)))
        .collect();
    for name in named {
        ignored.drop(&*name);
        fields.remove(&name);
    }
    Ok(ignored.check()?)
}

/// Takes the `user`, which tells conversations apart even where the upstream does not want it.
///
/// # Errors
/// When it is no text.
pub(super) fn user(
    fields: &mut Object<'_>,
    ignored: &mut Ignored,
    rest: &mut Object<'static>,
) -> Result<Option<String>, Error> {
    let user: Option<String> = take(fields, "user")?;
    if let Some(user) = &user
        && ignored.decide("user", Can { emulate: false, platform: true }) == Fate::Forward
    {
        rest.set("user", raw(user));
    }
    Ok(user)
}

/// Decides on every field that is left: nothing here knows them.
pub(super) fn settle_rest(fields: &Object<'_>, ignored: &mut Ignored, rest: &mut Object<'static>) {
    for (name, json) in fields.iter().filter(|(_, json)| json.get() != "null") {
        if ignored.decide(name, Can::default()) == Fate::Forward {
            rest.add(name, json.to_owned());
        }
    }
}

/// Reads a limit on the tokens of the answer and decides who keeps it; `Some` where that is
/// codexway. The platform knows all its spellings as `max_output_tokens`.
///
/// # Errors
/// When it is no whole number of at least 1.
pub(super) fn token_limit(
    fields: &mut Object<'_>,
    name: &'static str,
    ignored: &mut Ignored,
    rest: &mut Object<'static>,
) -> Result<Option<u64>, Error> {
    let Some(json) = take_raw(fields, name) else { return Ok(None) };
    let Ok(limit @ 1..) = u64::try_from(read::<i64>(name, &json)?) else {
        return Err(Error::out_of_range(name, "integer", Bound::AtLeast(1.0), json.get()));
    };
    /// The least that the platform takes; fewer are counted here.
    const PLATFORM_LEAST: u64 = 16;
    let can = Can { emulate: true, platform: limit >= PLATFORM_LEAST };
    Ok(match ignored.decide(name, can) {
        Fate::Emulate => Some(limit),
        Fate::Forward => {
            rest.set("max_output_tokens", json.into_owned());
            None
        }
        Fate::Drop => None,
    })
}

impl Shape {
    /// Whether the value asks for anything.
    fn asks(self, name: &str, json: &RawValue) -> Result<bool, Error> {
        match self {
            Self::Number(low, high, usual) => {
                let value: f64 = read(name, json)?;
                in_range(name, "decimal", value, (low, high), json)?;
                Ok(value != usual)
            }
            Self::Integer(low, high) => {
                let value: i64 = read(name, json)?;
                in_range(name, "integer", value as f64, (low as f64, high as f64), json)?;
                Ok(true)
            }
            Self::Bool(usual) => Ok(read::<bool>(name, json)? != usual),
            Self::Text => read::<String>(name, json).map(|_| true),
            Self::Short(max) => {
                let len = read::<String>(name, json)?.chars().count();
                if len > max {
                    return Err(Error::too_long(name, "string", max, len));
                }
                Ok(true)
            }
            Self::OneOf(values, usual) => Ok(one_of(name, json, values)? != usual),
            Self::Map => {
                let members: Object<'_> = read(name, json)?;
                Ok(members.iter().next().is_some())
            }
            Self::Metadata => metadata(name, json),
            Self::Bias => {
                let members: Object<'_> = read(name, json)?;
                for (token, bias) in members.iter() {
                    let at = format!("{name}.{token}");
                    in_range(&at, "decimal", read(&at, bias)?, (-100.0, 100.0), bias)?;
                }
                Ok(members.iter().next().is_some())
            }
            Self::Any => Ok(true),
        }
    }
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
