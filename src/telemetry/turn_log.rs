//! One line a turn.

use std::time::Instant;

use serde::Deserialize;

use crate::protocol::{Event, Usage};

/// Collects what is worth knowing about a turn, and says it once, when the turn is over.
///
/// A turn that is dropped before its end was left by its client.
#[derive(Debug)]
pub struct TurnLog {
    id: String,
    dialect: &'static str,
    model: String,
    began: Instant,
    first_content: Option<Instant>,
    usage: Usage,
    open: bool,
}

impl Default for TurnLog {
    /// A log of nothing, which says nothing.
    fn default() -> Self {
        let mut log = Self::new(String::new(), "");
        log.open = false;
        log
    }
}

impl TurnLog {
    #[must_use]
    pub fn new(id: String, dialect: &'static str) -> Self {
        let began = Instant::now();
        let (model, usage) = (String::new(), Usage::default());
        Self { id, dialect, model, began, first_content: None, usage, open: true }
    }

    /// Whom the turn goes to, and in which dialect it turned out to be.
    pub fn model(&mut self, dialect: &'static str, model: &str) {
        self.dialect = dialect;
        model.clone_into(&mut self.model);
    }

    /// Takes note of an event that goes by.
    pub fn event(&mut self, event: &Event) {
        #[derive(Deserialize)]
        struct Ended {
            response: WithUsage,
        }
        #[derive(Deserialize)]
        struct WithUsage {
            #[serde(default)]
            usage: Option<Usage>,
        }
        if self.first_content.is_none() && !event.kind.is_prelude() {
            self.first_content = Some(Instant::now());
        }
        if event.kind.is_terminal()
            && let Ok(Ended { response }) = event.read()
        {
            self.usage += response.usage.unwrap_or_default(); // Of each choice.
        }
    }

    pub fn finished(&mut self) {
        let millis = |since: Instant| since.duration_since(self.began).as_millis() as u64;
        tracing::info!(
            request.id = self.id,
            turn.dialect = self.dialect,
            turn.model = self.model,
            duration_ms = millis(Instant::now()),
            first_content_ms = self.first_content.map(millis),
            tokens.input = self.usage.input_tokens,
            tokens.cached = self.usage.input_tokens_details.cached_tokens,
            tokens.output = self.usage.output_tokens,
            "turn finished"
        );
        self.open = false;
    }

    pub fn failed(&mut self, status: u16, reason: &str) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    request.id = self.id,
                    turn.dialect = self.dialect,
                    turn.model = self.model,
                    duration_ms = self.began.elapsed().as_millis() as u64,
                    status,
                    reason,
                    "turn failed"
                )
            };
        }
        // What a client asked wrongly is told to the client; the log need not warn of it.
        match status {
            400 | 404 | 405 | 413 | 415 => line!(info),
            _ => line!(warn),
        }
        self.open = false;
    }
}

impl Drop for TurnLog {
    fn drop(&mut self) {
        if self.open {
            tracing::info!(
                request.id = self.id,
                turn.dialect = self.dialect,
                turn.model = self.model,
                duration_ms = self.began.elapsed().as_millis() as u64,
                "the client left before the turn was over"
            );
        }
    }
}
