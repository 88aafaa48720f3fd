//! `POST /codex/responses`: the checks in the backend's order, then the answer.

use std::sync::Arc;

use axum::body::Body;
use http::Response;
use serde_json::Value;

use super::accounts::Account;
use super::cache::Prompt;
use super::catalog::Model;
use super::reply::Refusal;
use super::script::{Item, Script};
use super::server::{Asked, Cut, State};
use super::{answer as answers, engine, gate, lock, platform, stream, wham};

/// A turn that passed the checks, or that no one checked.
pub(super) struct Turn<'a> {
    pub body: &'a Value,
    pub account: Option<Account>,
    pub model: Option<&'a Model>,
    pub prompt: Prompt,
    /// Whether the platform is asked, and not the backend.
    pub platform: bool,
}

pub(super) async fn answer(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Cut> {
    let account = state.accounts.check(asked);
    let verdict = account.clone().and_then(|account| check(state, asked, &account));
    run(state, asked, account.ok(), verdict, false).await
}

/// Plays the script for a turn on which the checks said `verdict`.
pub(super) async fn run(
    state: &Arc<State>,
    asked: &Asked,
    account: Option<Account>,
    verdict: Result<(), Refusal>,
    platform: bool,
) -> Result<Response<Body>, Cut> {
    let script = match state.scripts.next(verdict) {
        Ok(script) => script,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    if !script.pauses.before_headers.is_zero() {
        // Even no time at all would last until the timer's next tick, a millisecond.
        tokio::time::sleep(script.pauses.before_headers).await;
    }
    if script.wire.cut_before_headers {
        return Err(Cut);
    }
    if let Some(reply) = script.reply {
        return Ok(reply.into_response());
    }
    let (turn, items) = met(state, asked, account, platform, &script);
    if platform && turn.body["stream"] != true {
        return Ok(stream::whole(state, &turn, &script, &items));
    }
    Ok(stream::response(state, &turn, &script, &items))
}

/// A turn that is answered, and with what. Its prompt is counted, and remembered by the cache.
pub(super) fn met<'a>(
    state: &'a State,
    asked: &'a Asked,
    account: Option<Account>,
    platform: bool,
    script: &Script,
) -> (Turn<'a>, Vec<Item>) {
    let body = &asked.json;
    let prompt = state.cache.meet(
        account.as_ref().map_or("", |account| &account.id),
        asked.header("session-id"),
        body["prompt_cache_key"].as_str(),
        body,
    );
    let model = body["model"].as_str().and_then(|slug| match platform {
        true => platform::find(state, slug),
        false => state.catalog.find(slug),
    });
    let turn = Turn { body, account, model, prompt, platform };
    let items = script.items.clone().unwrap_or_else(|| answers::items(&turn));
    (turn, items)
}

pub(super) fn check(state: &State, asked: &Asked, account: &Account) -> Result<(), Refusal> {
    let used_up = *lock(&state.used_up);
    if let Some(resets_in) = used_up {
        let refusal = Refusal::usage_limit_reached(&account.plan, resets_in);
        return Err(refusal.headers(wham::limit_headers(state)));
    }
    gate::check(asked, &state.options)?;
    let model = gate::model(asked, account, state)?;
    engine::check(asked, account, model, &state.seal)
}

impl<'a> Turn<'a> {
    pub(super) fn input(&self) -> &'a [Value] {
        self.body["input"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Whether the client wants to replay the reasoning.
    pub(super) fn wants_encrypted_reasoning(&self) -> bool {
        let include = self.body["include"].as_array();
        include
            .is_some_and(|include| include.iter().any(|name| name == "reasoning.encrypted_content"))
    }

    /// The effort that the model thinks with.
    pub(super) fn effort(&self) -> &'a str {
        let default = self.model.map_or("medium", |model| &model.default_effort);
        self.body["reasoning"]["effort"].as_str().unwrap_or(default)
    }
}
