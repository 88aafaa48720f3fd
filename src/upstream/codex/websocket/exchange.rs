//! One turn over a connection: what is sent, and what comes back.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Rest,
    connection::{Connection, event},
    known::{Known, Seen, fields},
    message,
    pool::Place,
};
use crate::{
    protocol::{Event, Failure, ItemEvent, Kind, Turn},
    upstream::{
        Answer, Error, Events,
        codex::{error, limits},
        failure, http_stream,
        lead::Lead,
    },
};

/// Why a turn was not begun.
pub(super) enum Failed {
    /// The backend has refused it, and would again.
    Refused(Error),
    /// Nothing was said of it: it may be sent another way.
    Unheard(Error),
    /// Nothing was said of it for too long. It may be running all the same, and is not to be run
    /// twice.
    Silent(Error),
    /// It is too much for a message.
    TooLarge,
}

/// Sends the turn and waits for the beginning of its answer. The connection is kept at `place`
/// once it has ended well.
pub(super) async fn exchange(
    mut connection: Box<Connection>,
    place: Option<Place<Rest>>,
    turn: &mut Turn,
    idle: Duration,
) -> Result<Answer, Failed> {
    let fields = fields(&mut turn.request);
    let known = connection.known.take();
    let known = known.and_then(|mut known| {
        let n_known = known.begins(fields, &turn.request.input)?;
        Some((known.into_parts(), n_known))
    });
    let (previous, mut seen, n_known) = match known {
        Some(((id, seen), n_known)) => (Some(id), seen, n_known),
        None => (None, Seen::new(fields), 0),
    };
    let message = message::create(turn, previous.as_deref(), n_known).map_err(Failed::Refused)?;
    if message.len() >= message::MAX_MESSAGE {
        return Err(Failed::TooLarge);
    }
    connection.send(message, idle).await.map_err(Failed::Unheard)?;
    let lead = lead(&mut connection, idle).await?;
    seen.told(&turn.request.input[n_known..]);
    connection.is_proven = true;
    let mut headers = limits::for_client(&connection.received);
    let label = HeaderValue::from_static("codex;websocket");
    headers.insert(HeaderName::from_static("x-codexway-upstream"), label);
    Ok(Answer { headers, events: events(connection, place, lead, seen, idle) })
}

/// The events up to the first that is about the turn.
async fn lead(connection: &mut Connection, idle: Duration) -> Result<Vec<Event>, Failed> {
    let mut lead = Lead::default();
    loop {
        let message = connection.message(idle).await.map_err(unanswered)?;
        let event = event(message).map_err(Failed::Unheard)?;
        match event.kind {
            Kind::Error => return Err(refused(&event)),
            Kind::RateLimits => limits::update(&mut connection.received, &event),
            Kind::Keepalive => continue, // Who waits has signs of life from us.
            Kind::Other => connection.received.extend(headers_in(&event)),
            _ => return Ok(lead.and(event)),
        }
        lead.hold(event).map_err(Failed::Refused)?;
    }
}

/// What stands in the headers of a turn over HTTP, and over a connection in an event.
fn headers_in(event: &Event) -> HeaderMap {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        headers: &'a RawValue,
    }
    if !event.name.ends_with(b"response.metadata") {
        return HeaderMap::new();
    }
    event.read().map(|Metadata { headers }| read_headers(headers)).unwrap_or_default()
}

fn unanswered(error: Error) -> Failed {
    match error {
        Error::TimedOut(_) => Failed::Silent(error),
        error => Failed::Unheard(error),
    }
}

fn refused(event: &Event) -> Failed {
    /// What is wrong with the connection, and not with the turn.
    const OF_CONNECTION: [&str; 2] =
        ["previous_response_not_found", "websocket_connection_limit_reached"];
    match told(event) {
        Error::Invalid(Failure { code: Some(code), .. })
        | Error::Overloaded { code: Some(code), .. }
            if OF_CONNECTION.contains(&code.as_str()) =>
        {
            Failed::Unheard(Error::Truncated)
        }
        // Over HTTP another token is asked for.
        error @ Error::Refused { .. } => Failed::Unheard(error),
        error => Failed::Refused(error),
    }
}

/// An `error` message as the refusal that it would be over HTTP.
fn told(event: &Event) -> Error {
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(alias = "status_code")]
        status: u16,
        #[serde(borrow)]
        error: &'a RawValue,
        #[serde(borrow, default)]
        headers: Option<&'a RawValue>,
    }
    let read = event.read::<Told<'_>>().ok();
    let status = read.as_ref().and_then(|told| StatusCode::from_u16(told.status).ok());
    let (Some(told), Some(status)) = (read, status) else { return failure::of_event(event) };
    let headers = told.headers.map(read_headers).unwrap_or_default();
    let body = wrapped(told.error)
        .unwrap_or_else(|| format!(r#"{{"error":{}}}"#, told.error.get()).into_bytes());
    error::refusal(status, &headers, &body)
}

/// The body of an HTTP answer that stands as text in the message of an error, where it does.
fn wrapped(error: &RawValue) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Wrapped {
        r#type: String,
        message: String,
    }
    let wrapped: Wrapped = serde_json::from_str(error.get()).ok()?;
    (wrapped.r#type == "upstream_error").then(|| wrapped.message.into_bytes())
}

fn read_headers(headers: &RawValue) -> HeaderMap {
    let headers: std::collections::BTreeMap<String, serde_json::Value> =
        serde_json::from_str(headers.get()).unwrap_or_default();
    let header = |(name, value): (String, serde_json::Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((name.parse::<HeaderName>().ok()?, text.parse::<HeaderValue>().ok()?))
    };
    headers.into_iter().filter_map(header).collect()
}

/// Follows the turn to its end. A connection is kept only if that is a good one: whatever else
/// happened, nobody knows what it would go on from.
fn events(
    mut connection: Box<Connection>,
    place: Option<Place<Rest>>,
    lead: Vec<Event>,
    mut seen: Seen,
    idle: Duration,
) -> Events {
    async_stream::try_stream! {
        let mut place = place;
        let mut lead = lead.into_iter();
        loop {
            let event = match lead.next() {
                Some(event) => event,
                None => event(connection.message(idle).await?)?,
            };
            if event.kind == Kind::Error {
                Err(told(&event))?;
            }
            let event = http_stream::settled(event)?;
            match event.kind {
                Kind::ItemDone => seen.said(&event.read::<ItemEvent>()?.item),
                Kind::RateLimits => limits::update(&mut connection.received, &event),
                Kind::Completed => {
                    connection.known = event.response_id().map(|id| Known::new(id, seen));
                    connection.rests();
                    if let Some(place) = place.take() {
                        place.keep(Rest::Open(connection), Instant::now());
                    }
                    yield event;
                    return;
                }
                Kind::Incomplete | Kind::Failed => {
                    yield event;
                    return;
                }
                _ => {}
            }
            yield event;
        }
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn error(json: &str) -> Error {
        told(&event(Bytes::copy_from_slice(json.as_bytes())).unwrap())
    }

    #[test]
    fn an_error_is_what_it_would_be_over_http() {
        let gate = r#"{"type":"error","status":400,"error":{"type":"upstream_error","message":"{\"detail\":\"Unsupported parameter: foo\"}"},"headers":{}}"#;
        assert!(matches!(error(gate), Error::Invalid(f) if f.param.as_deref() == Some("foo")));
        let limit = r#"{"type":"error","status_code":429,"error":{"type":"usage_limit_reached","message":"m","resets_in_seconds":60},"headers":{"x-codex-primary-used-percent":100}}"#;
        let Error::UsageLimit { resets_in, headers, .. } = error(limit) else { panic!("a limit") };
        assert_eq!(resets_in, Some(Duration::from_secs(60)));
        assert_eq!(headers["x-codex-primary-used-percent"], "100");
        let plain = r#"{"type":"error","error":{"code":"server_is_overloaded","message":"m"}}"#;
        assert!(matches!(error(plain), Error::Overloaded { .. }));
    }

    #[test]
    fn the_headers_of_a_turn_stand_in_an_event_of_metadata() {
        let read = |json: &'static str| {
            let headers = headers_in(&event(Bytes::from_static(json.as_bytes())).unwrap());
            headers.get("openai-model").map(|model| model.to_str().unwrap().to_owned())
        };
        for name in ["codex.response.metadata", "response.metadata"] {
            let json = format!(r#"{{"type":"{name}","headers":{{"openai-model":"gpt-5.5"}}}}"#);
            assert_eq!(read(json.leak()).as_deref(), Some("gpt-5.5"));
        }
        assert_eq!(read(r#"{"type":"other","headers":{"openai-model":"gpt-5.5"}}"#), None);
        assert_eq!(read(r#"{"type":"response.metadata"}"#), None);
    }
}
