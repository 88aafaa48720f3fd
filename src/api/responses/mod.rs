//! `POST /v1/responses`: nearly a pass-through.

use bytes::{Bytes, BytesMut};

use super::{Client, Decoded, Dialect, Error};
use crate::{
    protocol::{Event, Kind, Response},
    state::Keeps,
    upstream,
};

mod decode;
mod encode;
mod input;
mod view;

/// One turn in the Responses dialect.
pub struct Responses {
    stream: bool,
    /// Whether the client may speak of the answer's items by id.
    stored: bool,
    encoder: encode::Encoder,
}

impl Dialect for Responses {
    const NAME: &'static str = "responses";
    const INPUT: &'static str = "input";

    type Other = super::Chat;

    fn decode(body: &[u8], client: &Client<'_>) -> Result<Decoded<Self>, Error> {
        decode::decode(body, client)
    }

    fn streams(&self) -> bool {
        self.stream
    }

    fn keeps(&self) -> Keeps {
        if self.stored { Keeps::Items } else { Keeps::Nothing }
    }

    fn encode(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error> {
        self.encoder.event(event, out)
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        self.encoder.fail(error, out);
    }

    fn keep_alive(&mut self, out: &mut BytesMut) {
        self.encoder.keep_alive(out);
    }

    fn reply(self, response: Response) -> Result<Bytes, upstream::Error> {
        self.encoder.reply(response)
    }
}

/// Whether the event is for the official client only.
fn is_private(event: &Event) -> bool {
    event.kind == Kind::Keepalive || event.name.starts_with(b"codex.")
}
