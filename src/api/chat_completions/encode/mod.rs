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
    protocol::{Ending, Event, Item, ItemEvent, Kind, Malformed, Outcome, Piece, Usage, What, raw},
    upstream,
};
use items::{Items, Message, State, keep};
use thinking::Thinking;

mod items;
mod thinking;

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    /// The role stands in the first delta and nowhere else: clients join strings.
    role_sent: bool,
    items: Items,
    n_calls: usize,
    n_images: usize,
    /// Whether an earlier message has been content.
    spoke: bool,
    /// Whether an earlier item has been reasoning.
    thought: bool,
    thinking: Thinking,
    annotations: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    output_index: u64,
    #[serde(default)]
    summary_index: u64,
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
            Kind::ReasoningSummaryPartAdded => {
                let Place { output_index, summary_index } = event.read()?;
                if summary_index > 0 {
                    self.reasoning(pen, output_index, paragraph(), out);
                }
            }
            Kind::ItemAdded => {
                let ItemEvent { output_index, item } = event.read()?;
                let early = self.items.take_early(output_index);
                self.added(pen, output_index, &item, out);
                if let Some(words) = early.filter(|words| !words.is_empty()) {
                    let text = words.json();
                    self.payload(pen, &whole(What::Arguments, output_index, 0, &text), out)?;
                }
            }
            Kind::ItemDone => {
                let ItemEvent { output_index, item } = event.read()?;
                self.done(pen, output_index, &item, out)?;
            }
            Kind::Completed | Kind::Incomplete | Kind::Failed => {
                return self.end(pen, Ending::of(event)?, out).map(Some);
            }
            _ => {
                if let Some(piece) = Piece::of(event)? {
                    self.piece(pen, &piece, out)?;
                }
            }
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

    fn added(&mut self, pen: &Pen<'_>, index: u64, item: &Item, out: &mut BytesMut) {
        let head = item.head();
        match head.kind.as_deref() {
            Some("message") => {
                let aside = head.phase.as_deref() == Some("commentary") || self.spoke;
                self.items.begin(index, message(pen.wanted.json && aside));
            }
            Some("reasoning") => self.items.begin(index, State::Reasoning { written: false }),
            // Who has declared no such tool could not read the call.
            Some("custom_tool_call") if !pen.wanted.custom => {
                self.items.begin(index, State::Hidden);
            }
            Some(kind @ ("function_call" | "custom_tool_call")) => {
                let id = head.call_id.as_deref().unwrap_or_default();
                let name = head.name.as_deref().unwrap_or_default();
                self.call(pen, index, kind == "custom_tool_call", id, name, out);
            }
            _ => self.items.begin(index, State::Hidden),
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
        if self.items.is_call(index) {
            return; // It has been announced before.
        }
        if pen.wanted.legacy && self.n_calls > 0 {
            self.items.begin(index, State::Hidden); // The older dialect has room for one call.
            return;
        }
        self.close_thinking(pen, out);
        let call = Call { place: self.n_calls, custom };
        self.n_calls += 1;
        self.items.begin(index, State::Call { call, written: false });
        let role = !std::mem::replace(&mut self.role_sent, true);
        pen.call(call, id, name, role, out);
    }

    fn piece(
        &mut self,
        pen: &Pen<'_>,
        piece: &Piece<'_>,
        out: &mut BytesMut,
    ) -> Result<(), Malformed> {
        match piece.what {
            What::Text | What::Refusal => self.text(pen, piece, out),
            What::Arguments | What::Input => return self.payload(pen, piece, out),
            What::Summary | What::Thought => {
                self.reasoning(pen, piece.output_index, piece.text, out);
            }
        }
        Ok(())
    }

    /// A piece of a call's arguments or input; all of it only where no piece has been sent.
    fn payload(
        &mut self,
        pen: &Pen<'_>,
        piece: &Piece<'_>,
        out: &mut BytesMut,
    ) -> Result<(), Malformed> {
        match self.items.state(piece.output_index, || State::Early(Default::default())) {
            // No piece at all is what empty input comes to; JSON is never empty.
            State::Call { written, .. } if piece.whole && (*written || piece.is_empty()) => {}
            State::Call { call, written } => {
                *written |= !piece.is_empty();
                pen.payload(*call, piece.text, out);
            }
            State::Early(words) => keep(words, piece)?,
            State::Message(_) | State::Reasoning { .. } | State::Hidden => {}
        }
        Ok(())
    }

    /// A piece of a message; all of a part only where no piece of it has been sent.
    fn text(&mut self, pen: &Pen<'_>, piece: &Piece<'_>, out: &mut BytesMut) {
        let hidden = pen.wanted.json && self.spoke;
        let State::Message(state) = self.items.state(piece.output_index, || message(hidden)) else {
            return;
        };
        if !state.has_news(piece) {
            return;
        }
        let is_content = piece.what == What::Text;
        let begins = is_content && !std::mem::replace(&mut state.spoke, true);
        self.close_thinking(pen, out);
        if begins && self.spoke {
            self.delta(pen, out, |out| member(out, "content", paragraph()));
        }
        self.spoke |= is_content;
        let field = if is_content { "content" } else { "refusal" };
        self.delta(pen, out, |out| member(out, field, piece.text));
    }

    /// A finished item: what of it no delta has said is said now.
    fn done(
        &mut self,
        pen: &Pen<'_>,
        index: u64,
        item: &Item,
        out: &mut BytesMut,
    ) -> Result<(), Malformed> {
        let fits = self.items.fits(index, item.kind().as_deref());
        if fits && self.items.is_done(index) {
            return Ok(());
        }
        if !fits {
            self.added(pen, index, item, out);
        }
        match self.items.state(index, || State::Hidden) {
            State::Message(_) => {
                for reply::Text { part, what, text } in reply::texts(item) {
                    self.text(pen, &whole(what, index, part, &raw(&text)), out);
                }
                self.annotations.extend(reply::annotations(item));
            }
            State::Call { written: false, call } => {
                let payload = reply::payload(item, call.custom);
                self.payload(pen, &whole(What::Arguments, index, 0, &payload), out)?;
            }
            State::Reasoning { written: false } => {
                if let Some(text) = reply::reasoning(item) {
                    self.reasoning(pen, index, &raw(&text), out);
                }
            }
            _ => {}
        }
        if let Some(url) = reply::image(item) {
            let image = reply::shown(self.n_images, &url);
            self.n_images += 1;
            self.delta(pen, out, |out| member(out, "images", &raw(&[image])));
        }
        self.items.end(index);
        Ok(())
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
        self.listed(pen, &output, out)?;
        self.close_thinking(pen, out);
        for call in self.items.silent_calls() {
            pen.payload(call, &raw("{}"), out);
        }
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

    /// What only the last event tells: further items, and the rest of those that did not end.
    fn listed(
        &mut self,
        pen: &Pen<'_>,
        output: &[Item],
        out: &mut BytesMut,
    ) -> Result<(), Malformed> {
        let has_more = output.len() > self.items.n_known();
        for (index, item) in (0..).zip(output) {
            let is_news = match self.items.is_known(index) {
                true => {
                    let fits = self.items.fits(index, item.kind().as_deref());
                    fits && !self.items.is_done(index)
                }
                false => has_more,
            };
            if is_news {
                self.done(pen, index, item, out)?;
            }
        }
        Ok(())
    }
}

fn message(hidden: bool) -> State {
    if hidden { State::Hidden } else { State::Message(Message::default()) }
}

/// All of a text of the item at `output_index`.
const fn whole(what: What, output_index: u64, part: u64, text: &RawValue) -> Piece<'_> {
    Piece { what, whole: true, output_index, part, text }
}

/// What stands between two paragraphs that the upstream sends as two things.
fn paragraph() -> &'static RawValue {
    serde_json::from_str(r#""\n\n""#).expect("it is a JSON string")
}
