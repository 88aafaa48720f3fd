//! The model's calls, for clients that want more than to be handed them as they are: calls that
//! are mended, and calls that are shown as text too.

use std::collections::BTreeMap;

use futures_util::StreamExt;

use crate::{config::ToolTextFormat, protocol::Event, upstream::Events};

mod lenient;
mod mend;
mod stage;
mod text;

use stage::Stage;

/// What is wanted of calls besides the calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    pub shown: ToolTextFormat,
    /// Names that the model gets slightly wrong, and arguments that are not quite JSON, are mended.
    pub mended: bool,
    /// The names of the tools that were offered.
    pub tools: Vec<String>,
}

/// The events of a turn with its calls as they are wanted.
#[must_use]
pub fn calls(mut events: Events, wanted: Calls) -> Events {
    if wanted.shown == ToolTextFormat::None && !wanted.mended {
        return events;
    }
    let mut stage = Stage { wanted, shown: Vec::new(), next_index: 0, names: BTreeMap::new() };
    async_stream::stream! {
        let mut out: Vec<Event> = Vec::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => stage.event(event, &mut out),
                Err(error) => {
                    yield Err(error);
                    return;
                }
            }
            for event in out.drain(..) {
                yield Ok(event);
            }
        }
    }
    .boxed()
}

#[cfg(test)]
mod tests;
