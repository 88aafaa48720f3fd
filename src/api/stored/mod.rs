//! What was kept, asked for by its id.

use std::sync::Arc;

use axum::{
    Router,
    extract::RawPathParams,
    routing::{get, post},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{App, Error, Served, ops::json};
use crate::{protocol::Item, state::Shelf};

mod conversations;
mod page;
mod responses;

pub(super) use responses::whole;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/responses/{id}", get(responses::get).delete(responses::delete))
        .route("/responses/{id}/input_items", get(responses::input_items))
        .route("/responses/{id}/cancel", post(responses::cancel))
        .route("/conversations", post(conversations::create))
        .route(
            "/conversations/{id}",
            get(conversations::get).post(conversations::update).delete(conversations::delete),
        )
        .route(
            "/conversations/{id}/items",
            get(conversations::items).post(conversations::add_items),
        )
        .route(
            "/conversations/{id}/items/{item}",
            get(conversations::item).delete(conversations::delete_item),
        )
}

/// What is said of a thing that was deleted.
#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
    object: &'a str,
    deleted: bool,
}

/// Where a request finds what it asks for, by the parameters of its path.
struct Place {
    served: Arc<Served>,
    id: String,
    item: String,
}

impl Place {
    fn new(app: &App, profile: Option<&str>, params: &RawPathParams) -> Result<Self, Error> {
        let param = |wanted: &str| {
            let found = params.iter().find(|(name, _)| *name == wanted);
            found.map_or("", |(_, value)| value).to_owned()
        };
        Ok(Self { served: app.profile(profile)?, id: param("id"), item: param("item") })
    }

    fn shelf(&self) -> Result<&Shelf, Error> {
        shelf(self.served.state.shelf.as_ref())
    }
}

/// The shelf, or the error for that there is none.
fn shelf(shelf: Option<&Shelf>) -> Result<&Shelf, Error> {
    shelf.ok_or_else(|| {
        Error::not_found("Nothing is kept here: `state.store` is \"off\".").code("store_is_off")
    })
}

/// An item as its client sees it.
fn shown(item: &Item, sealed: bool) -> Box<RawValue> {
    let shown = super::responses::shown(std::slice::from_ref(item), sealed);
    let mut one: Vec<Box<RawValue>> = serde_json::from_str(shown.get()).unwrap_or_default();
    one.pop().unwrap_or_else(|| item.json().to_owned())
}
