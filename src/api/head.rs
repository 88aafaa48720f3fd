//! The head of a request, within its limits.

use http::{HeaderMap, StatusCode, Uri};
use percent_encoding::percent_decode_str;

use super::Error;

/// The longest path with its query, in bytes.
const MAX_URL: usize = 8 * 1024;

/// The most that all headers may take, in bytes, and how many there may be.
const MAX_HEADERS: usize = 64 * 1024;
const MAX_COUNT: usize = 100;

/// Refuses what is larger than any client has need of, or could be no name of anything.
pub(super) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
    if uri.path_and_query().is_some_and(|path| path.as_str().len() > MAX_URL) {
        return Err(Error::new(
            StatusCode::URI_TOO_LONG,
            "invalid_request_error",
            format!("The URL is longer than {MAX_URL} bytes."),
        )
        .code("url_too_long"));
    }
    if percent_decode_str(uri.path()).decode_utf8().is_err() {
        let message = "What is escaped in the URL's path is not UTF-8.";
        return Err(Error::invalid(message).code("url_not_utf8"));
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > MAX_HEADERS || headers.len() > MAX_COUNT {
        return Err(Error::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "invalid_request_error",
            format!("There are more than {MAX_COUNT} headers, or {MAX_HEADERS} bytes of them."),
        )
        .code("headers_too_large"));
    }
    Ok(())
}
