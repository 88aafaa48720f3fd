//! A finished turn as one completion.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::{Wanted, chunk::ChatUsage, finish_reason};
use crate::{
    config::ReasoningFormat,
    protocol::{
        Item, Outcome, Response, Usage, What, from_json, raw, raw_str, unix_now,
        with_whole_characters,
    },
    upstream,
};

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'a str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    usage: ChatUsage,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<String>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'a str,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'a str,
    content: Option<String>,
    refusal: Option<String>,
    annotations: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    id: Option<String>,
    created_at: Option<f64>,
    service_tier: Option<String>,
}

pub(super) fn reply(wanted: &Wanted, responses: Vec<Response>) -> Result<Bytes, upstream::Error> {
    let mut head = Head::default();
    let mut usage = Usage::default();
    let mut choices = Vec::with_capacity(responses.len());
    for (index, response) in responses.into_iter().enumerate() {
        if let Outcome::Failed(failure) = response.outcome {
            return Err(upstream::of_failure(failure));
        }
        if index == 0 {
            head = serde_json::from_str(response.object.get()).unwrap_or_default();
        }
        usage += response.usage;
        let message = message(wanted, &response.output);
        let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
        let finish_reason = finish_reason(&response.outcome, calls, wanted.legacy);
        choices.push(Choice { index, message, logprobs: (), finish_reason });
    }
    let completion = Completion {
        id: chat_id(head.id.as_deref()),
        object: "chat.completion",
        created: head.created_at.map_or_else(unix_now, |seconds| seconds as u64),
        model: &wanted.model,
        choices,
        usage: usage.into(),
        service_tier: head.service_tier,
    };
    serde_json::to_vec(&completion)
        .map(Bytes::from)
        .map_err(|error| upstream::Error::Garbled(error.to_string()))
}

fn message(wanted: &Wanted, output: &[Item]) -> Message<'static> {
    let mut message = Message { role: "assistant", ..Message::default() };
    let mut contents = Vec::new();
    let mut refusals = Vec::new();
    let mut thoughts = Vec::new();
    let mut calls = Vec::new();
    for item in output {
        let head = item.head();
        match head.kind.as_deref() {
            Some("message") => {
                let aside = head.phase.as_deref() == Some("commentary") || !contents.is_empty();
                if wanted.json && aside {
                    continue;
                }
                let mut content = None;
                for Text { what, text, .. } in texts(item) {
                    match what {
                        What::Refusal => refusals.push(text),
                        _ => content.get_or_insert_with(String::new).push_str(&text),
                    }
                }
                contents.extend(content);
                message.annotations.extend(annotations(item));
            }
            Some("reasoning") => thoughts.extend(reasoning(item)),
            Some("function_call") => calls.push((item, false)),
            Some("custom_tool_call") if wanted.custom => calls.push((item, true)),
            _ => {
                if let Some(url) = image(item) {
                    message.images.push(shown(message.images.len(), &url));
                }
            }
        }
    }
    let thoughts = (!thoughts.is_empty()).then(|| thoughts.join("\n\n"));
    match wanted.reasoning {
        ReasoningFormat::ReasoningContent => message.reasoning_content = thoughts,
        ReasoningFormat::Reasoning => message.reasoning = thoughts,
        ReasoningFormat::ThinkTags => {
            if let Some(thoughts) = thoughts {
                let thought = format!("<think>{thoughts}</think>");
                contents.insert(0, thought);
            }
        }
        ReasoningFormat::None => {}
    }
    message.content = (!contents.is_empty()).then(|| contents.join("\n\n"));
    message.refusal = (!refusals.is_empty()).then(|| refusals.concat());
    if wanted.legacy {
        message.function_call = calls.first().map(|(item, _)| function_call(wanted, item));
    } else {
        message.tool_calls =
            calls.into_iter().map(|(item, custom)| tool_call(wanted, item, custom)).collect();
    }
    let silent = message.tool_calls.is_empty()
        && message.function_call.is_none()
        && message.refusal.is_none();
    if silent {
        message.content.get_or_insert_default();
    }
    message
}

fn tool_call(wanted: &Wanted, item: &Item, custom: bool) -> Box<RawValue> {
    let head = item.head();
    let name = wanted.names.back(head.name.as_deref().unwrap_or_default());
    let payload = payload(item, custom);
    let id = head.call_id.unwrap_or_default();
    raw(&if custom {
        json!({"id": id, "type": "custom", "custom": {"name": name, "input": payload}})
    } else {
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": payload}})
    })
}

fn function_call(wanted: &Wanted, item: &Item) -> Box<RawValue> {
    let head = item.head();
    let name = wanted.names.back(head.name.as_deref().unwrap_or_default());
    raw(&json!({"name": name, "arguments": payload(item, false)}))
}

/// The arguments of a call, or the input of one that takes free text, as a JSON string.
pub(super) fn payload(item: &Item, custom: bool) -> Box<RawValue> {
    let members = item.members().unwrap_or_default();
    let payload = members.get(if custom { "input" } else { "arguments" });
    match payload.and_then(legible) {
        Some(payload) if custom || payload.get() != r#""""# => payload.into_owned(),
        _ if custom => raw(""),
        _ => raw("{}"),
    }
}

/// A text of a message.
pub(super) struct Text {
    /// Its place in the message.
    pub(super) part: u64,
    /// Content or a refusal.
    pub(super) what: What,
    pub(super) text: String,
}

pub(super) fn texts(item: &Item) -> Vec<Text> {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow, default)]
        text: Option<&'a RawValue>,
        #[serde(borrow, default)]
        refusal: Option<&'a RawValue>,
    }
    let parts: Vec<Part<'_>> = item.parts();
    let mut texts = Vec::with_capacity(parts.len());
    for (part, Part { text, refusal }) in (0..).zip(parts) {
        for (what, json) in [(What::Text, text), (What::Refusal, refusal)] {
            let text = json.and_then(said);
            texts.extend(text.map(|text| Text { part, what, text }));
        }
    }
    texts
}

/// A JSON string that anybody can read: one that was cut inside a character is no reason to say
/// nothing.
fn legible(json: &RawValue) -> Option<Cow<'_, RawValue>> {
    match raw_str(json) {
        Some(_) => Some(Cow::Borrowed(json)),
        None => with_whole_characters(json).map(Cow::Owned),
    }
}

/// What such a string says.
fn said(json: &RawValue) -> Option<String> {
    raw_str(&legible(json)?).map(Cow::into_owned)
}

/// The readable part of a reasoning item: its summaries, else its text.
pub(super) fn reasoning(item: &Item) -> Option<String> {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow)]
        text: &'a RawValue,
    }
    let members = item.members().ok()?;
    let parts = |name: &str| -> Vec<Part<'_>> {
        members
            .get(name)
            .and_then(|parts| serde_json::from_str(parts.get()).ok())
            .unwrap_or_default()
    };
    let summary = parts("summary");
    let parts = if summary.is_empty() { parts("content") } else { summary };
    let texts: Vec<String> = parts.into_iter().filter_map(|part| said(part.text)).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// The citations of a message, in this dialect's nested shape.
pub(super) fn annotations(item: &Item) -> Vec<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow, default)]
        annotations: Vec<&'a RawValue>,
    }
    #[derive(Deserialize, Serialize)]
    struct Citation {
        #[serde(rename(deserialize = "type"), skip_serializing)]
        kind: String,
        start_index: u64,
        end_index: u64,
        url: String,
        title: String,
    }
    let parts: Vec<Part<'_>> = item.parts();
    parts
        .iter()
        .flat_map(|part| &part.annotations)
        .filter_map(|annotation| serde_json::from_str::<Citation>(annotation.get()).ok())
        .filter(|citation| citation.kind == "url_citation")
        .map(|citation| raw(&json!({"type": "url_citation", "url_citation": citation})))
        .collect()
}

/// An image that the model has made, as a data URL.
pub(super) fn image(item: &Item) -> Option<String> {
    #[derive(Deserialize)]
    struct Made<'a> {
        #[serde(borrow, default)]
        result: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        output_format: Option<Cow<'a, str>>,
    }
    if item.kind()? != "image_generation_call" {
        return None;
    }
    let made: Made<'_> = from_json(item.json().get()).ok()?;
    let result = made.result?;
    let format = made.output_format.as_deref().unwrap_or("png");
    (!result.is_empty()).then(|| format!("data:image/{format};base64,{result}"))
}

/// An image in the shape that OpenRouter gave this dialect; OpenAI's has none.
pub(super) fn shown(index: usize, url: &str) -> Value {
    json!({"index": index, "type": "image_url", "image_url": {"url": url}})
}

/// `chatcmpl-` and the tail of the upstream's id, so that the two can be told to belong together.
pub(super) fn chat_id(upstream: Option<&str>) -> String {
    match upstream.and_then(|id| id.strip_prefix("resp_")) {
        Some(tail) => format!("chatcmpl-{tail}"),
        None => format!("chatcmpl-{}", uuid::Uuid::new_v4().simple()),
    }
}
