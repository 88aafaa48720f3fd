//! Counters of the process, as Prometheus reads them.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::protocol::Usage;

const TURNS: &str = "codexway_turns_total";
const RUNNING: &str = "codexway_turns_running";
const DURATION: &str = "codexway_turn_duration_seconds";
const FIRST_CONTENT: &str = "codexway_time_to_first_content_seconds";
const TOKENS: &str = "codexway_tokens_total";
const RETRIES: &str = "codexway_retries_total";
const REFRESHES: &str = "codexway_refreshes_total";
const LIMIT: &str = "codexway_limit_used_ratio";
const BUILD: &str = "codexway_build_info";
const PANICS: &str = "codexway_panics_total";
/// What counts requests for paths that are not served, by a label `kind`.
pub const ASTRAY: &str = "codexway_unknown_urls_total";

/// A turn is over in a second, or thinks for minutes.
const DURATION_BUCKETS: [f64; 12] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];
const FIRST_CONTENT_BUCKETS: [f64; 11] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 180.0];

/// How often samples are put into their buckets, in seconds; until then each takes eight bytes.
const UPKEEP: u64 = 5;

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count. Before it, and where another recorder is in place, nothing is counted.
pub fn install() {
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &DURATION_BUCKETS)
            .and_then(|builder| {
                let matcher = Matcher::Full(FIRST_CONTENT.to_owned());
                builder.set_buckets_for_metric(matcher, &FIRST_CONTENT_BUCKETS)
            })
            .ok()?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok()?;
        describe();
        Some(handle)
    });
}

fn describe() {
    describe_counter!(TURNS, "Turns that are over, by how they ended: ok, error or cancelled.");
    describe_gauge!(RUNNING, "Turns that run.");
    describe_histogram!(DURATION, Unit::Seconds, "From the request to the end of its answer.");
    describe_histogram!(
        FIRST_CONTENT,
        Unit::Seconds,
        "From the request to the first event that says something."
    );
    describe_counter!(TOKENS, "Tokens, as the upstream counts them; cached ones are input too.");
    describe_counter!(RETRIES, "Turns that were sent to the upstream once more, by why.");
    describe_counter!(REFRESHES, "Refreshes of a login, by what came of them.");
    describe_gauge!(LIMIT, "How much of a plan's window is used up, from 0 to 1.");
    describe_gauge!(BUILD, "Always 1; the labels tell the build.");
    describe_counter!(PANICS, "Faults of codexway that ended one request.");
    describe_counter!(ASTRAY, "Requests for paths that are not served, by what they look like.");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!(RUNNING).set(0.0);
    for kind in ["input", "cached", "output", "reasoning"] {
        counter!(TOKENS, "kind" => kind).absolute(0);
    }
}

/// All that was counted, in Prometheus' text format.
#[must_use]
pub fn render() -> String {
    HANDLE.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// A turn was sent once more.
pub fn retried(reason: &'static str) {
    counter!(RETRIES, "reason" => reason).increment(1);
}

/// A login was refreshed, or was not.
pub fn refreshed(outcome: &'static str) {
    counter!(REFRESHES, "outcome" => outcome).increment(1);
}

/// How much of the plan's window of so many minutes is used up; 1 is all of it.
pub fn limit_used(window_minutes: u64, ratio: f64) {
    gauge!(LIMIT, "window_minutes" => window_minutes.to_string()).set(ratio);
}

/// A request ended in a fault of codexway.
pub fn panicked() {
    counter!(PANICS).increment(1);
}

/// A client asked for a path that is not served, of this kind.
pub fn went_astray(kind: &'static str) {
    counter!(ASTRAY, "kind" => kind).increment(1);
}

/// Counts a turn among those that run, until it is dropped.
#[derive(Debug)]
pub(super) struct Running;

impl Running {
    pub(super) fn new() -> Self {
        gauge!(RUNNING).increment(1.0);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!(RUNNING).decrement(1.0);
    }
}

/// What is counted of a turn that is over.
pub(super) struct Turn<'a> {
    pub(super) dialect: &'static str,
    pub(super) upstream: &'a str,
    pub(super) profile: &'a str,
    pub(super) outcome: &'static str,
    pub(super) duration: Duration,
    pub(super) first_content: Option<Duration>,
    pub(super) usage: Usage,
}

pub(super) fn turn(turn: &Turn<'_>) {
    counter!(
        TURNS,
        "dialect" => turn.dialect,
        "upstream" => turn.upstream.to_owned(),
        "profile" => turn.profile.to_owned(),
        "outcome" => turn.outcome,
    )
    .increment(1);
    histogram!(DURATION).record(turn.duration);
    if let Some(after) = turn.first_content {
        histogram!(FIRST_CONTENT).record(after);
    }
    let usage = &turn.usage;
    let kinds = [
        ("input", usage.input_tokens),
        ("cached", usage.input_tokens_details.cached_tokens),
        ("output", usage.output_tokens),
        ("reasoning", usage.output_tokens_details.reasoning_tokens),
    ];
    for (kind, count) in kinds {
        counter!(TOKENS, "kind" => kind).increment(count);
    }
    upkeep();
}

/// The recorder keeps each sample until somebody asks, and nobody may ever ask.
fn upkeep() {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = BEGAN.get_or_init(Instant::now).elapsed().as_secs();
    let last = LAST.load(Ordering::Relaxed);
    let mine = now >= last + UPKEEP
        && LAST.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if let Some(handle) = HANDLE.get().and_then(Option::as_ref).filter(|_| mine) {
        handle.run_upkeep();
    }
}
