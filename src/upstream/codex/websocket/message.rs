//! A turn as a message: what the backend is told of it.

use serde::Serialize;

use crate::{
    protocol::{Object, Request, Turn, raw},
    upstream::{Error, codex::prepare},
};

/// From this size on, in bytes, the backend closes the connection.
pub(super) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// What stands for the header of the "lite" shape, which belongs to a turn and not to a connection.
const LITE: &str = "ws_request_header_x_openai_internal_codex_responses_lite";

#[derive(Serialize)]
struct Create<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_response_id: Option<&'a str>,
    #[serde(flatten)]
    request: &'a Request,
}

/// The message that starts `turn` behind the response `previous`, which knows the first `n_known`
/// items of its input.
///
/// # Errors
/// When the request cannot be written.
pub(super) fn create(
    turn: &mut Turn,
    previous: Option<&str>,
    n_known: usize,
) -> Result<Vec<u8>, Error> {
    let lite = turn.lite;
    let request = &mut turn.request;
    let told = request.client_metadata.clone();
    if lite {
        let metadata = request.client_metadata.take();
        let mut metadata: Object<'_> = match &metadata {
            Some(metadata) => serde_json::from_str(metadata.get()).unwrap_or_default(),
            None => Object::default(),
        };
        metadata.set(LITE, raw("true"));
        request.client_metadata = Some(raw(&metadata));
    }
    let new = request.input.split_off(n_known);
    let known = std::mem::replace(&mut request.input, new);
    let create = Create { r#type: "response.create", previous_response_id: previous, request };
    let written = serde_json::to_vec(&create).map_err(|error| prepare::unserializable(&error));
    let new = std::mem::replace(&mut request.input, known);
    request.input.extend(new);
    request.client_metadata = told;
    written
}
