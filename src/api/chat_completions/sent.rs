//! What messages come to, as it is written for the upstream.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::protocol::{Draft, Item};

/// An item that a message comes to. What is JSON goes on as the client wrote it.
pub(super) enum Sent<'a> {
    Message { role: &'a str, content: Vec<SentPart<'a>> },
    Reasoning { summary: Vec<&'a RawValue>, encrypted_content: &'a RawValue },
    FunctionCall { call_id: &'a str, name: &'a str, arguments: &'a RawValue },
    CustomToolCall { call_id: &'a str, name: &'a str, input: &'a RawValue },
    FunctionCallOutput { call_id: &'a str, output: &'a Output<'a> },
    CustomToolCallOutput { call_id: &'a str, output: &'a Output<'a> },
}

/// A part of a message or of an output.
pub(super) enum SentPart<'a> {
    InputText { text: &'a RawValue },
    OutputText { text: &'a RawValue },
    Refusal { refusal: &'a RawValue },
    InputImage { image_url: &'a RawValue, detail: Option<&'a RawValue> },
    InputFile { filename: Option<&'a RawValue>, file_data: &'a RawValue },
}

/// What a tool gave.
pub(super) enum Output<'a> {
    Text(Cow<'a, RawValue>),
    Parts(Vec<SentPart<'a>>),
}

/// For all that is not counted: names, ids, roles.
const SHORT: usize = 96;

impl Sent<'_> {
    pub(super) fn item(&self) -> Item {
        let mut draft = Draft::with_room(SHORT + self.size());
        match self {
            Self::Message { role, content } => draft.object("message", |draft| {
                draft.text("role", role);
                draft.list("content", content, SentPart::write);
            }),
            Self::Reasoning { summary, encrypted_content } => draft.object("reasoning", |draft| {
                draft.list("summary", summary, |draft, text| {
                    draft.object("summary_text", |draft| draft.json("text", text));
                });
                draft.json("encrypted_content", encrypted_content);
            }),
            Self::FunctionCall { call_id, name, arguments } => {
                draft.object("function_call", |draft| {
                    draft.text("call_id", call_id);
                    draft.text("name", name);
                    draft.json("arguments", arguments);
                });
            }
            Self::CustomToolCall { call_id, name, input } => {
                draft.object("custom_tool_call", |draft| {
                    draft.text("call_id", call_id);
                    draft.text("name", name);
                    draft.json("input", input);
                });
            }
            Self::FunctionCallOutput { call_id, output } => {
                draft.object("function_call_output", |draft| output.write(draft, call_id));
            }
            Self::CustomToolCallOutput { call_id, output } => {
                draft.object("custom_tool_call_output", |draft| output.write(draft, call_id));
            }
        }
        draft.item()
    }

    /// How much there is of the client's own, in bytes.
    fn size(&self) -> usize {
        match self {
            Self::Message { content, .. } => content.iter().map(SentPart::size).sum(),
            Self::Reasoning { summary, encrypted_content } => {
                let summary: usize = summary.iter().map(|text| SHORT + text.get().len()).sum();
                summary + encrypted_content.get().len()
            }
            Self::FunctionCall { call_id, name, arguments: json }
            | Self::CustomToolCall { call_id, name, input: json } => {
                call_id.len() + name.len() + json.get().len()
            }
            Self::FunctionCallOutput { call_id, output }
            | Self::CustomToolCallOutput { call_id, output } => call_id.len() + output.size(),
        }
    }
}

impl SentPart<'_> {
    fn write(draft: &mut Draft, part: &Self) {
        let mut one = |kind, name, json| draft.object(kind, |draft| draft.json(name, json));
        match part {
            Self::InputText { text } => one("input_text", "text", text),
            Self::OutputText { text } => one("output_text", "text", text),
            Self::Refusal { refusal } => one("refusal", "refusal", refusal),
            Self::InputImage { image_url, detail } => draft.object("input_image", |draft| {
                draft.json("image_url", image_url);
                match detail {
                    Some(detail) => draft.json("detail", detail),
                    None => draft.text("detail", "auto"),
                }
            }),
            Self::InputFile { filename, file_data } => draft.object("input_file", |draft| {
                if let Some(filename) = filename {
                    draft.json("filename", filename);
                }
                draft.json("file_data", file_data);
            }),
        }
    }

    fn size(&self) -> usize {
        let (Self::InputText { text: json }
        | Self::OutputText { text: json }
        | Self::Refusal { refusal: json }
        | Self::InputImage { image_url: json, .. }
        | Self::InputFile { file_data: json, .. }) = self;
        SHORT + json.get().len()
    }
}

impl Output<'_> {
    fn write(&self, draft: &mut Draft, call_id: &str) {
        draft.text("call_id", call_id);
        match self {
            Self::Text(text) => draft.json("output", text),
            Self::Parts(parts) => draft.list("output", parts, SentPart::write),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(json) => json.get().len(),
            Self::Parts(parts) => parts.iter().map(SentPart::size).sum(),
        }
    }
}
