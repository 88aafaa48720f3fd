//! The input: a string or a list, as items that the upstream takes.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{
    api::{
        Error, Reference,
        at::At,
        fields::{Fields, read_large},
    },
    protocol::{Item, Object, raw, raw_str},
    shaping::Ignored,
};

/// Members of an item that the upstream knows nothing of: ids that only a server which stores
/// could look up, states, and what the SDKs add on their own.
const STRIPPED: [&str; 3] = ["id", "status", "parsed_arguments"];

/// The items, and those that are named by their id alone.
pub(super) struct Input {
    pub(super) items: Vec<Item>,
    pub(super) references: Vec<Reference>,
    /// Whether the tools stand among the items.
    pub(super) lite: bool,
}

enum Found {
    Item(Item),
    /// An item that holds tools, as the "lite" shape has it.
    Tools(Item),
    /// The id of an item that the client takes to be kept.
    Reference(String),
    /// What could mean nothing to the upstream.
    Nothing,
}

pub(super) fn items(
    input: &RawValue,
    fields: &mut Fields<'_>,
    ignored: &mut Ignored,
) -> Result<Input, Error> {
    if raw_str(input).is_some() {
        let items = vec![Item::message("user", "input_text", input)];
        return Ok(Input { items, references: Vec::new(), lite: false });
    }
    if !input.get().starts_with('[') {
        return Err(Error::wrong_type("input", "a string or an array of input items"));
    }
    let list = fields.entries("input", input)?;
    let mut items = Vec::with_capacity(list.len());
    let mut references = Vec::new();
    let mut lite = false;
    for (index, (json, members)) in list.into_iter().enumerate() {
        let at = At::Item(&At::Field("input"), index);
        if !json.get().starts_with('{') {
            return Err(Error::wrong_type(at, "an object"));
        }
        let members = members.map_or_else(|| read_large(at, json), Ok)?;
        match item(json, members, at)? {
            Found::Item(item) => items.push(item),
            Found::Tools(item) => {
                lite = true;
                items.push(item);
            }
            Found::Reference(id) => {
                let place = items.len();
                references.push(Reference { place, id, param: at.into() });
            }
            Found::Nothing => ignored.drop(at),
        }
    }
    Ok(Input { items, references, lite })
}

fn item(json: &RawValue, mut members: Object<'_>, at: At<'_>) -> Result<Found, Error> {
    let mut changed = false;
    if members.lacks("type") {
        changed |= members.remove("type").is_some();
    }
    let kind = match members.get("type").map(raw_str) {
        Some(Some(kind)) => kind.into_owned(),
        Some(None) => return Err(Error::wrong_type(at.member("type"), "a string")),
        None if members.has("role") => "message".to_owned(),
        None if members.has("id") => "item_reference".to_owned(),
        None => return Err(Error::missing(at.member("type"))),
    };
    match kind.as_str() {
        "item_reference" => {
            let id = members.str("id").ok_or_else(|| Error::missing(at.member("id")))?;
            return Ok(Found::Reference(id.into_owned()));
        }
        // Its id alone is worth nothing to a backend that keeps nothing, but perhaps to us.
        "reasoning" if !is_sealed(&members) => {
            let id = members.str("id").map(Cow::into_owned);
            return Ok(id.map_or(Found::Nothing, Found::Reference));
        }
        "message" => changed |= message(&mut members, at)?,
        _ => {}
    }
    for name in STRIPPED {
        changed |= members.remove(name).is_some();
    }
    let item = if changed { Item::new(&members) } else { Item::from(json.to_owned()) };
    Ok(if kind == "additional_tools" { Found::Tools(item) } else { Found::Item(item) })
}

/// Whether reasoning is one that the model can read again.
pub(in crate::api) fn is_sealed(members: &Object<'_>) -> bool {
    members.str("encrypted_content").is_some_and(|sealed| !sealed.is_empty())
}

/// Whether anything was changed.
fn message(members: &mut Object<'_>, at: At<'_>) -> Result<bool, Error> {
    let mut changed = false;
    if !members.has("type") {
        // First, where readers of the cache's prefix expect it.
        let mut typed = Object::default();
        typed.set("type", raw("message"));
        typed.extend(std::mem::take(members));
        *members = typed;
        changed = true;
    }
    let Some(role) = members.get("role") else { return Err(Error::missing(at.member("role"))) };
    let role = raw_str(role).ok_or_else(|| Error::wrong_type(at.member("role"), "a string"))?;
    let role = role.into_owned();
    match role.as_str() {
        "system" => {
            members.set("role", raw("developer"));
            changed = true;
        }
        "user" | "assistant" | "developer" => {}
        other => {
            return Err(Error::wrong_value(
                at.member("role"),
                format!(
                    "'{other}'. Supported values are: 'assistant', 'system', 'developer' and 'user'"
                ),
            ));
        }
    }
    let part = if role == "assistant" { "output_text" } else { "input_text" };
    let content = match members.get("content").map(RawValue::get) {
        None | Some("null") => return Err(Error::missing(at.member("content"))),
        Some(text) if text.starts_with('"') => {
            let mut whole = Object::default();
            whole.set("type", raw(part));
            whole.set("text", members.get("content").map(ToOwned::to_owned).unwrap_or_default());
            Some(raw(&[whole]))
        }
        Some(list) if list.starts_with('[') => without_breakpoints(list, at)?,
        Some(_) => {
            return Err(Error::wrong_type(at.member("content"), "a string or an array of parts"));
        }
    };
    if let Some(content) = content {
        members.set("content", content);
        changed = true;
    }
    Ok(changed)
}

/// The parts less what a server with other caches reads; `None` when there is nothing of it.
fn without_breakpoints(list: &str, at: At<'_>) -> Result<Option<Box<RawValue>>, Error> {
    const NAMES: [&str; 2] = ["prompt_cache_breakpoint", "parsed"];
    if !NAMES.iter().any(|name| list.contains(&format!("\"{name}\""))) {
        return Ok(None);
    }
    let parts: serde_json::Result<Vec<Object<'_>>> = serde_json::from_str(list);
    let mut parts =
        parts.map_err(|_| Error::wrong_type(at.member("content"), "an array of parts"))?;
    let mut found = false;
    for part in &mut parts {
        for name in NAMES {
            found |= part.remove(name).is_some();
        }
    }
    Ok(found.then(|| raw(&parts)))
}
