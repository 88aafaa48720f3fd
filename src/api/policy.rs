//! What becomes of the fields that an upstream may refuse: checked, then forwarded, emulated,
//! dropped or rejected, as the profile wants it.

use serde_json::value::RawValue;

use super::{
    Error,
    error::Bound,
    fields::{in_range, metadata, one_of, read, take, take_raw},
};
use crate::{
    config::Policy,
    protocol::{Object, raw},
    shaping::{Can, Fate, Ignored},
};

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
