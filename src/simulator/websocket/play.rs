//! A story as messages: one an event.

use std::time::Duration;

use serde_json::Value;

use super::memory::Memory;
use crate::simulator::script::Wire;
use crate::simulator::stream::Beat;

pub(super) enum Step {
    Say(String),
    Pause(Duration),
    /// The connection ends here.
    Cut,
    Silence,
}

/// The steps of a turn, ended where the script cuts the connection.
pub(super) fn steps(wire: &Wire, beats: Vec<Beat>) -> Vec<Step> {
    let mut steps: Vec<Step> = match &wire.raw {
        Some(bytes) => vec![Step::Say(String::from_utf8_lossy(bytes).into_owned())],
        None => beats.into_iter().map(step).collect(),
    };
    let is_said = |step: &Step| matches!(step, Step::Say(_));
    let whole = match (wire.cut_after, wire.cut_in_mid_event) {
        (None, false) => return steps,
        (Some(events), _) => events,
        // Half a message is none: what stands before the first delta arrives.
        (None, true) => {
            let is_delta =
                |step: &Step| matches!(step, Step::Say(json) if json.contains(".delta\""));
            let first = steps.iter().position(is_delta).unwrap_or(steps.len());
            steps[..first].iter().filter(|step| is_said(step)).count()
        }
    };
    let end = steps.iter().enumerate().filter(|(_, step)| is_said(step)).nth(whole);
    if let Some((end, _)) = end {
        steps.truncate(end);
    }
    steps.push(Step::Cut);
    steps
}

fn step(beat: Beat) -> Step {
    match beat {
        Beat::Event { json, .. } => Step::Say(json.to_string()),
        Beat::Pause(pause) => Step::Pause(pause),
        Beat::Silence => Step::Silence,
    }
}

/// What is remembered of a turn to which `input` led; nothing unless it ends well.
pub(super) fn memory(input: &Value, beats: &[Beat]) -> Option<Memory> {
    let events = beats.iter().filter_map(|beat| match beat {
        Beat::Event { name, json } => Some((name.as_str(), json)),
        Beat::Pause(_) | Beat::Silence => None,
    });
    let mut items = input.as_array().cloned().unwrap_or_default();
    for (name, json) in events {
        match name {
            "response.output_item.done" => items.push(json["item"].clone()),
            "response.completed" | "response.done" => {
                let id = json["response"]["id"].as_str()?.to_owned();
                return Some(Memory { id, items });
            }
            _ => {}
        }
    }
    None
}
