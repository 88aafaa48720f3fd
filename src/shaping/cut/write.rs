//! The events that the upstream did not send, as it would have.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::what::What;
use crate::protocol::{Event, Kind, Object, raw};

/// Where a text stands: the `output_index` of its item, and its `content_index` in there.
pub(super) type Place = (u64, u64);

/// Writes events behind one another.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<Event>,
    /// The `sequence_number` of the event before; `None` where the upstream has none.
    number: Option<u64>,
}

impl<'a> Writer<'a> {
    /// Goes on counting behind `latest`.
    pub(super) fn new(latest: Option<&Event>, out: &'a mut Vec<Event>) -> Self {
        let number = latest.and_then(|event| {
            let place = event.sequence_number().ok()??;
            std::str::from_utf8(&event.json[place]).ok()?.parse().ok()
        });
        Self { out, number }
    }

    /// A piece of a text that no delta of the upstream told.
    pub(super) fn delta(&mut self, what: What, place: Place, id: Option<&RawValue>, text: &str) {
        let mut members = of_text(what, place, id);
        members.set("delta", raw(text));
        self.write(what.delta(), members);
    }

    /// The whole of a text.
    pub(super) fn done(&mut self, what: What, place: Place, id: Option<&RawValue>, text: &str) {
        let mut members = of_text(what, place, id);
        members.set(what.member(), raw(text));
        self.write(what.done(), members);
    }

    /// The whole of a part.
    pub(super) fn part_done(&mut self, place: Place, id: Option<&RawValue>, part: &RawValue) {
        let mut members = of_part(place, id);
        members.set_borrowed("part", part);
        self.write(Kind::PartDone, members);
    }

    /// The whole of an item.
    pub(super) fn item_done(&mut self, index: u64, item: &RawValue) {
        let mut members = Object::default();
        members.set_borrowed("item", item);
        members.set("output_index", raw(&index));
        self.write(Kind::ItemDone, members);
    }

    /// The end of the turn.
    pub(super) fn response(&mut self, kind: Kind, response: &Object<'_>) {
        let mut members = Object::default();
        members.set("response", raw(response));
        self.write(kind, members);
    }

    /// The type comes first, the sequence number last.
    fn write(&mut self, kind: Kind, members: Object<'_>) {
        let name = kind.name().unwrap_or_default();
        let mut all = Object::default();
        all.set("type", raw(name));
        all.extend(members);
        if let Some(number) = &mut self.number {
            *number += 1;
            all.set("sequence_number", raw(number));
        }
        self.out.push(Event {
            kind,
            name: Bytes::from_static(name.as_bytes()),
            json: all.to_bytes(),
        });
    }
}

fn of_text<'a>(what: What, place: Place, id: Option<&'a RawValue>) -> Object<'a> {
    let mut members = if what.is_part() { of_part(place, id) } else { of_item(place.0, id) };
    if what == What::Text {
        members.set("logprobs", raw(&NONE));
    }
    members
}

fn of_part(place: Place, id: Option<&RawValue>) -> Object<'_> {
    let mut members = Object::default();
    members.set("content_index", raw(&place.1));
    members.extend(of_item(place.0, id));
    members
}

fn of_item(index: u64, id: Option<&RawValue>) -> Object<'_> {
    let mut members = Object::default();
    if let Some(id) = id {
        members.set_borrowed("item_id", id);
    }
    members.set("output_index", raw(&index));
    members
}

/// The same delta with `text` in it.
///
/// Its padding and its probabilities were those of another text, so they are left out.
pub(super) fn rewritten(delta: &Event, text: &str) -> Event {
    let mut members = Object::parse(&delta.json).unwrap_or_default();
    members.set("delta", raw(text));
    members.remove("obfuscation");
    if members.has("logprobs") {
        members.set("logprobs", raw(&NONE));
    }
    Event { json: members.to_bytes(), ..delta.clone() }
}

/// An empty list.
pub(super) const NONE: [(); 0] = [];
