//! The request as OpenAI documents it, and as clients bend it.
//!
//! Everything that is only passed on is borrowed from the body.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    api::{
        Error,
        at::At,
        fields::{Members, entries, read, read_entry},
    },
    protocol::Entry,
};

#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) role: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<Vec<Members<ToolCall<'a>>>>,
    #[serde(borrow, default)]
    pub(super) function_call: Option<Members<Function<'a>>>,
    #[serde(borrow, default)]
    pub(super) tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) reasoning_content: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) reasoning: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) reasoning_details: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) thinking_blocks: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) audio: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) function: Option<Members<Function<'a>>>,
    #[serde(borrow, default)]
    pub(super) custom: Option<Members<Custom<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Custom<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
}

/// A message's content: one text, or parts.
pub(super) enum Content<'a> {
    /// A JSON string as it was written.
    Text(&'a RawValue),
    Parts(Vec<Part<'a>>),
}

/// One part of a content; texts are JSON strings as they were written.
pub(super) enum Part<'a> {
    Text(&'a RawValue),
    Image { url: &'a RawValue, detail: Option<&'a RawValue> },
    File { name: Option<&'a RawValue>, data: &'a RawValue },
    Refusal(&'a RawValue),
}

impl<'a> Content<'a> {
    /// `None` for what says nothing: `null`, an empty string, no parts.
    pub(super) fn read(json: Option<&'a RawValue>, at: At<'_>) -> Result<Option<Self>, Error> {
        let Some(json) = json else { return Ok(None) };
        match json.get().as_bytes() {
            br#""""# | b"null" => Ok(None),
            [b'"', ..] => Ok(Some(Self::Text(json))),
            [b'[', ..] => {
                let parts = entries(at, json)?;
                let read = |(index, part)| Part::read(part, at.item(index));
                let parts =
                    parts.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
                Ok((!parts.is_empty()).then_some(Self::Parts(parts)))
            }
            _ => Err(Error::wrong_type(at, "a string or an array of content parts")),
        }
    }

    pub(super) fn parts(self) -> Vec<Part<'a>> {
        match self {
            Self::Text(text) => vec![Part::Text(text)],
            Self::Parts(parts) => parts,
        }
    }
}

#[derive(Deserialize)]
struct RawPart<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file: Option<Members<RawFile<'a>>>,
}

#[derive(Deserialize)]
struct RawFile<'a> {
    #[serde(borrow, default)]
    filename: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawImage<'a> {
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

impl<'a> Part<'a> {
    fn read(part: Entry<'a>, at: At<'_>) -> Result<Self, Error> {
        let (json, _) = part;
        if json.get().starts_with('"') {
            return Ok(Self::Text(json)); // Some clients send a bare string as a part.
        }
        let part: RawPart<'a> = read_entry(at, part)?;
        let Some(kind) = part.kind else { return Err(Error::missing(at.member("type"))) };
        match &*kind {
            "text" | "input_text" | "output_text" => {
                Ok(Self::Text(string(part.text, at.member("text"))?))
            }
            "refusal" => Ok(Self::Refusal(string(part.refusal, at.member("refusal"))?)),
            "image_url" | "input_image" => {
                let at = at.member("image_url");
                let Some(image) = part.image_url else { return Err(Error::missing(at)) };
                if image.get().starts_with('"') {
                    return Ok(Self::Image { url: image, detail: part.detail });
                }
                let Members(RawImage { url, detail }) = read(at, image)?;
                Ok(Self::Image { url: string(url, at.member("url"))?, detail })
            }
            "file" => {
                let at = at.member("file");
                let Some(Members(file)) = part.file else { return Err(Error::missing(at)) };
                if file.file_id.is_some() {
                    return Err(Error::unsupported(
                        at.member("file_id"),
                        "`file_id` is not supported: there are no stored files here; send the file itself as `file_data`.",
                    ));
                }
                let data = string(file.file_data, at.member("file_data"))?;
                Ok(Self::File { name: file.filename, data })
            }
            "input_audio" => Err(Error::unsupported(
                at,
                "Audio input is not supported: the models of this backend take text and images.",
            )),
            other => Err(Error::wrong_value(
                at.member("type"),
                format!(
                    "'{other}'. Supported values are: 'text', 'image_url', 'file' and 'refusal'"
                ),
            )),
        }
    }
}

/// The field, if it is there and a string.
fn string<'a>(json: Option<&'a RawValue>, at: At<'_>) -> Result<&'a RawValue, Error> {
    match json {
        None => Err(Error::missing(at)),
        Some(json) if json.get().starts_with('"') => Ok(json),
        Some(_) => Err(Error::wrong_type(at, "a string")),
    }
}
