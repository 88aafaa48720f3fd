//! A Responses request, less what the upstream will not take.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Kept, Responses,
    encode::{Audience, Encoder},
    input, kept,
    view::{ECHOED, View},
};
use crate::{
    api::{
        Client, Decoded, Error, chat_completions,
        dialect::Continues,
        fields::{self, Fields, Members, one_of, read, take, take_raw},
        policy::{self, Known, Shape, screen, settle_known, settle_rest},
    },
    config::Passthrough,
    protocol::{Object, Reasoning, Request, StreamOptions, Text, raw, raw_str},
    shaping::{EFFORTS, Ignored, repair},
};

/// Fields that the backend refuses. Their values are echoed in the answer.
const KNOWN: [Known; 12] = [
    ("temperature", Shape::Number(0.0, 2.0, 1.0), true),
    ("top_p", Shape::Number(0.0, 1.0, 1.0), true),
    ("presence_penalty", Shape::Number(-2.0, 2.0, 0.0), false),
    ("frequency_penalty", Shape::Number(-2.0, 2.0, 0.0), false),
    ("max_tool_calls", Shape::Integer(1, i64::MAX), true),
    ("top_logprobs", Shape::Integer(0, 20), true),
    ("truncation", Shape::OneOf(&["auto", "disabled"], "disabled"), true),
    ("safety_identifier", Shape::Short(128), true),
    ("prompt_cache_retention", Shape::OneOf(&["in_memory", "in-memory", "24h"], "in_memory"), true),
    ("prompt_cache_options", Shape::Map, true),
    ("context_management", Shape::Any, true),
    ("moderation", Shape::Any, true),
];

/// What may be asked to be included in the answer.
const INCLUDES: [&str; 8] = [
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    SEALED,
    "message.output_text.logprobs",
];

const SEALED: &str = "reasoning.encrypted_content";

pub(super) fn decode(
    mut fields: Fields<'_>,
    client: &Client<'_>,
) -> Result<Decoded<Responses>, Error> {
    let mut ignored = Ignored::new(&client.profile.parameters, client.platform);
    let mut rest = Object::default();
    screen(&mut fields, &KNOWN, &mut ignored)?;
    let echoed: Vec<(&str, Box<RawValue>)> = ECHOED
        .into_iter()
        .filter_map(|name| {
            Some((name, fields.get(name).filter(|json| json.get() != "null")?.to_owned()))
        })
        .collect();

    let model = take(&mut fields, "model")?.filter(|model: &String| !model.is_empty());
    if model.is_none() && client.profile.model.is_empty() {
        return Err(Error::missing("model"));
    }
    let continues = continues(&mut fields)?;
    let (store, background) = stored(&mut fields)?;
    no_prompt(&mut fields)?;
    let input = match take_raw(&mut fields, "input") {
        Some(input) => input,
        None if continues.is_some() => Cow::Owned(raw(&[(); 0])),
        None => return Err(Error::missing("input")),
    };
    let input::Input { items, references, lite } = input::items(&input, &mut fields, &mut ignored)?;
    let kept = if store { kept::items(&input) } else { Vec::new() };
    let user = policy::user(&mut fields, &mut ignored, &mut rest)?;
    let stream: bool = take(&mut fields, "stream")?.unwrap_or(false);
    if let Some(labels) = take_raw(&mut fields, "metadata") {
        fields::metadata("metadata", &labels)?;
    }
    let include = include(&mut fields)?;
    let (stream_options, padded) = stream_options(&mut fields)?;
    let max_tokens =
        policy::token_limit(&mut fields, "max_output_tokens", &mut ignored, &mut rest)?;
    let mut request = Request {
        model: model.unwrap_or_default(),
        instructions: instructions(&mut fields)?,
        input: items,
        tools: tools(&mut fields, client.profile.codex_passthrough)?,
        tool_choice: tool_choice(&mut fields)?,
        parallel_tool_calls: take(&mut fields, "parallel_tool_calls")?,
        reasoning: reasoning(&mut fields, &mut ignored)?,
        include,
        service_tier: chat_completions::service_tier(&mut fields, &mut ignored, client.platform)?,
        prompt_cache_key: take(&mut fields, "prompt_cache_key")?,
        text: text(&mut fields, &mut ignored)?,
        stream_options,
        client_metadata: take_raw(&mut fields, "client_metadata").map(Cow::into_owned),
        ..Request::default()
    };
    let conversation: Option<String> = take(&mut fields, "session_id")?;
    settle_known(&mut fields, &KNOWN, &mut ignored, &mut rest)?;
    settle_rest(&fields, &mut ignored, &mut rest);
    request.rest = rest;
    let audience = Audience {
        codex: is_codex(client),
        padded,
        sealed: request.include.iter().any(|name| name == SEALED),
        id: background.then(|| format!("resp_{}", Uuid::now_v7().simple())),
    };
    let view = View::new(echoed, lite);
    let previous = match &continues {
        Some(Continues::Response(id)) => Some(id.clone()),
        Some(Continues::Conversation(_)) | None => None,
    };
    let kept = store.then_some(Kept { input: kept, previous });
    let encoder = Encoder::new(view, audience, request.model.clone());
    let dialect = Responses { stream, kept, encoder };
    let decoded = Decoded::new(dialect, request, ignored);
    Ok(Decoded {
        user,
        conversation,
        lite,
        max_tokens,
        references,
        continues,
        background,
        ..decoded
    })
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

/// What the request goes on from.
fn continues(fields: &mut Object<'_>) -> Result<Option<Continues>, Error> {
    let previous: Option<String> = take(fields, "previous_response_id")?;
    let Some(conversation) = take_raw(fields, "conversation") else {
        return Ok(previous.map(Continues::Response));
    };
    if previous.is_some() {
        return Err(Error::invalid(
            "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
        )
        .code("mutually_exclusive_parameters"));
    }
    let id = raw_str(&conversation).map(Cow::into_owned);
    let id = id.or_else(|| {
        Some(read::<Object<'_>>("conversation", &conversation).ok()?.str("id")?.into_owned())
    });
    let id = id.ok_or_else(|| Error::wrong_type("conversation", "an id or an object with one"))?;
    Ok(Some(Continues::Conversation(id)))
}

/// Whether the response is to be kept, and whether it goes on without its client.
fn stored(fields: &mut Object<'_>) -> Result<(bool, bool), Error> {
    let store = take::<bool>(fields, "store")?.unwrap_or(true);
    let background = take::<bool>(fields, "background")?.unwrap_or(false);
    if background && !store {
        return Err(Error::invalid("background can only be used when `store` is true.")
            .code("unsupported_parameter")
            .param("background"));
    }
    Ok((store, background))
}

fn no_prompt(fields: &mut Object<'_>) -> Result<(), Error> {
    if take_raw(fields, "prompt").is_some() {
        return Err(Error::unsupported(
            "prompt",
            "Stored prompts live on the OpenAI platform and cannot be used here; send `instructions` and `input`.",
        ));
    }
    Ok(())
}

fn include(fields: &mut Object<'_>) -> Result<Vec<String>, Error> {
    let Some(json) = take_raw(fields, "include") else { return Ok(Vec::new()) };
    let list: Vec<&RawValue> = read("include", &json)?;
    let known =
        |(index, json): (usize, &RawValue)| one_of(&format!("include[{index}]"), json, &INCLUDES);
    list.into_iter().enumerate().map(known).collect()
}

fn instructions(fields: &mut Object<'_>) -> Result<Option<Box<RawValue>>, Error> {
    let Some(json) = take_raw(fields, "instructions") else { return Ok(None) };
    match raw_str(&json) {
        Some(_) => Ok(Some(json.into_owned())),
        None => Err(Error::wrong_type("instructions", "a string")),
    }
}

/// The tools as they are; only a preview's name is not known to this backend. Schemas are mended
/// where the profile does not want them passed on.
fn tools(
    fields: &mut Object<'_>,
    passthrough: Passthrough,
) -> Result<Option<Vec<Box<RawValue>>>, Error> {
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
        } else if kind == "function" && passthrough == Passthrough::False {
            drop(kind);
            let parameters = repair(tool.get("parameters")).into_owned();
            tool.set("parameters", parameters);
            tool.set_default("strict", || raw(&false));
            tools.push(raw(&tool));
        } else {
            tools.push(json.to_owned());
        }
    }
    Ok(Some(tools))
}

fn tool_choice(fields: &mut Object<'_>) -> Result<Option<Box<RawValue>>, Error> {
    let Some(json) = take_raw(fields, "tool_choice") else { return Ok(None) };
    let word = raw_str(&json);
    if word.is_none() && !json.get().starts_with('{') {
        return Err(Error::wrong_type("tool_choice", "a string or an object"));
    }
    if let Some(word) = word {
        let word = match &*word {
            "any" => "required",
            word @ ("none" | "auto" | "required") => word,
            other => {
                return Err(Error::wrong_value(
                    "tool_choice",
                    format!("'{other}'. Supported values are: 'none', 'auto' and 'required'"),
                ));
            }
        };
        return Ok(Some(raw(word)));
    }
    Ok(Some(chat_completions::hosted_choice(&json)?.into_owned()))
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
    Ok(Text { format: format.map(Cow::into_owned), verbosity })
}

/// What the backend is told about the stream, and whether its deltas may be padded, as they are
/// unless the client says otherwise.
fn stream_options(fields: &mut Object<'_>) -> Result<(Option<StreamOptions>, bool), Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Options {
        reasoning_summary_delivery: Option<String>,
        include_obfuscation: Option<bool>,
    }
    let options: Option<Members<Options>> = take(fields, "stream_options")?;
    let options = options.map(|Members(options)| options).unwrap_or_default();
    let sent = options
        .reasoning_summary_delivery
        .map(|reasoning_summary_delivery| StreamOptions { reasoning_summary_delivery });
    Ok((sent, options.include_obfuscation != Some(false)))
}
