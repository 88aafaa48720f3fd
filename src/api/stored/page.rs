//! Lists, a page at a time.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{api::Error, protocol::Item};

/// Which part of a list is asked for, and in which order.
#[derive(Debug)]
pub(super) struct Page {
    limit: usize,
    newest_first: bool,
    after: Option<String>,
    before: Option<String>,
    /// Whether encrypted reasoning is to be shown.
    pub(super) sealed: bool,
}

#[derive(Serialize)]
struct List {
    object: &'static str,
    data: Vec<Box<RawValue>>,
    first_id: Option<String>,
    last_id: Option<String>,
    has_more: bool,
}

/// The pairs of a query, decoded.
pub(super) type Query = Vec<(String, String)>;

/// What a query wants included, in either of the forms in which clients write a list.
pub(super) fn includes(query: &Query, what: &str) -> bool {
    query.iter().any(|(name, value)| {
        matches!(name.trim_end_matches("[]"), "include") && value.split(',').any(|one| one == what)
    })
}

pub(super) const SEALED: &str = "reasoning.encrypted_content";

impl Page {
    /// # Errors
    /// When a parameter has a value that makes no sense.
    pub(super) fn read(query: &Query) -> Result<Self, Error> {
        let find = |name: &str| {
            query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let limit = match find("limit").map(str::parse::<usize>) {
            None => 20,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => {
                return Err(Error::wrong_value("limit", "it must be a number from 1 to 100"));
            }
        };
        let newest_first = match find("order") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(other) => {
                let message = format!("'{other}'. Supported values are: 'asc' and 'desc'");
                return Err(Error::wrong_value("order", message));
            }
        };
        let id = |name: &str| find(name).filter(|id| !id.is_empty()).map(str::to_owned);
        let sealed = includes(query, SEALED);
        Ok(Self { limit, newest_first, after: id("after"), before: id("before"), sealed })
    }

    /// All of a list, in the order in which it came to be.
    pub(super) fn all_of(query: &Query) -> Self {
        let sealed = includes(query, SEALED);
        Self { limit: usize::MAX, newest_first: false, after: None, before: None, sealed }
    }

    /// The part of `items`, which are in the order in which they came to be.
    ///
    /// # Errors
    /// When the item is not there that the part is to begin or end at.
    pub(super) fn of(&self, items: &[Item]) -> Result<impl Serialize + use<>, Error> {
        let mut items: Vec<&Item> = items.iter().collect();
        if self.newest_first {
            items.reverse();
        }
        let place = |id: &String, param: &str| {
            let at = items.iter().position(|item| item.head().id.as_deref() == Some(id));
            at.ok_or_else(|| {
                Error::not_found(format!("Item with id '{id}' not found.")).param(param)
            })
        };
        let start = match &self.after {
            Some(id) => place(id, "after")? + 1,
            None => 0,
        };
        let end = match &self.before {
            Some(id) => place(id, "before")?.max(start),
            None => items.len(),
        };
        let part = &items[start..end];
        let page = &part[..part.len().min(self.limit)];
        let id = |item: Option<&&Item>| Some(item?.head().id?.into_owned());
        Ok(List {
            object: "list",
            data: page.iter().map(|item| super::shown(item, self.sealed)).collect(),
            first_id: id(page.first()),
            last_id: id(page.last()),
            has_more: part.len() > page.len(),
        })
    }
}
