//! auth.json, in each of the shapes that the Codex CLI has written over time.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::oauth::{CLIENT_ID, Revoked};
use super::tokens::{Fresh, Login};

/// auth.json as it came: unknown keys, their order and explicit nulls survive a rewrite.
pub(super) struct Document(Map<String, Value>);

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(keys)) => Ok(Self(keys)),
            Ok(_) => Err("it is not a JSON object".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        format!("{:#}\n", Value::Object(self.0.clone())).into_bytes()
    }

    pub(super) fn refresh_token(&self) -> Option<&str> {
        self.token("refresh_token")
    }

    /// Puts the login's tokens in; `account_id` and all the rest stay as they are.
    pub(super) fn renew(&mut self, login: &Login) {
        let Some(tokens) = self.0.get_mut("tokens").and_then(Value::as_object_mut) else {
            return;
        };
        let mut put = |name: &str, token: Option<&SecretString>| {
            if let Some(token) = token {
                tokens.insert(name.to_owned(), token.expose_secret().into());
            }
        };
        put("id_token", login.id_token.as_ref());
        put("access_token", Some(&login.access_token));
        put("refresh_token", login.refresh_token.as_ref());
        if let Some(at) = login.last_refresh {
            self.0.insert("last_refresh".to_owned(), at.to_string().into());
        }
    }

    /// A new file, in the shape of the Codex CLI's.
    pub(super) fn of(credentials: &Credentials, issuer: &str) -> Self {
        let document = match credentials {
            Credentials::ApiKey(key) => {
                json!({ "auth_mode": "apikey", "OPENAI_API_KEY": key.expose_secret() })
            }
            Credentials::PersonalAccessToken(token) => {
                json!({ "OPENAI_API_KEY": null, "personal_access_token": token.expose_secret() })
            }
            Credentials::Chatgpt(fresh) => json!({
                "auth_mode": "chatgpt",
                // The Codex CLI exchanges the login for an API key as well; nothing here needs one.
                "OPENAI_API_KEY": null,
                "tokens": {
                    "id_token": fresh.id_token.expose_secret(),
                    "access_token": fresh.access_token.expose_secret(),
                    "refresh_token": fresh.refresh_token.expose_secret(),
                    "oauth_provenance": { "issuer": issuer, "client_id": CLIENT_ID },
                    "account_id": fresh.account_id,
                },
                "last_refresh": fresh.at.to_string(),
            }),
        };
        match document {
            Value::Object(keys) => Self(keys),
            _ => Self(Map::new()),
        }
    }

    /// What it holds, if that is something codexway can use.
    pub(super) fn holds(&self) -> Option<Holds> {
        match self.contents() {
            Contents::Chatgpt => Some(Holds::Chatgpt),
            Contents::PersonalAccessToken(_) => Some(Holds::PersonalAccessToken),
            Contents::ApiKey => Some(Holds::ApiKey),
            Contents::Unsupported(_) | Contents::Nothing => None,
        }
    }

    /// The API key of a file that holds nothing better.
    pub(super) fn api_key(&self) -> Option<SecretString> {
        let key = self.text("OPENAI_API_KEY").map(Into::into);
        key.filter(|_| matches!(self.contents(), Contents::ApiKey))
    }

    /// What logging out hands back to the server, the better first.
    pub(super) fn revocable(&self) -> Vec<(SecretString, Revoked)> {
        let client_id = self.client_id();
        let refresh =
            self.refresh_token().map(|token| (token.into(), Revoked::Refresh { client_id }));
        let access = self.token("access_token").map(|token| (token.into(), Revoked::Access));
        refresh.into_iter().chain(access).collect()
    }

    /// The OAuth client that the refresh token was issued to, where the file says so.
    pub(super) fn client_id(&self) -> Option<String> {
        let from = self.0.get("tokens")?.get("oauth_provenance")?;
        from.get("client_id")?.as_str().map(str::to_owned)
    }

    pub(super) fn contents(&self) -> Contents {
        let unsupported = |mode: &str| Contents::Unsupported(mode.to_owned());
        match self.text("auth_mode") {
            Some("apikey") => Contents::ApiKey,
            Some("chatgpt") => match self.token("access_token") {
                Some(_) => Contents::Chatgpt,
                None => Contents::Nothing,
            },
            Some("personalAccessToken") => match self.text("personal_access_token") {
                Some(token) => Contents::PersonalAccessToken(token.into()),
                None => Contents::Nothing,
            },
            Some(mode) => unsupported(mode),
            // Personal access tokens, and logins before 2026, come without a mode. Such a login
            // may have an API key beside its tokens: the tokens are what we want.
            None => {
                if let Some(token) = self.text("personal_access_token") {
                    Contents::PersonalAccessToken(token.into())
                } else if self.token("access_token").is_some() {
                    Contents::Chatgpt
                } else if self.has("agent_identity") {
                    unsupported("agentIdentity")
                } else if self.has("bedrock_api_key") {
                    unsupported("bedrockApiKey")
                } else if self.has("bedrock_access_keys") {
                    unsupported("bedrockAccessKeys")
                } else if self.text("OPENAI_API_KEY").is_some() {
                    Contents::ApiKey
                } else {
                    Contents::Nothing
                }
            }
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn token(&self, key: &str) -> Option<&str> {
        self.0.get("tokens")?.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }
}

pub(super) enum Contents {
    Chatgpt,
    PersonalAccessToken(SecretString),
    ApiKey,
    Unsupported(String),
    Nothing,
}

/// What an account's file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Chatgpt,
    PersonalAccessToken,
    ApiKey,
}

/// What a login brings, to be kept.
pub enum Credentials {
    Chatgpt(Fresh),
    /// `at-…`, made on the web for programs.
    PersonalAccessToken(SecretString),
    /// `sk-…`, for the OpenAI platform.
    ApiKey(SecretString),
}
