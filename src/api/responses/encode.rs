//! The upstream's events, passed on: renumbered, and with the client's view where a whole
//! response is told.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{
    is_private,
    view::{View, no_usage, unheard},
};
use crate::{
    api::Error,
    protocol::{Event, Gather, Item, Kind, Malformed, Object, Outcome, Response, raw},
    sse, upstream,
};

/// What has been passed on so far.
#[derive(Debug)]
pub(super) struct Encoder {
    view: View,
    /// The official client is shown the backend's private events too.
    codex: bool,
    next_number: u64,
    gather: Gather,
    /// The response as it was first told, for a failure that is not told by the upstream.
    created: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct ResponseEvent<'a, 'b> {
    r#type: &'a str,
    response: &'a Object<'b>,
    sequence_number: u64,
}

#[derive(Deserialize)]
struct WithResponse<'a> {
    #[serde(borrow)]
    response: &'a RawValue,
}

impl Encoder {
    pub(super) const fn new(view: View, codex: bool) -> Self {
        Self { view, codex, next_number: 0, gather: Gather::new(), created: None }
    }

    pub(super) fn event(
        &mut self,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<(), upstream::Error> {
        if is_private(event) && !self.codex {
            return Ok(());
        }
        if let Some(response) = self.gather.event(event)? {
            let object = self.finished(&response)?;
            self.response_event(event.kind, &object, out)?;
            out.put_slice(sse::DONE);
            return Ok(());
        }
        match event.kind {
            Kind::Created | Kind::InProgress | Kind::Queued => {
                let WithResponse { response } = event.read()?;
                if self.created.is_none() {
                    self.created = Some(response.to_owned());
                }
                let mut object: Object<'_> = parse(response)?;
                let view = std::mem::take(&mut self.view);
                view.apply(&mut object);
                let written = self.response_event(event.kind, &object, out);
                drop(object);
                self.view = view;
                written
            }
            _ => self.relay(event, out),
        }
    }

    /// Copies an event; only its number is ours, since some events are not passed on.
    fn relay(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error> {
        let json = &event.json;
        let number = self.number();
        let mut digits = number.to_string();
        match event.sequence_number()? {
            Some(range) if json[range.clone()] == *digits.as_bytes() => {
                sse::write(out, &event.name, json);
            }
            found => {
                let (range, comma) = match found {
                    Some(range) => (range, ""),
                    None => {
                        digits.insert_str(0, r#""sequence_number":"#);
                        (1..1, if json.get(1) == Some(&b'}') { "" } else { "," })
                    }
                };
                out.reserve(json.len() + event.name.len() + digits.len() + 32);
                out.put_slice(b"event: ");
                out.put_slice(&event.name);
                out.put_slice(b"\ndata: ");
                out.put_slice(&json[..range.start]);
                out.put_slice(digits.as_bytes());
                out.put_slice(comma.as_bytes());
                out.put_slice(&json[range.end..]);
                out.put_slice(b"\n\n");
            }
        }
        Ok(())
    }

    fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn response_event(
        &mut self,
        kind: Kind,
        response: &Object<'_>,
        out: &mut BytesMut,
    ) -> Result<(), upstream::Error> {
        let name = kind.name().unwrap_or_default();
        let event = ResponseEvent { r#type: name, response, sequence_number: self.number() };
        let json = serde_json::to_vec(&event).map_err(Malformed::new)?;
        sse::write(out, name.as_bytes(), &json);
        Ok(())
    }

    /// The last word on a turn: its items in their places, and its usage told.
    fn finished(&self, response: &Response) -> Result<Object<'static>, upstream::Error> {
        let mut object: Object<'_> = parse(&response.object)?;
        self.view.apply(&mut object);
        object.set("output", raw(&response.output));
        if object.lacks("usage") {
            object.set("usage", no_usage());
        }
        if object.lacks("status") {
            let status = match &response.outcome {
                Outcome::Completed => "completed",
                Outcome::Incomplete(_) => "incomplete",
                Outcome::Failed(_) => "failed",
            };
            object.set("status", raw(status));
        }
        Ok(object.into_owned())
    }

    /// Ends the stream with `response.failed`: some clients know no other event for it.
    pub(super) fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        let created = self.created.take();
        let mut object = match created.as_deref().map(parse) {
            Some(Ok(object)) => object,
            Some(Err(_)) | None => unheard(),
        };
        let view = std::mem::take(&mut self.view);
        view.apply(&mut object);
        let code = error.code.as_deref().unwrap_or("server_error");
        object.set("status", raw("failed"));
        object.set("error", raw(&json!({"code": code, "message": error.message})));
        let so_far: Vec<Item> = self.gather.so_far();
        object.set("output", raw(&so_far));
        object.set("usage", no_usage());
        if self.response_event(Kind::Failed, &object, out).is_ok() {
            out.put_slice(sse::DONE);
        }
    }

    pub(super) fn keep_alive(&mut self, out: &mut BytesMut) {
        if self.codex {
            let number = self.number();
            let json = format!(r#"{{"type":"keepalive","sequence_number":{number}}}"#);
            sse::write(out, b"keepalive", json.as_bytes());
        } else {
            out.put_slice(b": keepalive\n\n");
        }
    }

    pub(super) fn reply(&self, response: Response) -> Result<Bytes, upstream::Error> {
        let object = self.finished(&response)?;
        if let Outcome::Failed(failure) = response.outcome {
            return Err(upstream::of_failure(failure));
        }
        Ok(serde_json::to_vec(&object).map_err(Malformed::new)?.into())
    }
}

fn parse(json: &RawValue) -> Result<Object<'_>, upstream::Error> {
    Ok(serde_json::from_str(json.get()).map_err(Malformed::new)?)
}
