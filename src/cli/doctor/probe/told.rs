//! What was found, as a table and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ask::End, terminal};

/// What the backend takes, turn by turn.
#[derive(Debug, Default, Serialize)]
pub(in crate::cli::doctor) struct Findings {
    /// Why not every turn was asked for.
    pub(in crate::cli::doctor) stopped: Option<String>,
    #[serde(skip)]
    pub(in crate::cli::doctor) login_needed: bool,
    pub(super) turns: Vec<Tried>,
}

/// One turn, as it was to be asked for.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    pub(super) model: String,
    /// `classic` or `lite`.
    pub(super) shape: &'static str,
    /// `http` or `websocket`.
    pub(super) transport: &'static str,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// What came of a turn; statuses, codes and messages are those that a client would get.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    Accepted { tokens: u64 },
    Refused { status: u16, code: Option<String>, message: String },
    Failed { status: u16, code: Option<String>, message: String },
    NotTried { why: String },
}

impl Findings {
    pub(in crate::cli::doctor) fn none(why: &str) -> Self {
        Self { stopped: Some(why.to_owned()), ..Self::default() }
    }

    pub(super) fn end(&mut self, end: Option<End>) {
        if let Some(End { why, login_needed }) = end {
            self.stopped = Some(why.to_owned());
            self.login_needed = login_needed;
        }
    }

    /// For people: a row for each model and shape, and what was said of those that were refused.
    pub(in crate::cli::doctor) fn text(&self) -> String {
        let mut rows = vec![["MODEL", "SHAPE", "HTTP", "WEBSOCKET"].map(str::to_owned).to_vec()];
        let mut why: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in self.turns.chunks(2) {
            let mut row = vec![pair[0].model.clone(), pair[0].shape.to_owned()];
            for tried in pair {
                row.push(tried.outcome.short());
                if let Some(said) = tried.outcome.long() {
                    let Tried { model, shape, transport, .. } = tried;
                    why.entry(said).or_default().push(format!("{model} {shape} {transport}"));
                }
            }
            rows.push(row);
        }
        let mut text = String::new();
        if rows.len() > 1 {
            text = terminal::table(&rows, |_, _| None);
        }
        for (said, turns) in why {
            text.push_str(&format!("\n{said}\n  {}\n", turns.join("\n  ")));
        }
        if let Some(stopped) = &self.stopped {
            text.push_str(&format!("\nnot all turns were asked for: {stopped}\n"));
        }
        text
    }
}

impl Outcome {
    fn short(&self) -> String {
        match self {
            Self::Accepted { .. } => "accepted".to_owned(),
            Self::Refused { status, code, .. } => named("refused", *status, code.as_deref()),
            Self::Failed { status, code, .. } => named("failed", *status, code.as_deref()),
            Self::NotTried { .. } => "not tried".to_owned(),
        }
    }

    fn long(&self) -> Option<String> {
        match self {
            Self::Accepted { .. } => None,
            Self::Refused { message, .. } | Self::Failed { message, .. } => {
                Some(format!("{}: {message}", self.short()))
            }
            Self::NotTried { why } => Some(format!("not tried: {why}")),
        }
    }
}

fn named(word: &str, status: u16, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{word} ({status} {code})"),
        None => format!("{word} ({status})"),
    }
}
