//! People and their tokens: what was issued, to whom, and whether it is still good.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use http::header;
use serde_json::json;
use uuid::Uuid;

use super::reply::Refusal;
use super::server::Asked;
use super::{jwt, lock, now, random_text};

pub(super) const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    pub id: String,
    pub user: String,
    pub email: String,
    pub plan: String,
}

/// What a token endpoint hands out.
pub(super) struct Tokens {
    pub id: String,
    pub access: String,
    pub refresh: String,
}

pub(super) struct Accounts {
    plan: String,
    issuer: String,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    accounts: Vec<Account>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    identities: HashMap<String, Account>,
    refreshes: usize,
    reuses: usize,
    /// Families in which a refresh token came back.
    ended: HashSet<Uuid>,
}

struct Access {
    account: Account,
    expires: u64,
    family: Uuid,
    invalidated: bool,
}

#[derive(Clone)]
struct Refresh {
    account: Account,
    family: Uuid,
    state: Life,
}

#[derive(Clone, Copy)]
enum Life {
    Fresh,
    Used,
    Expired,
    Invalidated,
}

impl Accounts {
    pub(super) fn new(plan: &str, issuer: &str) -> Self {
        Self { plan: plan.to_owned(), issuer: issuer.to_owned(), issued: Mutex::default() }
    }

    /// The account of a person; everybody exists.
    pub(super) fn of(&self, email: &str) -> Account {
        let mut issued = lock(&self.issued);
        if let Some(known) = issued.accounts.iter().find(|account| account.email == email) {
            return known.clone();
        }
        let account = Account {
            id: Uuid::new_v4().to_string(),
            user: format!("user-{}", random_text(24)),
            email: email.to_owned(),
            plan: self.plan.clone(),
        };
        issued.accounts.push(account.clone());
        account
    }

    /// Starts a token family.
    pub(super) fn log_in(&self, account: &Account, life: Duration) -> Tokens {
        self.issue(account, Uuid::new_v4(), life)
    }

    fn issue(&self, account: &Account, family: Uuid, life: Duration) -> Tokens {
        let expires = now() + life.as_secs();
        let tokens = Tokens {
            id: jwt::identity(&self.issuer, account, expires),
            access: jwt::access(&self.issuer, account, expires),
            refresh: format!("rt_{}.{}", random_text(24), random_text(43)),
        };
        let access = Access { account: account.clone(), expires, family, invalidated: false };
        let mut issued = lock(&self.issued);
        let state = if issued.ended.contains(&family) { Life::Invalidated } else { Life::Fresh };
        let refresh = Refresh { account: account.clone(), family, state };
        issued.access.insert(tokens.access.clone(), access);
        issued.refresh.insert(tokens.refresh.clone(), refresh);
        issued.identities.insert(tokens.id.clone(), account.clone());
        tokens
    }

    pub(super) fn auth_json(&self, email: &str, life: Duration) -> String {
        let account = self.of(email);
        let tokens = self.log_in(&account, life);
        let file = json!({
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": null,
            "tokens": {
                "id_token": tokens.id,
                "access_token": tokens.access,
                "refresh_token": tokens.refresh,
                "oauth_provenance": { "issuer": self.issuer, "client_id": CLIENT_ID },
                "account_id": account.id,
            },
            "last_refresh": jiff::Timestamp::now().to_string(),
        });
        format!("{file:#}")
    }

    pub(super) fn personal_access_token(&self, email: &str) -> String {
        let account = self.of(email);
        let token = format!("at-{}", random_text(48));
        let access =
            Access { account, expires: u64::MAX, family: Uuid::new_v4(), invalidated: false };
        lock(&self.issued).access.insert(token.clone(), access);
        token
    }

    /// Spends a refresh token: each is good for one exchange. Whoever brings one again may have
    /// stolen it, so that ends the whole family; access tokens live on to their end.
    pub(super) fn refresh(&self, token: &str, life: Duration) -> Result<Tokens, Refusal> {
        let spent = {
            let mut issued = lock(&self.issued);
            let Some(known) = issued.refresh.get(token).cloned() else {
                return Err(Life::Invalidated.refusal());
            };
            match known.state {
                Life::Fresh => {}
                Life::Used => {
                    issued.reuses += 1;
                    issued.end(known.family);
                    return Err(known.state.refusal());
                }
                Life::Expired | Life::Invalidated => return Err(known.state.refusal()),
            }
            issued.refreshes += 1;
            issued.refresh.insert(token.to_owned(), Refresh { state: Life::Used, ..known.clone() });
            known
        };
        Ok(self.issue(&spent.account, spent.family, life))
    }

    pub(super) fn refreshes(&self) -> usize {
        lock(&self.issued).refreshes
    }

    pub(super) fn reuses(&self) -> usize {
        lock(&self.issued).reuses
    }

    /// Whose identity token this is.
    pub(super) fn identity(&self, id_token: &str) -> Option<Account> {
        lock(&self.issued).identities.get(id_token).cloned()
    }

    /// Ends the family that a refresh or access token belongs to.
    pub(super) fn revoke(&self, token: &str) {
        let mut issued = lock(&self.issued);
        let family = issued.refresh.get(token).map(|refresh| refresh.family);
        let Some(family) = family.or(issued.access.get(token).map(|access| access.family)) else {
            return;
        };
        for refresh in issued.refresh.values_mut().filter(|refresh| refresh.family == family) {
            refresh.state = Life::Invalidated;
        }
        for access in issued.access.values_mut().filter(|access| access.family == family) {
            access.invalidated = true;
        }
    }

    pub(super) fn revoke_access_tokens(&self) {
        lock(&self.issued).access.values_mut().for_each(|access| access.invalidated = true);
    }

    pub(super) fn expire_access_tokens(&self) {
        lock(&self.issued).access.values_mut().for_each(|access| access.expires = 0);
    }

    pub(super) fn expire_refresh_tokens(&self) {
        lock(&self.issued).refresh.values_mut().for_each(|token| token.state = Life::Expired);
    }

    pub(super) fn revoke_all(&self) {
        self.revoke_access_tokens();
        lock(&self.issued).refresh.values_mut().for_each(|token| token.state = Life::Invalidated);
    }

    /// Who asks, by the bearer token alone.
    pub(super) fn bearer(&self, asked: &Asked) -> Result<Account, Refusal> {
        let unauthorized = || Refusal::detail(401, "Unauthorized");
        let header = asked.header(header::AUTHORIZATION.as_str());
        let token = header.strip_prefix("Bearer ").ok_or_else(unauthorized)?;
        let issued = lock(&self.issued);
        let Some(access) = issued.access.get(token) else {
            return Err(match token.split('.').count() {
                3 => Refusal::auth(
                    "Could not parse your authentication token. Please try signing in again.",
                    Some("invalid_request_error"),
                    None,
                ),
                _ => unauthorized(),
            });
        };
        if access.invalidated {
            return Err(token_invalidated());
        }
        if access.expires <= now() {
            return Err(token_expired());
        }
        Ok(access.account.clone())
    }

    /// Who asks, with the account header that the backend wants beside the token.
    pub(super) fn check(&self, asked: &Asked) -> Result<Account, Refusal> {
        let account = self.bearer(asked)?;
        match asked.header("chatgpt-account-id") {
            "" => Err(Refusal::detail(401, "Unauthorized")),
            id if id == account.id => Ok(account),
            _ => Err(Refusal::detail(403, "Forbidden")),
        }
    }
}

pub(super) fn token_expired() -> Refusal {
    Refusal::auth(
        "Provided authentication token is expired. Please try signing in again.",
        Some("invalid_request_error"),
        Some("token_expired"),
    )
}

pub(super) fn token_invalidated() -> Refusal {
    Refusal::auth(
        "Your authentication token has been invalidated. Please try signing in again.",
        Some("invalid_request_error"),
        Some("token_invalidated"),
    )
}

impl Issued {
    /// Ends what refresh tokens of a family are still good for anything; a used one stays used.
    fn end(&mut self, family: Uuid) {
        self.ended.insert(family);
        let of_family = |token: &&mut Refresh| token.family == family;
        for token in self.refresh.values_mut().filter(of_family) {
            if !matches!(token.state, Life::Used) {
                token.state = Life::Invalidated;
            }
        }
    }
}

impl Life {
    fn refusal(self) -> Refusal {
        let (message, code) = match self {
            Self::Fresh | Self::Used => (
                "Your refresh token has already been used to generate a new access token. \
                 Please try signing in again.",
                "refresh_token_reused",
            ),
            Self::Expired => ("Refresh token expired.", "refresh_token_expired"),
            Self::Invalidated => {
                ("Your session has ended. Please log in again.", "refresh_token_invalidated")
            }
        };
        let error = json!({
            "message": message,
            "type": "invalid_request_error",
            "param": null,
            "code": code,
        });
        Refusal::json(401, &json!({ "error": error }))
    }
}
