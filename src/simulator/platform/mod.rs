//! The OpenAI platform, `/v1/responses` and `/v1/models` with API keys: the engine behind another
//! gate.

mod gate;
mod keys;
mod models;

use std::sync::Arc;

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::accounts::Account;
use super::catalog::Model;
use super::reply::Refusal;
use super::server::{Asked, Cut, State};
use super::{engine, random_text, turn};

pub(super) use keys::Keys;
pub(super) use models::{Models, find};

/// What there is besides what the backend has.
#[derive(Default)]
pub(super) struct Platform {
    pub keys: Keys,
    pub models: Models,
}

/// `POST /v1/responses`.
pub(super) async fn answer(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Cut> {
    let account = state.platform.keys.check(asked);
    let understood = understood(asked);
    let verdict = account.clone().and_then(|account| check(state, &understood, &account));
    turn::run(state, &understood, account.ok(), verdict, true).await.map(signed)
}

/// `GET /v1/models`, and one of them.
pub(super) fn list(state: &State, asked: &Asked, id: Option<&str>) -> Response<Body> {
    let reply = match state.platform.keys.check(asked) {
        Ok(_) => models::list(state, id),
        Err(refusal) => refusal,
    };
    signed(reply.into_response())
}

/// The platform names every request.
fn signed(mut response: Response<Body>) -> Response<Body> {
    let id = format!("req_{}", uuid::Uuid::new_v4().simple());
    let headers = [
        ("x-request-id", id.as_str()),
        ("openai-version", "2020-10-01"),
        ("openai-organization", "user-simulated"),
        ("openai-processing-ms", "42"),
    ];
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The request in the narrower form that the engine reads: a string stands for a message, `system`
/// says the same as `developer`, and hosted tools that the backend lacks are no concern of the
/// engine's.
fn understood(asked: &Asked) -> Asked {
    const HOSTED: [&str; 5] =
        ["file_search", "code_interpreter", "mcp", "computer_use_preview", "web_search_preview"];
    let mut json = asked.json.clone();
    if json["input"].is_string() {
        json["input"] = json!([{ "type": "message", "role": "user", "content": json["input"] }]);
    }
    for item in json["input"].as_array_mut().into_iter().flatten() {
        if item["role"] == "system" {
            item["role"] = "developer".into();
        }
    }
    if let Some(tools) = json.get_mut("tools").and_then(Value::as_array_mut) {
        tools.retain(|tool| !HOSTED.iter().any(|hosted| tool["type"] == *hosted));
    }
    Asked {
        method: asked.method.clone(),
        uri: asked.uri.clone(),
        headers: asked.headers.clone(),
        body: asked.body.clone(),
        encoded_len: asked.encoded_len,
        wire_len: asked.wire_len,
        json,
    }
}

fn check(state: &State, asked: &Asked, account: &Account) -> Result<(), Refusal> {
    gate::fields(asked)?;
    let model: &Model = models::asked_for(state, asked)?;
    gate::fit(asked, model, &state.options)?;
    engine::check(asked, account, model, &state.seal)
}

/// The headers of a turn that runs.
pub(super) fn headers() -> Vec<(&'static str, String)> {
    let cookie = format!("__cf_bm={}; path=/; domain=.api.openai.com", random_text(43));
    let mut headers: Vec<(&'static str, String)> =
        LIMITS.map(|(name, value)| (name, value.to_owned())).to_vec();
    headers.extend([
        ("content-type", "text/event-stream; charset=utf-8".to_owned()),
        ("set-cookie", cookie),
    ]);
    headers
}

/// The limits of the lowest tier, little used.
const LIMITS: [(&str, &str); 6] = [
    ("x-ratelimit-limit-requests", "500"),
    ("x-ratelimit-remaining-requests", "499"),
    ("x-ratelimit-reset-requests", "120ms"),
    ("x-ratelimit-limit-tokens", "200000"),
    ("x-ratelimit-remaining-tokens", "199911"),
    ("x-ratelimit-reset-tokens", "26ms"),
];
