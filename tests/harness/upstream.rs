use std::collections::HashSet;

use bytes::Bytes;
use codexway::{
    protocol::{Event, Kind, Malformed, Object},
    sse::{Decoder, MAX_FRAME},
};
use serde_json::{Value, value::RawValue};

/// An event, or what is wrong with what came instead.
pub(super) type Read = Result<Event, Malformed>;

/// The events of a stream as a turn meets them: up to the last, or what went wrong instead.
pub(super) fn read(bytes: &[u8]) -> Vec<Read> {
    let mut decoder = Decoder::new(MAX_FRAME);
    decoder.push(bytes);
    let mut events = Vec::new();
    loop {
        let frame = match decoder.next() {
            Ok(Some(frame)) => frame,
            Ok(None) => match decoder.finish() {
                Some(frame) => frame,
                None => return events,
            },
            Err(error) => {
                events.push(Err(Malformed::new(error)));
                return events;
            }
        };
        if frame.data == "[DONE]" {
            continue;
        }
        let event = Event::parse(frame).and_then(|mut event| match event.kind {
            Kind::Error => Err(Malformed::new("an `error` event")),
            Kind::Done => {
                event.kind = Kind::Completed;
                event.name = Bytes::from_static(b"response.completed");
                Ok(event)
            }
            _ => Ok(event),
        });
        let last = event.as_ref().map_or(true, |event| event.kind.is_terminal());
        events.push(event);
        if last {
            return events;
        }
    }
}

/// Whether a client can read what is passed on of these events: a reader of trees goes only so
/// deep, and of two members of one name it takes the last.
pub(super) fn is_legible(events: &[Read]) -> bool {
    events.iter().flatten().all(|event| {
        let Ok(members) = Object::parse(&event.json) else { return true };
        let response = members.get("response").map(RawValue::get).unwrap_or_default();
        // It may come to stand a few levels deeper than it does here.
        let deeper = [b"[[[[[[[[", &*event.json, b"]]]]]]]]"].concat();
        is_unambiguous(&members)
            && Object::parse(response.as_bytes()).map_or(true, |response| is_unambiguous(&response))
            && serde_json::from_slice::<Value>(&deeper).is_ok()
    })
}

fn is_unambiguous(members: &Object<'_>) -> bool {
    let names: HashSet<&str> = members.iter().map(|(name, _)| name).collect();
    names.len() == members.iter().count()
}
