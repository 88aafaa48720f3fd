//! The beginning of a stream, told where the upstream does not tell it.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;

use super::{Encoder, Ended, parse, write};
use crate::{
    api::responses::view::unheard,
    protocol::{Event, Kind, Object, raw},
    upstream,
};

/// How far it has been told that the response has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Begun {
    Not,
    Created,
    InProgress,
}

impl Begun {
    /// As far as an event of that kind tells it.
    pub(super) const fn by(kind: Kind) -> Self {
        match kind {
            Kind::InProgress => Self::InProgress,
            _ => Self::Created,
        }
    }
}

impl Encoder {
    /// Tells that the response has begun where the upstream has not: clients insist that a stream
    /// begins with `created` and `in_progress`.
    pub(super) fn begin_before(
        &mut self,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<(), upstream::Error> {
        if self.begun == Begun::InProgress {
            return Ok(());
        }
        let wanted = match event.kind {
            Kind::Created => Begun::Not,
            Kind::InProgress | Kind::Queued => Begun::Created,
            _ => Begun::InProgress,
        };
        self.begin(wanted, Some(event), out)
    }

    /// Tells what is `wanted` of the beginning and has not been told.
    pub(super) fn begin(
        &mut self,
        wanted: Begun,
        event: Option<&Event>,
        out: &mut BytesMut,
    ) -> Result<(), upstream::Error> {
        for kind in [Kind::Created, Kind::InProgress] {
            let step = Begun::by(kind);
            if self.begun < step && step <= wanted {
                let created = match self.created.take() {
                    Some(created) => created,
                    None => self.beginning(event),
                };
                let mut object = parse(&created)?;
                object.set("status", raw("in_progress"));
                let told = self.rendered(object);
                self.tell(kind, &told, out);
                self.created = Some(created);
                self.begun = step;
            }
        }
        Ok(())
    }

    /// The response as it was before that event, by what the event says of it.
    fn beginning(&mut self, event: Option<&Event>) -> Box<RawValue> {
        let told = event.and_then(|event| event.members(["response"])?[0]);
        let told = told.and_then(|told| parse(told).ok()).unwrap_or_default();
        let mut object = fresh(&self.model, "in_progress");
        for name in ["id", "created_at", "model"] {
            if let Some(value) = told.get(name).filter(|_| !told.lacks(name)) {
                object.set(name, value.to_owned());
            }
        }
        if told.lacks("id") && self.audience.id.is_none() {
            // Its client has it under this id from now on, whatever the upstream calls it.
            self.audience.id = object.str("id").map(Cow::into_owned);
        }
        raw(&object)
    }

    /// Tells of the response before the upstream does: the object without its output, and an
    /// event each for that it is created and queued.
    pub(in super::super) fn queued(&mut self, model: &str) -> (Ended, Vec<Bytes>) {
        let mut object = fresh(model, "queued");
        self.viewed(&mut object);
        let mut events = Vec::with_capacity(2);
        for (number, kind) in (self.next_number..).zip([Kind::Created, Kind::Queued]) {
            let mut out = BytesMut::new();
            write(kind, number, &mut out, |out| object.write(out));
            events.push(out.freeze());
        }
        let told = Ended::of(object);
        self.next_number += 2;
        self.created = Some(told.object.clone());
        self.begun = Begun::Created;
        (told, events)
    }
}

/// A response of which nothing has come yet.
fn fresh(model: &str, status: &str) -> Object<'static> {
    let mut object = unheard(model);
    object.set("status", raw(status));
    object.set("output", raw(&[(); 0]));
    object.set("usage", raw(&()));
    object
}
