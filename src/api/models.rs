//! `GET /v1/models` and `/v1/models/{id}`: rich enough for clients to configure themselves.

use axum::{
    Extension,
    extract::{RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::Uri;
use serde_json::json;

use super::{App, Error, Served, access::Named, ops};
use crate::{
    models::{CREATED, entry},
    shaping,
};

pub(super) async fn list(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    uri: Uri,
) -> Response {
    let served = match app.profile(profile.as_deref()) {
        Ok(served) => served,
        Err(error) => return error.into_response(),
    };
    if uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("client_version=")))
    {
        return catalog(&served, &uri).await;
    }
    let catalog = served.models.known(&served.upstream).await;
    let data = catalog.entries(&served.profile.aliases);
    ops::json(&json!({"object": "list", "data": data}))
}

pub(super) async fn one(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let served = app.profile(profile.as_deref())?;
    let id = params.iter().find(|(name, _)| *name == "id").map_or("", |(_, id)| id);
    let catalog = served.models.known(&served.upstream).await;
    let asked = shaping::resolve(id, &served.profile, &catalog)?;
    match catalog.find(&asked.model) {
        Some(model) => Ok(ops::json(&entry(id, model))),
        None => Ok(ops::json(&json!({
            "id": id, "object": "model", "created": CREATED, "owned_by": "openai",
        }))),
    }
}

/// The catalogue in the official client's own shape, for that client: as the backend sends it.
async fn catalog(served: &Served, uri: &Uri) -> Response {
    let version = uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("client_version=")))
        .unwrap_or_default();
    let known = bytes::Bytes::from_static(crate::models::BUILTIN);
    let json = match served.upstream.models(version, None).await {
        // The platform's list says too little for that client.
        Ok(Some(body)) if !served.upstream.is_platform() => body.json,
        Ok(_) | Err(_) => known,
    };
    ([(http::header::CONTENT_TYPE, "application/json")], json).into_response()
}
