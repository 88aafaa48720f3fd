//! The items that are under way, and how they end when the turn is cut.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{
    said::Said,
    what::What,
    write::{NONE, Place, Writer},
};
use crate::protocol::{Item, Object, raw};

/// An item under way, by what has been told of it beside its texts.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// As it was told last.
    item: Option<Item>,
    pub(super) id: Option<Box<RawValue>>,
    /// By `content_index`.
    pub(super) parts: BTreeMap<u64, Part>,
}

/// A part of an item under way.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// As it was begun.
    pub(super) begun: Option<Box<RawValue>>,
    /// As it was told whole.
    pub(super) whole: Option<Box<RawValue>>,
    pub(super) annotations: Vec<Box<RawValue>>,
}

impl Open {
    /// Takes the item as it is told now.
    pub(super) fn is(&mut self, item: Item) {
        let id = item.members().ok().and_then(|members| members.get("id").map(ToOwned::to_owned));
        self.id = id.or_else(|| self.id.take());
        self.item = Some(item);
    }

    /// Writes the end of the item, and before it that of each text and part that has none yet.
    pub(super) fn end(
        mut self,
        index: u64,
        texts: &BTreeMap<Place, Said>,
        status: &str,
        out: &mut Writer<'_>,
    ) {
        let mut payload = None;
        for (&place, said) in texts.range((index, 0)..=(index, u64::MAX)) {
            if said.announced && !said.ended {
                out.done(said.what, place, self.id.as_deref(), &said.shown);
            }
            if !said.what.is_part() {
                payload = Some(said);
                continue;
            }
            let part = self.parts.entry(place.1).or_default();
            if part.whole.is_none() {
                let whole = part.ended(said);
                if said.announced {
                    out.part_done(place, self.id.as_deref(), &whole);
                }
                part.whole = Some(whole);
            }
        }
        let mut item = self.members(payload);
        let content: Vec<_> = self.parts.values().filter_map(Part::told).collect();
        if !content.is_empty() {
            item.set("content", raw(&content));
        }
        // The seal of reasoning is good only for the whole of it.
        item.remove("encrypted_content");
        item.set("status", raw(status));
        out.item_done(index, &raw(&item));
    }

    /// The item as it was told last, or as it must have been, with the payload of a call.
    fn members<'a>(&'a self, payload: Option<&'a Said>) -> Object<'a> {
        let kind = payload.map_or("message", |said| said.what.owner());
        let told = self.item.as_ref().and_then(|item| item.members().ok());
        let mut members = told.unwrap_or_else(|| {
            let mut members = Object::default();
            if let Some(id) = &self.id {
                members.set_borrowed("id", id);
            }
            members.set("type", raw(kind));
            members.set("status", raw("in_progress"));
            if payload.is_none() {
                members.set("content", raw(&NONE));
                members.set("role", raw("assistant"));
            }
            members
        });
        if let Some(said) = payload {
            members.set(said.what.member(), raw(&said.shown));
        }
        members
    }
}

impl Part {
    /// The part as far as it has been told.
    fn told(&self) -> Option<&RawValue> {
        self.whole.as_deref().or(self.begun.as_deref())
    }

    /// The part with what has been said in it, and nothing more to come.
    fn ended(&self, said: &Said) -> Box<RawValue> {
        let begun = self.begun.as_deref().and_then(|begun| serde_json::from_str(begun.get()).ok());
        let mut members: Object<'_> = begun.unwrap_or_default();
        members.set_default("type", || raw(said.what.owner()));
        if said.what == What::Text {
            members.set_default("annotations", || raw(&NONE));
            members.set_default("logprobs", || raw(&NONE));
        }
        members.set(said.what.member(), raw(&said.shown));
        if !self.annotations.is_empty() {
            members.set("annotations", raw(&self.annotations));
        }
        raw(&members)
    }
}
