//! What to answer, in words that read like the test they stand in.

mod manner;
mod named;
mod platform;
mod queue;
mod token;
mod wire;

pub(super) use manner::{Asides, FinalOutput, Pauses, Shape};
pub(super) use queue::Scripts;
pub(super) use token::TokenFate;
pub use token::TokenScript;
pub(super) use wire::Wire;

use super::reply::Reply;

/// What to do with one turn.
///
/// Items are answered in the order in which they are added. A script replaces only the answer: the
/// request is still checked first, unless [`Script::unchecked`].
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What is said; `None` leaves it to the built-in answers.
    pub(super) items: Option<Vec<Item>>,
    pub(super) ending: Ending,
    /// Instead of a stream.
    pub(super) reply: Option<Reply>,
    pub(super) wire: Wire,
    pub(super) shape: Shape,
    pub(super) pauses: Pauses,
    pub(super) asides: Asides,
    pub(super) unchecked: bool,
}

/// One output item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Message { text: String, phase: Option<String>, deltas: Option<Vec<String>> },
    Refusal(String),
    Reasoning { summary: Vec<String> },
    ToolCall { namespace: Option<String>, name: String, arguments: String },
    CustomToolCall { namespace: Option<String>, name: String, input: String },
    WebSearch { query: String },
    ImageGeneration,
    Compaction,
}

/// How the stream ends.
#[derive(Clone, Debug, Default)]
pub(super) enum Ending {
    #[default]
    Completed,
    Incomplete {
        reason: String,
    },
    /// `error`, then `response.failed`; the items come first only if `after_items`.
    Failed {
        code: String,
        message: String,
        after_items: bool,
    },
    /// `error`, then nothing.
    ErrorOnly {
        code: String,
        message: String,
    },
    /// The items, then a clean end of the body.
    Missing,
    /// `response.created`, then silence until the client leaves.
    Stall,
    /// The items, then silence until the client leaves.
    StallAfterItems,
}

impl Script {
    /// The built-in answer, until something is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// A message that says `text`.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new().message(text)
    }

    /// Adds a message. Its phase is `commentary` if tool calls follow, else `final_answer`.
    #[must_use]
    pub fn message(self, text: impl Into<String>) -> Self {
        self.item(Item::Message { text: text.into(), phase: None, deltas: None })
    }

    /// Adds a message with a phase of its own.
    #[must_use]
    pub fn message_with_phase(self, phase: &str, text: impl Into<String>) -> Self {
        let phase = Some(phase.to_owned());
        self.item(Item::Message { text: text.into(), phase, deltas: None })
    }

    /// The last message comes in these pieces; adds the message if the last item is none.
    #[must_use]
    pub fn deltas(mut self, pieces: &[&str]) -> Self {
        let pieces: Vec<_> = pieces.iter().map(|&piece| piece.to_owned()).collect();
        let items = self.items.get_or_insert_default();
        match items.last_mut() {
            Some(Item::Message { text, deltas, .. }) => {
                *text = pieces.concat();
                *deltas = Some(pieces);
            }
            _ => items.push(Item::Message {
                text: pieces.concat(),
                phase: None,
                deltas: Some(pieces),
            }),
        }
        self
    }

    /// Adds reasoning, in front of a message that was just added, since nobody thinks after the
    /// answer. Called again, it adds a summary part to the same item.
    #[must_use]
    pub fn reasoning(mut self, summary: impl Into<String>) -> Self {
        let items = self.items.get_or_insert_default();
        let at = match items.last() {
            Some(Item::Message { .. }) => items.len() - 1,
            _ => items.len(),
        };
        match at.checked_sub(1).and_then(|before| items.get_mut(before)) {
            Some(Item::Reasoning { summary: parts }) => parts.push(summary.into()),
            _ => items.insert(at, Item::Reasoning { summary: vec![summary.into()] }),
        }
        self
    }

    /// Adds a function call.
    #[must_use]
    pub fn tool_call(self, name: &str, arguments: &str) -> Self {
        let (name, arguments) = (name.to_owned(), arguments.to_owned());
        self.item(Item::ToolCall { namespace: None, name, arguments })
    }

    /// Adds a call of a function inside a namespace.
    #[must_use]
    pub fn namespaced_tool_call(self, namespace: &str, name: &str, arguments: &str) -> Self {
        let (name, arguments) = (name.to_owned(), arguments.to_owned());
        self.item(Item::ToolCall { namespace: Some(namespace.to_owned()), name, arguments })
    }

    /// Adds a call of a custom tool, which takes text.
    #[must_use]
    pub fn custom_tool_call(self, name: &str, input: &str) -> Self {
        let (name, input) = (name.to_owned(), input.to_owned());
        self.item(Item::CustomToolCall { namespace: None, name, input })
    }

    /// Adds a hosted web search.
    #[must_use]
    pub fn web_search(self) -> Self {
        self.item(Item::WebSearch { query: "codexway".to_owned() })
    }

    /// Adds a hosted image generation, of one pixel.
    #[must_use]
    pub fn image_generation(self) -> Self {
        self.item(Item::ImageGeneration)
    }

    /// Adds a message that is a refusal.
    #[must_use]
    pub fn refusal(self, text: impl Into<String>) -> Self {
        self.item(Item::Refusal(text.into()))
    }

    /// Ends in `response.incomplete`: `max_output_tokens` or `content_filter`.
    #[must_use]
    pub fn incomplete(self, reason: &str) -> Self {
        self.ending(Ending::Incomplete { reason: reason.to_owned() })
    }

    /// Fails before the first item: `created`, `in_progress`, `error`, `response.failed`.
    #[must_use]
    pub fn failed(self, code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        self.ending(Ending::Failed { code, message, after_items: false })
    }

    /// Fails after the items.
    #[must_use]
    pub fn failed_after_text(self, code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        self.ending(Ending::Failed { code, message, after_items: true })
    }

    /// `created`, `in_progress`, `error`, and no `response.failed`.
    #[must_use]
    pub fn error_event_only(self, code: &str, message: &str) -> Self {
        self.ending(Ending::ErrorOnly { code: code.to_owned(), message: message.to_owned() })
    }

    /// The body ends cleanly, but no event says so.
    #[must_use]
    pub fn ends_without_terminal_event(self) -> Self {
        self.ending(Ending::Missing)
    }

    /// Headers and `response.created`, then silence until the client leaves.
    #[must_use]
    pub fn stall(self) -> Self {
        self.ending(Ending::Stall)
    }

    /// The items, then silence until the client leaves.
    #[must_use]
    pub fn stall_after_items(self) -> Self {
        self.ending(Ending::StallAfterItems)
    }

    /// An HTTP answer instead of a stream.
    #[must_use]
    pub fn status(mut self, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|&(name, value)| (name, value.to_owned()));
        self.reply = Some(Reply::new(status, body).headers(headers));
        self
    }

    /// The checks are skipped, all of them.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    fn item(mut self, item: Item) -> Self {
        self.items.get_or_insert_default().push(item);
        self
    }

    fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }
}
