//! What a client-facing API has to say about itself.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::Error;
use crate::{
    config::Profile,
    protocol::{Event, Request, Response},
    shaping::Ignored,
    state::Keeps,
    upstream,
};

/// A client-facing API: how its requests read, and how its replies are written.
///
/// A value of the type lives for one turn and holds what writing the reply needs to remember.
/// Nothing here waits or touches the network, so a dialect can be tested with plain calls.
pub trait Dialect: Send + Sized + 'static {
    /// What the logs call it.
    const NAME: &'static str;

    /// The field that holds the conversation, by which a body of this dialect is known.
    const INPUT: &'static str;

    /// The dialect that clients take for this one: a body that has its field, and not ours, is
    /// answered in it.
    type Other: Dialect;

    /// What of this turn its client will want again, and cannot carry or does not.
    fn keeps(&self) -> Keeps;

    /// Reads a request.
    ///
    /// # Errors
    /// When the request is at fault; the error names the field.
    fn decode(body: &[u8], client: &Client<'_>) -> Result<Decoded<Self>, Error>;

    /// Whether the client wants the answer as it happens.
    fn streams(&self) -> bool;

    /// Writes what an event comes to: whole frames, or nothing. A terminal event ends the stream.
    ///
    /// # Errors
    /// When the event means that the turn has failed; [`Dialect::fail`] is then called.
    fn encode(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), upstream::Error>;

    /// Writes how a stream ends that cannot go on. Never an invented success.
    fn fail(&mut self, error: &Error, out: &mut BytesMut);

    /// Writes a sign of life.
    fn keep_alive(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b": keepalive\n\n");
    }

    /// The whole answer at once.
    ///
    /// # Errors
    /// When the turn has failed.
    fn reply(self, response: Response) -> Result<Bytes, upstream::Error>;

    /// What the upstream calls a field, in the words of this dialect.
    #[must_use]
    fn param(upstream: String) -> String {
        upstream
    }

    /// An upstream's error in the words of this dialect.
    #[must_use]
    fn told(error: upstream::Error) -> Error {
        let error = Error::from(error);
        Error { param: error.param.map(Self::param), ..error }
    }
}

/// Who is asking.
pub struct Client<'a> {
    pub headers: &'a HeaderMap,
    pub profile: &'a Profile,
}

/// A request that has been read.
pub struct Decoded<D> {
    pub dialect: D,
    /// `model` is still what the client called it.
    pub request: Request,
    pub ignored: Ignored,
    /// The body's `user`, which tells conversations with the same head apart.
    pub user: Option<String>,
    /// The conversation's name, where the body gives one beside `prompt_cache_key`.
    pub conversation: Option<String>,
    /// Whether the request has the "Responses Lite" shape.
    pub lite: bool,
    /// The places in `request.input` at which an item is to be put that the client names by its id.
    pub references: Vec<Reference>,
}

/// An item that the client has sent back as no more than its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where in `request.input` it belongs.
    pub place: usize,
    pub id: String,
    /// Where in the client's request it stands.
    pub param: String,
}
