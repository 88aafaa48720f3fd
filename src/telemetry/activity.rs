//! What a server does and has lately done, for its page: bounded, and never what was said.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;

use super::{
    brief::{short, unquoted},
    metrics,
};

/// How far back the minutes go.
const MINUTES: u64 = 60;
/// How many of the last errors are kept.
const ERRORS: usize = 20;
/// The longest message that is kept of an error, and the longest name, in characters.
const MESSAGE: usize = 400;
const NAME: usize = 80;

/// The turns of one server. Its lock is taken when a turn begins, turns out to be somebody's, and
/// ends: no event of a turn waits for it.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    live: BTreeMap<u64, Arc<Shared>>,
    minutes: VecDeque<Minute>,
    errors: VecDeque<Failed>,
    ended: u64,
}

/// What there is to see at a moment.
#[derive(Clone, Debug, Default)]
pub struct Lately {
    /// From the one that began first.
    pub live: Vec<Running>,
    /// Those of the last hour in which a turn ended, from the oldest.
    pub minutes: Vec<Minute>,
    /// The latest first.
    pub errors: Vec<Failed>,
    /// How many turns have ended since the server was started.
    pub ended: u64,
}

/// A turn that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Names the turn among those of this server.
    pub number: u64,
    #[serde(flatten)]
    pub who: Who,
    /// Milliseconds since 1970.
    pub since: u64,
    /// How many events of the answer have come.
    pub events: u64,
}

/// Who asked for a turn in which dialect, and whom it goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Who {
    pub dialect: &'static str,
    pub profile: String,
    pub upstream: String,
    /// As it is called upstream.
    pub model: String,
}

/// What the turns came to that ended in one minute; tokens as the upstream counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Its beginning, in seconds since 1970.
    pub at: u64,
    pub turns: u64,
    pub failed: u64,
    /// With those that were cached.
    pub input: u64,
    pub cached: u64,
    /// With those of reasoning.
    pub output: u64,
    pub reasoning: u64,
}

/// A turn that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Seconds since 1970.
    pub at: u64,
    #[serde(flatten)]
    pub who: Who,
    /// That of the answer, or the one that it would have had.
    pub status: u16,
    pub code: Option<String>,
    pub message: String,
}

impl Activity {
    /// What there is to see.
    #[must_use]
    pub fn lately(&self) -> Lately {
        self.at(now())
    }

    fn at(&self, now: Duration) -> Lately {
        let inner = self.lock();
        let first = (now.as_secs() / 60 + 1).saturating_sub(MINUTES) * 60;
        let live = inner.live.iter().map(|(number, shared)| Running {
            number: *number,
            who: shared.who().clone(),
            since: shared.since,
            events: shared.events.load(Ordering::Relaxed),
        });
        Lately {
            live: live.collect(),
            minutes: inner.minutes.iter().filter(|minute| minute.at >= first).copied().collect(),
            errors: inner.errors.iter().rev().cloned().collect(),
            ended: inner.ended,
        }
    }

    /// How many turns have ended since the server was started.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.lock().ended
    }

    /// A turn that runs until what this gives is dropped.
    pub(super) fn begin(self: &Arc<Self>, dialect: &'static str) -> Live {
        let since = u64::try_from(now().as_millis()).unwrap_or(u64::MAX);
        let who = Mutex::new(Who { dialect, ..Who::default() });
        let shared = Arc::new(Shared { since, who, events: AtomicU64::new(0) });
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.live.insert(number, Arc::clone(&shared));
        let counted = metrics::Running::new();
        Live { activity: Arc::clone(self), number, shared, _counted: counted }
    }

    fn over(&self, now: Duration, turn: &metrics::Turn<'_>) {
        let at = now.as_secs() / 60 * 60;
        let mut inner = self.lock();
        inner.ended += 1;
        // A clock that was set back goes on in the minute that it left.
        if inner.minutes.back().is_none_or(|last| last.at < at) {
            inner.minutes.push_back(Minute { at, ..Minute::default() });
        }
        if inner.minutes.len() as u64 > MINUTES {
            inner.minutes.pop_front();
        }
        let Some(minute) = inner.minutes.back_mut() else { return };
        let usage = &turn.usage;
        minute.turns += 1;
        minute.failed += u64::from(turn.outcome == "error");
        for (sum, more) in [
            (&mut minute.input, usage.input_tokens),
            (&mut minute.cached, usage.input_tokens_details.cached_tokens),
            (&mut minute.output, usage.output_tokens),
            (&mut minute.reasoning, usage.output_tokens_details.reasoning_tokens),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    fn failed(&self, failed: Failed) {
        let mut inner = self.lock();
        inner.errors.push_back(failed);
        if inner.errors.len() > ERRORS {
            inner.errors.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a turn among those that run, until it is dropped.
#[derive(Debug)]
pub(super) struct Live {
    activity: Arc<Activity>,
    number: u64,
    shared: Arc<Shared>,
    _counted: metrics::Running,
}

#[derive(Debug)]
struct Shared {
    since: u64,
    who: Mutex<Who>,
    events: AtomicU64,
}

impl Shared {
    fn who(&self) -> MutexGuard<'_, Who> {
        self.who.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    pub(super) fn is(&self, who: &Who) {
        *self.shared.who() = brief(who);
    }

    pub(super) fn event(&self) {
        self.shared.events.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, who: &Who, status: u16, code: Option<&str>, message: &str) {
        self.activity.failed(Failed {
            at: now().as_secs(),
            who: brief(who),
            status,
            code: code.map(|code| short(code, NAME)),
            message: short(&unquoted(message), MESSAGE),
        });
    }

    /// The turn is over: it is counted, here and for `/metrics`.
    pub(super) fn over(self, turn: &metrics::Turn<'_>) {
        metrics::turn(turn);
        self.activity.over(now(), turn);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.activity.lock().live.remove(&self.number);
    }
}

fn now() -> Duration {
    UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// A client may send names of any length.
fn brief(who: &Who) -> Who {
    Who { model: short(&who.model, NAME), ..who.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Usage;

    fn turn(outcome: &'static str, input_tokens: u64) -> metrics::Turn<'static> {
        metrics::Turn {
            dialect: "chat",
            upstream: "codex",
            profile: "codex",
            outcome,
            duration: Duration::ZERO,
            first_content: None,
            usage: Usage { input_tokens, ..Usage::default() },
        }
    }

    #[test]
    fn an_hour_of_minutes_and_twenty_errors_are_kept_and_no_more() {
        let activity = Arc::new(Activity::default());
        let began = Duration::from_mins(1_000_000);
        for minute in 0..200 {
            activity.over(began + Duration::from_mins(minute), &turn("error", 3));
            activity.over(began + Duration::from_mins(minute), &turn("ok", 4));
            activity.begin("chat").failed(&Who::default(), 500, None, "no");
        }
        let end = began + Duration::from_mins(199);
        let lately = activity.at(end);
        assert_eq!((lately.minutes.len(), lately.errors.len(), lately.ended), (60, 20, 400));
        let last = Minute { at: end.as_secs(), turns: 2, failed: 1, input: 7, ..Minute::default() };
        assert_eq!(lately.minutes.last(), Some(&last));
        assert!(lately.live.is_empty());
        // What is an hour old is no longer shown.
        assert_eq!(activity.at(end + Duration::from_mins(59)).minutes, [last]);
        assert_eq!(activity.at(end + Duration::from_mins(60)).minutes, []);
    }

    #[test]
    fn a_turn_is_seen_while_it_runs_and_its_names_are_short() {
        let activity = Arc::new(Activity::default());
        let live = activity.begin("chat");
        let model = "m".repeat(1000);
        live.is(&Who { dialect: "responses", model, ..Who::default() });
        live.event();
        live.event();
        let seen = activity.lately().live;
        assert_eq!((seen.len(), seen[0].events, seen[0].who.dialect), (1, 2, "responses"));
        assert_eq!(seen[0].who.model.chars().count(), 81);
        drop(live);
        assert!(activity.lately().live.is_empty());
    }
}
