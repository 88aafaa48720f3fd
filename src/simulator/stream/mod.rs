//! The answer to a turn as the backend streams it.

mod calls;
mod envelope;
mod hosted;
mod ids;
mod items;
mod story;
mod wire;

use std::sync::Arc;

use axum::body::Body;
use http::Response;
use tokio::sync::watch;

use super::reply::Reply;
use super::script::{Item, Script};
use super::server::State;
use super::turn::Turn;
use super::{platform, random_text, wham};

pub(super) use story::{Beat, Story};

/// The 200 that streams `items` the way `script` wants it.
pub(super) fn response(
    state: &Arc<State>,
    turn: &Turn<'_>,
    script: &Script,
    items: &[Item],
) -> Response<Body> {
    let steps = match &script.wire.raw {
        Some(bytes) => wire::raw(&script.wire, bytes),
        None => wire::steps(&script.wire, Story::tell(state, turn, script, items)),
    };
    let body = wire::play(steps, state.running.enter());
    let mut response = Response::builder().status(200);
    let headers = match turn.platform {
        true => platform::headers(),
        false => headers(state, Some(turn.model.map_or("unknown", |model| &model.slug))),
    };
    for (name, value) in headers {
        response = response.header(name, value);
    }
    // Since June 2026 the 200 says nothing about its type.
    if script.wire.content_type {
        response = response.header("content-type", "text/event-stream; charset=utf-8");
    }
    if script.wire.gzip {
        response = response.header("content-encoding", "gzip");
    }
    response.body(body).unwrap_or_default()
}

/// The answer of the platform to a turn that is not to be streamed: what the last event would say.
pub(super) fn whole(
    state: &Arc<State>,
    turn: &Turn<'_>,
    script: &Script,
    items: &[Item],
) -> Response<Body> {
    let beats = Story::tell(state, turn, script, items);
    let last = beats.into_iter().rev().find_map(|beat| match beat {
        Beat::Event { mut json, .. } => Some(json["response"].take()),
        Beat::Pause(_) | Beat::Silence => None,
    });
    Reply::json(200, &last.unwrap_or_default()).into_response()
}

/// What the backend says beside the answer of a model, or before one is asked for.
pub(super) fn headers(state: &State, model: Option<&str>) -> Vec<(&'static str, String)> {
    let mut headers = wham::limit_headers(state);
    headers.extend([
        ("x-codex-turn-state", random_text(44)),
        ("x-models-etag", state.catalog.etag.clone()),
        ("x-oai-request-id", uuid::Uuid::new_v4().to_string()),
        ("cf-ray", format!("{}-WAW", &uuid::Uuid::new_v4().simple().to_string()[..16])),
        ("cf-cache-status", "DYNAMIC".to_owned()),
        ("server", "cloudflare".to_owned()),
        // Whoever hands this on to another client shares its user's cookie.
        (
            "set-cookie",
            format!(
                "__cf_bm={}; path=/; domain=.chatgpt.com; HttpOnly; Secure; SameSite=None",
                random_text(43)
            ),
        ),
    ]);
    headers.extend(model.map(|model| ("openai-model", model.to_owned())));
    headers
}

/// Counts the responses that are being streamed.
#[derive(Default)]
pub(super) struct Running {
    count: watch::Sender<usize>,
}

/// One response on its way; gone when the client is.
pub(super) struct OnTheWay(watch::Sender<usize>);

impl Running {
    pub(super) fn enter(&self) -> OnTheWay {
        self.count.send_modify(|count| *count += 1);
        OnTheWay(self.count.clone())
    }

    pub(super) fn count(&self) -> usize {
        *self.count.borrow()
    }

    pub(super) async fn until(&self, wanted: usize) {
        // The sender is ours, so the wait cannot fail.
        let _ = self.count.subscribe().wait_for(|count| *count == wanted).await;
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
