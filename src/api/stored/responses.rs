//! `/v1/responses/{id}`.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Query, RawPathParams, State},
    response::Response,
};
use serde_json::value::RawValue;

use super::{
    Deleted, Place, json, page,
    page::{Page, includes},
};
use crate::{
    api::{
        App, Error,
        access::Named,
        background::{self, Running, Stage},
        responses, turn,
    },
    protocol::{Object, raw},
    state::{Record, Shelf},
};

impl Place {
    /// Where nothing is kept, nothing is found.
    fn kept(&self) -> Result<&Shelf, Error> {
        self.served.state.shelf.as_ref().ok_or_else(|| self.no_response())
    }

    fn no_response(&self) -> Error {
        Error::not_found(format!("Response with id '{}' not found.", self.id))
    }

    async fn record(&self) -> Result<Arc<Record>, Error> {
        self.kept()?.record(&self.id).await?.ok_or_else(|| self.no_response())
    }

    fn running(&self) -> Option<Arc<Running>> {
        self.served.background.get(&self.id)
    }
}

pub(super) async fn get(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
    Query(query): Query<page::Query>,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    let record = place.record().await?;
    if query.iter().any(|(name, value)| name == "stream" && value == "true") {
        return stream(&app, &place, &query);
    }
    Ok(told(&place, &record, includes(&query, page::SEALED)))
}

/// The response as it is now.
fn told(place: &Place, record: &Record, sealed: bool) -> Response {
    let begun =
        record.running && place.running().is_some_and(|turn| turn.stage() == Stage::InProgress);
    let status = begun.then_some("in_progress");
    json(&whole(record, status, sealed))
}

/// A record as its client sees it.
pub(in crate::api) fn whole(record: &Record, status: Option<&str>, sealed: bool) -> Box<RawValue> {
    let mut object: Object<'_> = serde_json::from_str(record.object.get()).unwrap_or_default();
    if let Some(status) = status {
        object.set("status", raw(status));
    }
    object.set("output", responses::shown(&record.output, sealed));
    raw(&object)
}

/// The events of a background response, from where its client left off.
fn stream(app: &App, place: &Place, query: &page::Query) -> Result<Response, Error> {
    let after = query.iter().find(|(name, _)| name == "starting_after");
    let from = match after.map(|(_, number)| number.parse::<usize>()) {
        None => 0,
        Some(Ok(number)) => number.saturating_add(1),
        Some(Err(_)) => {
            return Err(Error::wrong_value("starting_after", "it must be a sequence number"));
        }
    };
    let running = place.running().ok_or_else(|| {
        Error::unsupported(
            "stream",
            "This response cannot be streamed: it was not created with `background` set to true, or its events are not held any more.",
        )
    })?;
    let events = background::follow(running, from, app.server().keepalive);
    Ok(turn::streamed(Body::from_stream(events)))
}

pub(super) async fn delete(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    if let Some(running) = place.running() {
        running.cancel().await;
        place.served.background.forget(&place.id);
    }
    if !place.kept()?.delete(&place.id).await? {
        return Err(place.no_response());
    }
    Ok(json(&Deleted { id: &place.id, object: "response", deleted: true }))
}

pub(super) async fn cancel(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let place = Place::new(&app, profile.as_deref(), &params)?;
    let mut record = place.record().await?;
    let object: Object<'_> = serde_json::from_str(record.object.get()).unwrap_or_default();
    if object.get("background").is_none_or(|background| background.get() != "true") {
        return Err(Error::invalid("Cannot cancel a synchronous response."));
    }
    drop(object);
    if record.running
        && let Some(running) = place.running()
    {
        running.cancel().await;
        record = place.record().await?;
    }
    Ok(told(&place, &record, false))
}

pub(super) async fn input_items(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
    Query(query): Query<page::Query>,
) -> Result<Response, Error> {
    let page = Page::read(&query)?;
    let place = Place::new(&app, profile.as_deref(), &params)?;
    Ok(json(&page.of(&place.record().await?.input)?))
}
