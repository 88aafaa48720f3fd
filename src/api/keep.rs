//! What is kept of a turn while it goes by, and when it has ended.

use std::sync::Arc;

use super::Dialect;
use crate::{
    protocol::{Event, Item},
    state::{State, Witness},
};

/// Keeps of a turn what its client will want again.
pub(super) struct Keeper {
    state: Arc<State>,
    /// One for each choice, where clients do not carry reasoning themselves.
    witnesses: Vec<Witness>,
    /// The conversation that the turn is added to.
    conversation: Option<String>,
}

impl Keeper {
    pub(super) fn new<D: Dialect>(
        state: &Arc<State>,
        choices: usize,
        conversation: Option<String>,
    ) -> Self {
        let count = if D::CARRIES_REASONING { 0 } else { choices };
        let witnesses = std::iter::repeat_with(|| Witness::new(Arc::clone(state))).take(count);
        Self { state: Arc::clone(state), witnesses: witnesses.collect(), conversation }
    }

    /// Takes note of an event that goes by.
    pub(super) fn event(&mut self, choice: usize, event: &Event) {
        if let Some(witness) = self.witnesses.get_mut(choice) {
            witness.event(event);
        }
    }

    /// Keeps the response, before its client hears the end of it: what has been heard can be
    /// asked for. One that cannot be kept is still an answer, so that is only logged.
    pub(super) async fn ended<D: Dialect>(&mut self, dialect: &mut D, well: bool) {
        let Some(record) = dialect.record() else { return };
        let Some(shelf) = &self.state.shelf else { return };
        let id = record.id.clone();
        let added = self.conversation.as_deref().filter(|_| well).map(|conversation| {
            let items: Vec<Item> = record.input.iter().chain(&record.output).cloned().collect();
            (conversation, items)
        });
        if let Err(error) = shelf.finish(record, added).await {
            tracing::error!(response.id = id, "the response is not kept: {error}");
        }
    }
}
