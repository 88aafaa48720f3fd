//! `/v1/conversations`.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Query, RawPathParams, Request, State},
    response::Response,
};
use http::request::Parts;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use super::{Deleted, Place, json as answer, page, page::Page, shelf, shown};
use crate::{
    api::{
        App, Error,
        access::Named,
        body,
        fields::{self, read, take_raw},
        responses,
    },
    protocol::{Item, Object, raw, unix_now},
    state::{Conversation, Shelf},
};

/// The most items that may be added at once.
const MAX_ITEMS: usize = 20;

impl Place {
    fn no_conversation(&self) -> Error {
        Error::not_found(format!("Conversation with id '{}' not found.", self.id))
    }

    async fn conversation(&self) -> Result<Arc<Conversation>, Error> {
        self.shelf()?.conversation(&self.id).await?.ok_or_else(|| self.no_conversation())
    }

    async fn items(&self) -> Result<Vec<Item>, Error> {
        self.shelf()?.items(&self.id).await?.ok_or_else(|| self.no_conversation())
    }
}

/// The fields of a body, which may be empty where nothing has to be said.
async fn body_of(app: &App, parts: &Parts, body: Body) -> Result<bytes::Bytes, Error> {
    let body = body::read(app, &parts.headers, body).await?;
    Ok(if body.is_empty() { bytes::Bytes::from_static(b"{}") } else { body })
}

fn labels(fields: &mut Object<'_>) -> Result<Option<Box<RawValue>>, Error> {
    let Some(labels) = take_raw(fields, "metadata") else { return Ok(None) };
    fields::metadata("metadata", &labels)?;
    Ok(Some(labels.into_owned()))
}

fn items_in(fields: &mut Object<'_>) -> Result<Option<Vec<Item>>, Error> {
    let Some(json) = take_raw(fields, "items") else { return Ok(None) };
    let list: Vec<&RawValue> = read("items", &json)?;
    if list.len() > MAX_ITEMS {
        let message = format!("{MAX_ITEMS} items may be added at once");
        return Err(Error::wrong_value("items", message));
    }
    responses::to_be_kept("items", &json).map(Some)
}

/// The items, and of reasoning that its client was shown without its seal what was kept with it:
/// the model could not read the rest.
async fn with_seals(shelf: &Shelf, items: Vec<Item>) -> Result<Vec<Item>, Error> {
    let is_sealed =
        |item: &Item| item.members().is_ok_and(|members| responses::is_sealed(&members));
    let mut whole = Vec::with_capacity(items.len());
    for item in items {
        let bare = item.kind().as_deref() == Some("reasoning") && !is_sealed(&item);
        let id = item.head().id.filter(|_| bare);
        let known = match id {
            Some(id) => shelf.item(&id).await?.filter(is_sealed),
            None => None,
        };
        whole.push(known.unwrap_or(item));
    }
    Ok(whole)
}

fn object(conversation: &Conversation) -> Response {
    answer(&json!({
        "id": conversation.id,
        "object": "conversation",
        "created_at": conversation.created_at,
        "metadata": conversation.metadata,
    }))
}

pub(super) async fn create(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    request: Request,
) -> Result<Response, Error> {
    let served = app.profile(profile.as_deref())?;
    let shelf = shelf(served.state.shelf.as_ref())?;
    let (parts, body) = request.into_parts();
    let body = body_of(&app, &parts, body).await?;
    let mut fields = fields::object(&body)?;
    let metadata = labels(&mut fields)?.unwrap_or_else(|| raw(&json!({})));
    let items = with_seals(shelf, items_in(&mut fields)?.unwrap_or_default()).await?;
    let id = format!("conv_{}", Uuid::now_v7().simple());
    let conversation = Conversation { id, created_at: unix_now(), metadata };
    shelf.put_conversation(conversation.clone()).await?;
    if !items.is_empty() {
        shelf.add_items(&conversation.id, items).await?;
    }
    Ok(object(&conversation))
}

pub(super) async fn get(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    Ok(object(&*place.conversation().await?))
}

pub(super) async fn update(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
    request: Request,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    let (parts, body) = request.into_parts();
    let body = body_of(&app, &parts, body).await?;
    let metadata =
        labels(&mut *fields::object(&body)?)?.ok_or_else(|| Error::missing("metadata"))?;
    let conversation = Conversation { metadata, ..(*place.conversation().await?).clone() };
    if !place.shelf()?.replace_conversation(conversation.clone()).await? {
        return Err(place.no_conversation()); // It was deleted meanwhile.
    }
    Ok(object(&conversation))
}

pub(super) async fn delete(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    if !place.shelf()?.delete_conversation(&place.id).await? {
        return Err(place.no_conversation());
    }
    Ok(answer(&Deleted { id: &place.id, object: "conversation.deleted", deleted: true }))
}

pub(super) async fn items(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
    Query(query): Query<page::Query>,
) -> Result<Response, Error> {
    let page = Page::read(&query)?;
    let place = Place::new(&app, profile.as_deref(), &params)?;
    Ok(answer(&page.of(&place.items().await?)?))
}

pub(super) async fn add_items(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
    Query(query): Query<page::Query>,
    request: Request,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    let (parts, body) = request.into_parts();
    let body = body_of(&app, &parts, body).await?;
    let items = items_in(&mut *fields::object(&body)?)?.ok_or_else(|| Error::missing("items"))?;
    let items = with_seals(place.shelf()?, items).await?;
    if !place.shelf()?.add_items(&place.id, items.clone()).await? {
        return Err(place.no_conversation());
    }
    let page = Page::all_of(&query);
    Ok(answer(&page.of(&items)?))
}

pub(super) async fn item(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
    Query(query): Query<page::Query>,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    let items = place.items().await?;
    let found = items.iter().find(|item| item.head().id.as_deref() == Some(&*place.item));
    let item = found.ok_or_else(|| {
        Error::not_found(format!("Item with id '{}' not found.", place.item)).param("item_id")
    })?;
    Ok(answer(&shown(item, page::includes(&query, page::SEALED))))
}

pub(super) async fn delete_item(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    let conversation = place.conversation().await?;
    if !place.shelf()?.delete_item(&place.id, &place.item).await? {
        let message = format!("Item with id '{}' not found.", place.item);
        return Err(Error::not_found(message).param("item_id"));
    }
    Ok(object(&conversation))
}
