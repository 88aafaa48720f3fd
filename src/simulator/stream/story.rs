//! A whole stream as a list of events and pauses.

use std::time::Duration;

use serde_json::{Value, json};

use super::envelope;
use super::ids::Ids;
use super::items::{Draft, Drawn, Pen};
use crate::simulator::script::{Ending, FinalOutput, Item, Script};
use crate::simulator::server::State;
use crate::simulator::turn::Turn;
use crate::simulator::{now, wham};

pub(in crate::simulator) enum Beat {
    Event {
        name: String,
        json: Value,
    },
    Pause(Duration),
    /// Nothing more, and no end either.
    Silence,
}

pub(in crate::simulator) struct Story {
    beats: Vec<Beat>,
    sequence: u64,
    /// Before each event of an item.
    between: Option<Duration>,
    /// Before each delta.
    pace: Option<Duration>,
    keepalives: bool,
    /// Whether deltas are padded.
    padded: bool,
}

impl Story {
    pub(in crate::simulator) fn tell(
        state: &State,
        turn: &Turn<'_>,
        script: &Script,
        items: &[Item],
    ) -> Vec<Beat> {
        let created = now();
        let ids = Ids::new(created);
        let id = ids.id("resp");
        let mut story = Self {
            beats: Vec::new(),
            sequence: 0,
            between: script.pauses.between,
            pace: state.options.pace,
            keepalives: script.asides.keepalives,
            padded: !turn.platform || turn.body["stream_options"]["include_obfuscation"] != false,
        };
        let response = envelope::started(turn, &id, created);
        story.event("response.created", json!({ "response": response }));
        if matches!(script.ending, Ending::Stall) {
            story.beats.push(Beat::Silence);
            return story.beats;
        }
        story.event("response.in_progress", json!({ "response": response }));
        story.asides(state, script);
        let items = match &script.ending {
            Ending::Failed { after_items: false, .. } | Ending::ErrorOnly { .. } => &[],
            _ => items,
        };
        let pen = Pen {
            turn,
            seal: &state.seal,
            ids: &ids,
            status: match script.ending {
                Ending::Incomplete { .. } => "incomplete",
                _ => "completed",
            },
        };
        let output = story.items(&pen, script, items);
        let listed = match script.shape.output {
            // The backend alone leaves the items out.
            FinalOutput::Empty if turn.platform => Some(output.into()),
            FinalOutput::Empty => Some(json!([])),
            FinalOutput::Full => Some(output.into()),
            FinalOutput::FullWithoutIds => Some(output.into_iter().map(without_id).collect()),
            FinalOutput::Absent => None,
        };
        let finished = |status: &str| {
            let mut response = envelope::finished(response.clone(), status, listed.clone());
            response["usage"] = envelope::usage(turn.prompt, items);
            response
        };
        match &script.ending {
            Ending::Completed => {
                let name = match script.shape.response_done {
                    true => "response.done",
                    false => "response.completed",
                };
                story.event(name, json!({ "response": finished("completed") }));
            }
            Ending::Incomplete { reason } => {
                let mut response = finished("incomplete");
                response["incomplete_details"] = json!({ "reason": reason });
                story.event("response.incomplete", json!({ "response": response }));
            }
            Ending::Failed { code, message, .. } => {
                story.event("error", error(code, message));
                let response = envelope::failed(&id, created, code, message);
                story.event("response.failed", json!({ "response": response }));
            }
            Ending::ErrorOnly { code, message } => story.event("error", error(code, message)),
            Ending::StallAfterItems => story.beats.push(Beat::Silence),
            Ending::Missing | Ending::Stall => {}
        }
        story.beats
    }

    /// What stands between `in_progress` and the first item.
    fn asides(&mut self, state: &State, script: &Script) {
        if script.asides.rate_limits {
            let json = wham::limit_event(state);
            self.beats.push(Beat::Event { name: "codex.rate_limits".to_owned(), json });
        }
        for (name, json) in &script.asides.events {
            self.beats.push(Beat::Event { name: name.clone(), json: json.clone() });
        }
        if self.keepalives {
            self.event("keepalive", json!({}));
        }
        if !script.pauses.before_first_item.is_zero() {
            self.beats.push(Beat::Pause(script.pauses.before_first_item));
        }
    }

    /// Returns the finished items.
    fn items(&mut self, pen: &Pen<'_>, script: &Script, items: &[Item]) -> Vec<Value> {
        let mut drawn = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let calls_follow = items[index..].iter().any(is_call);
            let phase = if calls_follow { "commentary" } else { "final_answer" };
            drawn.push((is_call(item), pen.draw(item, index, phase)));
        }
        let output = drawn.iter().map(|(_, drawn)| drawn.item.clone()).collect();
        let mut index = 0;
        let mut drawn = drawn.into_iter().peekable();
        while let Some((call, first)) = drawn.next() {
            let mut together = vec![first];
            if script.shape.interleaved && call {
                let next = || drawn.next_if(|(call, _)| *call).map(|(_, drawn)| drawn);
                together.extend(std::iter::from_fn(next));
            }
            let count = together.len();
            self.play(together, index, script.shape.whole_items);
            index += count;
            if self.keepalives && drawn.peek().is_some() {
                self.event("keepalive", json!({}));
            }
        }
        output
    }

    /// Items that come at once: all open, deltas take turns, all close.
    fn play(&mut self, mut together: Vec<Drawn>, index: usize, whole: bool) {
        if !whole {
            let openings: Vec<_> =
                together.iter_mut().flat_map(|drawn| std::mem::take(&mut drawn.opening)).collect();
            openings.into_iter().for_each(|draft| self.draft(draft));
            let mut rest: Vec<_> = together
                .iter_mut()
                .map(|drawn| std::mem::take(&mut drawn.deltas).into_iter())
                .collect();
            loop {
                let round: Vec<_> = rest.iter_mut().filter_map(Iterator::next).collect();
                if round.is_empty() {
                    break;
                }
                round.into_iter().for_each(|draft| self.draft(draft));
            }
        }
        for (index, drawn) in (index..).zip(together) {
            if !whole {
                drawn.closing.into_iter().for_each(|draft| self.draft(draft));
            }
            let fields = json!({ "item": drawn.item, "output_index": index });
            self.draft(("response.output_item.done", fields));
        }
    }

    fn draft(&mut self, (name, mut fields): Draft) {
        if let Some(fields) = fields.as_object_mut().filter(|_| !self.padded) {
            fields.shift_remove("obfuscation");
        }
        let pause = self.between.or(self.pace.filter(|_| name.ends_with(".delta")));
        self.beats.extend(pause.map(Beat::Pause));
        self.event(name, fields);
    }

    /// The type comes first, the sequence number last.
    fn event(&mut self, name: &str, fields: Value) {
        let mut json = json!({ "type": name });
        if let (Value::Object(json), Value::Object(fields)) = (&mut json, fields) {
            json.extend(fields);
            json.insert("sequence_number".to_owned(), self.sequence.into());
        }
        self.sequence += 1;
        self.beats.push(Beat::Event { name: name.to_owned(), json });
    }
}

fn is_call(item: &Item) -> bool {
    matches!(item, Item::ToolCall { .. } | Item::CustomToolCall { .. })
}

fn without_id(mut item: Value) -> Value {
    item["id"] = Value::Null;
    item
}

fn error(code: &str, message: &str) -> Value {
    let (kind, param) = match code {
        "server_is_overloaded" | "slow_down" => ("service_unavailable_error", Value::Null),
        "server_error" => ("server_error", Value::Null),
        "rate_limit_exceeded" => ("tokens", Value::Null),
        "cyber_policy" => ("invalid_request", Value::Null),
        "context_length_exceeded" => ("invalid_request_error", "input".into()),
        _ => ("invalid_request_error", Value::Null),
    };
    json!({ "error": { "type": kind, "code": code, "message": message, "param": param } })
}
