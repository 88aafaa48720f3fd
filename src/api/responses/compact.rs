//! `POST /v1/responses/compact`: a conversation made shorter, by a turn that asks for just that.
//!
//! The backend has no endpoint for it any more. A turn whose input ends in a trigger is answered
//! with one sealed item that stands for everything before it.

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use super::{Responses, decode, kept, view::no_usage};
use crate::{
    api::{Client, Decoded, Dialect, Error, Fields, dialect::Flow},
    config::Protocol,
    protocol::{Event, Item, Malformed, Object, Outcome, Response, raw, unix_now},
    upstream,
};

/// A turn that shortens its conversation.
pub struct Compact {
    /// What the user said, which stays as it is.
    said: Vec<Item>,
}

#[derive(Serialize)]
struct Compaction {
    id: String,
    object: &'static str,
    created_at: u64,
    output: Vec<Item>,
    usage: Box<RawValue>,
}

impl Dialect for Compact {
    const NAME: &'static str = "compact";
    const PROTOCOL: Protocol = Protocol::OpenaiResponses;
    const INPUT: &'static str = "input";
    const CARRIES_REASONING: bool = true;

    type Other = Self;

    fn decode(fields: Fields<'_>, client: &Client<'_>) -> Result<Decoded<Self>, Error> {
        let Decoded { request, ignored, user, conversation, lite, references, continues, .. } =
            decode::decode(fields, client)?;
        let decoded = Decoded::new(Self { said: Vec::new() }, request, ignored);
        Ok(Decoded { user, conversation, lite, references, continues, ..decoded })
    }

    fn streams(&self) -> bool {
        false
    }

    fn ready(&mut self, input: &mut Vec<Item>) {
        let by_user = |item: &&Item| item.role().as_deref() == Some("user");
        let said: Vec<&Item> = input.iter().filter(by_user).collect();
        self.said = kept::items(&raw(&said));
        input.push(Item::new(&json!({"type": "compaction_trigger"})));
    }

    fn encode(
        &mut self,
        _choice: usize,
        event: &Event,
        _out: &mut BytesMut,
    ) -> Result<Flow, upstream::Error> {
        Ok(if event.kind.is_terminal() { Flow::End } else { Flow::On })
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        out.extend_from_slice(&error.json());
    }

    fn reply(&mut self, responses: Vec<Response>) -> Result<Bytes, upstream::Error> {
        let response = responses.into_iter().next().ok_or(upstream::Error::Truncated)?;
        if let Outcome::Failed(failure) = response.outcome {
            return Err(upstream::of_failure(failure));
        }
        let is_sealed = |item: &Item| item.kind().as_deref() == Some("compaction");
        let Some(sealed) = response.output.into_iter().find(is_sealed) else {
            return Err(Malformed::new("the upstream has not compacted the conversation").into());
        };
        let object: Object<'_> =
            serde_json::from_str(response.object.get()).map_err(Malformed::new)?;
        let mut output = std::mem::take(&mut self.said);
        output.extend(kept::items(&raw(&[sealed])));
        let compaction = Compaction {
            id: format!("resp_{}", Uuid::now_v7().simple()),
            object: "response.compaction",
            created_at: unix_now(),
            output,
            usage: object
                .get("usage")
                .filter(|_| !object.lacks("usage"))
                .map_or_else(no_usage, ToOwned::to_owned),
        };
        Ok(serde_json::to_vec(&compaction).map_err(Malformed::new)?.into())
    }

    fn param(upstream: String) -> String {
        Responses::param(upstream)
    }
}
