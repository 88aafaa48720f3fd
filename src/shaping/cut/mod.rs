//! Cuts a turn short where its client asked for that and the backend cannot: at a stop sequence,
//! or after so many tokens.
//!
//! The turn then ends as the upstream would have ended it, and is cancelled there.

mod ending;
mod items;
mod said;
mod stage;
mod stop;
mod texts;
mod told;
mod what;
mod write;

use futures_util::StreamExt;

use crate::{protocol::unix_now, upstream::Events};
use stage::{Flow, Stage};

/// Where a turn is to end, if it gets that far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Sequences that end the turn when they appear in its output text, which then ends before
    /// them. They are not looked for in reasoning, refusals or calls; empty ones are ignored.
    pub stop: Vec<String>,
    /// The most tokens of output that a client is shown: text, refusals, and the arguments or input
    /// of calls. Reasoning is not counted, since it cannot be seen while it happens.
    pub max_tokens: Option<u64>,
}

impl Limits {
    /// Whether every turn is within them.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.max_tokens.is_none() && self.stop.iter().all(String::is_empty)
    }
}

/// Why a turn was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Stop,
    Length,
}

/// The events of a turn, up to its own end or to where `limits` end it.
///
/// What needs no change passes as it came. Text that may be the beginning of a stop sequence waits
/// until that is decided, and so does a word about which it depends on its end whether it fits.
/// `input_tokens` is asked for the turn's input, for its usage, only if the turn was cut.
#[must_use]
pub fn cut(
    mut events: Events,
    limits: &Limits,
    input_tokens: impl FnOnce() -> u64 + Send + 'static,
) -> Events {
    if limits.is_none() {
        return events;
    }
    let mut stage = Stage::new(limits);
    async_stream::stream! {
        let mut out = Vec::with_capacity(4);
        let flow = loop {
            match events.next().await {
                Some(Ok(event)) => {
                    let last = event.kind.is_terminal();
                    let flow = stage.event(event, &mut out);
                    if flow != Flow::On || last {
                        break flow;
                    }
                    for event in out.drain(..) {
                        yield Ok(event);
                    }
                }
                broken => {
                    let flow = stage.end(&mut out);
                    if flow == Flow::On {
                        for event in out.drain(..) {
                            yield Ok(event);
                        }
                        if let Some(error) = broken {
                            yield error;
                        }
                    }
                    break flow;
                }
            }
        };
        drop(events); // Nothing more is generated upstream from here on.
        for event in out {
            yield Ok(event);
        }
        if let Flow::Cut(why) = flow {
            yield Ok(stage.last(why, input_tokens(), unix_now()));
        }
    }
    .boxed()
}

#[cfg(test)]
mod tests;
