//! Tools: nested here, flat upstream.

use std::{borrow::Cow, collections::HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use crate::{
    api::{
        Error,
        fields::{one_of, read, take_raw},
    },
    protocol::{Object, raw, raw_str},
    shaping::{Ignored, Names, repair},
};

/// The tools of a request.
#[derive(Default)]
pub(super) struct Tools {
    /// As they are sent.
    pub(super) sent: Vec<Box<RawValue>>,
    /// The client's names of those that take free text instead of JSON.
    pub(super) custom: HashSet<String>,
    /// All names as they are sent.
    names: HashSet<String>,
    /// Whether they came as `functions`, so that calls go out as `function_call`.
    pub(super) legacy: bool,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Option<Definition<'a>>,
    #[serde(borrow, default)]
    custom: Option<Definition<'a>>,
    /// Some clients send the flat shape of the Responses API.
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Definition<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
    #[serde(default)]
    strict: Option<bool>,
    #[serde(borrow, default)]
    format: Option<&'a RawValue>,
}

pub(super) fn read_tools(fields: &mut Object<'_>, names: &mut Names) -> Result<Tools, Error> {
    let mut tools = Tools::default();
    if let Some(json) = take_raw(fields, "tools") {
        let list: Vec<&RawValue> = read("tools", &json)?;
        for (index, json) in list.into_iter().enumerate() {
            tools.add(json, &format!("tools[{index}]"), names)?;
        }
    }
    if let Some(json) = take_raw(fields, "functions") {
        let list: Vec<Definition<'_>> = read("functions", &json)?;
        tools.legacy = tools.sent.is_empty();
        for (index, function) in list.into_iter().enumerate() {
            tools.add_function(function, &format!("functions[{index}]"), names)?;
        }
    }
    if let Some(json) = take_raw(fields, "web_search_options") {
        tools.sent.push(web_search(&json)?);
    }
    Ok(tools)
}

/// The option that searches the web, as the tool that does it upstream.
fn web_search(options: &RawValue) -> Result<Box<RawValue>, Error> {
    const AT: &str = "web_search_options";
    let mut options: Object<'_> = read(AT, options)?;
    let mut tool = Object::default();
    tool.set("type", raw("web_search"));
    if let Some(size) = take_raw(&mut options, "search_context_size") {
        let sizes = ["low", "medium", "high"];
        tool.set(
            "search_context_size",
            raw(&one_of("web_search_options.search_context_size", &size, &sizes)?),
        );
    }
    if let Some(location_json) = take_raw(&mut options, "user_location") {
        let at = format!("{AT}.user_location");
        let location: Object<'_> = read(&at, &location_json)?;
        // Nested here, flat upstream.
        let mut flat = Object::default();
        flat.set("type", raw("approximate"));
        let nested = location.get("approximate").unwrap_or(&location_json);
        let nested: Object<'_> = read(&format!("{at}.approximate"), nested)?;
        for (name, value) in nested.iter() {
            if name != "type" {
                flat.add(name, value.to_owned());
            }
        }
        tool.set("user_location", raw(&flat));
    }
    Ok(raw(&tool))
}

impl Tools {
    fn add(&mut self, json: &RawValue, at: &str, names: &mut Names) -> Result<(), Error> {
        let tool: Tool<'_> = read(at, json)?;
        match tool.kind.as_deref() {
            Some("function") | None => match tool.function {
                Some(function) => self.add_function(function, &format!("{at}.function"), names),
                None if tool.name.is_some() => self.add_function(read(at, json)?, at, names),
                None => Err(Error::missing(format!("{at}.function"))),
            },
            Some("custom") => match tool.custom {
                Some(custom) => self.add_custom(custom, &format!("{at}.custom"), names),
                None => self.add_custom(read(at, json)?, at, names),
            },
            Some(kind) if kind.starts_with("web_search_preview") => {
                let mut members: Object<'_> = read(at, json)?;
                members.set("type", raw("web_search"));
                self.sent.push(raw(&members));
                Ok(())
            }
            // Already in the upstream's shape: hosted tools, namespaces.
            Some(_) => {
                self.sent.push(json.to_owned());
                Ok(())
            }
        }
    }

    fn add_function(
        &mut self,
        tool: Definition<'_>,
        at: &str,
        names: &mut Names,
    ) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Sent<'a> {
            r#type: &'a str,
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a RawValue>,
            parameters: &'a RawValue,
            strict: bool,
        }
        let name = tool.name(at)?;
        let sent = names.send(&name);
        if tool
            .parameters
            .is_some_and(|schema| !schema.get().starts_with('{') && schema.get() != "null")
        {
            return Err(Error::wrong_type(format!("{at}.parameters"), "an object"));
        }
        let parameters = repair(tool.parameters);
        // Here leaving `strict` out means false; upstream it means true, and would make every
        // optional argument required.
        let strict = tool.strict.unwrap_or(false);
        let description = tool.description;
        self.sent.push(raw(&Sent {
            r#type: "function",
            name: &sent,
            description,
            parameters: &parameters,
            strict,
        }));
        self.names.insert(sent.into_owned());
        Ok(())
    }

    fn add_custom(
        &mut self,
        tool: Definition<'_>,
        at: &str,
        names: &mut Names,
    ) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Sent<'a> {
            r#type: &'a str,
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a RawValue>,
            #[serde(skip_serializing_if = "Option::is_none")]
            format: Option<Cow<'a, RawValue>>,
        }
        let name = tool.name(at)?;
        let sent = names.send(&name);
        let format = tool.format.map(|format| flat_format(format, at)).transpose()?;
        self.sent.push(raw(&Sent {
            r#type: "custom",
            name: &sent,
            description: tool.description,
            format,
        }));
        self.names.insert(sent.clone().into_owned());
        self.custom.insert(name.into_owned());
        Ok(())
    }
}

impl<'a> Definition<'a> {
    fn name(&self, at: &str) -> Result<Cow<'a, str>, Error> {
        match &self.name {
            Some(name) if !name.is_empty() => Ok(name.clone()),
            _ => Err(Error::missing(format!("{at}.name"))),
        }
    }
}

/// A grammar stands one level deeper here than upstream.
fn flat_format<'a>(format: &'a RawValue, at: &str) -> Result<Cow<'a, RawValue>, Error> {
    #[derive(Deserialize)]
    struct Grammar<'a> {
        #[serde(borrow)]
        syntax: &'a RawValue,
        #[serde(borrow)]
        definition: &'a RawValue,
    }
    let at = format!("{at}.format");
    let members: Object<'_> = read(&at, format)?;
    let Some(grammar) = members.get("grammar") else { return Ok(Cow::Borrowed(format)) };
    let Grammar { syntax, definition } = read(&format!("{at}.grammar"), grammar)?;
    Ok(Cow::Owned(raw(&json!({"type": "grammar", "syntax": syntax, "definition": definition}))))
}

/// `tool_choice`, or the older `function_call`.
pub(super) fn read_choice(
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
    let members: Object<'_> = read(at, json)?;
    let kind = members.str("type").map(Cow::into_owned);
    match kind.as_deref() {
        Some(kind @ ("auto" | "none" | "required")) => Ok(raw(kind)),
        Some("allowed_tools") => allowed(at, &members, names),
        Some(kind @ ("function" | "custom")) => {
            let nested: Option<Object<'_>> =
                members.get(kind).map(|inner| read(&format!("{at}.{kind}"), inner)).transpose()?;
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
    let mut members: Object<'_> = read("tool_choice", json)?;
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
        tools: Vec<Tool<'a>>,
    }
    let Some(nested) = members.get("allowed_tools") else {
        return Ok(raw(members)); // Flat already.
    };
    let at = format!("{at}.allowed_tools");
    let Allowed { mode, tools } = read(&at, nested)?;
    let mut flat = Vec::with_capacity(tools.len());
    for (index, tool) in tools.into_iter().enumerate() {
        let kind = tool.kind.unwrap_or(Cow::Borrowed("function"));
        if !matches!(&*kind, "function" | "custom") {
            let hosted = raw(&json!({"type": kind}));
            flat.push(json!(hosted_choice(&hosted)?));
            continue;
        }
        let name = tool.function.or(tool.custom).and_then(|inner| inner.name).or(tool.name);
        let Some(name) = name else {
            return Err(Error::missing(format!("{at}.tools[{index}].name")));
        };
        flat.push(json!({"type": kind, "name": names.send(&name)}));
    }
    let mode = mode.unwrap_or_else(|| "auto".to_owned());
    Ok(raw(&json!({"type": "allowed_tools", "mode": mode, "tools": flat})))
}
