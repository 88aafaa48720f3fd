//! Which tool is to be called: nested here, flat upstream.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::tools::{Tool, Tools};
use crate::{
    api::{
        Error,
        fields::{self, Members, take_raw},
    },
    protocol::{Object, raw, raw_str},
    shaping::{Ignored, Names},
};

/// `tool_choice`, or the older `function_call`.
pub(super) fn read(
    fields: &mut Object<'_>,
    tools: &Tools,
    names: &mut Names,
    ignored: &mut Ignored,
) -> Result<Option<Box<RawValue>>, Error> {
    let (at, json) = match (take_raw(fields, "tool_choice"), take_raw(fields, "function_call")) {
        (Some(choice), _) => ("tool_choice", choice),
        (None, Some(choice)) => ("function_call", choice),
        (None, None) => return Ok(None),
    };
    let choice = match raw_str(&json) {
        Some(word) => match &*word {
            "none" | "auto" | "required" => raw(&*word),
            "any" => raw("required"),
            other => {
                return Err(Error::wrong_value(
                    at,
                    format!("'{other}'. Supported values are: 'none', 'auto' and 'required'"),
                ));
            }
        },
        None => chosen(at, &json, tools, names)?,
    };
    if tools.sent.is_empty() {
        // Without tools there is nothing to choose from; upstream it would be an error.
        ignored.drop(at);
        return Ok(None);
    }
    Ok(Some(choice))
}

fn chosen(
    at: &str,
    json: &RawValue,
    tools: &Tools,
    names: &mut Names,
) -> Result<Box<RawValue>, Error> {
    let members: Object<'_> = fields::read(at, json)?;
    let kind = members.str("type").map(Cow::into_owned);
    match kind.as_deref() {
        Some(kind @ ("auto" | "none" | "required")) => Ok(raw(kind)),
        Some("any") => Ok(raw("required")), // As others call it.
        Some("allowed_tools") => allowed(at, &members, names),
        Some(kind @ ("function" | "custom")) => {
            let nested: Option<Object<'_>> = members
                .get(kind)
                .map(|inner| fields::read(format!("{at}.{kind}"), inner))
                .transpose()?;
            let path =
                if nested.is_some() { format!("{at}.{kind}.name") } else { format!("{at}.name") };
            let name = nested.as_ref().unwrap_or(&members).str("name");
            named(kind, name, path, tools, names)
        }
        None => named("function", members.str("name"), format!("{at}.name"), tools, names),
        Some(_) => Ok(hosted_choice(json)?.into_owned()),
    }
}

/// The choice of a hosted tool; a preview of one goes by its final name, as the tool itself does.
///
/// # Errors
/// When it is no object.
pub(in crate::api) fn hosted_choice(json: &RawValue) -> Result<Cow<'_, RawValue>, Error> {
    let mut members: Object<'_> = fields::read("tool_choice", json)?;
    if members.str("type").is_some_and(|kind| kind.starts_with("web_search_preview")) {
        members.set("type", raw("web_search"));
        return Ok(Cow::Owned(raw(&members)));
    }
    Ok(Cow::Borrowed(json))
}

fn named(
    kind: &str,
    name: Option<Cow<'_, str>>,
    path: String,
    tools: &Tools,
    names: &mut Names,
) -> Result<Box<RawValue>, Error> {
    let Some(name) = name else { return Err(Error::missing(path)) };
    let sent = names.send(&name);
    if !tools.sent.is_empty() && !tools.names.contains(&*sent) {
        return Err(Error::wrong_value(path, format!("there is no tool '{name}' among the tools")));
    }
    Ok(raw(&json!({"type": kind, "name": sent})))
}

fn allowed(at: &str, members: &Object<'_>, names: &mut Names) -> Result<Box<RawValue>, Error> {
    #[derive(Deserialize)]
    struct Allowed<'a> {
        #[serde(default)]
        mode: Option<String>,
        #[serde(borrow)]
        tools: Vec<Members<Tool<'a>>>,
    }
    let Some(nested) = members.get("allowed_tools") else {
        return Ok(raw(members)); // Flat already.
    };
    let at = format!("{at}.allowed_tools");
    let Members(Allowed { mode, tools }) = fields::read(&at, nested)?;
    let mut flat = Vec::with_capacity(tools.len());
    for (index, Members(tool)) in tools.into_iter().enumerate() {
        let kind = tool.kind.unwrap_or(Cow::Borrowed("function"));
        if !matches!(&*kind, "function" | "custom") {
            let hosted = raw(&json!({"type": kind}));
            flat.push(json!(hosted_choice(&hosted)?));
            continue;
        }
        let name = tool.function.or(tool.custom).and_then(|inner| inner.0.name).or(tool.name);
        let Some(name) = name else {
            return Err(Error::missing(format!("{at}.tools[{index}].name")));
        };
        flat.push(json!({"type": kind, "name": names.send(&name)}));
    }
    let mode = mode.unwrap_or_else(|| "auto".to_owned());
    Ok(raw(&json!({"type": "allowed_tools", "mode": mode, "tools": flat})))
}
