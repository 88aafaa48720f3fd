//! The upstream's events as chunks.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Wanted,
    chunk::{Chunks, member},
    finish_reason, reply, unix_now,
};
use crate::{
    config::ReasoningFormat,
    protocol::{Event, Gather, Item, Kind, Outcome, raw, raw_str},
    sse, upstream,
};

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    chunks: Option<Chunks>,
    /// The role stands in the first delta and nowhere else: clients join strings.
    role_sent: bool,
    /// The items under way, by their `output_index`.
    items: Vec<(u64, State)>,
    n_calls: usize,
    /// Whether an earlier message has been content.
    spoke: bool,
    thinking: Thinking,
    annotations: Vec<Box<RawValue>>,
    gather: Gather,
}

#[derive(Debug)]
enum State {
    /// A message; `written` once any of it has been sent.
    Message {
        written: bool,
    },
    /// A call: its place among the calls, and whether any of its payload has been sent.
    Call {
        index: usize,
        custom: bool,
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

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    output_index: u64,
    #[serde(default)]
    summary_index: u64,
}

#[derive(Deserialize)]
struct ItemEvent<'a> {
    #[serde(default)]
    output_index: u64,
    #[serde(borrow)]
    item: &'a RawValue,
}

impl Encoder {
    pub(super) fn event(
        &mut self,
        wanted: &Wanted,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<(), upstream::Error> {
        match event.kind {
            Kind::TextDelta => {
                let Delta { output_index, delta } = event.read()?;
                self.text(wanted, output_index, "content", delta, out);
            }
            Kind::RefusalDelta => {
                let Delta { output_index, delta } = event.read()?;
                self.text(wanted, output_index, "refusal", delta, out);
            }
            Kind::ArgumentsDelta | Kind::CustomInputDelta => {
                let Delta { output_index, delta } = event.read()?;
                self.payload(wanted, output_index, delta, out);
            }
            Kind::ReasoningSummaryDelta | Kind::ReasoningTextDelta => {
                let Delta { output_index, delta } = event.read()?;
                self.reasoning(wanted, output_index, delta, out);
            }
            Kind::ReasoningSummaryPartAdded => {
                let Place { output_index, summary_index } = event.read()?;
                if summary_index > 0 {
                    self.reasoning(wanted, output_index, paragraph(), out);
                }
            }
            Kind::Created => self.created(wanted, event)?,
            Kind::ItemAdded => {
                let ItemEvent { output_index, item } = event.read()?;
                self.added(wanted, output_index, item, out);
            }
            Kind::ItemDone => {
                let ItemEvent { output_index, item } = event.read()?;
                self.done(wanted, output_index, item, out);
            }
            Kind::Completed | Kind::Incomplete | Kind::Failed => {
                return self.end(wanted, event, out);
            }
            _ => {}
        }
        Ok(())
    }

    fn created(&mut self, wanted: &Wanted, event: &Event) -> Result<(), upstream::Error> {
        #[derive(Deserialize)]
        struct Created<'a> {
            #[serde(borrow)]
            response: Named<'a>,
        }
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow, default)]
            id: Option<Cow<'a, str>>,
            #[serde(default)]
            created_at: Option<f64>,
        }
        let Created { response } = event.read()?;
        let id = reply::chat_id(response.id.as_deref());
        let created = response.created_at.map_or_else(unix_now, |seconds| seconds as u64);
        self.chunks = Some(Chunks::new(&id, created, &wanted.model, wanted.include_usage));
        Ok(())
    }

    fn chunks(&mut self, wanted: &Wanted) -> &Chunks {
        self.chunks.get_or_insert_with(|| {
            Chunks::new(&reply::chat_id(None), unix_now(), &wanted.model, wanted.include_usage)
        })
    }

    /// Writes one delta, and before the first one whose role it is.
    fn delta(&mut self, wanted: &Wanted, out: &mut BytesMut, members: impl FnOnce(&mut BytesMut)) {
        if !std::mem::replace(&mut self.role_sent, true) {
            let role = br#""role":"assistant","content":"","refusal":null"#;
            self.chunks(wanted).delta(out, |out| out.put_slice(role));
        }
        self.chunks(wanted).delta(out, members);
    }

    /// The state of the item at `index`; one that was never announced begins as `fresh`.
    fn item(&mut self, index: u64, fresh: State) -> &mut State {
        let at = self.items.iter().position(|(known, _)| *known == index).unwrap_or_else(|| {
            self.items.push((index, fresh));
            self.items.len() - 1
        });
        &mut self.items[at].1
    }

    fn added(&mut self, wanted: &Wanted, index: u64, item: &RawValue, out: &mut BytesMut) {
        let item = Item::from(item.to_owned());
        let head = item.head();
        match head.kind.as_deref() {
            Some("message") => {
                let aside = head.phase.as_deref() == Some("commentary") || self.spoke;
                let hidden = wanted.json && aside;
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
                self.call(wanted, index, kind == "custom_tool_call", id, name, out);
            }
            _ => {
                self.item(index, State::Hidden);
            }
        }
    }

    /// The beginning of a call: the only delta that says its id and name.
    fn call(
        &mut self,
        wanted: &Wanted,
        index: u64,
        custom: bool,
        id: &str,
        name: &str,
        out: &mut BytesMut,
    ) {
        if wanted.legacy && self.n_calls > 0 {
            self.item(index, State::Hidden); // The older dialect has room for one call.
            return;
        }
        self.close_thinking(wanted, out);
        let place = self.n_calls;
        self.n_calls += 1;
        self.item(index, State::Call { index: place, custom, written: false });
        let name = raw(wanted.names.back(name));
        let first = !std::mem::replace(&mut self.role_sent, true);
        self.chunks(wanted).delta(out, |out| {
            if first {
                out.put_slice(br#""role":"assistant","content":null,"refusal":null,"#);
            }
            if wanted.legacy {
                out.put_slice(br#""function_call":{"#);
                member(out, "name", &name);
                out.put_slice(br#","arguments":""}"#);
                return;
            }
            let (kind, payload) = kind_and_payload(custom);
            out.put_slice(format!(r#""tool_calls":[{{"index":{place},"#).as_bytes());
            member(out, "id", &raw(id));
            out.put_slice(format!(r#","type":"{kind}","{kind}":{{"#).as_bytes());
            member(out, "name", &name);
            out.put_slice(format!(r#","{payload}":""}}}}]"#).as_bytes());
        });
    }

    /// A piece of a call's arguments or input.
    fn payload(&mut self, wanted: &Wanted, index: u64, delta: &RawValue, out: &mut BytesMut) {
        let State::Call { index, custom, written } = self.item(index, State::Hidden) else {
            return;
        };
        *written = true;
        let (index, custom) = (*index, *custom);
        self.chunks(wanted).delta(out, |out| {
            if wanted.legacy {
                out.put_slice(br#""function_call":{"#);
                member(out, "arguments", delta);
                out.put_slice(b"}");
                return;
            }
            let (kind, payload) = kind_and_payload(custom);
            out.put_slice(br#""tool_calls":[{"index":"#);
            out.put_slice(index.to_string().as_bytes());
            out.put_slice(br#",""#);
            out.put_slice(kind.as_bytes());
            out.put_slice(br#"":{"#);
            member(out, payload, delta);
            out.put_slice(b"}}]");
        });
    }

    /// A piece of a message, as `content` or `refusal`.
    fn text(
        &mut self,
        wanted: &Wanted,
        index: u64,
        field: &str,
        delta: &RawValue,
        out: &mut BytesMut,
    ) {
        let State::Message { written } = self.item(index, State::Message { written: false }) else {
            return;
        };
        let begins = !std::mem::replace(written, true);
        self.close_thinking(wanted, out);
        if begins && self.spoke && field == "content" {
            self.delta(wanted, out, |out| member(out, "content", paragraph()));
        }
        self.spoke |= field == "content";
        self.delta(wanted, out, |out| member(out, field, delta));
    }

    fn reasoning(&mut self, wanted: &Wanted, index: u64, delta: &RawValue, out: &mut BytesMut) {
        let state = self.item(index, State::Reasoning { written: false });
        if let State::Reasoning { written } = state {
            *written = true;
        }
        match wanted.reasoning {
            ReasoningFormat::ReasoningContent => {
                self.delta(wanted, out, |out| member(out, "reasoning_content", delta));
            }
            ReasoningFormat::Reasoning => {
                self.delta(wanted, out, |out| member(out, "reasoning", delta));
            }
            ReasoningFormat::ThinkTags => {
                if self.thinking == Thinking::Not {
                    self.thinking = Thinking::Tagged;
                    self.delta(wanted, out, |out| member(out, "content", &raw("<think>")));
                }
                self.delta(wanted, out, |out| member(out, "content", delta));
            }
            ReasoningFormat::None => {}
        }
    }

    fn close_thinking(&mut self, wanted: &Wanted, out: &mut BytesMut) {
        if std::mem::take(&mut self.thinking) == Thinking::Tagged {
            self.delta(wanted, out, |out| member(out, "content", &raw("</think>\n\n")));
        }
    }

    /// A finished item: what of it no delta has said is said now.
    fn done(&mut self, wanted: &Wanted, index: u64, item: &RawValue, out: &mut BytesMut) {
        if !self.items.iter().any(|(known, _)| *known == index) {
            self.added(wanted, index, item, out);
        }
        let item = Item::from(item.to_owned());
        match self.item(index, State::Hidden) {
            State::Message { written: false } => {
                for (field, text) in reply::texts(&item) {
                    self.text(wanted, index, field, &raw(&text), out);
                }
            }
            State::Call { written: false, custom, .. } => {
                let payload = reply::payload(&item, *custom);
                // No piece at all is what empty input comes to; JSON is never empty.
                if raw_str(&payload).is_some_and(|payload| !payload.is_empty()) {
                    self.payload(wanted, index, &payload, out);
                }
            }
            State::Reasoning { written: false } => {
                if let Some(text) = reply::reasoning(&item) {
                    self.reasoning(wanted, index, &raw(&text), out);
                }
            }
            _ => {}
        }
        self.annotations.extend(reply::annotations(&item));
    }

    fn end(
        &mut self,
        wanted: &Wanted,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<(), upstream::Error> {
        let Some(response) = self.gather.event(event)? else { return Ok(()) };
        if let Outcome::Failed(failure) = response.outcome {
            return Err(upstream::of_failure(failure));
        }
        // Items that only the last event tells of.
        for (index, item) in response.output.iter().enumerate() {
            if !self.items.iter().any(|(known, _)| *known == index as u64) {
                self.done(wanted, index as u64, item.json(), out);
            }
        }
        self.close_thinking(wanted, out);
        if !self.annotations.is_empty() {
            let annotations = raw(&std::mem::take(&mut self.annotations));
            self.delta(wanted, out, |out| member(out, "annotations", &annotations));
        }
        if !self.role_sent {
            self.delta(wanted, out, |out| out.put_slice(br#""content":"""#)); // An empty answer is one.
        }
        let reason = finish_reason(&response, self.n_calls > 0, wanted.legacy);
        self.chunks(wanted).finish(out, reason);
        if wanted.include_usage {
            self.chunks(wanted).usage(out, response.usage);
        }
        out.put_slice(sse::DONE);
        Ok(())
    }
}

const fn kind_and_payload(custom: bool) -> (&'static str, &'static str) {
    if custom { ("custom", "input") } else { ("function", "arguments") }
}

/// What stands between two paragraphs that the upstream sends as two things.
fn paragraph() -> &'static RawValue {
    serde_json::from_str(r#""\n\n""#).expect("it is a JSON string")
}
