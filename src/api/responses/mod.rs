//! `POST /v1/responses`: nearly a pass-through.

use bytes::{Bytes, BytesMut};

use serde_json::value::RawValue;

use super::{Client, Decoded, Dialect, Error, Fields, dialect::Flow};
use crate::{
    config::Protocol,
    protocol::{Event, Item, Kind, Object, Response, raw},
    shaping::Ignored,
    state::Record,
    upstream,
};

mod compact;
mod count;
mod decode;
mod encode;
mod input;
mod kept;
mod shown;
mod view;

use encode::Ended;

pub use compact::Compact;
pub(super) use count::input_tokens;
pub(super) use input::is_sealed;
pub(super) use shown::shown;

/// One turn in the Responses dialect.
pub struct Responses {
    stream: bool,
    /// `None` where nothing of the turn is to be kept.
    kept: Option<Kept>,
    encoder: encode::Encoder,
}

/// What of the request is kept with the response.
struct Kept {
    input: Vec<Item>,
    previous: Option<String>,
}

impl Dialect for Responses {
    const NAME: &'static str = "responses";
    const PROTOCOL: Protocol = Protocol::OpenaiResponses;
    const INPUT: &'static str = "input";
    const CARRIES_REASONING: bool = true;

    type Other = super::Chat;

    fn decode(fields: Fields<'_>, client: &Client<'_>) -> Result<Decoded<Self>, Error> {
        decode::decode(fields, client)
    }

    fn streams(&self) -> bool {
        self.stream
    }

    fn encode(
        &mut self,
        _choice: usize,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<Flow, upstream::Error> {
        self.encoder.event(event, out)
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        self.encoder.fail(error, out);
    }

    fn keep_alive(&mut self, out: &mut BytesMut) {
        self.encoder.keep_alive(out);
    }

    fn reply(&mut self, responses: Vec<Response>) -> Result<Bytes, upstream::Error> {
        let response = responses.into_iter().next().ok_or(upstream::Error::Truncated)?;
        self.encoder.reply(response)
    }

    fn recalled(&mut self, id: &str, item: &Item) {
        let stands_for = |kept: &&mut Item| kept.head().id.as_deref() == Some(id);
        let kept = self.kept.iter_mut().flat_map(|kept| &mut kept.input);
        if let Some(place) = kept.into_iter().find(stands_for) {
            let mut full = Object::default();
            full.set("id", raw(id));
            if let Ok(members) = item.members() {
                full.extend(members);
            }
            *place = Item::new(&full);
        }
    }

    fn again(items: &[Item]) -> Result<Vec<Item>, Error> {
        let items: Vec<&RawValue> = items.iter().map(Item::json).collect();
        Ok(input::items(&raw(&items), &mut Fields::default(), &mut Ignored::default())?.items)
    }

    fn queued(&mut self, model: &str) -> Option<(Record, Vec<Bytes>)> {
        let Kept { input, previous } = self.kept.as_ref()?;
        let (Ended { id, object, output }, events) = self.encoder.queued(model);
        let id = id?;
        let (input, previous) = (input.clone(), previous.clone());
        let record = Record { id, object, input, output, previous, running: true };
        Some((record, events))
    }

    fn cancel(&mut self, out: &mut BytesMut) {
        self.encoder.cancel(out);
    }

    fn record(&mut self) -> Option<Record> {
        let Ended { id, object, output } = self.encoder.ended()?;
        let Kept { input, previous } = self.kept.take()?;
        Some(Record { id: id?, object, input, output, previous, running: false })
    }
}

/// Items that a client gives to be kept, at `param`: whole, and with ids.
///
/// # Errors
/// When one of them could not be sent.
pub(super) fn to_be_kept(param: &str, list: &RawValue) -> Result<Vec<Item>, Error> {
    let rename = |error: Error| match &error.param {
        Some(at) => {
            let param = at.replacen("input", param, 1);
            Error { message: error.message.replace(&**at, &param), param: Some(param), ..error }
        }
        None => error,
    };
    input::items(list, &mut Fields::default(), &mut Ignored::default()).map_err(rename)?;
    Ok(kept::items(list))
}

/// Whether the event is for the official client only.
fn is_private(event: &Event) -> bool {
    event.kind == Kind::Keepalive || event.name.starts_with(b"codex.")
}
