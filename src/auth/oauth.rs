//! The token endpoint, and what stands beside it on the login server.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::http::{Answer, ask};
use super::tokens::Owner;
use super::{Client, Error};

/// The Codex CLI's own client, to which ChatGPT logins of this kind are issued.
pub(super) const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

const TIME_OUT: Duration = Duration::from_secs(30);
/// A logout does not wait as long: the file goes in any case.
const REVOKE_TIME_OUT: Duration = Duration::from_secs(10);

/// How to reach the login server, and who we say we are there.
#[derive(Clone)]
pub struct OAuth {
    pub client: Client,
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

/// What the token endpoint brought; each may be missing, and then the old one still holds.
pub(super) struct Tokens {
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Passing(error)
    }
}

impl OAuth {
    /// Spends the refresh token: whoever calls this has to keep what comes back.
    pub(super) async fn refresh(
        &self,
        refresh_token: &SecretString,
        client_id: Option<&str>,
        reason: Reason,
    ) -> Result<Tokens, Failure> {
        let request = self.client.get()?.post(self.url("/oauth/token")).json(&json!({
            "client_id": client_id.unwrap_or(CLIENT_ID),
            "grant_type": "refresh_token",
            "refresh_reason": reason.name(),
            "refresh_token": refresh_token.expose_secret(),
        }));
        self.granted(request).await
    }

    /// Spends the code that a person's yes has brought.
    pub(super) async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Tokens, Failure> {
        let request = self.client.get()?.post(self.url("/oauth/token")).form(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ]);
        self.granted(request).await
    }

    /// Ends the login that a refresh token belongs to, or else an access token.
    pub(super) async fn revoke(&self, token: &SecretString, kind: Revoked) -> Result<(), Error> {
        let token = token.expose_secret();
        let body = match kind {
            Revoked::Refresh { client_id } => json!({
                "token": token,
                "token_type_hint": "refresh_token",
                "client_id": client_id.as_deref().unwrap_or(CLIENT_ID),
            }),
            Revoked::Access => json!({ "token": token, "token_type_hint": "access_token" }),
        };
        let request = self.client.get()?.post(self.url("/oauth/revoke")).json(&body);
        let answer = self.ask_within(request, REVOKE_TIME_OUT).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.unexpected(&self.auth_url)) }
    }

    /// Whose personal access token this is; unlike a JWT it does not say so itself.
    pub(super) async fn whoami(&self, token: &SecretString) -> Result<Owner, Failure> {
        let url = self.url("/api/accounts/v1/user-auth-credential/whoami");
        let request = self.client.get()?.get(url).bearer_auth(token.expose_secret());
        let answer: WhoAmI = self.accepted(request).await?;
        Ok(Owner {
            account_id: answer.chatgpt_account_id,
            fedramp: answer.chatgpt_account_is_fedramp.unwrap_or(false),
            plan: answer.chatgpt_plan_type,
        })
    }

    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer, Error> {
        self.ask_within(request, TIME_OUT).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.auth_url.trim_end_matches('/'))
    }

    async fn ask_within(
        &self,
        request: RequestBuilder,
        time_out: Duration,
    ) -> Result<Answer, Error> {
        let request =
            request.header("originator", &self.originator).header("user-agent", &self.user_agent);
        ask(request, &self.auth_url, time_out).await
    }

    async fn granted(&self, request: RequestBuilder) -> Result<Tokens, Failure> {
        let answer: Granted = self.accepted(request).await?;
        let secret =
            |token: Option<String>| token.filter(|token| !token.is_empty()).map(SecretString::from);
        Ok(Tokens {
            id_token: secret(answer.id_token),
            access_token: secret(answer.access_token),
            refresh_token: secret(answer.refresh_token),
        })
    }

    async fn accepted<T: for<'de> Deserialize<'de>>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Failure> {
        let answer = self.ask(request).await?;
        match answer.status {
            status if status.is_success() => Ok(answer.read(&self.auth_url)?),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
                Err(Failure::Refused { status: answer.status.as_u16(), code: answer.code() })
            }
            _ => Err(Failure::Passing(answer.unexpected(&self.auth_url))),
        }
    }
}

/// What is handed back to the server for good.
pub(super) enum Revoked {
    /// `client_id` is whom it was issued to, where that is known.
    Refresh {
        client_id: Option<String>,
    },
    Access,
}

#[derive(Deserialize)]
struct Granted {
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
