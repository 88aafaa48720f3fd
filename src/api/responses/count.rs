//! `POST /v1/responses/input_tokens`: how large a request is, without running it.

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;

use super::{Responses, decode};
use crate::{
    api::{App, Decoded, Error, access::Named, body, fields, ops::json, recall},
    protocol::raw,
    tokens,
};

#[derive(Serialize)]
struct Count {
    object: &'static str,
    input_tokens: u64,
}

/// Counts with the model's own encoding; what surrounds the messages is estimated.
pub(in crate::api) async fn input_tokens(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    request: Request,
) -> Result<Response, Error> {
    let served = app.profile(profile.as_deref())?;
    let (parts, body) = request.into_parts();
    let body = body::read(&app, &parts.headers, body).await?;
    let mut fields = fields::object(&body)?;
    // Neither is needed here.
    if fields.lacks("model") {
        fields.set("model", raw("auto"));
    }
    if fields.lacks("input") {
        fields.set("input", raw(&[(); 0]));
    }
    let decoded = decode::decode(fields, &served.client(&parts.headers, &served.profile))?;
    let Decoded { mut dialect, mut request, mut ignored, references, continues, .. } = decoded;
    let shelf = served.state.shelf.as_ref();
    let input = &mut request.input;
    recall::references(references, shelf, &mut dialect, input, &mut ignored).await?;
    if let Some(continues) = &continues {
        input.splice(..0, recall::context::<Responses>(continues, shelf).await?);
    }
    // A large request takes a while, and the first one of a process unpacks the encoding.
    let counted = tokio::task::spawn_blocking(move || tokens::estimate(&request));
    let input_tokens = counted.await.map_err(|error| {
        Error::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", error.to_string())
    })?;
    Ok(json(&Count { object: "response.input_tokens", input_tokens }))
}
