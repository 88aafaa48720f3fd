//! The tokens of a login, and whose they are.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::claims::Claims;
use super::document::{Contents, Document};
use super::oauth;
use super::store::Store;
use super::{Access, Error, Kind};

/// A login that was just given.
pub struct Fresh {
    pub(super) id_token: SecretString,
    pub(super) access_token: SecretString,
    pub(super) refresh_token: SecretString,
    pub(super) account_id: String,
    pub(super) at: Timestamp,
    /// Whose it is, to be told to the person in front of the screen and to nobody else.
    pub email: Option<String>,
    pub plan: Option<String>,
    /// Whether by this computer's clock it has ended already.
    pub seems_over: bool,
}

impl Fresh {
    /// The login in the answer of the token endpoint; `None` if a token or the account is missing.
    pub(super) fn read(tokens: oauth::Tokens, now: Timestamp) -> Option<Self> {
        let (id_token, access_token) = (tokens.id_token?, tokens.access_token?);
        let id = Claims::read(id_token.expose_secret());
        let access = Claims::read(access_token.expose_secret());
        let (id, access) = (id.as_ref(), access.as_ref());
        let account_id =
            access.and_then(Claims::account_id).or_else(|| id.and_then(Claims::account_id))?;
        let plan = access.and_then(Claims::plan).or_else(|| id.and_then(Claims::plan));
        Some(Self {
            account_id: account_id.to_owned(),
            plan: plan.map(str::to_owned),
            email: id.and_then(Claims::email).map(str::to_owned),
            seems_over: access.and_then(Claims::expires_at).is_some_and(|end| end <= now),
            refresh_token: tokens.refresh_token?,
            at: now,
            id_token,
            access_token,
        })
    }
}

/// A login that the `codex` upstream can use.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) kind: Kind,
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) id_token: Option<SecretString>,
    /// `tokens.account_id`, which a refresh never changes.
    file_account: Option<String>,
    /// The OAuth client that the refresh token was issued to, where the file says so.
    pub(super) client_id: Option<String>,
    pub(super) last_refresh: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    /// When the access token was issued, by the server's clock, where it says so.
    pub(super) issued_at: Option<Timestamp>,
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
        let (file, log_in) = (store.file(), store.log_in());
        match document.contents() {
            Contents::Chatgpt => {}
            Contents::PersonalAccessToken(token) => return Ok(Self::personal(token)),
            Contents::ApiKey => return Err(Error::ApiKeyFile { file, log_in }),
            Contents::Unsupported(mode) => {
                return Err(Error::UnsupportedMode { file, mode, log_in });
            }
            Contents::Nothing => return Err(store.not_logged_in()),
        }
        let mut login = Self {
            kind: Kind::Chatgpt,
            access_token: document.token("access_token").unwrap_or_default().into(),
            refresh_token: document.refresh_token().map(Into::into),
            id_token: document.token("id_token").map(Into::into),
            file_account: document.token("account_id").map(Into::into),
            client_id: document.client_id(),
            last_refresh: document.text("last_refresh").and_then(|at| at.parse().ok()),
            expires_at: None,
            issued_at: None,
            owner: None,
        };
        let access = Claims::read(login.access_token.expose_secret());
        login.expires_at = access.as_ref().and_then(Claims::expires_at);
        login.issued_at = access.as_ref().and_then(Claims::issued_at);
        login.owner = login.find_owner(access.as_ref());
        if login.owner.is_none() {
            return Err(Error::MissingClaim { file, malformed: access.is_none(), log_in });
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
            issued_at: None,
            owner: None,
        }
    }

    /// The login after a refresh; whatever the server left out stays as it was.
    pub(super) fn renewed(&self, new: oauth::Tokens, now: Timestamp) -> Self {
        let mut login = self.clone();
        login.last_refresh = Some(now);
        login.id_token = new.id_token.or(login.id_token);
        login.refresh_token = new.refresh_token.or(login.refresh_token);
        if let Some(access_token) = new.access_token {
            let access = Claims::read(access_token.expose_secret());
            login.expires_at = access.as_ref().and_then(Claims::expires_at);
            login.issued_at = access.as_ref().and_then(Claims::issued_at);
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
