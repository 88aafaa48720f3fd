//! A named set of choices: where a turn runs, as whom, and how far prompts and tools may change.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::choice::choice;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub upstream: String,
    pub account: String,
    /// For requests that name no model, or `auto`; empty for none.
    pub model: String,
    /// From what clients ask for to what is sent.
    pub aliases: BTreeMap<String, String>,
    pub unlisted_models: UnlistedModels,
    pub instructions: Instructions,
    pub reasoning: Reasoning,
    pub verbosity: String,
    pub service_tier: String,
    pub parameters: Parameters,
    pub protocol: Protocol,
    pub codex_passthrough: Passthrough,
    /// The long form of `instructions`; [`Profile::prompt`] answers for both.
    #[serde(default)]
    pub prompt_mode: Option<PromptMode>,
    /// The file with the base prompt; empty for our own.
    pub base_prompt: String,
    pub tool_schema_mode: ToolSchemaMode,
    pub tool_text_format: ToolTextFormat,
    pub bypass_tool_call_reactor: bool,
    pub include_environment_context: bool,
}

impl Profile {
    /// Whose instructions are sent, in whichever form the user said it.
    pub fn prompt(&self) -> PromptMode {
        self.prompt_mode.unwrap_or(self.instructions.into())
    }
}

choice! {
    UnlistedModels { Refuse = "refuse", Forward = "forward" }
}

choice! {
    Instructions { Client = "client", Merge = "merge", Codex = "codex" }
}

impl From<Instructions> for PromptMode {
    fn from(instructions: Instructions) -> Self {
        match instructions {
            Instructions::Client => Self::CustomOnly,
            Instructions::Merge => Self::MergeCustom,
            Instructions::Codex => Self::CodexDefault,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reasoning {
    /// One of [`Reasoning::EFFORTS`].
    pub effort: String,
    /// One of [`Reasoning::SUMMARIES`].
    pub summary: String,
    pub format: ReasoningFormat,
}

impl Reasoning {
    pub const EFFORTS: &'static [&'static str] =
        &["auto", "none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];
    pub const SUMMARIES: &'static [&'static str] = &["auto", "concise", "detailed", "none"];
}

choice! {
    ReasoningFormat {
        ReasoningContent = "reasoning_content",
        Reasoning = "reasoning",
        ThinkTags = "think-tags",
        None = "none",
    }
}

/// What becomes of request fields that the upstream refuses.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Parameters {
    #[default]
    Lenient,
    Strict,
    /// Field by field; what is not named is treated leniently.
    Table(BTreeMap<String, Policy>),
}

impl Parameters {
    pub(super) const WORDS: &'static [&'static str] = &["lenient", "strict"];
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Word(String),
            Table(BTreeMap<String, Policy>),
        }

        match Form::deserialize(deserializer)? {
            Form::Word(word) if word == "lenient" => Ok(Self::Lenient),
            Form::Word(word) if word == "strict" => Ok(Self::Strict),
            Form::Word(word) => Err(serde::de::Error::unknown_variant(&word, Self::WORDS)),
            Form::Table(policies) => Ok(Self::Table(policies)),
        }
    }
}

choice! {
    Policy { Forward = "forward", Emulate = "emulate", Drop = "drop", Reject = "reject" }
}

choice! {
    /// The dialect that a profile serves; the other is refused.
    Protocol {
        Auto = "auto",
        OpenaiChat = "openai-chat",
        OpenaiResponses = "openai-responses",
    }
}

choice! {
    /// Whether `/v1/responses` bodies are relayed as they are. Written as `"auto"` or a boolean.
    Passthrough { Auto = "auto", True = "true", False = "false" }
}

choice! {
    PromptMode {
        CustomOnly = "custom_only",
        MergeCustom = "merge_custom",
        CodexDefault = "codex_default",
    }
}

choice! {
    ToolSchemaMode {
        CustomOnly = "custom_only",
        MergeCustom = "merge_custom",
        CodexDefault = "codex_default",
    }
}

choice! {
    ToolTextFormat {
        None = "none",
        CodexXml = "codex_xml",
        Markdown = "markdown",
        Summary = "summary",
    }
}
