//! A Chat Completions request as a request to the upstream.

use serde::Deserialize;

use super::{Chat, messages, settings, tool_choice, tools};
use crate::{
    api::{
        Client, Decoded, Error,
        fields::{self, Fields, Members, read, take, take_raw},
        policy::{self, Known, Shape, screen, settle_known, settle_rest},
    },
    protocol::{Object, Request, Text},
    shaping::{Can, Fate, Ignored, Names},
};

/// Fields that the backend refuses. The platform's Responses API has no place for most of them
/// either.
const KNOWN: [Known; 19] = [
    ("temperature", Shape::Number(0.0, 2.0, 1.0), true),
    ("top_p", Shape::Number(0.0, 1.0, 1.0), true),
    ("presence_penalty", Shape::Number(-2.0, 2.0, 0.0), false),
    ("frequency_penalty", Shape::Number(-2.0, 2.0, 0.0), false),
    ("seed", Shape::Integer(i64::MIN, i64::MAX), false),
    ("logprobs", Shape::Bool(false), false),
    ("top_logprobs", Shape::Integer(0, 20), true),
    ("logit_bias", Shape::Bias, false),
    ("prediction", Shape::Map, false),
    ("metadata", Shape::Metadata, true),
    ("store", Shape::Bool(false), false),
    ("safety_identifier", Shape::Short(128), true),
    ("prompt_cache_retention", Shape::OneOf(&["in_memory", "in-memory", "24h"], "in_memory"), true),
    ("prompt_cache_options", Shape::Map, true),
    ("moderation", Shape::Any, false),
    ("previous_response_id", Shape::Text, false),
    ("audio", Shape::Map, false),
    ("usage", Shape::Any, false),
    ("extra_body", Shape::Map, false),
];

/// The most choices that may be asked for.
const MAX_CHOICES: f64 = 128.0;

#[derive(Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
    #[serde(default)]
    include_obfuscation: Option<bool>,
}

pub(super) fn decode(mut fields: Fields<'_>, client: &Client<'_>) -> Result<Decoded<Chat>, Error> {
    let mut ignored = Ignored::new(&client.profile.parameters, client.platform);
    let mut names = Names::default();
    let mut rest = Object::default();
    screen(&mut fields, &KNOWN, &mut ignored)?;

    let model = take(&mut fields, "model")?.filter(|model: &String| !model.is_empty());
    let model = model.unwrap_or_else(|| client.profile.model.clone());
    if model.is_empty() {
        return Err(Error::missing("model").message("you must provide a model parameter"));
    }
    let messages = take_raw(&mut fields, "messages").ok_or_else(|| Error::missing("messages"))?;
    let tools = tools::read_tools(&mut fields, &mut names)?;
    let choice = tool_choice::read(&mut fields, &tools, &mut names, &mut ignored)?;
    let messages = fields.entries("messages", &messages)?;
    let input = messages::input(messages, &tools, &mut names, &mut ignored)?;
    let parallel: Option<bool> = take(&mut fields, "parallel_tool_calls")?;
    if parallel.is_some() && tools.sent.is_empty() {
        ignored.drop("parallel_tool_calls");
    }
    let format = take_raw(&mut fields, "response_format");
    let format = format.map(|format| settings::response_format(&format)).transpose()?.flatten();
    let user = policy::user(&mut fields, &mut ignored, &mut rest)?;
    let stream: bool = take(&mut fields, "stream")?.unwrap_or(false);
    let options: Option<Members<StreamOptions>> = take(&mut fields, "stream_options")?;
    let options = options.map(|Members(options)| options).unwrap_or_default();
    if options.include_obfuscation == Some(true) {
        ignored.drop("stream_options.include_obfuscation");
    }
    let choices = choices(&mut fields, &mut ignored)?;
    text_only(&mut fields)?;
    let stop = stop(&mut fields, &mut ignored, &mut rest)?;
    let mut max_tokens = None;
    for name in ["max_completion_tokens", "max_tokens"] {
        let limit = policy::token_limit(&mut fields, name, &mut ignored, &mut rest)?;
        max_tokens = limit.into_iter().chain(max_tokens).min();
    }
    let reasoning = settings::reasoning(&mut fields, client.profile, &mut ignored)?;
    let wanted = super::Wanted {
        model: model.clone(),
        stream,
        include_usage: options.include_usage.unwrap_or(false),
        legacy: tools.legacy,
        reasoning: reasoning.format,
        json: format.is_some(),
        custom: tools.takes_text(),
        names,
    };
    let mut request = Request {
        model,
        input,
        parallel_tool_calls: parallel.filter(|_| !tools.sent.is_empty()),
        tool_choice: choice,
        tools: (!tools.sent.is_empty()).then_some(tools.sent),
        reasoning: reasoning.sent,
        text: Text {
            format,
            verbosity: settings::choice(&mut fields, "verbosity", &["low", "medium", "high"])?,
        },
        service_tier: settings::service_tier(&mut fields, &mut ignored, client.platform)?,
        prompt_cache_key: take(&mut fields, "prompt_cache_key")?,
        ..Request::default()
    };
    let conversation: Option<String> = take(&mut fields, "session_id")?;
    settle_known(&mut fields, &KNOWN, &mut ignored, &mut rest)?;
    settle_rest(&fields, &mut ignored, &mut rest);
    request.rest = rest;
    let decoded = Decoded::new(Chat::new(wanted, choices), request, ignored);
    Ok(Decoded { user, conversation, choices, stop, max_tokens, ..decoded })
}

/// `n`: each choice is a turn of its own.
fn choices(fields: &mut Object<'_>, ignored: &mut Ignored) -> Result<usize, Error> {
    let Some(json) = take_raw(fields, "n") else { return Ok(1) };
    let n: i64 = read("n", &json)?;
    fields::in_range("n", "integer", n as f64, (1.0, MAX_CHOICES), &json)?;
    let can = Can { emulate: true, platform: false };
    if n > 1 && ignored.decide("n", can) == Fate::Emulate {
        return Ok(n as usize);
    }
    Ok(1)
}

fn text_only(fields: &mut Object<'_>) -> Result<(), Error> {
    let modalities: Option<Vec<String>> = take(fields, "modalities")?;
    match modalities.iter().flatten().find(|modality| *modality != "text") {
        None => Ok(()),
        Some(other) => Err(Error::unsupported(
            "modalities",
            format!("The modality '{other}' is not supported: the backend answers in text."),
        )),
    }
}

fn stop(
    fields: &mut Object<'_>,
    ignored: &mut Ignored,
    rest: &mut Object<'static>,
) -> Result<Vec<String>, Error> {
    let Some(json) = take_raw(fields, "stop") else { return Ok(Vec::new()) };
    let mut stops: Vec<String> = match json.get().starts_with('"') {
        true => vec![read("stop", &json)?],
        false => read("stop", &json)?,
    };
    if stops.len() > 4 {
        return Err(Error::too_long("stop", "array", 4, stops.len()));
    }
    stops.retain(|stop| !stop.is_empty());
    if stops.is_empty() {
        return Ok(stops);
    }
    match ignored.decide("stop", Can { emulate: true, platform: false }) {
        Fate::Emulate => return Ok(stops),
        Fate::Forward => rest.set("stop", json.into_owned()),
        Fate::Drop => {}
    }
    Ok(Vec::new())
}
