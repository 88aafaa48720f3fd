//! The upstream's events, passed on: renumbered, and with the client's view where a whole
//! response is told.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    is_private,
    shown::{ended, shown, with_status, without_padding, without_seal},
    view::{View, full_usage, no_usage, unheard},
};
use crate::{
    api::{Error, dialect::Flow, masked::masked},
    protocol::{Event, Gather, Item, Kind, Malformed, Object, Outcome, Response, from_json, raw},
    sse, upstream,
};
use begin::Begun;

mod begin;

/// What has been passed on so far.
#[derive(Debug)]
pub(super) struct Encoder {
    view: View,
    audience: Audience,
    /// The model that was asked for.
    model: String,
    next_number: u64,
    gather: Gather,
    /// The response as it was first told, for a failure that is not told by the upstream.
    created: Option<Box<RawValue>>,
    /// What the client was told with that: the upstream says the same once more, and it may be large.
    told: Option<Bytes>,
    begun: Begun,
    ended: Option<Ended>,
}

/// A response as it was last told.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: Option<String>,
    /// Without its output.
    pub(super) object: Box<RawValue>,
    /// Whole.
    pub(super) output: Vec<Item>,
}

impl Ended {
    /// With nothing in its output yet.
    fn of(mut object: Object<'_>) -> Self {
        object.remove("output");
        let id = object.str("id").map(Cow::into_owned);
        Self { id, object: raw(&object), output: Vec::new() }
    }
}

/// What the client is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Audience {
    /// It is the official client, which knows the backend's private events.
    pub(super) codex: bool,
    /// It does not mind that deltas are padded against who watches their lengths.
    pub(super) padded: bool,
    /// It has asked for encrypted reasoning.
    pub(super) sealed: bool,
    /// What it knows the response as, where that is not the upstream's id.
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
struct WithResponse<'a> {
    #[serde(borrow)]
    response: &'a RawValue,
}

impl Encoder {
    pub(super) const fn new(view: View, audience: Audience, model: String) -> Self {
        let gather = Gather::of_ends();
        Self {
            view,
            audience,
            model,
            next_number: 0,
            gather,
            created: None,
            told: None,
            begun: Begun::Not,
            ended: None,
        }
    }

    pub(super) fn event(
        &mut self,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<Flow, upstream::Error> {
        if is_private(event) {
            if self.audience.codex {
                self.relay(event, out)?;
            }
            return Ok(Flow::On);
        }
        self.begin_before(event, out)?;
        if let Some(mut response) = self.gather.event(event)? {
            settle(&mut response);
            let object = self.finished(&response)?;
            write(event.kind, self.next_number, out, |out| object.write(out));
            out.put_slice(sse::DONE);
            let ended = Ended::of(object);
            self.ended = Some(Ended { output: response.output, ..ended });
            return Ok(Flow::End);
        }
        self.passed_on(event, out)?;
        Ok(Flow::On)
    }

    fn passed_on(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error> {
        match event.kind {
            Kind::Created if self.begun > Begun::Not => Ok(()),
            Kind::Created | Kind::InProgress | Kind::Queued => {
                let WithResponse { response } = event.read()?;
                let is_same =
                    self.created.as_ref().is_some_and(|created| created.get() == response.get());
                let told = match self.told.take().filter(|_| is_same) {
                    Some(told) => told,
                    None => self.rendered(parse(response)?),
                };
                self.tell(event.kind, &told, out);
                if self.created.is_none() {
                    self.created = Some(response.to_owned());
                    self.told = Some(told);
                }
                self.begun = self.begun.max(Begun::by(event.kind));
                Ok(())
            }
            Kind::ItemAdded => self.item(event, out),
            Kind::ItemDone => match ended(event)? {
                Some(ended) => self.item(&ended, out),
                None => self.item(event, out),
            },
            _ if !self.audience.padded && event.name.ends_with(b".delta") => {
                self.relay(&without_padding(event)?, out)
            }
            Kind::Error => {
                let json = std::str::from_utf8(&event.json).map_err(Malformed::new)?;
                let json = masked(json).into_owned().into();
                self.relay(&Event { json, ..event.clone() }, out)
            }
            _ => self.relay(event, out),
        }
    }

    fn item(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error> {
        let shown = if self.audience.sealed { None } else { without_seal(event)? };
        self.relay(shown.as_ref().unwrap_or(event), out)
    }

    /// Tells of a response.
    fn tell(&mut self, kind: Kind, rendered: &[u8], out: &mut BytesMut) {
        write(kind, self.number(), out, |out| out.put_slice(rendered));
    }

    /// The JSON of a response as its client sees it.
    fn rendered(&self, object: Object<'_>) -> Bytes {
        let mut object = object; // It borrows from the view from here on.
        self.viewed(&mut object);
        object.to_bytes()
    }

    /// The response as its client sees it.
    fn viewed<'a>(&'a self, object: &mut Object<'a>) {
        self.view.apply(object);
        if let Some(id) = &self.audience.id {
            object.set("id", raw(id));
        }
    }

    /// What has been told in the end; once.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        self.ended.take()
    }

    /// Copies an event; only its number is ours, since some events are not passed on.
    fn relay(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error> {
        let json = &event.json;
        // It goes on as it is, so it has to be what a client can read, which this sees to as well.
        let found = event.sequence_number()?;
        let number = self.number();
        let digits = number.to_string();
        match found {
            Some(range) if json[range.clone()] == *digits.as_bytes() => {
                sse::write(out, &event.name, json);
            }
            Some(range) => {
                out.reserve(json.len() + event.name.len() + digits.len() + 32);
                out.put_slice(b"event: ");
                out.put_slice(&event.name);
                out.put_slice(b"\ndata: ");
                out.put_slice(&json[..range.start]);
                out.put_slice(digits.as_bytes());
                out.put_slice(&json[range.end..]);
                out.put_slice(b"\n\n");
            }
            // It has none, or something else in its place.
            None => {
                let mut members = Object::parse(json).map_err(Malformed::new)?;
                members.set("sequence_number", raw(&number));
                sse::write(out, &event.name, &members.to_bytes());
            }
        }
        Ok(())
    }

    fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// The last word on a turn: its items in their places, and its usage told.
    fn finished<'a>(&'a self, response: &'a Response) -> Result<Object<'a>, upstream::Error> {
        let mut object: Object<'_> = parse(&response.object)?;
        // A failure tells little of the response that it ends.
        let created: Option<Object<'_>> = self.created.as_deref().map(parse).transpose()?;
        for (name, value) in created.iter().flat_map(Object::iter).filter(|it| it.0 != "status") {
            if !object.has(name) {
                object.add(name, value.to_owned());
            }
        }
        self.viewed(&mut object);
        if let (Outcome::Failed(_), Some(error)) = (&response.outcome, object.get("error"))
            && let Cow::Owned(error) = masked(error.get())
        {
            object.set("error", RawValue::from_string(error).map_err(Malformed::new)?);
        }
        if matches!(response.outcome, Outcome::Failed(_)) && object.lacks("error") {
            object
                .set("error", raw(&json!({"code": "server_error", "message": "the turn failed"})));
        }
        object.set("output", shown(&response.output, self.audience.sealed));
        match object.get("usage").filter(|usage| usage.get().starts_with('{')).map(full_usage) {
            Some(Some(usage)) => object.set("usage", usage),
            Some(None) => {}
            None => object.set("usage", no_usage()),
        }
        if object.lacks("status") {
            let status = match &response.outcome {
                Outcome::Completed => "completed",
                Outcome::Incomplete(_) => "incomplete",
                Outcome::Failed(_) => "failed",
            };
            object.set("status", raw(status));
        }
        Ok(object)
    }

    pub(super) fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        // Of codes of our own making typed clients know nothing.
        let code = error.code.as_deref().filter(|code| !is_ours(code)).unwrap_or("server_error");
        let error = raw(&json!({"code": code, "message": error.message}));
        self.break_off("failed", error, out);
    }

    /// Ends the response where it is. The API has no event that says so, but a status.
    pub(super) fn cancel(&mut self, out: &mut BytesMut) {
        self.break_off("cancelled", raw(&()), out);
    }

    /// Ends the stream with `response.failed`: some clients know no other event for it.
    fn break_off(&mut self, status: &str, error: Box<RawValue>, out: &mut BytesMut) {
        // What cannot be told of the beginning is no reason not to tell the end.
        let _ = self.begin(Begun::InProgress, None, out);
        let so_far: Vec<Item> = self.gather.so_far();
        let created = self.created.take();
        let mut object = match created.as_deref().map(parse) {
            Some(Ok(object)) => object,
            Some(Err(_)) | None => unheard(&self.model),
        };
        self.viewed(&mut object);
        object.set("status", raw(status));
        object.set("error", error);
        object.set("output", shown(&so_far, self.audience.sealed));
        object.set("usage", no_usage());
        write(Kind::Failed, self.next_number, out, |out| object.write(out));
        out.put_slice(sse::DONE);
        let ended = Ended::of(object);
        self.ended = Some(Ended { output: so_far, ..ended });
    }

    pub(super) fn keep_alive(&mut self, out: &mut BytesMut) {
        if self.audience.codex {
            let number = self.number();
            let json = format!(r#"{{"type":"keepalive","sequence_number":{number}}}"#);
            sse::write(out, b"keepalive", json.as_bytes());
        } else {
            out.put_slice(b": keepalive\n\n");
        }
    }

    pub(super) fn reply(&mut self, mut response: Response) -> Result<Bytes, upstream::Error> {
        if let Outcome::Failed(failure) = response.outcome {
            return Err(upstream::of_failure(failure));
        }
        settle(&mut response);
        let object = self.finished(&response)?;
        let reply = object.to_bytes();
        let ended = Ended::of(object);
        self.ended = Some(Ended { output: response.output, ..ended });
        Ok(reply)
    }
}

/// Writes the event that tells of a response.
fn write(kind: Kind, number: u64, out: &mut BytesMut, response: impl FnOnce(&mut BytesMut)) {
    let name = kind.name().unwrap_or_default();
    for text in ["event: ", name, "\ndata: {\"type\":\"", name, "\",\"response\":"] {
        out.put_slice(text.as_bytes());
    }
    response(out);
    out.put_slice(b",\"sequence_number\":");
    out.put_slice(number.to_string().as_bytes());
    out.put_slice(b"}\n\n");
}

/// Gives the calls in it the status that they may lack.
fn settle(response: &mut Response) {
    for item in &mut response.output {
        if let Some(settled) = with_status(item) {
            *item = settled;
        }
    }
}

fn is_ours(code: &str) -> bool {
    code.starts_with("upstream_") || matches!(code, "timeout" | "too_many_turns" | "store_error")
}

fn parse(json: &RawValue) -> Result<Object<'_>, upstream::Error> {
    Ok(from_json(json.get()).map_err(Malformed::new)?)
}
