//! Tools: nested here, flat upstream.

use std::{borrow::Cow, collections::HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    api::{
        Error,
        fields::{Members, one_of, read, take_raw},
    },
    protocol::{Object, raw},
    shaping::{Names, repair},
};

/// The tools of a request.
#[derive(Default)]
pub(super) struct Tools {
    /// As they are sent.
    pub(super) sent: Vec<Box<RawValue>>,
    /// The client's names of those that take free text instead of JSON.
    pub(super) custom: HashSet<String>,
    /// All names as they are sent.
    pub(super) names: HashSet<String>,
    /// Whether they came as `functions`, so that calls go out as `function_call`.
    pub(super) legacy: bool,
}

#[derive(Deserialize)]
pub(super) struct Tool<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) function: Option<Members<Definition<'a>>>,
    #[serde(borrow, default)]
    pub(super) custom: Option<Members<Definition<'a>>>,
    /// Some clients send the flat shape of the Responses API.
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct Definition<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'a, str>>,
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
        let list: Vec<Members<Definition<'_>>> = read("functions", &json)?;
        tools.legacy = tools.sent.is_empty();
        for (index, function) in list.into_iter().enumerate() {
            tools.add_function(function.0, &format!("functions[{index}]"), names)?;
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
        let nested: Object<'_> = read(format!("{at}.approximate"), nested)?;
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
        let Members(tool): Members<Tool<'_>> = read(at, json)?;
        match tool.kind.as_deref() {
            Some("function") | None => match tool.function {
                Some(Members(function)) => {
                    self.add_function(function, &format!("{at}.function"), names)
                }
                None if tool.name.is_some() => self.add_function(read(at, json)?, at, names),
                None => Err(Error::missing(format!("{at}.function"))),
            },
            Some("custom") => match tool.custom {
                Some(Members(custom)) => self.add_custom(custom, &format!("{at}.custom"), names),
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

    /// Whether there may be a tool among them that takes free text instead of JSON. Those that
    /// came in the upstream's shape may hold some.
    pub(super) fn takes_text(&self) -> bool {
        self.sent.iter().any(|tool| tool.get().contains(r#""custom""#))
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
    let Members(Grammar { syntax, definition }) = read(format!("{at}.grammar"), grammar)?;
    let mut flat = Object::default();
    flat.set("type", raw("grammar"));
    flat.set_borrowed("syntax", syntax);
    flat.set_borrowed("definition", definition);
    Ok(Cow::Owned(raw(&flat)))
}
