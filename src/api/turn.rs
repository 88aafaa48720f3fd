//! One turn, whatever the dialect: decode → prepare → send → relay or gather.

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
    App, Client, Decoded, Dialect, Error, Fields, Served,
    access::Named,
    background::{self, NotBegun},
    body, capabilities, fields,
    keep::Keeper,
    outer::RequestId,
    prepare::{Prepared, Started, prepare},
    relay::{self, Company},
    stopping::{Stopping, stopped},
};
use crate::{
    config::Protocol,
    protocol::{Gather, Object, raw},
    shaping::Ignored,
    telemetry::TurnLog,
    upstream::{self, Events, Hold},
};

/// Serves one request in the dialect `D`.
pub(super) async fn serve<D: Dialect>(
    State(app): State<App>,
    Extension(Named(profile)): Extension<Named>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let mut log = TurnLog::new(app.activity(), id, D::NAME);
    let (parts, body) = request.into_parts();
    match run::<D>(&app, profile.as_deref(), &parts, body, &mut log).await {
        Ok(response) => response,
        Err(error) => {
            error.log(&mut log);
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
    let stopping = parts.extensions.get().cloned().unwrap_or_default();
    let named = app.profile(profile)?;
    let body = body::read(app, headers, body).await?;
    let mut fields = fields::object(&body)?;
    capabilities::unpack_extra(&mut fields)?;
    let by_model = serving_model(app, &mut fields);
    let served = by_model.filter(|_| profile.is_none()).unwrap_or(named);
    let wanted = capabilities::overlay(&served.profile, headers, &mut fields)?;
    let environment = capabilities::environment(&wanted, &mut fields)?;
    let client = Client { environment, ..served.client(headers, &wanted) };
    log.served_by(D::NAME, &served.name, &served.profile.upstream);
    // Clients disagree about which dialect is spoken where; the body tells.
    if fields.lacks(D::INPUT) && !fields.lacks(D::Other::INPUT) {
        log.served_by(D::Other::NAME, &served.name, &served.profile.upstream);
        let decoded = decode::<D::Other>(fields, &client)?;
        app.room().give_back(body);
        return send(app, &served, &client, decoded, stopping, log).await;
    }
    let decoded = decode::<D>(fields, &client)?;
    app.room().give_back(body); // It may be a megabyte, and the turn may last for minutes.
    send(app, &served, &client, decoded, stopping, log).await
}

/// The profile that the model's name begins with, which is taken off it.
fn serving_model(app: &App, fields: &mut Object<'_>) -> Option<Arc<Served>> {
    let model = fields.str("model")?;
    let (served, prefix) = app.profile_of(&model)?;
    let model = raw(&model[prefix..]);
    fields.set("model", model);
    Some(served)
}

fn decode<D: Dialect>(fields: Fields<'_>, client: &Client<'_>) -> Result<Box<Decoded<D>>, Error> {
    let served = client.profile.protocol;
    if served != Protocol::Auto && served != D::PROTOCOL {
        return Err(Error::unsupported(
            "protocol",
            format!("This profile serves `{}` only.", served.as_str()),
        ));
    }
    D::decode(fields, client).map(Box::new)
}

async fn send<D: Dialect>(
    app: &App,
    served: &Arc<Served>,
    client: &Client<'_>,
    decoded: Box<Decoded<D>>,
    mut stopping: Stopping,
    log: &mut TurnLog,
) -> Result<Response, Error> {
    let mut prepared = prepare(served, client, decoded).await?;
    log.model(&prepared.turn.request.model);
    let dropped = some_of(prepared.ignored.dropped());
    let named = dropped.as_ref().and_then(|names| names.to_str().ok());
    log.asks(&prepared.turn.request, prepared.dialect.streams(), named);
    let place = app.place(prepared.choices).await?;
    let conversation = prepared.conversation.take();
    let keeper = Keeper::new::<D>(&served.state, prepared.choices, conversation);
    let cut = stopping.cut();
    let mut company = Company { log: std::mem::take(log), keeper, cut, _place: place };
    let ignored = std::mem::take(&mut prepared.ignored);
    let mut response = if prepared.background {
        match background::run(app, prepared, company).await {
            Ok(response) => response,
            Err(NotBegun { error, log: unfinished }) => {
                *log = unfinished;
                return Err(error);
            }
        }
    } else {
        let told = tokio::select! {
            told = foreground(app, prepared, &mut company) => told,
            () = stopping.due() => Err(stopped()),
        };
        match told {
            Ok(Told::Whole(headers, reply)) => {
                company.log.finished();
                (headers, [(header::CONTENT_TYPE, "application/json")], reply).into_response()
            }
            Ok(Told::Stream(headers, dialect, started)) => {
                let stream = relay::relay(dialect, started, app.server().keepalive, company);
                (headers, streamed(relay::body(stream).await)).into_response()
            }
            Err(error) => {
                *log = std::mem::take(&mut company.log);
                return Err(error);
            }
        }
    };
    describe(response.headers_mut(), served, &ignored);
    Ok(response)
}

/// How a turn is answered that its client waits for.
enum Told<D> {
    Whole(HeaderMap, Bytes),
    Stream(HeaderMap, D, Started),
}

async fn foreground<D: Dialect>(
    app: &App,
    mut prepared: Box<Prepared<D>>,
    company: &mut Company,
) -> Result<Told<D>, Error> {
    let keepalive = app.server().keepalive;
    let streams = prepared.dialect.streams();
    let hold = if streams { Hold::Stream(keepalive) } else { Hold::Whole(keepalive) };
    let mut started = prepared.start(hold, &mut company.log).await.map_err(D::told)?;
    let headers = std::mem::take(&mut started.headers);
    let mut dialect = prepared.dialect;
    if streams {
        return Ok(Told::Stream(headers, dialect, started));
    }
    let reply = whole(&mut dialect, started.events, company).await.map_err(D::told)?;
    company.keeper.ended(&mut dialect, true).await;
    Ok(Told::Whole(headers, reply))
}

/// Follows the turn to its end and answers all at once.
async fn whole<D: Dialect>(
    dialect: &mut D,
    events: Vec<Events>,
    company: &mut Company,
) -> Result<Bytes, upstream::Error> {
    let choices = events.len();
    let mut events = relay::side_by_side(events);
    let mut gathers: Vec<Gather> = std::iter::repeat_with(Gather::new).take(choices).collect();
    let mut responses = std::iter::repeat_with(|| None).take(choices).collect::<Vec<_>>();
    let mut n_open = choices;
    while let Some((choice, event)) = events.next().await {
        let event = event?;
        company.log.event(&event);
        company.keeper.event(choice, &event);
        if let Some(response) = gathers[choice].event(&event)? {
            responses[choice] = Some(response);
            n_open -= 1;
        }
        if n_open == 0 {
            return dialect.reply(responses.into_iter().flatten().collect());
        }
    }
    Err(upstream::Error::Truncated)
}

pub(super) fn streamed(body: Body) -> Response {
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
    // The answer itself says so where it did not travel as usual.
    headers.entry(HeaderName::from_static("x-codexway-upstream")).or_insert(upstream);
    let lists =
        [("x-codexway-dropped", ignored.dropped()), ("x-codexway-emulated", ignored.emulated())];
    for (name, fields) in lists {
        if let Some(fields) = some_of(fields) {
            headers.insert(HeaderName::from_static(name), fields);
        }
    }
}

/// The names as a header, if there are any.
fn some_of(fields: &[String]) -> Option<HeaderValue> {
    (!fields.is_empty()).then(|| list(fields))
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
