//! What a client-facing API has to say about itself.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::{Error, Fields};
use crate::{
    config::{Profile, Protocol},
    protocol::{Event, Item, Request, Response},
    shaping::{Environment, Ignored},
    state::Record,
    upstream,
};

/// A client-facing API: how its requests read, and how its replies are written.
///
/// A value of the type lives for one turn and holds what writing the reply needs to remember.
/// Nothing here waits or touches the network, so a dialect can be tested with plain calls.
pub trait Dialect: Send + Sized + 'static {
    /// What the logs call it.
    const NAME: &'static str;

    /// What a profile calls it that serves nothing else.
    const PROTOCOL: Protocol;

    /// The field that holds the conversation, by which a body of this dialect is known.
    const INPUT: &'static str;

    /// The dialect that clients take for this one: a body that has its field, and not ours, is
    /// answered in it.
    type Other: Dialect;

    /// Whether its clients carry the model's encrypted reasoning from turn to turn; for those that
    /// cannot it is kept here.
    const CARRIES_REASONING: bool;

    /// Reads a request from the fields of its body.
    ///
    /// # Errors
    /// When the request is at fault; the error names the field.
    fn decode(fields: Fields<'_>, client: &Client<'_>) -> Result<Decoded<Self>, Error>;

    /// Whether the client wants the answer as it happens.
    fn streams(&self) -> bool;

    /// Writes what an event of that choice comes to: whole frames, or nothing.
    ///
    /// # Errors
    /// When the event means that the turn has failed; [`Dialect::fail`] is then called.
    fn encode(
        &mut self,
        choice: usize,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<Flow, upstream::Error>;

    /// Writes how a stream ends that cannot go on. Never an invented success.
    fn fail(&mut self, error: &Error, out: &mut BytesMut);

    /// Writes a sign of life.
    fn keep_alive(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b": keepalive\n\n");
    }

    /// The whole answer at once, from the responses of all choices.
    ///
    /// # Errors
    /// When the turn has failed.
    fn reply(&mut self, responses: Vec<Response>) -> Result<Bytes, upstream::Error>;

    /// Takes note of the item that a [`Reference`] stood for.
    fn recalled(&mut self, _id: &str, _item: &Item) {}

    /// Items that were kept, as the upstream takes them back.
    ///
    /// # Errors
    /// When one of them cannot be read.
    fn again(items: &[Item]) -> Result<Vec<Item>, Error> {
        Ok(items.to_vec())
    }

    /// Has the last word on the input: all that was kept has been put back into it.
    fn ready(&mut self, _input: &mut Vec<Item>) {}

    /// The response to the model `model` as it is before it has begun, for a turn that goes on
    /// without its client: what is kept of it, and the events that say so. `None` in a dialect
    /// that has no such turns.
    fn queued(&mut self, _model: &str) -> Option<(Record, Vec<Bytes>)> {
        None
    }

    /// Ends the turn where it is, because somebody wants it ended, and writes how its stream ends.
    fn cancel(&mut self, _out: &mut BytesMut) {}

    /// What is to be kept of a turn that has ended and been told, where its client wants that.
    fn record(&mut self) -> Option<Record> {
        None
    }

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
    /// Whether its turns go to the platform, which takes most of what the backend refuses.
    pub platform: bool,
    /// What it says of the machine it works on.
    pub environment: Environment,
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    On,
    /// Everything has been said.
    End,
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
    /// How many answers are wanted; each is a turn of its own.
    pub choices: usize,
    /// Where the answer is to be cut.
    pub stop: Vec<String>,
    /// How long it may become, in tokens that can be seen.
    pub max_tokens: Option<u64>,
    /// The places in `request.input` at which an item is to be put that the client names by its id.
    pub references: Vec<Reference>,
    /// What the request goes on from.
    pub continues: Option<Continues>,
    /// Whether the turn goes on without its client.
    pub background: bool,
}

impl<D> Decoded<D> {
    /// A request with nothing special about it.
    pub fn new(dialect: D, request: Request, ignored: Ignored) -> Self {
        Self {
            dialect,
            request,
            ignored,
            user: None,
            conversation: None,
            lite: false,
            choices: 1,
            stop: Vec::new(),
            max_tokens: None,
            references: Vec::new(),
            continues: None,
            background: false,
        }
    }
}

/// What was kept, and comes before the request's own input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Continues {
    /// A response, by its id, with all that it goes on from.
    Response(String),
    /// A conversation, by its id, to which the turn is added.
    Conversation(String),
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
