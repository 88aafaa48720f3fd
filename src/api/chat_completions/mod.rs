//! `POST /v1/chat/completions`.

use bytes::{Bytes, BytesMut};

use super::{Client, Decoded, Dialect, Error, Fields, dialect::Flow};
use crate::{
    config::{Protocol, ReasoningFormat},
    protocol::{Event, Outcome, Response},
    shaping::Names,
    upstream,
};

mod choices;
mod chunk;
mod decode;
mod encode;
mod messages;
mod pen;
mod reply;
mod sent;
mod settings;
mod thoughts;
mod tool_choice;
mod tools;
mod wire;

pub(super) use settings::service_tier;
pub(super) use tool_choice::hosted_choice;

/// One turn in the Chat Completions dialect.
pub struct Chat {
    wanted: Wanted,
    choices: choices::Choices,
}

/// What the request said about the answer.
struct Wanted {
    /// As the client called it, and as it is called in the answer.
    model: String,
    stream: bool,
    include_usage: bool,
    /// Calls go out as `function_call`.
    legacy: bool,
    reasoning: ReasoningFormat,
    /// The answer is JSON, so only one message of it may be content.
    json: bool,
    /// It knows of calls that take free text: it has declared such a tool.
    custom: bool,
    names: Names,
}

impl Chat {
    fn new(wanted: Wanted, choices: usize) -> Self {
        Self { wanted, choices: choices::Choices::new(choices) }
    }
}

impl Dialect for Chat {
    const NAME: &'static str = "chat";
    const PROTOCOL: Protocol = Protocol::OpenaiChat;
    const INPUT: &'static str = "messages";
    const CARRIES_REASONING: bool = false;

    type Other = super::Responses;

    fn decode(fields: Fields<'_>, client: &Client<'_>) -> Result<Decoded<Self>, Error> {
        decode::decode(fields, client)
    }

    fn streams(&self) -> bool {
        self.wanted.stream
    }

    fn encode(
        &mut self,
        choice: usize,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<Flow, upstream::Error> {
        self.choices.event(&self.wanted, choice, event, out)
    }

    /// The error object, and no more: no finish reason was given, so none is invented.
    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        crate::sse::write_data(out, &error.json());
    }

    fn reply(&mut self, responses: Vec<Response>) -> Result<Bytes, upstream::Error> {
        reply::reply(&self.wanted, responses)
    }

    fn param(upstream: String) -> String {
        let renamed = [
            ("reasoning.effort", "reasoning_effort"),
            ("text.verbosity", "verbosity"),
            ("text.format.schema", "response_format.json_schema.schema"),
            ("text.format", "response_format"),
            ("input", "messages"),
        ];
        for (theirs, ours) in renamed {
            if let Some(rest) = upstream.strip_prefix(theirs) {
                // The items are not the messages one to one, so their numbers would mislead.
                let rest = if theirs == "input" { "" } else { rest };
                return format!("{ours}{rest}");
            }
        }
        match upstream.split_once("].") {
            Some((tool, rest)) if tool.starts_with("tools[") => format!("{tool}].function.{rest}"),
            _ => upstream,
        }
    }
}

/// The reason that ends a choice.
fn finish_reason(outcome: &Outcome, calls: bool, legacy: bool) -> &'static str {
    match outcome {
        // Before the calls: one that was cut off must not be run.
        Outcome::Incomplete(reason) if reason == "content_filter" => "content_filter",
        Outcome::Incomplete(_) => "length",
        _ if calls && legacy => "function_call",
        _ if calls => "tool_calls",
        _ => "stop",
    }
}
