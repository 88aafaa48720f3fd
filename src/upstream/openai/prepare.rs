//! The body of a turn: what the client asked for, and what codexway asks for itself.

use bytes::Bytes;
use serde_json::json;

use crate::{
    protocol::{Failure, Turn, raw},
    upstream::Error,
};

const SEALED: &str = "reasoning.encrypted_content";

/// What codexway would ask for of its own accord, and a model or an account does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Without {
    /// Encrypted reasoning, for the turns to come.
    sealed: bool,
    /// A summary of the reasoning, where the profile rather than the client wants one.
    summary: bool,
}

impl Without {
    /// What to do without when the platform has refused `turn` with `refusal`; `None` where what it
    /// refuses was the client's wish, or something else.
    pub(super) fn learn(self, refusal: &Error, turn: &Turn) -> Option<Self> {
        let Error::Invalid(failure) = refusal else { return None };
        let learnt = match failure.param.as_deref()? {
            "include" if !asks_for_sealed(turn) => Self { sealed: true, ..self },
            "reasoning" | "reasoning.summary" if turn.summary_is_ours => {
                Self { summary: true, ..self }
            }
            _ => return None,
        };
        (learnt != self).then_some(learnt)
    }
}

fn asks_for_sealed(turn: &Turn) -> bool {
    turn.request.include.iter().any(|name| name == SEALED)
}

/// The body of `turn`, less what there is to do `without`; `turn` can be written again.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn body(turn: &mut Turn, without: Without) -> Result<Bytes, Error> {
    let ours = !without.sealed && !asks_for_sealed(turn);
    let summary_is_ours = turn.summary_is_ours;
    let request = &mut turn.request;
    request.stream = true; // One way to read an answer is enough.
    request.store = false; // What is kept is kept here, for every upstream alike.
    request.stream_options = None;
    // Padding is put in on the way to the client, where it is wanted.
    request.rest.set("stream_options", raw(&json!({"include_obfuscation": false})));
    if ours {
        request.include.push(SEALED.to_owned());
    }
    let summary = request.reasoning.summary.take_if(|_| without.summary && summary_is_ours);
    let written = serde_json::to_vec(request);
    if ours {
        request.include.pop();
    }
    if summary.is_some() {
        request.reasoning.summary = summary;
    }
    written.map(Bytes::from).map_err(|error| {
        let message = Some(format!("the request cannot be written: {error}"));
        Error::Invalid(Failure { message, ..Failure::default() })
    })
}
