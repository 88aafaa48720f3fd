//! What the model thinks, in the form in which the client wants it.

use bytes::BytesMut;
use serde_json::value::RawValue;

use super::{Encoder, State, paragraph};
use crate::{
    api::chat_completions::{chunk::member, pen::Pen},
    config::ReasoningFormat,
    protocol::raw,
};

/// Where in the text of its reasoning the model is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Thinking {
    #[default]
    Not,
    /// A `<think>` has been written and not yet closed.
    Tagged,
}

impl Encoder {
    pub(super) fn reasoning(
        &mut self,
        pen: &Pen<'_>,
        index: u64,
        delta: &RawValue,
        out: &mut BytesMut,
    ) {
        let state = self.items.state(index, || State::Reasoning { written: false });
        let begins = match state {
            State::Reasoning { written } => !std::mem::replace(written, true),
            _ => false,
        };
        let follows = match pen.wanted.reasoning {
            ReasoningFormat::ThinkTags => self.thinking == Thinking::Tagged,
            _ => self.thought,
        };
        if begins && follows {
            self.think(pen, paragraph(), out);
        }
        self.thought = true;
        self.think(pen, delta, out);
    }

    /// A piece of what is thought.
    fn think(&mut self, pen: &Pen<'_>, delta: &RawValue, out: &mut BytesMut) {
        match pen.wanted.reasoning {
            ReasoningFormat::ReasoningContent => {
                self.delta(pen, out, |out| member(out, "reasoning_content", delta));
            }
            ReasoningFormat::Reasoning => {
                self.delta(pen, out, |out| member(out, "reasoning", delta));
            }
            ReasoningFormat::ThinkTags => {
                if self.thinking == Thinking::Not {
                    self.thinking = Thinking::Tagged;
                    self.delta(pen, out, |out| member(out, "content", &raw("<think>")));
                }
                self.delta(pen, out, |out| member(out, "content", delta));
            }
            ReasoningFormat::None => {}
        }
    }

    pub(super) fn close_thinking(&mut self, pen: &Pen<'_>, out: &mut BytesMut) {
        if std::mem::take(&mut self.thinking) == Thinking::Tagged {
            self.delta(pen, out, |out| member(out, "content", &raw("</think>\n\n")));
        }
    }
}
