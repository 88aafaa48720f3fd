//! What the client may see of the platform's headers.

use http::{HeaderMap, HeaderName};

/// The limits as received, and the platform's name for the request beside ours; everything else
/// (cookies and the organisation above all) stays here.
pub(super) fn for_client(received: &HeaderMap) -> HeaderMap {
    let limits = received.iter().filter(|(name, _)| name.as_str().starts_with("x-ratelimit-"));
    let mut headers: HeaderMap =
        limits.map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Some(id) = received.get("x-request-id") {
        let name = HeaderName::from_static("x-codexway-upstream-request-id");
        headers.insert(name, id.clone());
    }
    headers
}
