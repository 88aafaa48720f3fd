//! Conversations: items in an order, which a client adds to and takes from.

use std::sync::Arc;

use super::{
    Conversation, Error, Store,
    content::{self, Content},
    draft::{Draft, New},
    ledger::Ledger,
    rows::{Name, Standing},
    sole, used,
};
use crate::protocol::Item;

impl New {
    fn conversation(scope: &str, conversation: Conversation) -> Self {
        Self {
            name: Name::conversation(scope, &conversation.id),
            previous: None,
            standing: Standing::Kept,
            content: Content::Conversation(Arc::new(conversation)),
        }
    }
}

impl Store {
    /// Keeps a conversation, or replaces what is said about one whose items stay.
    ///
    /// # Errors
    /// When it is too large, or the disk fails.
    pub async fn put_conversation(
        &self,
        scope: &str,
        conversation: Conversation,
    ) -> Result<(), Error> {
        let new = New::conversation(scope, conversation);
        self.0.write(|ledger| Ok((ledger.draft(Some(new), None)?, ()))).await
    }

    /// Replaces what is said about a conversation whose items stay: whether there is one. One that
    /// somebody has deleted meanwhile does not come back.
    ///
    /// # Errors
    /// As [`Self::put_conversation`].
    pub async fn replace_conversation(
        &self,
        scope: &str,
        conversation: Conversation,
    ) -> Result<bool, Error> {
        let new = New::conversation(scope, conversation);
        let plan = move |ledger: &mut Ledger| match ledger.visible(&new.name) {
            Some(_) => Ok((ledger.draft(Some(new), None)?, true)),
            None => Ok((Draft::default(), false)),
        };
        self.0.write(plan).await
    }

    /// The conversation of that id.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn conversation(
        &self,
        scope: &str,
        id: &str,
    ) -> Result<Option<Arc<Conversation>>, Error> {
        let name = Name::conversation(scope, id);
        let found = self.0.read(|ledger| Some(vec![used(ledger, &name)?])).await?;
        Ok(found.and_then(sole).and_then(Content::conversation))
    }

    /// Removes a conversation and its items: whether there was one. Responses stay.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn delete_conversation(&self, scope: &str, id: &str) -> Result<bool, Error> {
        self.remove(Name::conversation(scope, id)).await
    }

    /// Adds items to the end of a conversation, all or none: whether there is one.
    ///
    /// # Errors
    /// When it becomes too large, or the disk fails.
    pub async fn add_items(
        &self,
        scope: &str,
        conversation: &str,
        items: Vec<Item>,
    ) -> Result<bool, Error> {
        let name = Name::conversation(scope, conversation);
        let plan = move |ledger: &mut Ledger| {
            let Some(number) = ledger.visible(&name) else {
                return Ok((Draft::default(), false));
            };
            Ok((ledger.draft(None, Some((number, items)))?, true))
        };
        self.0.write(plan).await
    }

    /// The items of a conversation in their order, or `None` if there is none of that id.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn items(&self, scope: &str, conversation: &str) -> Result<Option<Vec<Item>>, Error> {
        let name = Name::conversation(scope, conversation);
        let find = |ledger: &mut Ledger| {
            used(ledger, &name)?;
            let unit = ledger.units.get(&ledger.visible(&name)?)?;
            Some(unit.items.iter().map(|part| part.number).collect())
        };
        let found = self.0.read(find).await?;
        Ok(found.map(|texts| texts.into_iter().filter_map(Content::item).collect()))
    }

    /// Removes an item from a conversation: whether it was there.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn delete_item(
        &self,
        scope: &str,
        conversation: &str,
        id: &str,
    ) -> Result<bool, Error> {
        let name = Name::conversation(scope, conversation);
        let mark = content::mark(scope, id);
        let plan = move |ledger: &mut Ledger| {
            let removed =
                ledger.visible(&name).is_some_and(|number| ledger.remove_item(number, mark));
            Ok((Draft::default(), removed))
        };
        self.0.write(plan).await
    }
}
