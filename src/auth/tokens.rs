//! What auth.json holds, in each of the shapes that the Codex CLI has written over time.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::oauth::Renewed;
use super::store::Store;
use super::{Access, Error, Kind};

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

    fn contents(&self) -> Contents {
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

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn token(&self, key: &str) -> Option<&str> {
        self.0.get("tokens")?.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }
}

enum Contents {
    Chatgpt,
    PersonalAccessToken(SecretString),
    ApiKey,
    Unsupported(String),
    Nothing,
}

/// A login that the `codex` upstream can use.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) kind: Kind,
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    id_token: Option<SecretString>,
    /// `tokens.account_id`, which a refresh never changes.
    file_account: Option<String>,
    /// The OAuth client that the refresh token was issued to, where the file says so.
    pub(super) client_id: Option<String>,
    pub(super) last_refresh: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    /// `None` for a personal access token that was not looked up yet.
    pub(super) owner: Option<Owner>,
}

/// Whose token it is.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) account_id: String,
    pub(super) fedramp: bool,
    pub(super) plan: Option<String>,
}

impl Login {
    pub(super) fn read(document: &Document, store: &Store) -> Result<Self, Error> {
        let file = store.file();
        match document.contents() {
            Contents::Chatgpt => {}
            Contents::PersonalAccessToken(token) => return Ok(Self::personal(token)),
            Contents::ApiKey => return Err(Error::ApiKeyFile { file }),
            Contents::Unsupported(mode) => return Err(Error::UnsupportedMode { file, mode }),
            Contents::Nothing => return Err(store.not_logged_in()),
        }
        let provenance = document.0["tokens"].get("oauth_provenance");
        let mut login = Self {
            kind: Kind::Chatgpt,
            access_token: document.token("access_token").unwrap_or_default().into(),
            refresh_token: document.refresh_token().map(Into::into),
            id_token: document.token("id_token").map(Into::into),
            file_account: document.token("account_id").map(Into::into),
            client_id: provenance
                .and_then(|from| from.get("client_id"))
                .and_then(Value::as_str)
                .map(Into::into),
            last_refresh: document.text("last_refresh").and_then(|at| at.parse().ok()),
            expires_at: None,
            owner: None,
        };
        let access = Claims::read(login.access_token.expose_secret());
        login.expires_at = access.as_ref().and_then(Claims::expires_at);
        login.owner = login.find_owner(access.as_ref());
        if login.owner.is_none() {
            return Err(Error::MissingClaim { file, malformed: access.is_none() });
        }
        Ok(login)
    }

    fn personal(token: SecretString) -> Self {
        Self {
            kind: Kind::PersonalAccessToken,
            access_token: token,
            refresh_token: None,
            id_token: None,
            file_account: None,
            client_id: None,
            last_refresh: None,
            expires_at: None,
            owner: None,
        }
    }

    /// The login after a refresh; whatever the server left out stays as it was.
    pub(super) fn renewed(&self, new: Renewed, now: Timestamp) -> Self {
        let mut login = self.clone();
        login.last_refresh = Some(now);
        login.id_token = new.id_token.or(login.id_token);
        login.refresh_token = new.refresh_token.or(login.refresh_token);
        if let Some(access_token) = new.access_token {
            let access = Claims::read(access_token.expose_secret());
            login.expires_at = access.as_ref().and_then(Claims::expires_at);
            login.owner = login.find_owner(access.as_ref()).or(login.owner);
            login.access_token = access_token;
        }
        login
    }

    /// The access token's word counts first: the account id that is sent has to match it.
    fn find_owner(&self, access: Option<&Claims>) -> Option<Owner> {
        let id = self.id_token.as_ref().and_then(|token| Claims::read(token.expose_secret()));
        let id = id.as_ref();
        let account_id = access
            .and_then(Claims::account_id)
            .or(self.file_account.as_deref())
            .or_else(|| id.and_then(Claims::account_id))?;
        Some(Owner {
            account_id: account_id.to_owned(),
            fedramp: access
                .and_then(Claims::fedramp)
                .or_else(|| id.and_then(Claims::fedramp))
                .unwrap_or(false),
            plan: access
                .and_then(Claims::plan)
                .or_else(|| id.and_then(Claims::plan))
                .map(Into::into),
        })
    }

    /// What to send, once it is known whose it is.
    pub(super) fn access(&self) -> Option<Access> {
        let owner = self.owner.clone()?;
        Some(Access {
            token: self.access_token.clone(),
            account_id: owner.account_id,
            fedramp: owner.fedramp,
            plan: owner.plan,
        })
    }

    /// The secret that a failure is remembered for: another one deserves another try.
    pub(super) fn key(&self) -> &SecretString {
        self.refresh_token.as_ref().unwrap_or(&self.access_token)
    }

    pub(super) fn has_tokens_of(&self, other: &Self) -> bool {
        same(&self.access_token, &other.access_token) && same(self.key(), other.key())
    }
}

pub(super) fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
