//! `POST /v1/chat/completions`.

use bytes::{Bytes, BytesMut};

use super::{Client, Decoded, Dialect, Error};
use crate::{
    config::ReasoningFormat,
    protocol::{Event, Response},
    shaping::Names,
    state::Keeps,
    upstream,
};

mod chunk;
mod decode;
mod encode;
mod messages;
mod reply;
mod settings;
mod tools;
mod wire;

pub(super) use settings::service_tier;

/// One turn in the Chat Completions dialect.
pub struct Chat {
    wanted: Wanted,
    encoder: encode::Encoder,
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
    names: Names,
}

impl Chat {
    fn new(wanted: Wanted) -> Self {
        Self { wanted, encoder: encode::Encoder::default() }
    }
}

impl Dialect for Chat {
    const NAME: &'static str = "chat";
    const INPUT: &'static str = "messages";

    type Other = super::Responses;

    fn decode(body: &[u8], client: &Client<'_>) -> Result<Decoded<Self>, Error> {
        decode::decode(body, client)
    }

    fn streams(&self) -> bool {
        self.wanted.stream
    }

    /// This dialect has no room for it.
    fn keeps(&self) -> Keeps {
        Keeps::Reasoning
    }

    fn encode(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error> {
        self.encoder.event(&self.wanted, event, out)
    }

    /// The error object, and no more: no finish reason was given, so none is invented.
    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        crate::sse::write_data(out, &error.json());
    }

    fn reply(self, response: Response) -> Result<Bytes, upstream::Error> {
        reply::reply(&self.wanted, response)
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
fn finish_reason(response: &Response, calls: bool, legacy: bool) -> &'static str {
    use crate::protocol::Outcome;
    match &response.outcome {
        // Before the calls: one that was cut off must not be run.
        Outcome::Incomplete(reason) if reason == "content_filter" => "content_filter",
        Outcome::Incomplete(_) => "length",
        _ if calls && legacy => "function_call",
        _ if calls => "tool_calls",
        _ => "stop",
    }
}

fn unix_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

#[cfg(test)]
mod tests;
