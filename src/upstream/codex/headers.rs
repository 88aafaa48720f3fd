//! Who we say we are, and which conversation a turn belongs to.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::ExposeSecret;

use super::Error;
use crate::{
    auth::{Access, LogIn},
    protocol::Conversation,
};

/// How codexway introduces itself: honestly, unless the settings say otherwise.
#[derive(Clone, Debug)]
pub struct Identity {
    pub originator: HeaderValue,
    pub user_agent: HeaderValue,
    /// Further headers from the settings.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Identity {
    /// The headers of every request; `version` is the level at which the catalogue's gates are met.
    pub(super) fn headers(&self, version: &str) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(16);
        headers.insert("originator", self.originator.clone());
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        if let Ok(version) = HeaderValue::from_str(version) {
            headers.insert("version", version);
        }
        headers.extend(self.headers.iter().cloned());
        headers
    }
}

/// Whose request it is.
///
/// # Errors
/// When `auth.json` holds what no header may.
pub(super) fn authorize(headers: &mut HeaderMap, access: &Access) -> Result<(), Error> {
    let unsendable = |what: &str| Error::Refused {
        message: format!("the {what} in `auth.json` holds characters that no header may hold"),
        log_in: LogIn::default(),
    };
    let bearer = format!("Bearer {}", access.token.expose_secret());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| unsendable("access token"))?;
    bearer.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, bearer);
    let account =
        HeaderValue::from_str(&access.account_id).map_err(|_| unsendable("account id"))?;
    headers.insert("chatgpt-account-id", account);
    if access.fedramp {
        headers.insert("x-openai-fedramp", HeaderValue::from_static("true"));
    }
    Ok(())
}

/// The names of the conversation. Only these spellings still earn cache hits (September 2026).
pub(super) fn add_turn(headers: &mut HeaderMap, conversation: &Conversation, lite: bool) {
    let mut insert = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    insert("session-id", &conversation.session);
    insert("thread-id", &conversation.thread);
    insert("x-client-request-id", &conversation.thread);
    if lite {
        insert("x-openai-internal-codex-responses-lite", "true");
    }
}
