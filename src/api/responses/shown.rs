//! What of items and events is not for every client's eyes.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    protocol::{Event, Item, Malformed, Object, raw},
    upstream,
};

/// Items as their client sees them: encrypted reasoning is for those who asked for it.
pub(in crate::api) fn shown(items: &[Item], sealed: bool) -> Box<RawValue> {
    if sealed {
        return raw(items);
    }
    let shown: Vec<Cow<'_, Item>> =
        items.iter().map(|item| unsealed(item).map_or(Cow::Borrowed(item), Cow::Owned)).collect();
    raw(&shown)
}

/// The item without its seal; `None` where it has none that could be hidden.
fn unsealed(item: &Item) -> Option<Item> {
    let json = item.json().get();
    if memchr::memmem::find(json.as_bytes(), SEAL).is_none()
        || item.kind().as_deref() != Some("reasoning")
    {
        return None;
    }
    let mut members = item.members().ok()?;
    members.remove("encrypted_content")?;
    Some(Item::new(&members))
}

const SEAL: &[u8] = br#""encrypted_content""#;

/// The event about an item without what is sealed in it; `None` where nothing is.
pub(super) fn without_seal(event: &Event) -> Result<Option<Event>, upstream::Error> {
    if memchr::memmem::find(&event.json, SEAL).is_none() {
        return Ok(None);
    }
    let About { item } = event.read()?;
    unsealed(&item).map(|item| with_item(event, &item)).transpose()
}

/// The call with the status of one that has ended, without which some clients do not read it;
/// `None` where it has one, or is no call.
pub(super) fn with_status(item: &Item) -> Option<Item> {
    if !matches!(item.kind()?.as_ref(), "function_call" | "custom_tool_call") {
        return None;
    }
    let mut members = item.members().ok()?;
    if !members.lacks("status") {
        return None;
    }
    members.set("status", raw("completed"));
    Some(Item::new(&members))
}

/// The event of a call's end with its status; `None` where nothing is missing.
pub(super) fn ended(event: &Event) -> Result<Option<Event>, upstream::Error> {
    let About { item } = event.read()?;
    with_status(&item).map(|item| with_item(event, &item)).transpose()
}

/// The event about `item` instead.
fn with_item(event: &Event, item: &Item) -> Result<Event, upstream::Error> {
    let mut members = Object::parse(&event.json).map_err(Malformed::new)?;
    members.set_borrowed("item", item.json());
    Ok(Event { json: members.to_bytes(), ..event.clone() })
}

#[derive(Deserialize)]
struct About {
    item: Item,
}

/// A delta without what only makes all deltas look alike.
pub(super) fn without_padding(event: &Event) -> Result<Event, upstream::Error> {
    let mut members = Object::parse(&event.json).map_err(Malformed::new)?;
    if members.remove("obfuscation").is_none() {
        return Ok(event.clone());
    }
    Ok(Event { json: members.to_bytes(), ..event.clone() })
}
