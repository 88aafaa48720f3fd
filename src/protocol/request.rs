//! What is asked of an upstream: the fields that the Codex backend takes, and no others.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Item, Object};

/// One request in the upstream's language, in the order in which it is written.
///
/// What a client sent beside these fields has been dealt with (echoed, emulated, dropped and
/// named) by its dialect, because the backend refuses every field that it does not know.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Request {
    pub model: String,
    /// A JSON string; the backend of some months wants it present, so it always is.
    pub instructions: Option<Box<RawValue>>,
    pub input: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Box<RawValue>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Reasoning::is_empty")]
    pub reasoning: Reasoning,
    pub store: bool,
    pub stream: bool,
    pub include: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_key: Option<String>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub text: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_metadata: Option<Box<RawValue>>,
    /// Fields that are sent as the client gave them: to an upstream that takes them, or because
    /// the profile says so.
    #[serde(flatten)]
    pub rest: Object<'static>,
}

impl Request {
    /// Writes it as it is sent behind what is in `json`.
    ///
    /// # Errors
    /// When it cannot be written, which of JSON that was read does not happen.
    pub fn write_to(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        const REST: usize = 1024;
        let texts = self.input.iter().map(Item::json);
        let rest = self.instructions.iter().chain(self.tools.iter().flatten());
        let texts = texts.chain(rest.map(|json| &**json));
        let size: usize = texts.map(|json| json.get().len() + 1).sum();
        json.reserve(size + REST);
        serde_json::to_writer(json, self)
    }

    /// Whether some of the conversation is the model's already.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let of_model = |item: &Item| item.role().is_none_or(|role| role == "assistant");
        self.input.iter().any(of_model)
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl Reasoning {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.effort.is_none() && self.summary.is_none() && self.context.is_none()
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Text {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<String>,
}

impl Text {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.format.is_none() && self.verbosity.is_none()
    }
}

/// The one stream option that the backend knows, as the official client sends it.
#[derive(Clone, Debug, Serialize)]
pub struct StreamOptions {
    pub reasoning_summary_delivery: String,
}
