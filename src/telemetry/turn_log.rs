//! One line a turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{
    activity::{Activity, Live, Who},
    metrics,
};
use crate::protocol::{Event, Item, Request, Retries, Usage};

/// The status of a turn that somebody ended: the one that others use for it.
const CANCELLED: u16 = 499;

/// Collects what is worth knowing about a turn, and says and counts it once, when the turn is over.
///
/// A turn that is dropped before its end was left by its client.
#[derive(Debug)]
pub struct TurnLog {
    id: String,
    who: Who,
    began: Instant,
    first_content: Option<Duration>,
    usage: Usage,
    retries: Retries,
    /// There while the turn is not over.
    running: Option<Live>,
}

impl Default for TurnLog {
    /// A log of nothing, which says nothing.
    fn default() -> Self {
        Self {
            id: String::new(),
            who: Who::default(),
            began: Instant::now(),
            first_content: None,
            usage: Usage::default(),
            retries: Retries::default(),
            running: None,
        }
    }
}

impl TurnLog {
    #[must_use]
    pub fn new(activity: &Arc<Activity>, id: String, dialect: &'static str) -> Self {
        let mut log = Self::default();
        (log.id, log.who.dialect) = (id, dialect);
        log.running = Some(activity.begin(dialect));
        log
    }

    /// Who serves the turn, and in which dialect it turned out to be.
    pub fn served_by(&mut self, dialect: &'static str, profile: &str, upstream: &str) {
        self.who.dialect = dialect;
        profile.clone_into(&mut self.who.profile);
        upstream.clone_into(&mut self.who.upstream);
        self.show();
    }

    /// Whom the turn goes to.
    pub fn model(&mut self, model: &str) {
        model.clone_into(&mut self.who.model);
        self.show();
    }

    fn show(&self) {
        if let Some(running) = &self.running {
            running.is(&self.who);
        }
    }

    /// Says what is asked for, to those who want to know more than the line at the end.
    ///
    /// `dropped` names the fields that have no effect, as the answer's header does.
    pub fn asks(&self, request: &Request, streams: bool, dropped: Option<&str>) {
        // Quotes inside of a text would be escaped.
        let shows = |item: &&Item| item.json().get().contains("\"input_image\"");
        tracing::debug!(
            request.id = self.id,
            turn.dialect = self.who.dialect,
            turn.model = self.who.model,
            stream = streams,
            tools = request.tools.as_ref().map_or(0, Vec::len),
            images = request.input.iter().filter(shows).count(),
            effort = request.reasoning.effort,
            dropped,
            "turn begins"
        );
    }

    /// Where it will be said why the turn was sent again.
    pub fn retried(&mut self, retries: Retries) {
        self.retries = retries;
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
        if let Some(running) = &self.running {
            running.event();
        }
        if self.first_content.is_none() && !event.kind.is_prelude() {
            self.first_content = Some(self.began.elapsed());
        }
        if event.kind.is_terminal()
            && let Ok(Ended { response }) = event.read()
        {
            self.usage += response.usage.unwrap_or_default(); // Of each choice.
        }
    }

    pub fn finished(&mut self) {
        tracing::info!(
            request.id = self.id,
            turn.dialect = self.who.dialect,
            turn.profile = self.who.profile,
            turn.model = self.who.model,
            duration_ms = self.began.elapsed().as_millis() as u64,
            first_content_ms = self.first_content.map(|after| after.as_millis() as u64),
            retries = self.retries.told(),
            tokens.input = self.usage.input_tokens,
            tokens.cached = self.usage.input_tokens_details.cached_tokens,
            tokens.output = self.usage.output_tokens,
            "turn finished"
        );
        self.over("ok");
    }

    /// `status` and `code` are those of the answer, or of the one that it would have had.
    pub fn failed(&mut self, status: u16, code: Option<&str>, reason: &str) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    request.id = self.id,
                    turn.dialect = self.who.dialect,
                    turn.profile = self.who.profile,
                    turn.model = self.who.model,
                    duration_ms = self.began.elapsed().as_millis() as u64,
                    retries = self.retries.told(),
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
        if status == CANCELLED {
            return self.over("cancelled");
        }
        if let Some(running) = &self.running {
            running.failed(&self.who, status, code, reason);
        }
        self.over("error");
    }

    fn over(&mut self, outcome: &'static str) {
        if let Some(running) = self.running.take() {
            running.over(&metrics::Turn {
                dialect: self.who.dialect,
                upstream: &self.who.upstream,
                profile: &self.who.profile,
                outcome,
                duration: self.began.elapsed(),
                first_content: self.first_content,
                usage: self.usage,
            });
        }
    }
}

impl Drop for TurnLog {
    fn drop(&mut self) {
        if self.running.is_some() && std::thread::panicking() {
            if let Some(running) = &self.running {
                let message = "codexway failed at this request; the log says more";
                running.failed(&self.who, 500, Some("internal_error"), message);
            }
            self.over("error"); // Whoever catches the panic has the line to write.
        } else if self.running.is_some() {
            tracing::info!(
                request.id = self.id,
                turn.dialect = self.who.dialect,
                turn.profile = self.who.profile,
                turn.model = self.who.model,
                duration_ms = self.began.elapsed().as_millis() as u64,
                retries = self.retries.told(),
                "the client left before the turn was over"
            );
            self.over("cancelled");
        }
    }
}
