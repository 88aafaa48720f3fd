//! Logging in with a browser on another machine: a code to type there, a server to ask here.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Error, PATIENCE, denied, fresh};
use crate::auth::oauth::CLIENT_ID;
use crate::auth::tokens::Fresh;
use crate::auth::{Clock, Error as ServerError, OAuth};

/// Where the login server sends the code of a device; the exchange has to repeat it.
const CALLBACK: &str = "/deviceauth/callback";

/// A login that waits for somebody to type its code.
pub struct Device {
    /// The page to open.
    pub url: String,
    /// What to type there.
    pub user_code: String,
    id: String,
    interval: Duration,
    ends: Timestamp,
}

impl Device {
    /// Asks for a code, which is good for [`PATIENCE`].
    ///
    /// # Errors
    /// When the server cannot be reached or has none to give.
    pub async fn start(oauth: &OAuth, clock: &Clock) -> Result<Self, Error> {
        let url = oauth.url("/api/accounts/deviceauth/usercode");
        let answer = oauth
            .ask(oauth.client.get()?.post(url).json(&json!({ "client_id": CLIENT_ID })))
            .await?;
        match answer.status {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => return Err(Error::NoDevices),
            _ => return Err(answer.unexpected(&oauth.auth_url).into()),
        }
        let started: Started = answer.read(&oauth.auth_url)?;
        Ok(Self {
            url: oauth.url("/codex/device"),
            interval: seconds(&started.interval),
            id: started.device_auth_id,
            user_code: started.user_code,
            ends: clock() + PATIENCE,
        })
    }

    /// Asks until somebody has typed the code; `pause` lets the time between pass.
    ///
    /// # Errors
    /// When the answer is no, or there is none in time.
    pub async fn approved(
        self,
        oauth: &OAuth,
        clock: &Clock,
        pause: impl AsyncFn(Duration),
    ) -> Result<Fresh, Error> {
        let url = oauth.url("/api/accounts/deviceauth/token");
        let poll = json!({ "device_auth_id": self.id, "user_code": self.user_code });
        let approved: Approved = loop {
            let trouble = match oauth.ask(oauth.client.get()?.post(&url).json(&poll)).await {
                Ok(answer) => match answer.status {
                    status if status.is_success() => break answer.read(&oauth.auth_url)?,
                    // Both of them say that nobody has typed the code yet.
                    StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => None,
                    StatusCode::TOO_MANY_REQUESTS => None,
                    status if status.is_server_error() => Some(answer.unexpected(&oauth.auth_url)),
                    _ => return Err(denied(&answer.code().unwrap_or_default(), "")),
                },
                Err(error @ ServerError::Unreachable { .. }) => Some(error),
                Err(error) => return Err(error.into()),
            };
            if clock() + self.interval >= self.ends {
                return Err(trouble.map_or(Error::TimedOut, Error::Server));
            }
            pause(self.interval).await;
        };
        let callback = oauth.url(CALLBACK);
        let tokens =
            oauth.exchange(&approved.authorization_code, &approved.code_verifier, &callback).await;
        fresh(tokens, clock())
    }
}

/// The server writes a number of seconds as text.
fn seconds(interval: &Value) -> Duration {
    let text = interval.as_str().and_then(|text| text.trim().parse().ok());
    Duration::from_secs(text.or_else(|| interval.as_u64()).unwrap_or(5).clamp(1, 60))
}

#[derive(Deserialize)]
struct Started {
    device_auth_id: String,
    #[serde(alias = "usercode")]
    user_code: String,
    #[serde(default)]
    interval: Value,
}

#[derive(Deserialize)]
struct Approved {
    authorization_code: String,
    code_verifier: String,
}
