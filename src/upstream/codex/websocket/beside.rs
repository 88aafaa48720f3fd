//! A connection that is opened while a turn runs over HTTP.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use futures_util::{FutureExt, Stream, StreamExt};

use super::{Avoided, Dialled, Place, Rest};
use crate::{
    protocol::Event,
    upstream::{Error, Events},
};

/// A connection on its way. Dropped before it is there, it is left where the next turn finds it.
pub(super) struct Opening {
    opening: Option<(Dialled, Place<Rest>)>,
    avoided: Arc<Avoided>,
}

/// The events of the turn, with the opening driven on by whoever asks for them.
pub(super) struct Beside {
    events: Events,
    opening: Opening,
}

impl Opening {
    pub(super) fn new(opening: Dialled, place: Place<Rest>, avoided: Arc<Avoided>) -> Self {
        Self { opening: Some((opening, place)), avoided }
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        let Some((mut opening, place)) = self.opening.take() else { return };
        match opening.poll_unpin(cx) {
            Poll::Pending => self.opening = Some((opening, place)),
            Poll::Ready(Ok(connection)) => {
                place.keep(Rest::Open(connection), Instant::now());
            }
            Poll::Ready(Err(error)) => self.avoided.because(&error),
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some((opening, place)) = self.opening.take() {
            place.keep(Rest::Opening(opening), Instant::now());
        }
    }
}

impl Beside {
    pub(super) fn new(events: Events, opening: Opening) -> Self {
        Self { events, opening }
    }
}

impl Stream for Beside {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.opening.drive(cx);
        self.events.poll_next_unpin(cx)
    }
}
