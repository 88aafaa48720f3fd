//! The upstream's events as chunks.

use bytes::{BufMut, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    chunk::member,
    finish_reason,
    pen::{Call, Pen},
    reply,
};
use crate::{
    config::ReasoningFormat,
    protocol::{Ending, Event, Item, Kind, Malformed, Outcome, Usage, raw, raw_str},
    upstream,
};

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    /// The role stands in the first delta and nowhere else: clients join strings.
    role_sent: bool,
    /// The items under way, by their `output_index`.
    items: Vec<(u64, State)>,
    n_calls: usize,
    n_images: usize,
    /// Whether an earlier message has been content.
    spoke: bool,
    /// Whether an earlier item has been reasoning.
    thought: bool,
    thinking: Thinking,
    annotations: Vec<Box<RawValue>>,
}

#[derive(Debug)]
enum State {
    /// A message; `written` once any of it has been sent.
    Message {
        written: bool,
    },
    /// A call, and whether any of its payload has been sent.
    Call {
        call: Call,
        written: bool,
    },
    Reasoning {
        written: bool,
    },
    /// Nothing that this dialect shows.
    Hidden,
}

/// Where in the text of its reasoning the model is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Thinking {
    #[default]
    Not,
    /// A `<think>` has been written and not yet closed.
    Tagged,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default)]
    output_index: u64,
    #[serde(borrow)]
    delta: &'a RawValue,
}

impl<'a> Delta<'a> {
    fn read(event: &'a Event) -> Result<Self, Malformed> {
        let quickly = event.members(["output_index", "delta"]).and_then(|[index, delta]| {
            let output_index = index.map_or(Some(0), |index| index.get().parse().ok())?;
            Some(Self { output_index, delta: delta? })
        });
        let delta = quickly.map_or_else(|| event.read(), Ok)?;
        match delta.delta.get().starts_with('"') {
            true => Ok(delta),
            false => Err(Malformed::new("a delta is no text")),
        }
    }
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    output_index: u64,
    #[serde(default)]
    summary_index: u64,
}

#[derive(Deserialize)]
struct ItemEvent {
    #[serde(default)]
    output_index: u64,
    item: Item,
}

impl Encoder {
    /// Writes what an event comes to; yields what the choice cost when it was its last.
    pub(super) fn event(
        &mut self,
        pen: &Pen<'_>,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<Option<Usage>, upstream::Error> {
        match event.kind {
            Kind::TextDelta => {
                let Delta { output_index, delta } = Delta::read(event)?;
                self.text(pen, output_index, "content", delta, out);
            }
            Kind::RefusalDelta => {
                let Delta { output_index, delta } = Delta::read(event)?;
                self.text(pen, output_index, "refusal", delta, out);
            }
            Kind::ArgumentsDelta | Kind::CustomInputDelta => {
                let Delta { output_index, delta } = Delta::read(event)?;
                self.payload(pen, output_index, delta, out);
            }
            Kind::ReasoningSummaryDelta | Kind::ReasoningTextDelta => {
                let Delta { output_index, delta } = Delta::read(event)?;
                self.reasoning(pen, output_index, delta, out);
            }
            Kind::ReasoningSummaryPartAdded => {
                let Place { output_index, summary_index } = event.read()?;
                if summary_index > 0 {
                    self.reasoning(pen, output_index, paragraph(), out);
                }
            }
            Kind::ItemAdded => {
                let ItemEvent { output_index, item } = event.read()?;
                self.added(pen, output_index, &item, out);
            }
            Kind::ItemDone => {
                let ItemEvent { output_index, item } = event.read()?;
                self.done(pen, output_index, &item, out);
            }
            Kind::Completed | Kind::Incomplete | Kind::Failed => {
                return self.end(pen, Ending::of(event)?, out).map(Some);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Writes whose role it is, if that has not been said.
    pub(super) fn open(&mut self, pen: &Pen<'_>, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.role_sent, true) {
            let role = br#""role":"assistant","content":"","refusal":null"#;
            pen.delta(out, |out| out.put_slice(role));
        }
    }

    /// Writes one delta, and before the first one whose role it is.
    fn delta(&mut self, pen: &Pen<'_>, out: &mut BytesMut, members: impl FnOnce(&mut BytesMut)) {
        self.open(pen, out);
        pen.delta(out, members);
    }

    /// The state of the item at `index`; one that was never announced begins as `fresh`.
    fn item(&mut self, index: u64, fresh: State) -> &mut State {
        let at = self.items.iter().position(|(known, _)| *known == index).unwrap_or_else(|| {
            self.items.push((index, fresh));
            self.items.len() - 1
        });
        &mut self.items[at].1
    }

    fn added(&mut self, pen: &Pen<'_>, index: u64, item: &Item, out: &mut BytesMut) {
        let head = item.head();
        match head.kind.as_deref() {
            Some("message") => {
                let aside = head.phase.as_deref() == Some("commentary") || self.spoke;
                let hidden = pen.wanted.json && aside;
                self.item(
                    index,
                    if hidden { State::Hidden } else { State::Message { written: false } },
                );
            }
            Some("reasoning") => {
                self.item(index, State::Reasoning { written: false });
            }
            Some(kind @ ("function_call" | "custom_tool_call")) => {
                let id = head.call_id.as_deref().unwrap_or_default();
                let name = head.name.as_deref().unwrap_or_default();
                self.call(pen, index, kind == "custom_tool_call", id, name, out);
            }
            _ => {
                self.item(index, State::Hidden);
            }
        }
    }

    fn call(
        &mut self,
        pen: &Pen<'_>,
        index: u64,
        custom: bool,
        id: &str,
        name: &str,
        out: &mut BytesMut,
    ) {
        if pen.wanted.legacy && self.n_calls > 0 {
            self.item(index, State::Hidden); // The older dialect has room for one call.
            return;
        }
        self.close_thinking(pen, out);
        let call = Call { place: self.n_calls, custom };
        self.n_calls += 1;
        self.item(index, State::Call { call, written: false });
        let role = !std::mem::replace(&mut self.role_sent, true);
        pen.call(call, id, name, role, out);
    }

    /// A piece of a call's arguments or input.
    fn payload(&mut self, pen: &Pen<'_>, index: u64, delta: &RawValue, out: &mut BytesMut) {
        let State::Call { call, written } = self.item(index, State::Hidden) else { return };
        *written = true;
        let call = *call;
        pen.payload(call, delta, out);
    }

    /// A piece of a message, as `content` or `refusal`.
    fn text(
        &mut self,
        pen: &Pen<'_>,
        index: u64,
        field: &str,
        delta: &RawValue,
        out: &mut BytesMut,
    ) {
        let State::Message { written } = self.item(index, State::Message { written: false }) else {
            return;
        };
        let begins = !std::mem::replace(written, true);
        self.close_thinking(pen, out);
        if begins && self.spoke && field == "content" {
            self.delta(pen, out, |out| member(out, "content", paragraph()));
        }
        self.spoke |= field == "content";
        self.delta(pen, out, |out| member(out, field, delta));
    }

    fn reasoning(&mut self, pen: &Pen<'_>, index: u64, delta: &RawValue, out: &mut BytesMut) {
        let state = self.item(index, State::Reasoning { written: false });
        let begins = match state {
            State::Reasoning { written } => !std::mem::replace(written, true),
            _ => false,
        };
        let follows = match pen.wanted.reasoning {
            ReasoningFormat::ThinkTags => self.thinking == Thinking::Tagged,
            _ => self.thought,
        };
        if begins && follows {
            self.think(pen, paragraph(), out);
        }
        self.thought = true;
        self.think(pen, delta, out);
    }

    /// A piece of what is thought, in the form in which the client wants it.
    fn think(&mut self, pen: &Pen<'_>, delta: &RawValue, out: &mut BytesMut) {
        match pen.wanted.reasoning {
            ReasoningFormat::ReasoningContent => {
                self.delta(pen, out, |out| member(out, "reasoning_content", delta));
            }
            ReasoningFormat::Reasoning => {
                self.delta(pen, out, |out| member(out, "reasoning", delta));
            }
            ReasoningFormat::ThinkTags => {
                if self.thinking == Thinking::Not {
                    self.thinking = Thinking::Tagged;
                    self.delta(pen, out, |out| member(out, "content", &raw("<think>")));
                }
                self.delta(pen, out, |out| member(out, "content", delta));
            }
            ReasoningFormat::None => {}
        }
    }

    fn close_thinking(&mut self, pen: &Pen<'_>, out: &mut BytesMut) {
        if std::mem::take(&mut self.thinking) == Thinking::Tagged {
            self.delta(pen, out, |out| member(out, "content", &raw("</think>\n\n")));
        }
    }

    /// A finished item: what of it no delta has said is said now.
    fn done(&mut self, pen: &Pen<'_>, index: u64, item: &Item, out: &mut BytesMut) {
        if !self.items.iter().any(|(known, _)| *known == index) {
            self.added(pen, index, item, out);
        }
        match self.item(index, State::Hidden) {
            State::Message { written: false } => {
                for (field, text) in reply::texts(item) {
                    self.text(pen, index, field, &raw(&text), out);
                }
            }
            State::Call { written: false, call } => {
                let payload = reply::payload(item, call.custom);
                // No piece at all is what empty input comes to; JSON is never empty.
                if raw_str(&payload).is_some_and(|payload| !payload.is_empty()) {
                    self.payload(pen, index, &payload, out);
                }
            }
            State::Reasoning { written: false } => {
                if let Some(text) = reply::reasoning(item) {
                    self.reasoning(pen, index, &raw(&text), out);
                }
            }
            _ => {}
        }
        if item.kind().as_deref() == Some("message") {
            self.annotations.extend(reply::annotations(item));
        }
        if let Some(url) = reply::image(item) {
            let image = reply::shown(self.n_images, &url);
            self.n_images += 1;
            self.delta(pen, out, |out| member(out, "images", &raw(&[image])));
        }
    }

    /// The last chunk of the choice; yields what it cost.
    fn end(
        &mut self,
        pen: &Pen<'_>,
        ending: Ending,
        out: &mut BytesMut,
    ) -> Result<Usage, upstream::Error> {
        let Ending { outcome, output, usage } = ending;
        if let Outcome::Failed(failure) = outcome {
            return Err(upstream::of_failure(failure));
        }
        // Items that only the last event tells of.
        for (index, item) in output.iter().enumerate() {
            if !self.items.iter().any(|(known, _)| *known == index as u64) {
                self.done(pen, index as u64, item, out);
            }
        }
        self.close_thinking(pen, out);
        if !self.annotations.is_empty() {
            let annotations = raw(&std::mem::take(&mut self.annotations));
            self.delta(pen, out, |out| member(out, "annotations", &annotations));
        }
        if !self.role_sent {
            self.delta(pen, out, |out| out.put_slice(br#""content":"""#)); // An empty answer is one.
        }
        let reason = finish_reason(&outcome, self.n_calls > 0, pen.wanted.legacy);
        pen.chunks.finish(out, pen.choice, reason);
        Ok(usage)
    }
}

/// What stands between two paragraphs that the upstream sends as two things.
fn paragraph() -> &'static RawValue {
    serde_json::from_str(r#""\n\n""#).expect("it is a JSON string")
}
