//! What of the store is one account's.

use std::sync::Arc;

use super::store::{Conversation, Error, Record, Store};
use crate::protocol::Item;

/// The responses and conversations of one account, which no other account can see.
#[derive(Clone, Debug)]
pub struct Shelf {
    store: Arc<Store>,
    scope: Arc<str>,
}

macro_rules! scoped {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) -> $gives:ty;)*) => {
        impl Shelf {
            $($(#[$doc])*
            ///
            /// # Errors
            /// When the store cannot be read or written.
            pub async fn $name(&self, $($arg: $kind),*) -> Result<$gives, Error> {
                self.store.$name(&self.scope, $($arg),*).await
            })*
        }
    };
}

scoped! {
    /// Keeps a response, or replaces it.
    put(record: Record) -> ();
    /// Keeps a response that has ended, and adds items to the end of a conversation: both or
    /// neither. Whether the conversation was there, if one was named.
    finish(record: Record, added: Option<(&str, Vec<Item>)>) -> bool;
    /// The response of that id.
    record(id: &str) -> Option<Arc<Record>>;
    /// Whether it was there.
    delete(id: &str) -> bool;
    /// A response behind all that it goes on from; `None` when any of it is gone.
    chain(id: &str) -> Option<Vec<Arc<Record>>>;
    /// An item of any response or conversation.
    item(id: &str) -> Option<Item>;
    /// Keeps a conversation.
    put_conversation(conversation: Conversation) -> ();
    /// Replaces what is said about a conversation; whether it was there.
    replace_conversation(conversation: Conversation) -> bool;
    /// The conversation of that id, without its items.
    conversation(id: &str) -> Option<Arc<Conversation>>;
    /// Whether it was there.
    delete_conversation(id: &str) -> bool;
    /// Adds items to the end of a conversation; whether it was there.
    add_items(conversation: &str, items: Vec<Item>) -> bool;
    /// The items of a conversation, in their order.
    items(conversation: &str) -> Option<Vec<Item>>;
    /// The responses that were running when the process that ran them ended.
    stranded() -> Vec<Arc<Record>>;
    /// Whether it was there.
    delete_item(conversation: &str, item: &str) -> bool;
}

impl Shelf {
    #[must_use]
    pub fn new(store: Arc<Store>, scope: &str) -> Self {
        Self { store, scope: scope.into() }
    }
}
