//! One real turn, through everything that a client's turn goes through but the socket.

use axum::body::{self, Body};
use http::{Request, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Check;
use crate::{
    api::{self, App},
    cli::Environment,
    config::{Protocol, Settings, Store},
};

const NAME: &str = "turn";
/// Far more than the answer to a few words takes.
const LONGEST_ANSWER: usize = 1024 * 1024;
const OTHERWISE: &str = "`RUST_LOG=debug codexway` and a turn of a client's say more";

/// Runs the smallest turn there is with the settings' own profile. It spends a little of the plan.
pub(super) async fn check(settings: &Settings, environment: &Environment) -> Check {
    match answered(settings.clone(), environment).await {
        Ok(saw) => Check::well(NAME, saw),
        Err(error) => Check::ill(NAME, &format!("{error:#}"), OTHERWISE),
    }
}

async fn answered(mut settings: Settings, environment: &Environment) -> anyhow::Result<String> {
    settings.state.store = Store::Off; // A running server may hold the file, and nobody asks again.
    let key = settings.server.usual_key().map(|key| key.key.clone());
    let app = App::new(settings.clone(), environment.surroundings())?;
    let router = api::router(app.clone());
    let ask = async |request: http::request::Builder, body: String| {
        let request = match &key {
            Some(key) => {
                request.header(header::AUTHORIZATION, format!("Bearer {}", key.expose_secret()))
            }
            None => request,
        };
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = router.clone().oneshot(request.body(Body::from(body))?).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let status = answer.status();
        let body = body::to_bytes(answer.into_body(), LONGEST_ANSWER).await?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        match body["error"]["message"].as_str() {
            None if status.is_success() => Ok(body),
            None => Err(anyhow::anyhow!("it came to {status}")),
            Some(message) => Err(anyhow::anyhow!("{message}")),
        }
    };
    let profile = &settings.profiles[&settings.server.profile];
    let done = async {
        let models = ask(Request::get("/v1/models"), String::new()).await?;
        let best = models["data"][0]["id"].as_str().unwrap_or_default();
        let model = if profile.model.is_empty() { best } else { &profile.model };
        let (path, turn) = asked(profile.protocol, model);
        let response = ask(Request::post(path), turn.to_string()).await?;
        let tokens = &response["usage"]["total_tokens"];
        anyhow::Ok(format!("`{model}` answered, with {tokens} tokens in all"))
    };
    let done = done.await;
    app.settle().await;
    done
}

/// Where a turn is asked for in the dialect that the profile serves, and with what: only what each
/// request has to say, since the profile may refuse the rest.
fn asked(protocol: Protocol, model: &str) -> (&'static str, Value) {
    const ASKED: &str = "Say exactly ok";
    match protocol {
        Protocol::Auto | Protocol::OpenaiResponses => {
            ("/v1/responses", json!({ "model": model, "input": ASKED }))
        }
        Protocol::OpenaiChat => {
            let messages = json!([{ "role": "user", "content": ASKED }]);
            ("/v1/chat/completions", json!({ "model": model, "messages": messages }))
        }
    }
}
