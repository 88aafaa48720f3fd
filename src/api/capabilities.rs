//! What a single request says about how far its prompt and tools may be changed.

use std::borrow::Cow;

use http::HeaderMap;
use serde_json::value::RawValue;

use super::{
    Error,
    fields::{one_of, read, take, take_raw},
};
use crate::{
    config::{Passthrough, Profile, PromptMode, Protocol, ToolSchemaMode, ToolTextFormat},
    protocol::{Object, raw},
    shaping::Environment,
};

/// Every capability, as it may stand in `codex_capabilities`.
const NAMES: [&str; 7] = [
    "protocol",
    "codex_passthrough",
    "prompt_mode",
    "tool_schema_mode",
    "tool_text_format",
    "bypass_tool_call_reactor",
    "include_environment_context",
];

/// The header that holds capabilities: `prompt_mode=merge_custom, tool_text_format=markdown`, or
/// the object that `codex_capabilities` would be.
const HEADER: &str = "x-codexway-capabilities";

/// Unpacks a literal `extra_body`, as a client sends it that does not know that its SDK would have
/// done so: its members are fields of the body, unless the body has them itself.
///
/// # Errors
/// When it is no object.
pub(super) fn unpack_extra(fields: &mut Object<'_>) -> Result<(), Error> {
    let Some(extra) = take_raw(fields, "extra_body") else { return Ok(()) };
    let extra: Object<'_> = read("extra_body", &extra)?;
    for (name, value) in extra.iter() {
        if fields.lacks(name) {
            fields.remove(name);
            fields.add(name, value.to_owned());
        }
    }
    Ok(())
}

/// The profile as this request wants it: by its header, else by `codex_capabilities`, else by
/// single fields of its body; the last word counts.
///
/// # Errors
/// When a capability is not known, or has a value that it cannot have.
pub(super) fn overlay<'a>(
    profile: &'a Profile,
    headers: &HeaderMap,
    fields: &mut Object<'_>,
) -> Result<Cow<'a, Profile>, Error> {
    const AT: &str = "codex_capabilities";
    let mut profile = Cow::Borrowed(profile);
    // Many clients let their users add headers, and nothing to the body.
    if let Some(told) = headers.get(HEADER) {
        for (name, value) in in_header(told.to_str().unwrap_or_default())? {
            set(profile.to_mut(), &name, &value, &format!("{HEADER}.{name}"))?;
        }
    }
    let asked = take_raw(fields, AT);
    if let Some(asked) = &asked {
        let members: Object<'_> = read(AT, asked)?;
        for (name, value) in members.iter().filter(|(_, value)| value.get() != "null") {
            set(profile.to_mut(), name, value, &format!("{AT}.{name}"))?;
        }
    }
    // Some clients cannot nest what they add.
    for name in NAMES {
        if let Some(value) = take_raw(fields, name) {
            set(profile.to_mut(), name, &value, name)?;
        }
    }
    Ok(profile)
}

/// The capabilities in a header, by name.
fn in_header(text: &str) -> Result<Vec<(String, Box<RawValue>)>, Error> {
    let wrong = |what: &str| {
        let form = "expected 'name=value, name=value', or a JSON object";
        Error::wrong_value(HEADER, format!("{what}; {form}"))
    };
    if text.trim_start().starts_with('{') {
        let object = Object::parse(text.as_bytes()).map_err(|_| wrong("it is no JSON object"))?;
        return Ok(object
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect());
    }
    let pairs = text.split([',', ';']).map(str::trim).filter(|pair| !pair.is_empty());
    let read = |pair: &str| {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| wrong(&format!("'{pair}' has no value")))?;
        let value = match value.trim() {
            "true" => raw(&true),
            "false" => raw(&false),
            word => raw(word),
        };
        Ok((name.trim().to_owned(), value))
    };
    pairs.map(read).collect()
}

fn set(profile: &mut Profile, name: &str, value: &RawValue, at: &str) -> Result<(), Error> {
    macro_rules! word {
        ($kind:ty) => {
            <$kind>::parse(&one_of(at, value, <$kind>::WORDS)?).expect("it is one of the words")
        };
    }
    match name {
        "protocol" => profile.protocol = word!(Protocol),
        "codex_passthrough" => {
            profile.codex_passthrough = match value.get() {
                "true" => Passthrough::True,
                "false" => Passthrough::False,
                _ => word!(Passthrough),
            };
        }
        "prompt_mode" => profile.prompt_mode = Some(word!(PromptMode)),
        "tool_schema_mode" => profile.tool_schema_mode = word!(ToolSchemaMode),
        "tool_text_format" => profile.tool_text_format = word!(ToolTextFormat),
        "bypass_tool_call_reactor" => profile.bypass_tool_call_reactor = read(at, value)?,
        "include_environment_context" => {
            profile.include_environment_context = read(at, value)?;
        }
        _ => {
            let known = NAMES.join("', '");
            return Err(Error::wrong_value(
                at,
                format!("there is no such capability; there are '{known}'"),
            ));
        }
    }
    Ok(())
}

/// What the client says of the machine it works on, where that is to be told to the model.
///
/// # Errors
/// When it is no text.
pub(super) fn environment(
    profile: &Profile,
    fields: &mut Object<'_>,
) -> Result<Environment, Error> {
    const ELEMENTS: [(&str, &str); 6] = [
        ("cwd", "cwd"),
        ("project_dir", "cwd"),
        ("approval_policy", "approval_policy"),
        ("sandbox_mode", "sandbox_mode"),
        ("network_access", "network_access"),
        ("shell", "shell"),
    ];
    let mut environment = Environment::new();
    if !profile.include_environment_context {
        return Ok(environment);
    }
    for (field, element) in ELEMENTS {
        let told: Option<String> = take(fields, field)?;
        let is_new = environment.iter().all(|(known, _)| *known != element);
        environment.extend(told.filter(|_| is_new).map(|text| (element, text)));
    }
    Ok(environment)
}
