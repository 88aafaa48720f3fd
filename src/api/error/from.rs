//! What went wrong inside, as what the client is told of it.

use std::{borrow::Cow, time::Duration};

use http::StatusCode;

use super::{Error, INVALID};
use crate::{api::masked::masked, auth, protocol::Failure, shaping::Rejected, state, upstream};

impl From<Rejected> for Error {
    fn from(Rejected(field): Rejected) -> Self {
        Self::invalid(format!(
            "Unsupported parameter: '{field}' has no effect here, and this profile does not drop it."
        ))
        .code("unsupported_parameter")
        .param(field)
    }
}

impl From<auth::Error> for Error {
    fn from(error: auth::Error) -> Self {
        let message = error.to_string();
        let server = |status| Self::new(status, "server_error", message.clone());
        match error {
            auth::Error::Unreachable { .. } => {
                server(StatusCode::BAD_GATEWAY).code("upstream_auth_unreachable")
            }
            // It may work in a moment, and to say 401 would make clients give up.
            auth::Error::TokenEndpoint { .. }
            | auth::Error::Busy { .. }
            | auth::Error::HeldElsewhere { .. }
            | auth::Error::NotWritable { .. }
            | auth::Error::Interrupted => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..server(StatusCode::SERVICE_UNAVAILABLE).code("upstream_auth_unavailable")
            },
            auth::Error::Blocked { .. } => {
                Self::new(StatusCode::FORBIDDEN, "permission_error", message)
                    .code("upstream_blocked")
            }
            _ => Self::new(StatusCode::UNAUTHORIZED, "authentication_error", message)
                .code("upstream_auth_failed"),
        }
    }
}

impl From<state::store::Error> for Error {
    fn from(error: state::store::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", error.to_string())
            .code("store_error")
    }
}

impl From<upstream::Error> for Error {
    fn from(error: upstream::Error) -> Self {
        let mut error = Self::of_upstream(error);
        error.message = masked(&error.message).into_owned();
        error.code = error.code.map(|code| masked(&code).into_owned().into());
        error.param = error.param.map(|param| masked(&param).into_owned());
        error
    }
}

impl Error {
    /// An upstream's error, in its own words.
    fn of_upstream(error: upstream::Error) -> Self {
        let message = error.to_string();
        let server = |status| Self::new(status, "server_error", message.clone());
        match error {
            upstream::Error::Invalid(failure) => {
                Self::refusal(StatusCode::BAD_REQUEST, failure, message)
            }
            upstream::Error::NotFound(failure) => {
                Self::refusal(StatusCode::NOT_FOUND, failure, message)
            }
            upstream::Error::TooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, message)
            }
            upstream::Error::ModelNotFound { .. } => {
                Self::not_found(message).code("model_not_found").param("model")
            }
            upstream::Error::Login(error) => error.into(),
            upstream::Error::Key { .. } | upstream::Error::Refused { .. } => {
                Self::new(StatusCode::UNAUTHORIZED, "authentication_error", message)
                    .code("upstream_auth_failed")
            }
            upstream::Error::Forbidden { code, .. } => Self {
                code: code.map(Cow::Owned),
                ..Self::new(StatusCode::FORBIDDEN, "permission_error", message)
            },
            upstream::Error::UsageLimit { code, resets_in, headers, .. } => Self {
                code: Some(Cow::Owned(code)),
                retry_after: resets_in,
                headers,
                // The wait is hours long: an SDK that goes on asking would only annoy everybody.
                should_retry: Some(false),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "usage_limit_reached",
                    until(message, resets_in),
                )
            },
            // As the platform has it: the type says the same as the code.
            upstream::Error::Quota { code, .. } => Self {
                code: Some(Cow::Owned(code)),
                should_retry: Some(false),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", message)
            },
            upstream::Error::RateLimited { retry_after, headers, .. } => Self {
                headers,
                code: Some("rate_limit_exceeded".into()),
                retry_after: Some(retry_after.unwrap_or(Duration::from_secs(1))),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
            },
            upstream::Error::Overloaded { code, retry_after, .. } => Self {
                code: Some(code.map_or("server_error".into(), Cow::Owned)),
                retry_after: Some(retry_after.unwrap_or(Duration::from_secs(1))),
                ..server(StatusCode::SERVICE_UNAVAILABLE)
            },
            upstream::Error::Program(_) => Self {
                should_retry: Some(false),
                ..server(StatusCode::BAD_GATEWAY).code("upstream_program_failed")
            },
            upstream::Error::Unreachable { .. } | upstream::Error::Garbled(_) => {
                server(StatusCode::BAD_GATEWAY).code("upstream_error")
            }
            upstream::Error::Truncated => {
                server(StatusCode::BAD_GATEWAY).code("upstream_stream_truncated")
            }
            upstream::Error::Internal => {
                server(StatusCode::INTERNAL_SERVER_ERROR).code("internal_error")
            }
            upstream::Error::TimedOut(_) => server(StatusCode::GATEWAY_TIMEOUT).code("timeout"),
        }
    }

    fn refusal(status: StatusCode, failure: Failure, message: String) -> Self {
        let code = failure.code.map(Cow::Owned);
        Self { code, param: failure.param, ..Self::new(status, INVALID, message) }
    }
}

/// The message with when to come back.
fn until(message: String, wait: Option<Duration>) -> String {
    let message = message.trim_end_matches('.');
    let Some(wait) = wait else {
        return format!("{message}; wait for the plan's window to reset.");
    };
    let minutes = wait.as_secs().div_ceil(60);
    let wait = match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    };
    format!("{message}; the plan's window resets in {wait}, and until then every turn is refused.")
}
