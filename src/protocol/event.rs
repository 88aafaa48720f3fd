//! The events of a streamed turn.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use memchr::memchr2;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Object,
    json::one_line,
    quickly, raw,
    reader::{known, places_of},
};
use crate::sse::Frame;

/// One event: what kind it is, its name, and its JSON as it came.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: Kind,
    /// The `type` as the upstream wrote it.
    pub name: Bytes,
    /// One JSON object.
    pub json: Bytes,
}

/// The upstream sent an event that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the upstream sent an event that is not the JSON it should be: {0}")]
pub struct Malformed(String);

impl Malformed {
    pub fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

macro_rules! kinds {
    ($($kind:ident = $name:literal,)*) => {
        /// The kinds of event that some code here reads; every other one is [`Kind::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($kind,)* Other }

        impl Kind {
            /// What the event is called on the wire; `None` for [`Kind::Other`].
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self { $(Self::$kind => Some($name),)* Self::Other => None }
            }

            fn of(name: &[u8]) -> Self {
                $(if name == $name.as_bytes() { return Self::$kind; })*
                Self::Other
            }
        }
    };
}

kinds! {
    TextDelta = "response.output_text.delta",
    ArgumentsDelta = "response.function_call_arguments.delta",
    ReasoningSummaryDelta = "response.reasoning_summary_text.delta",
    ReasoningTextDelta = "response.reasoning_text.delta",
    CustomInputDelta = "response.custom_tool_call_input.delta",
    Created = "response.created",
    InProgress = "response.in_progress",
    Queued = "response.queued",
    ItemAdded = "response.output_item.added",
    ItemDone = "response.output_item.done",
    PartAdded = "response.content_part.added",
    PartDone = "response.content_part.done",
    TextDone = "response.output_text.done",
    AnnotationAdded = "response.output_text.annotation.added",
    RefusalDelta = "response.refusal.delta",
    RefusalDone = "response.refusal.done",
    ArgumentsDone = "response.function_call_arguments.done",
    CustomInputDone = "response.custom_tool_call_input.done",
    ReasoningSummaryPartAdded = "response.reasoning_summary_part.added",
    ReasoningSummaryPartDone = "response.reasoning_summary_part.done",
    ReasoningSummaryDone = "response.reasoning_summary_text.done",
    Completed = "response.completed",
    Incomplete = "response.incomplete",
    Failed = "response.failed",
    Done = "response.done",
    Error = "error",
    Keepalive = "keepalive",
    RateLimits = "codex.rate_limits",
}

impl Kind {
    /// Whether the turn is over with it, well or badly.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Incomplete | Self::Failed)
    }

    /// Whether it tells a piece of a text.
    #[must_use]
    pub const fn is_delta(self) -> bool {
        matches!(
            self,
            Self::TextDelta
                | Self::RefusalDelta
                | Self::ArgumentsDelta
                | Self::CustomInputDelta
                | Self::ReasoningSummaryDelta
                | Self::ReasoningTextDelta
        )
    }

    /// Whether it says nothing of the answer yet (nor does what is not known): a turn that fails
    /// after such events alone can still be answered with an HTTP status.
    #[must_use]
    pub const fn is_prelude(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::InProgress
                | Self::Queued
                | Self::Keepalive
                | Self::RateLimits
                | Self::Other
        )
    }
}

impl Event {
    /// Reads a frame. The name is the JSON's `type`; where that is missing, what `event:` said, and
    /// the JSON then has it too.
    ///
    /// # Errors
    /// When the data is no JSON object, or says its type nowhere.
    pub fn parse(frame: Frame) -> Result<Self, Malformed> {
        let Frame { event, data } = frame;
        let data = one_line(&data).map_or(data, Bytes::from);
        let (name, data) = match type_range(&data) {
            Some(range) => (data.slice(range), data),
            None => match slow_type(&data)? {
                Some(name) => (name, data),
                None => (event.clone(), with_type(&data, &event)?),
            },
        };
        let kind = Kind::of(&name);
        if name.is_empty() {
            return Err(Malformed::new("it has no type"));
        }
        if kind == Kind::Other && !is_line(&name) {
            return Err(Malformed::new("its type is not a line of text"));
        }
        Ok(Self { kind, name, json: data })
    }

    /// Reads the members that are wanted.
    ///
    /// # Errors
    /// When one of them is missing or of another type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Malformed> {
        let json = std::str::from_utf8(&self.json).ok();
        // The library also reads what is no UTF-8 in members that are not wanted.
        let slowly = || serde_json::from_slice(&self.json).map_err(Malformed::new);
        json.and_then(quickly).map_or_else(slowly, Ok)
    }

    /// The values of the top-level members with these names, as they were written, found without
    /// building anything. `None` where they would have to be looked for more closely.
    #[must_use]
    pub fn members<const N: usize>(&self, names: [&str; N]) -> Option<[Option<&RawValue>; N]> {
        let json = std::str::from_utf8(&self.json).ok()?;
        let places = places_of(names, json)?;
        Some(places.map(|place| place.map(|place| known(&json[place]))))
    }

    /// Where the value of the top-level `sequence_number` stands, found without building anything.
    /// `None` also where it would have to be looked for more closely.
    ///
    /// # Errors
    /// When the JSON is not one object.
    pub fn sequence_number(&self) -> Result<Option<Range<usize>>, Malformed> {
        let json = std::str::from_utf8(&self.json).map_err(Malformed::new)?;
        match places_of(["sequence_number"], json) {
            Some([place]) => Ok(place),
            None => Object::parse(&self.json).map(|_| None).map_err(Malformed::new),
        }
    }
}

/// The usual case: the JSON begins with its type, which holds nothing to unescape.
fn type_range(json: &[u8]) -> Option<Range<usize>> {
    const START: &[u8] = br#"{"type":""#;
    let rest = json.strip_prefix(START)?;
    let end = memchr2(b'"', b'\\', rest)?;
    (rest[end] == b'"').then_some(START.len()..START.len() + end)
}

/// The JSON with its type, which clients look for there.
fn with_type(json: &[u8], name: &[u8]) -> Result<Bytes, Malformed> {
    let mut members = Object::parse(json).map_err(Malformed::new)?;
    members.set("type", raw(&String::from_utf8_lossy(name)));
    Ok(members.to_bytes())
}

fn is_line(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| !name.contains(char::is_control))
}

fn slow_type(json: &[u8]) -> Result<Option<Bytes>, Malformed> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, default)]
        r#type: Option<Cow<'a, str>>,
    }
    let typed: Typed<'_> = serde_json::from_slice(json).map_err(Malformed::new)?;
    Ok(typed.r#type.map(|name| Bytes::copy_from_slice(name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(json: &str) -> Result<Event, Malformed> {
        Event::parse(Frame {
            event: Bytes::from_static(b"named"),
            data: Bytes::copy_from_slice(json.as_bytes()),
        })
    }

    #[test]
    fn the_type_in_the_json_names_the_event_wherever_it_stands() {
        for json in [
            r#"{"type":"keepalive","sequence_number":1}"#,
            r#"{ "sequence_number": 1, "type": "keepalive" }"#,
            r#"{"type":"keep\u0061live"}"#,
        ] {
            let event = event(json).unwrap();
            assert_eq!(
                (event.kind, &event.name[..]),
                (Kind::Keepalive, &b"keepalive"[..]),
                "{json}"
            );
        }
        assert_eq!(event("{}").unwrap().name, "named");
        for untold in [r#"{"x":1}"#, r#"{"type":null,"x":1}"#] {
            let told: Value = event(untold).unwrap().read().unwrap();
            assert_eq!(told, json!({"type": "named", "x": 1}));
        }
        let lines = event("{\r\n\"type\": \"a\",\r\"b\": 1\n}\r\n").unwrap();
        assert_eq!(lines.json, "{  \"type\": \"a\", \"b\": 1 }  ");
        assert!(event(r#"{"type":"two\nlines"}"#).is_err());
        assert!(event("[1").is_err());
        assert!(event("oops").is_err());
    }

    #[test]
    fn the_sequence_number_is_found_at_the_top_level_only() {
        let check = |json: &str, expected: Option<&str>| {
            let event = event(json).unwrap();
            let found = event.sequence_number().unwrap();
            assert_eq!(found.map(|range| &json[range]), expected, "{json}");
        };
        check(r#"{"type":"a","sequence_number":12}"#, Some("12"));
        check(r#"{"type":"a", "sequence_number" : 7 ,"b":{"sequence_number":3}}"#, Some("7"));
        check(r#"{"type":"a","x":{"sequence_number":3},"t":"\"sequence_number\":5"}"#, None);
        check(r#"{"type":"sequence_number","sequence_number":0}"#, Some("0"));
        check(r#"{"type":"a","sequence_number":-1.5e+3}"#, Some("-1.5e+3"));
        check(r#"{"type":"a","sequence_number":"5"}"#, Some("\"5\""));
        check(r#"{"type":"a","sequence\u005fnumber":5}"#, None);
        for broken in [
            r#"{"type":"a","b":{}"#,
            r#"{"type":"a","b":"#,
            r#"{"type":"a","b":"\"#,
            r#"{"type":"a","b":[}]"#,
            r#"{"type":"a"} {}"#,
        ] {
            assert!(event(broken).unwrap().sequence_number().is_err(), "{broken}");
        }
        // Nobody writes such, and the library is asked.
        let deep = format!(r#"{{"type":"a","b":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(event(&deep).unwrap().sequence_number().unwrap().is_none());
    }
}
