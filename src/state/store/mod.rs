//! Finished responses and conversations, for clients that speak of them by id.
//!
//! What is kept is bounded in bytes and in age, and what has not been used for longest goes first.
//! Using a response uses all that it builds on, and what others build on does not go before them:
//! so the tree of responses is only ever pruned at its leaves, and a conversation is never cut in
//! its middle. A conversation is dropped as a whole.
//!
//! A response that its client deletes is hidden at once. If younger responses build on it, its
//! text stays for them, since they could not go on without it, and goes with the last of them.

use std::{fmt, path::Path, sync::Arc, time::Duration, time::SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod age;
mod books;
mod content;
mod conversations;
mod disk;
mod draft;
mod error;
mod file;
mod ledger;
mod rows;
#[cfg(test)]
mod tests;
mod unit;

pub use error::Error;

use books::Books;
use content::Content;
use disk::Disk;
use draft::{Draft, New};
use ledger::Ledger;
use rows::{Name, Standing};
use unit::Unit;

use crate::protocol::Item;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of JSON and a little for each thing, of all scopes together. A file is up to four times as
    /// large.
    pub max_bytes: usize,
    /// Since it was last used.
    pub max_age: Duration,
}

/// One response.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    pub id: String,
    /// The `response` object as its client sees it, without `output`.
    pub object: Box<RawValue>,
    /// What this request brought itself, each item with an `id`.
    pub input: Vec<Item>,
    /// Whole items, with what is encrypted in them, each with an `id`.
    pub output: Vec<Item>,
    /// The response that this one continues.
    pub previous: Option<String>,
    /// Whether it is still being written, in the background. It then makes no room for others.
    pub running: bool,
}

impl Record {
    fn items(&self) -> impl Iterator<Item = &Item> {
        self.input.iter().chain(&self.output)
    }
}

/// A conversation without its items.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Conversation {
    pub id: String,
    /// In seconds since 1970.
    pub created_at: u64,
    /// An object, as its client wrote it.
    pub metadata: Box<RawValue>,
}

/// Responses and conversations, in memory or in a file.
///
/// Every name is good within a `scope`, and what is kept under one is not seen under another.
/// Each method is back when what it did is done: on a disk, when it will survive a crash. After a
/// failure of the disk the file is opened again, and what was not saved is as it was before.
pub struct Store(Arc<Books>);

impl Store {
    /// What it keeps ends with the process.
    #[must_use]
    pub fn memory(limits: Limits) -> Self {
        Self(Arc::new(Books::memory(limits, Box::new(SystemTime::now))))
    }

    /// Opens the file, or begins a new one, which only its owner can read. This waits for the disk.
    ///
    /// # Errors
    /// When the file is no store of ours, or another process has it open.
    pub fn open(file: &Path, limits: Limits) -> Result<Self, Error> {
        let books = Books::open(file, limits, Box::new(SystemTime::now), Disk::engine())?;
        Ok(Self(Arc::new(books)))
    }

    /// Keeps a response, in place of the one of that id if there is one.
    ///
    /// # Errors
    /// When it is too large, or the disk fails.
    pub async fn put(&self, scope: &str, record: Record) -> Result<(), Error> {
        self.finish(scope, record, None).await.map(drop)
    }

    /// Keeps a response, and adds items to the end of a conversation: both or neither. Whether
    /// the conversation was there, if one was named; the response is kept even if it was not.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn finish(
        &self,
        scope: &str,
        record: Record,
        conversation: Option<(&str, Vec<Item>)>,
    ) -> Result<bool, Error> {
        let conversation = conversation.map(|(id, items)| (Name::conversation(scope, id), items));
        let new = New {
            name: Name::response(scope, &record.id),
            previous: record.previous.as_deref().map(|id| Name::response(scope, id)),
            standing: if record.running { Standing::Running } else { Standing::Kept },
            content: Content::Response(Arc::new(record)),
        };
        let plan = |ledger: &mut Ledger| {
            let is_named = conversation.is_some();
            let added =
                conversation.and_then(|(name, items)| Some((ledger.visible(&name)?, items)));
            let is_there = !is_named || added.is_some();
            Ok((ledger.draft(Some(new), added)?, is_there))
        };
        self.0.write(plan).await
    }

    /// The response of that id.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn record(&self, scope: &str, id: &str) -> Result<Option<Arc<Record>>, Error> {
        let found =
            self.0.read(|ledger| Some(vec![used(ledger, &Name::response(scope, id))?])).await?;
        Ok(found.and_then(sole).and_then(Content::response))
    }

    /// The response of that id and all that it builds on, oldest first; `None` if any of it is no
    /// longer there.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn chain(&self, scope: &str, id: &str) -> Result<Option<Vec<Arc<Record>>>, Error> {
        let find = |ledger: &mut Ledger| {
            let number = ledger.visible(&Name::response(scope, id))?;
            ledger.touch(number);
            let chain = ledger.chain(number)?;
            chain.into_iter().map(|number| Some(ledger.units.get(&number)?.head.number)).collect()
        };
        let found = self.0.read(find).await?;
        Ok(found.and_then(|chain| chain.into_iter().map(Content::response).collect()))
    }

    /// Hides a response from its client: whether there was one. What builds on it is not touched.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn delete(&self, scope: &str, id: &str) -> Result<bool, Error> {
        self.remove(Name::response(scope, id)).await
    }

    /// The youngest item of that id, in a response or in a conversation.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn item(&self, scope: &str, id: &str) -> Result<Option<Item>, Error> {
        let find = |ledger: &mut Ledger| {
            let (part, unit) = ledger.item(scope, id)?;
            ledger.touch(unit);
            Some(vec![part])
        };
        let found = self.0.read(find).await?;
        Ok(found.and_then(sole).and_then(|content| content.item_of(id)))
    }

    /// The responses that were running when the process that ran them ended, until they are put
    /// again.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn stranded(&self, scope: &str) -> Result<Vec<Arc<Record>>, Error> {
        let is_stranded =
            |unit: &&Unit| unit.standing == Standing::Stranded && unit.name.scope == scope;
        let find = |ledger: &mut Ledger| {
            Some(ledger.units.values().filter(is_stranded).map(|unit| unit.head.number).collect())
        };
        let found = self.0.read(find).await?.unwrap_or_default();
        Ok(found.into_iter().filter_map(Content::response).collect())
    }

    /// Removes what is of that name.
    async fn remove(&self, name: Name) -> Result<bool, Error> {
        let plan = move |ledger: &mut Ledger| {
            let found = ledger.visible(&name);
            if let Some(number) = found {
                ledger.delete(number);
            }
            Ok((Draft::default(), found.is_some()))
        };
        self.0.write(plan).await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// The part that holds the text of a unit, which is used with this.
fn used(ledger: &mut Ledger, name: &Name) -> Option<u64> {
    let number = ledger.visible(name)?;
    ledger.touch(number);
    Some(ledger.units.get(&number)?.head.number)
}

fn sole(mut texts: Vec<Content>) -> Option<Content> {
    texts.pop()
}
