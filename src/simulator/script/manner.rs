//! Scripts about how the same is said: in which shape, when, and with what beside it.

use std::time::Duration;

use serde_json::Value;

use super::Script;

/// Which of the backend's ways of saying the same is used.
#[derive(Clone, Debug, Default)]
pub(in crate::simulator) struct Shape {
    pub whole_items: bool,
    pub interleaved: bool,
    pub response_done: bool,
    pub output: FinalOutput,
}

/// What `response.completed` says in `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::simulator) enum FinalOutput {
    /// As since April 2026.
    #[default]
    Empty,
    Full,
    FullWithoutIds,
    Absent,
}

#[derive(Clone, Debug, Default)]
pub(in crate::simulator) struct Pauses {
    pub before_headers: Duration,
    pub before_first_item: Duration,
    pub between: Option<Duration>,
}

/// Events that belong to no item.
#[derive(Clone, Debug, Default)]
pub(in crate::simulator) struct Asides {
    pub keepalives: bool,
    pub rate_limits: bool,
    pub events: Vec<(String, Value)>,
}

impl Script {
    /// Only `output_item.done` for each item, no deltas.
    #[must_use]
    pub fn whole_items(mut self) -> Self {
        self.shape.whole_items = true;
        self
    }

    /// The arguments of neighbouring tool calls come in turns.
    #[must_use]
    pub fn interleaved(mut self) -> Self {
        self.shape.interleaved = true;
        self
    }

    /// Old profile: `response.completed` lists the items.
    #[must_use]
    pub fn full_output(mut self) -> Self {
        self.shape.output = FinalOutput::Full;
        self
    }

    /// Old profile: it lists them with `"id": null`.
    #[must_use]
    pub fn full_output_without_ids(mut self) -> Self {
        self.shape.output = FinalOutput::FullWithoutIds;
        self
    }

    /// `response.completed` has no `output` at all.
    #[must_use]
    pub fn absent_output(mut self) -> Self {
        self.shape.output = FinalOutput::Absent;
        self
    }

    /// The last event is named `response.done`.
    #[must_use]
    pub fn response_done(mut self) -> Self {
        self.shape.response_done = true;
        self
    }

    /// A pause before the status line.
    #[must_use]
    pub fn delay_before_headers(mut self, pause: Duration) -> Self {
        self.pauses.before_headers = pause;
        self
    }

    /// A pause after `response.in_progress`.
    #[must_use]
    pub fn delay_before_first_item(mut self, pause: Duration) -> Self {
        self.pauses.before_first_item = pause;
        self
    }

    /// A pause between two events of the items.
    #[must_use]
    pub fn delay_between(mut self, pause: Duration) -> Self {
        self.pauses.between = Some(pause);
        self
    }

    /// `keepalive` events, as the backend sends them during long silence.
    #[must_use]
    pub fn keepalives(mut self) -> Self {
        self.asides.keepalives = true;
        self
    }

    /// A `codex.rate_limits` event after `response.in_progress`.
    #[must_use]
    pub fn rate_limits_event(mut self) -> Self {
        self.asides.rate_limits = true;
        self
    }

    /// An event that no client knows, after `response.in_progress`.
    #[must_use]
    pub fn unknown_event(mut self, name: &str, json: Value) -> Self {
        self.asides.events.push((name.to_owned(), json));
        self
    }
}
