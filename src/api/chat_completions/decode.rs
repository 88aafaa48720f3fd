//! A Chat Completions request as a request to the upstream.

use serde::Deserialize;

use super::{Chat, messages, settings, tools};
use crate::{
    api::{
        Client, Decoded, Error,
        fields::{Shape, drop_known, drop_rest, object, read, take, take_raw},
    },
    protocol::{Object, Reasoning, Request, Text},
    shaping::{EFFORTS, Ignored, Names},
};

/// Fields that have no effect on this backend, and what they must look like all the same.
const WITHOUT_EFFECT: [(&str, Shape); 24] = [
    ("temperature", Shape::Number(0.0, 2.0, 1.0)),
    ("top_p", Shape::Number(0.0, 1.0, 1.0)),
    ("presence_penalty", Shape::Number(-2.0, 2.0, 0.0)),
    ("frequency_penalty", Shape::Number(-2.0, 2.0, 0.0)),
    ("seed", Shape::Integer(i64::MIN, i64::MAX)),
    ("max_tokens", Shape::Integer(1, i64::MAX)),
    ("max_completion_tokens", Shape::Integer(1, i64::MAX)),
    ("logprobs", Shape::Bool(false)),
    ("top_logprobs", Shape::Integer(0, 20)),
    ("logit_bias", Shape::Map),
    ("prediction", Shape::Map),
    ("metadata", Shape::Map),
    ("store", Shape::Bool(false)),
    ("safety_identifier", Shape::Text),
    ("prompt_cache_retention", Shape::OneOf(&["in_memory", "in-memory", "24h"], "in_memory")),
    ("prompt_cache_options", Shape::Map),
    ("moderation", Shape::Any),
    ("reasoning", Shape::Map),
    ("include_reasoning", Shape::Bool(true)),
    ("previous_response_id", Shape::Text),
    ("audio", Shape::Map),
    ("top_k", Shape::Any),
    ("usage", Shape::Any),
    ("extra_body", Shape::Map),
];

#[derive(Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

pub(super) fn decode(body: &[u8], client: &Client<'_>) -> Result<Decoded<Chat>, Error> {
    let mut fields = object(body)?;
    let mut ignored = Ignored::default();
    let mut names = Names::default();

    let model: String = match take(&mut fields, "model")? {
        Some(model) => model,
        None if client.profile.model.is_empty() => {
            return Err(Error::missing("model").message("You must provide a model parameter."));
        }
        None => String::new(),
    };
    let messages = take_raw(&mut fields, "messages").ok_or_else(|| Error::missing("messages"))?;
    let tools = tools::read_tools(&mut fields, &mut names)?;
    let tool_choice = tools::read_choice(&mut fields, &tools, &mut names, &mut ignored)?;
    let input = messages::input(read("messages", &messages)?, &tools, &mut names, &mut ignored)?;
    let parallel: Option<bool> = take(&mut fields, "parallel_tool_calls")?;
    let format = take_raw(&mut fields, "response_format");
    let format = format.map(|format| settings::response_format(&format)).transpose()?.flatten();
    let user: Option<String> = take(&mut fields, "user")?;
    if user.is_some() {
        ignored.drop("user"); // It still tells conversations apart.
    }
    let stream: bool = take(&mut fields, "stream")?.unwrap_or(false);
    let options: StreamOptions = take(&mut fields, "stream_options")?.unwrap_or_default();
    one_choice(&mut fields)?;
    text_only(&mut fields)?;
    stop(&mut fields, &mut ignored)?;
    let chat = Chat::new(super::Wanted {
        model: model.clone(),
        stream,
        include_usage: options.include_usage.unwrap_or(false),
        legacy: tools.legacy,
        reasoning: client.profile.reasoning.format,
        json: format.is_some(),
        names,
    });
    let request = Request {
        model,
        input,
        parallel_tool_calls: parallel.filter(|_| !tools.sent.is_empty()),
        tool_choice,
        tools: (!tools.sent.is_empty()).then_some(tools.sent),
        reasoning: Reasoning {
            effort: settings::choice(&mut fields, "reasoning_effort", &EFFORTS)?,
            summary: settings::summary(client.profile),
            context: None,
        },
        text: Text {
            format,
            verbosity: settings::choice(&mut fields, "verbosity", &["low", "medium", "high"])?,
        },
        service_tier: settings::service_tier(&mut fields, &mut ignored)?,
        prompt_cache_key: take(&mut fields, "prompt_cache_key")?,
        ..Request::default()
    };
    let conversation: Option<String> = take(&mut fields, "session_id")?;
    drop_known(&mut fields, &WITHOUT_EFFECT, &mut ignored)?;
    drop_rest(&fields, &mut ignored);
    let references = Vec::new();
    Ok(Decoded { dialect: chat, request, ignored, user, conversation, lite: false, references })
}

/// `n`: one choice is what there is.
fn one_choice(fields: &mut Object<'_>) -> Result<(), Error> {
    match take::<i64>(fields, "n")? {
        None | Some(1) => Ok(()),
        Some(..=0) => Err(Error::wrong_value("n", "it must be at least 1")),
        Some(_) => Err(Error::unsupported("n", "More than one choice (`n`) cannot be had yet.")),
    }
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

fn stop(fields: &mut Object<'_>, ignored: &mut Ignored) -> Result<(), Error> {
    let Some(stop) = take_raw(fields, "stop") else { return Ok(()) };
    let stops: Vec<String> = match stop.get().starts_with('"') {
        true => vec![read("stop", &stop)?],
        false => read("stop", &stop)?,
    };
    if stops.len() > 4 {
        return Err(Error::wrong_value("stop", "it may hold 4 sequences at the most"));
    }
    if !stops.is_empty() {
        ignored.drop("stop");
    }
    Ok(())
}
