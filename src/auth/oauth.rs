//! The token endpoint.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::tokens::Owner;

/// The Codex CLI's own client, to which ChatGPT logins of this kind are issued.
pub(super) const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

const TIME_OUT: Duration = Duration::from_secs(30);

/// How to reach the login server, and who we say we are there.
#[derive(Clone)]
pub struct OAuth {
    pub client: reqwest::Client,
    /// `https://auth.openai.com`, or a stand-in.
    pub auth_url: String,
    pub originator: String,
    pub user_agent: String,
}

/// Why the server is asked for a new token; it wants to know.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    Expiry,
    Refused,
    Scheduled,
}

impl Reason {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Expiry => "proactive_expiry",
            Self::Refused => "unauthorized_recovery",
            Self::Scheduled => "scheduled",
        }
    }
}

/// What a refresh brought; each may be missing, and then the old one still holds.
pub(super) struct Renewed {
    pub(super) id_token: Option<SecretString>,
    pub(super) access_token: Option<SecretString>,
    pub(super) refresh_token: Option<SecretString>,
}

pub(super) enum Failure {
    /// The server will not take this credential, however often it is sent.
    Refused { status: u16, code: Option<String> },
    /// Another try may work.
    Passing(Error),
}

impl OAuth {
    /// Spends the refresh token: whoever calls this has to keep what comes back.
    pub(super) async fn refresh(
        &self,
        refresh_token: &SecretString,
        client_id: Option<&str>,
        reason: Reason,
    ) -> Result<Renewed, Failure> {
        let request = self.client.post(self.url("/oauth/token")).json(&json!({
            "client_id": client_id.unwrap_or(CLIENT_ID),
            "grant_type": "refresh_token",
            "refresh_reason": reason.name(),
            "refresh_token": refresh_token.expose_secret(),
        }));
        let answer: Tokens = self.send(request).await?;
        let secret =
            |token: Option<String>| token.filter(|token| !token.is_empty()).map(SecretString::from);
        Ok(Renewed {
            id_token: secret(answer.id_token),
            access_token: secret(answer.access_token),
            refresh_token: secret(answer.refresh_token),
        })
    }

    /// Whose personal access token this is; unlike a JWT it does not say so itself.
    pub(super) async fn whoami(&self, token: &SecretString) -> Result<Owner, Failure> {
        let url = self.url("/api/accounts/v1/user-auth-credential/whoami");
        let request = self.client.get(url).bearer_auth(token.expose_secret());
        let answer: WhoAmI = self.send(request).await?;
        Ok(Owner {
            account_id: answer.chatgpt_account_id,
            fedramp: answer.chatgpt_account_is_fedramp.unwrap_or(false),
            plan: answer.chatgpt_plan_type,
        })
    }

    async fn send<T: for<'de> Deserialize<'de>>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Failure> {
        let response = request
            .header("originator", &self.originator)
            .header("user-agent", &self.user_agent)
            .timeout(TIME_OUT)
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let headers = response.headers();
        let html =
            headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let blocked =
            headers.contains_key("cf-mitigated") || status == StatusCode::FORBIDDEN && html;
        let body = response.bytes().await.map_err(|error| self.unreachable(error))?;
        if blocked {
            return Err(Failure::Passing(Error::Blocked { url: self.auth_url.clone() }));
        }
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|_| self.unexpected(status, Some("unreadable_answer".to_owned())));
        }
        let code = error_code(&body);
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
                Err(Failure::Refused { status: status.as_u16(), code })
            }
            _ => Err(self.unexpected(status, code)),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.auth_url.trim_end_matches('/'))
    }

    fn unexpected(&self, status: StatusCode, code: Option<String>) -> Failure {
        let url = self.auth_url.clone();
        Failure::Passing(Error::TokenEndpoint { url, status: status.as_u16(), code })
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let why = if error.is_timeout() {
            format!("no answer within {} s", TIME_OUT.as_secs())
        } else {
            let error = error.without_url();
            let mut why = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                why = format!("{why}: {error}");
                source = error.source();
            }
            why
        };
        Failure::Passing(Error::Unreachable { url: self.auth_url.clone(), why })
    }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct WhoAmI {
    chatgpt_account_id: String,
    chatgpt_plan_type: Option<String>,
    chatgpt_account_is_fedramp: Option<bool>,
}

/// The code in `{"error":{"code"}}`, `{"error":"code"}` or `{"code"}`.
///
/// Only what looks like a code: the text goes into messages and logs.
fn error_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = &body["error"];
    let code = [&error["code"], error, &body["code"]].into_iter().find_map(Value::as_str)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (code.len() <= 64 && code.chars().all(plain)).then(|| code.to_owned())
}
