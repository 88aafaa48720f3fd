//! `GET /v1/models` and `/v1/models/{id}`: rich enough for clients to configure themselves.

use axum::{
    Extension,
    extract::{RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::Uri;
use serde_json::{Value, json};

use super::{App, Error, Served, access::Named, ops};
use crate::{models::Model, shaping};

/// When these entries began to be; the catalogue does not say when each model did.
const CREATED: u64 = 1_783_555_200;

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
    let catalog = served.models.asked(&*served.upstream).await;
    let mut data: Vec<Value> = catalog.listed().map(|model| entry(&model.slug, model)).collect();
    for (alias, name) in &served.profile.aliases {
        data.extend(catalog.find(name).map(|model| entry(alias, model)));
    }
    ops::json(&json!({"object": "list", "data": data}))
}

pub(super) async fn one(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    params: RawPathParams,
) -> Result<Response, Error> {
    let served = app.profile(profile.as_deref())?;
    let id = params.iter().find(|(name, _)| *name == "id").map_or("", |(_, id)| id);
    let catalog = served.models.asked(&*served.upstream).await;
    let asked = shaping::resolve(id, &served.profile, &catalog)?;
    match catalog.find(&asked.model) {
        Some(model) => Ok(ops::json(&entry(id, model))),
        None => Ok(ops::json(&json!({
            "id": id, "object": "model", "created": CREATED, "owned_by": "openai",
        }))),
    }
}

fn entry(id: &str, model: &Model) -> Value {
    let efforts: Vec<&String> = model.efforts.iter().filter(|effort| *effort != "ultra").collect();
    let tiers: Vec<&str> = model.service_tiers.iter().map(|tier| tier.id.as_str()).collect();
    json!({
        "id": id,
        "object": "model",
        "created": CREATED,
        "owned_by": "openai",
        "context_window": model.context_window,
        "context_length": model.context_window,
        "input_modalities": model.input_modalities,
        "reasoning_efforts": efforts,
        "default_reasoning_effort": model.default_reasoning_level,
        "service_tiers": tiers,
        // The plan pays.
        "pricing": {"prompt": "0", "completion": "0", "input_cache_read": "0"},
    })
}

/// The catalogue in the official client's own shape, for that client: as the backend sends it.
async fn catalog(served: &Served, uri: &Uri) -> Response {
    let version = uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("client_version=")))
        .unwrap_or_default();
    let json = match served.upstream.models(version, None).await {
        Ok(Some(body)) => body.json,
        Ok(None) | Err(_) => bytes::Bytes::from_static(crate::models::BUILTIN),
    };
    ([(http::header::CONTENT_TYPE, "application/json")], json).into_response()
}
