//! Who is let in: no web page that was not named, and with local keys only who has one.

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::Authority};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{Error, page};
use crate::config::{Key, Server};

/// The profile that a request names: by its path, else by a header, else by its local key.
#[derive(Clone, Debug)]
pub(super) struct Named(pub(super) Option<String>);

/// Who has been let in.
pub(super) struct Admitted {
    pub(super) named: Named,
    /// The page that may read the answer.
    pub(super) origin: Option<HeaderValue>,
}

/// Lets a request in.
///
/// # Errors
/// When it comes from a page or with a key that is not known here.
pub(super) fn admit(
    server: &Server,
    method: &Method,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Admitted, Error> {
    let origin = check_page(server, method, headers, uri)?;
    if origin.is_some() && *method == Method::OPTIONS {
        return Ok(Admitted { named: Named(None), origin }); // A preflight has no key.
    }
    let key = check_key(server, method, headers, uri.path())?;
    let path = uri.path().strip_prefix("/profiles/").and_then(|rest| rest.split('/').next());
    let header = || headers.get("x-codexway-profile").and_then(|value| value.to_str().ok());
    let named = path.or_else(header).or_else(|| key.and_then(|key| key.profile.as_deref()));
    Ok(Admitted { named: Named(named.map(str::to_owned)), origin })
}

/// Refuses what a web page sends: one that has rebound its name to this machine is known by the
/// host it asks for, any other by its origin. Yields the origin where it is one of those named.
fn check_page(
    server: &Server,
    method: &Method,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Option<HeaderValue>, Error> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST).or_else(|| uri.authority().map(Authority::as_str));
    let named_twice = headers.get_all(header::HOST).iter().nth(1).is_some();
    if named_twice || host.is_some_and(|host| !host_is_allowed(server, host)) {
        return Err(forbidden(
            "host_not_allowed",
            "This server does not go by that name; list it in `allowed_hosts` under `[server]`.",
        ));
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        let site = text(HeaderName::from_static("sec-fetch-site"));
        let mode = text(HeaderName::from_static("sec-fetch-mode"));
        // A link may lead here; a form is not sent from elsewhere, though it navigates too.
        let is_link = mode == Some("navigate") && matches!(*method, Method::GET | Method::HEAD);
        if matches!(site, Some("cross-site" | "same-site")) && !is_link {
            return Err(wrong_origin());
        }
        return Ok(None);
    };
    let told = origin.to_str().unwrap_or("?");
    if server.allowed_origins.iter().any(|allowed| allowed == told || allowed == "*") {
        return Ok(Some(origin.clone()));
    }
    let own = told.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    if own { Ok(None) } else { Err(wrong_origin()) }
}

fn wrong_origin() -> Error {
    forbidden(
        "origin_not_allowed",
        "Web pages may not use this server, unless `allowed_origins` under `[server]` lists their origin.",
    )
}

fn forbidden(code: &'static str, message: &str) -> Error {
    Error::new(StatusCode::FORBIDDEN, "permission_error", message).code(code)
}

/// A name that only this machine, or whom the settings list, goes by. A number is no name that
/// could be rebound.
fn host_is_allowed(server: &Server, host: &str) -> bool {
    let name = match host.parse::<Authority>() {
        Ok(authority) => authority.host().to_ascii_lowercase(),
        Err(_) => return false,
    };
    let number = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let listed = |allowed: &String| {
        allowed.eq_ignore_ascii_case(&name) || allowed.eq_ignore_ascii_case(host)
    };
    number.is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || server.allowed_hosts.iter().any(listed)
}

/// The local key that the client presents; `None` where none is needed.
fn check_key<'a>(
    server: &'a Server,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
) -> Result<Option<&'a Key>, Error> {
    // A container's health check has no key, and is told nothing that needs one; nor has a browser
    // that comes for the page, which asks for it.
    let open = matches!(path, "/health" | "/ready" | "/v1/health" | "/v1/ready")
        || (matches!(*method, Method::GET | Method::HEAD) && page::is_shell(path));
    if server.keys.is_empty() || open {
        return Ok(None);
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let refused = |message: &str| {
        Error::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
            .code("invalid_api_key")
    };
    let Some(presented) = bearer.or_else(|| text("x-api-key")) else {
        return Err(refused(
            "You didn't provide an API key: this server wants one of its local keys as `Authorization: Bearer KEY`.",
        ));
    };
    // Comparing digests takes as long for a key that is nearly right as for any other.
    let presented = Sha256::digest(presented);
    let known = |key: &&Key| Sha256::digest(key.key.expose_secret()) == presented;
    server.keys.iter().find(known).map(Some).ok_or_else(|| {
        refused("Incorrect API key provided: it is none of this server's local keys (`keys` under `[server]`).")
    })
}

/// Lets the page of a listed origin read the answer. `asked` are the headers that it asks to send:
/// SDKs add some of their own, and what is not known is not looked at.
pub(super) fn with_cors(
    mut response: Response,
    origin: HeaderValue,
    asked: Option<HeaderValue>,
) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        // The star stands for all others; browsers from before it read the names.
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "x-request-id, x-codexway-dropped, x-codexway-emulated, x-codexway-upstream, retry-after, retry-after-ms, x-should-retry, openai-processing-ms, *",
        ),
    ];
    let usual = HeaderValue::from_static(
        "authorization, content-type, x-api-key, x-codexway-profile, x-codexway-capabilities, session-id",
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(usual));
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
