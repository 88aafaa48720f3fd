//! Paths as clients mean them.

use http::{Uri, uri::PathAndQuery};

/// The same address without slashes at the end of its path and doubled ones within it, which come
/// of a base URL that ends in one.
pub(super) fn tidied(uri: &mut Uri) {
    let path = uri.path();
    if path.len() < 2 || !(path.ends_with('/') || path.contains("//")) {
        return;
    }
    let mut tidy = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        tidy.push('/');
        tidy.push_str(part);
    }
    if tidy.is_empty() {
        tidy.push('/');
    }
    if let Some(query) = uri.query() {
        tidy.push('?');
        tidy.push_str(query);
    }
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = PathAndQuery::try_from(tidy).ok().or(parts.path_and_query);
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        let mut uri: Uri = given.parse().unwrap();
        tidied(&mut uri);
        assert_eq!(uri, expected);
    }

    #[test]
    fn slashes_too_many_are_left_out_and_nothing_else() {
        check("/v1/chat/completions", "/v1/chat/completions");
        check("/v1/chat/completions/", "/v1/chat/completions");
        check("/v1//chat//completions//", "/v1/chat/completions");
        check("//v1/models", "/v1/models");
        check("/v1/models/?after=a//b/", "/v1/models?after=a//b/");
        check("http://127.0.0.1:7531/v1/models/", "http://127.0.0.1:7531/v1/models");
        check("/", "/");
        check("//", "/");
        check("/?a=b", "/?a=b");
        check("*", "*");
        check("/v1/models/a%2F/", "/v1/models/a%2F");
    }
}
