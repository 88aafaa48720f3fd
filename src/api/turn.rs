//! One turn, whatever the dialect: decode → shape → send → relay or gather.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use super::{
    App, Client, Decoded, Dialect, Error, Reference, Served,
    access::Named,
    body, fields,
    outer::RequestId,
    relay::{self, Company},
};
use crate::{
    protocol::{Gather, Item, Turn, Usage},
    shaping::{self, Ignored},
    state::{self, Keeps, Witness},
    telemetry::TurnLog,
    upstream::{self, Answer, Events},
};

/// The headers of the official client that belong to a turn and pass on to the backend.
const PASSED_ON: [&str; 6] = [
    "x-codex-beta-features",
    "x-codex-turn-state",
    "x-codex-window-id",
    "x-codex-turn-metadata",
    "x-codex-parent-thread-id",
    "x-openai-subagent",
];

/// Serves one request in the dialect `D`.
pub(super) async fn serve<D: Dialect>(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let mut log = TurnLog::new(id, D::NAME);
    let (parts, body) = request.into_parts();
    match run::<D>(&app, profile.as_deref(), &parts, body, &mut log).await {
        Ok(response) => response,
        Err(error) => {
            log.failed(error.status.as_u16(), &error.message);
            error.into_response()
        }
    }
}

async fn run<D: Dialect>(
    app: &App,
    profile: Option<&str>,
    parts: &Parts,
    body: Body,
    log: &mut TurnLog,
) -> Result<Response, Error> {
    let headers = &parts.headers;
    let served = app.profile(profile)?;
    let body = body::read(headers, body, app.server().max_body).await?;
    let client = Client { headers, profile: &served.profile };
    match D::decode(&body, &client) {
        Ok(decoded) => {
            drop(body);
            send(app, &served, headers, decoded, log).await
        }
        // Clients disagree about which dialect is spoken where; the body tells.
        Err(_) if is_of::<D::Other>(&body) && !is_of::<D>(&body) => {
            let decoded = D::Other::decode(&body, &client)?;
            drop(body);
            send(app, &served, headers, decoded, log).await
        }
        Err(error) => Err(error),
    }
}

fn is_of<D: Dialect>(body: &[u8]) -> bool {
    fields::object(body).is_ok_and(|fields| !fields.lacks(D::INPUT))
}

async fn send<D: Dialect>(
    app: &App,
    served: &Served,
    headers: &HeaderMap,
    decoded: Decoded<D>,
    log: &mut TurnLog,
) -> Result<Response, Error> {
    let Decoded { dialect, mut request, mut ignored, user, conversation, lite, references } =
        decoded;
    recall(references, &served.state, &mut request.input, &mut ignored)?;
    request.model = model(served, &request.model).await?;
    log.model(D::NAME, &request.model);
    let catalog = served.models.current();
    let model = catalog.find(&request.model);
    shaping::fit(&mut request, &served.profile, model, &mut ignored);
    ignored.check(&served.profile.parameters)?;
    let conversation =
        shaping::conversation(&mut request, headers, conversation.as_deref(), user.as_deref());
    if dialect.keeps() == Keeps::Reasoning {
        served.state.sealed.restore(&mut request.input);
    }
    let witness = Witness::new(Arc::clone(&served.state), dialect.keeps());
    let turn = Turn { request, conversation, lite, headers: passed_on(headers) };

    let place = app.place().await?;
    let Answer { headers, mut events } = start(served, turn).await.map_err(D::told)?;
    let mut response = if dialect.streams() {
        let hold = app.server().keepalive;
        let lead = relay::lead(&mut events, hold).await.map_err(D::told)?;
        let company = Company { log: std::mem::take(log), witness, _place: place };
        streamed(Body::from_stream(relay::relay(dialect, lead, events, hold, company)))
    } else {
        let (reply, usage) = whole(dialect, events, witness).await.map_err(D::told)?;
        log.usage(usage);
        log.finished();
        ([(header::CONTENT_TYPE, "application/json")], reply).into_response()
    };
    response.headers_mut().extend(headers);
    describe(response.headers_mut(), served, &ignored);
    Ok(response)
}

/// Puts the items that the client names by their ids where they belong. Without its reasoning the
/// model only thinks again, so what is not known of that is left out; without anything else it
/// would answer another question.
fn recall(
    references: Vec<Reference>,
    state: &state::State,
    input: &mut Vec<Item>,
    ignored: &mut Ignored,
) -> Result<(), Error> {
    let mut known = Vec::with_capacity(references.len());
    for Reference { place, id, param } in references {
        match state.items.as_ref().and_then(|items| items.get(&id)) {
            Some(item) => known.push((place, item)),
            None if id.starts_with("rs_") => ignored.drop(param),
            None => {
                let message = format!("Item with id '{id}' not found.");
                return Err(Error::not_found(message).param("input"));
            }
        }
    }
    // From the end, so that the places before stay what they are.
    for (place, item) in known.into_iter().rev() {
        input.insert(place, item);
    }
    Ok(())
}

/// Starts the turn. Sealed reasoning that the backend can no longer read would make the
/// conversation fail for ever, so then it is sent once more without.
async fn start(served: &Served, mut turn: Turn) -> Result<Answer, upstream::Error> {
    match served.upstream.send(&mut turn).await {
        Err(upstream::Error::Invalid(failure))
            if failure.code.as_deref() == Some("invalid_encrypted_content") && turn.unseal() =>
        {
            tracing::warn!("the backend cannot read the reasoning sent back; it goes on without");
            served.upstream.send(&mut turn).await
        }
        answered => answered,
    }
}

/// The slug for what the client asked for; the upstream is asked for its catalogue only when the
/// name is not known without.
async fn model(served: &Served, asked: &str) -> Result<String, Error> {
    match shaping::resolve(asked, &served.profile, &served.models.current()) {
        Ok(name) => Ok(name),
        Err(_) => {
            let catalog = served.models.asked(&*served.upstream).await;
            Ok(shaping::resolve(asked, &served.profile, &catalog)?)
        }
    }
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let found =
        |name: &'static str| Some((HeaderName::from_static(name), headers.get(name)?.clone()));
    PASSED_ON.into_iter().filter_map(found).collect()
}

/// Follows the turn to its end and answers all at once.
async fn whole<D: Dialect>(
    dialect: D,
    mut events: Events,
    mut witness: Witness,
) -> Result<(Bytes, Usage), upstream::Error> {
    let mut gather = Gather::new();
    while let Some(event) = events.next().await {
        let event = event?;
        witness.event(&event);
        if let Some(response) = gather.event(&event)? {
            let usage = response.usage;
            return Ok((dialect.reply(response)?, usage));
        }
    }
    Err(upstream::Error::Truncated)
}

fn streamed(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

/// Says how the turn was run, and which fields of the request had no effect.
fn describe(headers: &mut HeaderMap, served: &Served, ignored: &Ignored) {
    let upstream = HeaderValue::from_static(served.upstream.label());
    headers.insert(HeaderName::from_static("x-codexway-upstream"), upstream);
    let lists =
        [("x-codexway-dropped", ignored.dropped()), ("x-codexway-emulated", ignored.emulated())];
    for (name, fields) in lists {
        if !fields.is_empty() {
            headers.insert(HeaderName::from_static(name), list(fields));
        }
    }
}

/// The names as a header; what a client may have put into them cannot break out of it.
fn list(fields: &[String]) -> HeaderValue {
    const ENOUGH: usize = 4096;
    let plain = |c: char| if c.is_ascii_graphic() && c != ',' { c } else { '_' };
    let mut text = String::new();
    for field in fields {
        if !text.is_empty() {
            text.push(',');
        }
        text.extend(field.chars().take(128).map(plain));
        if text.len() > ENOUGH {
            text.push_str(",...");
            break;
        }
    }
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_fields_is_one_header_whatever_they_are_called() {
        let fields = |count: usize| vec!["a, \u{e9}\r\nx: y".to_owned(); count];
        assert_eq!(list(&fields(2)), "a_____x:_y,a_____x:_y");
        let many = list(&fields(1000));
        let many = many.to_str().unwrap();
        assert!(many.starts_with("a_____x:_y,") && many.ends_with(",..."), "{many}");
        assert!(many.len() < 5000);
    }
}
