//! What is kept: the text of one response, one conversation, or one item of a conversation.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Conversation, Record};
use crate::protocol::Item;

/// What keeping a thing takes beside its text. It counts, or a great many empty things would take
/// memory without bound.
const EACH: usize = 128;

/// One text. In memory it is shared with whoever reads it; on disk it is the JSON of this.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Response(Arc<Record>),
    Conversation(Arc<Conversation>),
    Item(Item),
}

impl Content {
    /// What it counts against the limit.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Response(record) => {
                let items: usize = record.items().map(cost).sum();
                EACH + record.id.len() + record.object.get().len() + items
            }
            Self::Conversation(conversation) => {
                EACH + conversation.id.len() + conversation.metadata.get().len()
            }
            Self::Item(item) => cost(item),
        }
    }

    /// The marks of the items in it.
    pub(super) fn marks(&self, scope: &str) -> Box<[u64]> {
        match self {
            Self::Response(record) => {
                record.items().filter_map(|item| Some(mark(scope, &id(item)?))).collect()
            }
            Self::Conversation(_) => Box::default(),
            Self::Item(item) => id(item).map(|id| mark(scope, &id)).into_iter().collect(),
        }
    }

    pub(super) fn response(self) -> Option<Arc<Record>> {
        match self {
            Self::Response(record) => Some(record),
            Self::Conversation(_) | Self::Item(_) => None,
        }
    }

    pub(super) fn conversation(self) -> Option<Arc<Conversation>> {
        match self {
            Self::Conversation(conversation) => Some(conversation),
            Self::Response(_) | Self::Item(_) => None,
        }
    }

    pub(super) fn item(self) -> Option<Item> {
        match self {
            Self::Item(item) => Some(item),
            Self::Response(_) | Self::Conversation(_) => None,
        }
    }

    /// The item of that id; the last one, where a response has several.
    pub(super) fn item_of(&self, wanted: &str) -> Option<Item> {
        let is_wanted = |item: &&Item| id(item).is_some_and(|id| id == wanted);
        match self {
            Self::Response(record) => record.items().filter(is_wanted).last().cloned(),
            Self::Item(item) => Some(item).filter(is_wanted).cloned(),
            Self::Conversation(_) => None,
        }
    }
}

fn cost(item: &Item) -> usize {
    EACH + item.json().get().len()
}

fn id(item: &Item) -> Option<Cow<'_, str>> {
    item.head().id
}

/// What an item is found by, instead of its id, which takes five times as much memory: FNV-1a,
/// which is in the file and so may not change. An account would have to look for two ids of one
/// mark to have them, and would gain nothing but their confusion.
pub(super) fn mark(scope: &str, id: &str) -> u64 {
    let bytes = scope.bytes().chain([0]).chain(id.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
