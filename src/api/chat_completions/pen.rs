//! The deltas of one choice, written.

use bytes::{BufMut, BytesMut};
use serde_json::value::RawValue;

use super::{
    Wanted,
    chunk::{Chunks, member},
};
use crate::protocol::raw;

/// Writes the chunks of one choice.
pub(super) struct Pen<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) chunks: &'a Chunks,
    /// The number of the choice.
    pub(super) choice: usize,
}

/// A call: its place among the calls of the choice, and whether its tool takes free text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) place: usize,
    pub(super) custom: bool,
}

impl Pen<'_> {
    /// Writes one delta; `members` writes what is in it.
    pub(super) fn delta(&self, out: &mut BytesMut, members: impl FnOnce(&mut BytesMut)) {
        self.chunks.delta(out, self.choice, members);
    }

    /// The beginning of a call: the only delta that says its id and name.
    pub(super) fn call(&self, call: Call, id: &str, name: &str, role: bool, out: &mut BytesMut) {
        let name = raw(self.wanted.names.back(name));
        self.delta(out, |out| {
            if role {
                out.put_slice(br#""role":"assistant","content":null,"refusal":null,"#);
            }
            if self.wanted.legacy {
                out.put_slice(br#""function_call":{"#);
                member(out, "name", &name);
                out.put_slice(br#","arguments":""}"#);
                return;
            }
            let (kind, payload) = call.kind_and_payload();
            out.put_slice(format!(r#""tool_calls":[{{"index":{},"#, call.place).as_bytes());
            member(out, "id", &raw(id));
            out.put_slice(format!(r#","type":"{kind}","{kind}":{{"#).as_bytes());
            member(out, "name", &name);
            out.put_slice(format!(r#","{payload}":""}}}}]"#).as_bytes());
        });
    }

    /// A piece of a call's arguments or input.
    pub(super) fn payload(&self, call: Call, delta: &RawValue, out: &mut BytesMut) {
        self.delta(out, |out| {
            if self.wanted.legacy {
                out.put_slice(br#""function_call":{"#);
                member(out, "arguments", delta);
                out.put_slice(b"}");
                return;
            }
            let (kind, payload) = call.kind_and_payload();
            out.put_slice(br#""tool_calls":[{"index":"#);
            out.put_slice(call.place.to_string().as_bytes());
            out.put_slice(br#",""#);
            out.put_slice(kind.as_bytes());
            out.put_slice(br#"":{"#);
            member(out, payload, delta);
            out.put_slice(b"}}]");
        });
    }
}

impl Call {
    const fn kind_and_payload(self) -> (&'static str, &'static str) {
        if self.custom { ("custom", "input") } else { ("function", "arguments") }
    }
}
