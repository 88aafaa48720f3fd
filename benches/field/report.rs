//! The table, as Markdown.

use std::time::Duration;

/// What a row says: figures of the pass-through and of codexway, and their ratio where there is one.
pub(crate) fn header() {
    println!("| what | pass-through | codexway | ratio | goal |");
    println!("|---|---|---|---|---|");
}

pub(crate) fn row(what: &str, pass: &str, codexway: &str, ratio: &str, goal: &str) {
    println!("| {what} | {pass} | {codexway} | {ratio} | {goal} |");
}

/// A row of what was measured in turns: `pairs` of pass-through and codexway, in microseconds.
pub(crate) fn compared(what: &str, pairs: &[(f64, f64)], goal: &str) {
    let pass = median(pairs.iter().map(|pair| pair.0).collect());
    let codexway = median(pairs.iter().map(|pair| pair.1).collect());
    let ratio = median(pairs.iter().map(|(pass, codexway)| codexway / pass).collect());
    row(what, &time(pass), &time(codexway), &format!("{ratio:.2}"), goal);
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

fn time(micros: f64) -> String {
    match micros {
        1000.0.. => format!("{:.2} ms", micros / 1000.0),
        10.0.. => format!("{micros:.0} µs"),
        _ => format!("{micros:.2} µs"),
    }
}
