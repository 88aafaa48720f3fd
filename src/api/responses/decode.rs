//! A Responses request, less what the upstream will not take.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Responses,
    encode::Encoder,
    input,
    view::{ECHOED, View},
};
use crate::{
    api::{
        Client, Decoded, Error, chat_completions,
        fields::{Shape, drop_known, drop_rest, object, one_of, read, take, take_raw},
    },
    protocol::{Object, Reasoning, Request, StreamOptions, Text, raw, raw_str},
    shaping::{EFFORTS, Ignored},
};

/// Fields that have no effect on this backend, and what they must look like all the same. Their
/// values are echoed in the answer.
const WITHOUT_EFFECT: [(&str, Shape); 14] = [
    ("temperature", Shape::Number(0.0, 2.0, 1.0)),
    ("top_p", Shape::Number(0.0, 1.0, 1.0)),
    ("presence_penalty", Shape::Number(-2.0, 2.0, 0.0)),
    ("frequency_penalty", Shape::Number(-2.0, 2.0, 0.0)),
    ("max_output_tokens", Shape::Integer(1, i64::MAX)),
    ("max_tool_calls", Shape::Integer(1, i64::MAX)),
    ("top_logprobs", Shape::Integer(0, 20)),
    ("truncation", Shape::OneOf(&["auto", "disabled"], "disabled")),
    ("metadata", Shape::Map),
    ("safety_identifier", Shape::Text),
    ("prompt_cache_retention", Shape::OneOf(&["in_memory", "in-memory", "24h"], "in_memory")),
    ("prompt_cache_options", Shape::Map),
    ("context_management", Shape::Any),
    ("moderation", Shape::Any),
];

pub(super) fn decode(body: &[u8], client: &Client<'_>) -> Result<Decoded<Responses>, Error> {
    let mut fields = object(body)?;
    let mut ignored = Ignored::default();
    let echoed: Vec<(&str, Box<RawValue>)> = ECHOED
        .into_iter()
        .filter_map(|name| {
            Some((name, fields.get(name).filter(|json| json.get() != "null")?.to_owned()))
        })
        .collect();

    let model: Option<String> = take(&mut fields, "model")?;
    if model.is_none() && client.profile.model.is_empty() {
        return Err(Error::missing("model"));
    }
    let stored = stateless(&mut fields)?;
    let input = take_raw(&mut fields, "input").ok_or_else(|| Error::missing("input"))?;
    let input::Input { items: input, references, lite } = input::items(&input, &mut ignored)?;
    let user: Option<String> = take(&mut fields, "user")?;
    if user.is_some() {
        ignored.drop("user"); // It still tells conversations apart.
    }
    let stream: bool = take(&mut fields, "stream")?.unwrap_or(false);
    let request = Request {
        model: model.unwrap_or_default(),
        instructions: instructions(&mut fields)?,
        input,
        tools: tools(&mut fields)?,
        tool_choice: take_raw(&mut fields, "tool_choice").map(std::borrow::Cow::into_owned),
        parallel_tool_calls: take(&mut fields, "parallel_tool_calls")?,
        reasoning: reasoning(&mut fields, &mut ignored)?,
        include: take(&mut fields, "include")?.unwrap_or_default(),
        service_tier: chat_completions::service_tier(&mut fields, &mut ignored)?,
        prompt_cache_key: take(&mut fields, "prompt_cache_key")?,
        text: text(&mut fields, &mut ignored)?,
        stream_options: stream_options(&mut fields, &mut ignored)?,
        client_metadata: take_raw(&mut fields, "client_metadata").map(std::borrow::Cow::into_owned),
        ..Request::default()
    };
    let conversation: Option<String> = take(&mut fields, "session_id")?;
    drop_known(&mut fields, &WITHOUT_EFFECT, &mut ignored)?;
    drop_rest(&fields, &mut ignored);
    let view = View::new(echoed, lite);
    let dialect = Responses { stream, stored, encoder: Encoder::new(view, is_codex(client)) };
    Ok(Decoded { dialect, request, ignored, user, conversation, lite, references })
}

/// Whether the official client is asking: it alone knows `keepalive` and `codex.*` events, and it
/// does not take a comment for a sign of life.
fn is_codex(client: &Client<'_>) -> bool {
    let starts = |name: &str, with: &[&str]| {
        let value = client.headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| with.iter().any(|with| value.starts_with(with)))
    };
    const NAMES: [&str; 4] = ["codex_", "codex-", "Codex ", "codex/"];
    starts("originator", &NAMES) || starts("user-agent", &NAMES)
}

/// What asks for a whole response that was kept, while only items are. Whether those may be.
fn stateless(fields: &mut Object<'_>) -> Result<bool, Error> {
    if let Some(id) = take::<String>(fields, "previous_response_id")? {
        return Err(Error::invalid(format!("Previous response with id '{id}' not found."))
            .code("previous_response_not_found")
            .param("previous_response_id"));
    }
    if let Some(conversation) = take_raw(fields, "conversation") {
        let id = raw_str(&conversation).map(std::borrow::Cow::into_owned);
        let id = id.or_else(|| {
            Some(read::<Object<'_>>("conversation", &conversation).ok()?.str("id")?.into_owned())
        });
        let id =
            id.ok_or_else(|| Error::wrong_type("conversation", "an id or an object with one"))?;
        return Err(Error::not_found(format!("Conversation with id '{id}' not found."))
            .param("conversation"));
    }
    if take::<bool>(fields, "background")? == Some(true) {
        return Err(Error::unsupported(
            "background",
            "Background responses cannot be had: nothing is kept here.",
        ));
    }
    if take_raw(fields, "prompt").is_some() {
        return Err(Error::unsupported(
            "prompt",
            "Stored prompts live on the OpenAI platform and cannot be used here; send `instructions` and `input`.",
        ));
    }
    Ok(take::<bool>(fields, "store")?.unwrap_or(true))
}

fn instructions(fields: &mut Object<'_>) -> Result<Option<Box<RawValue>>, Error> {
    let Some(json) = take_raw(fields, "instructions") else { return Ok(None) };
    match raw_str(&json) {
        Some(_) => Ok(Some(json.into_owned())),
        None => Err(Error::wrong_type("instructions", "a string")),
    }
}

/// The tools as they are; only a preview's name is not known to this backend.
fn tools(fields: &mut Object<'_>) -> Result<Option<Vec<Box<RawValue>>>, Error> {
    let Some(json) = take_raw(fields, "tools") else { return Ok(None) };
    let list: Vec<&RawValue> = read("tools", &json)?;
    let mut tools = Vec::with_capacity(list.len());
    for (index, json) in list.into_iter().enumerate() {
        let at = format!("tools[{index}]");
        let mut tool: Object<'_> = read(&at, json)?;
        let kind = tool.str("type").ok_or_else(|| Error::missing(format!("{at}.type")))?;
        if matches!(&*kind, "function" | "custom")
            && tool.str("name").is_none_or(|name| name.is_empty())
        {
            return Err(Error::missing(format!("{at}.name")));
        }
        if kind.starts_with("web_search_preview") {
            drop(kind);
            tool.set("type", raw("web_search"));
            tools.push(raw(&tool));
        } else {
            tools.push(json.to_owned());
        }
    }
    Ok(Some(tools))
}

fn reasoning(fields: &mut Object<'_>, ignored: &mut Ignored) -> Result<Reasoning, Error> {
    let Some(json) = take_raw(fields, "reasoning") else { return Ok(Reasoning::default()) };
    let mut members: Object<'_> = read("reasoning", &json)?;
    let mut word = |name: &str, values: &[&str]| -> Result<Option<String>, Error> {
        let Some(json) = take_raw(&mut members, name) else { return Ok(None) };
        one_of(&format!("reasoning.{name}"), &json, values).map(Some)
    };
    const SUMMARIES: [&str; 4] = ["auto", "concise", "detailed", "none"];
    let effort = word("effort", &EFFORTS)?;
    let summary = word("summary", &SUMMARIES)?.or(word("generate_summary", &SUMMARIES)?);
    let context = take_raw(&mut members, "context");
    let context = context.map(|json| read("reasoning.context", &json)).transpose()?;
    for (name, json) in members.iter() {
        if json.get() != "null" {
            ignored.drop(format!("reasoning.{name}"));
        }
    }
    Ok(Reasoning { effort, summary: summary.filter(|summary| summary != "none"), context })
}

fn text(fields: &mut Object<'_>, ignored: &mut Ignored) -> Result<Text, Error> {
    let Some(json) = take_raw(fields, "text") else { return Ok(Text::default()) };
    let mut members: Object<'_> = read("text", &json)?;
    let format = take_raw(&mut members, "format");
    if let Some(format) = &format {
        let format: Object<'_> = read("text.format", format)?;
        let kind = format.str("type").ok_or_else(|| Error::missing("text.format.type"))?;
        if !matches!(&*kind, "text" | "json_object" | "json_schema") {
            return Err(Error::wrong_value(
                "text.format.type",
                format!("'{kind}'. Supported values are: 'text', 'json_object' and 'json_schema'"),
            ));
        }
    }
    let verbosity = take_raw(&mut members, "verbosity")
        .map(|json| one_of("text.verbosity", &json, &["low", "medium", "high"]))
        .transpose()?;
    for (name, json) in members.iter() {
        if json.get() != "null" {
            ignored.drop(format!("text.{name}"));
        }
    }
    Ok(Text { format: format.map(std::borrow::Cow::into_owned), verbosity })
}

fn stream_options(
    fields: &mut Object<'_>,
    ignored: &mut Ignored,
) -> Result<Option<StreamOptions>, Error> {
    #[derive(Deserialize)]
    struct Options {
        #[serde(default)]
        reasoning_summary_delivery: Option<String>,
        #[serde(default)]
        include_obfuscation: Option<bool>,
    }
    let Some(options) = take::<Options>(fields, "stream_options")? else { return Ok(None) };
    if options.include_obfuscation == Some(false) {
        ignored.drop("stream_options.include_obfuscation");
    }
    Ok(options
        .reasoning_summary_delivery
        .map(|reasoning_summary_delivery| StreamOptions { reasoning_summary_delivery }))
}
