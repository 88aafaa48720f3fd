//! What a token says about its account.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The claim that the `chatgpt-account-id` header repeats, as messages name it.
pub(super) const ACCOUNT_ID: &str = "https://api.openai.com/auth.chatgpt_account_id";

/// The payload of a JWT.
///
/// The signature is not checked, here or anywhere: we are only the token's bearer, nothing is
/// granted because of what it says, and the server checks it on every request.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// `None` if this is no JWT.
    pub(super) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&payload).ok().map(Self)
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.time("exp")
    }

    pub(super) fn issued_at(&self) -> Option<Timestamp> {
        self.time("iat")
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        let seconds = self.0.get(name)?.as_f64()?;
        Timestamp::from_second(seconds as i64).ok()
    }

    pub(super) fn account_id(&self) -> Option<&str> {
        self.auth("chatgpt_account_id")?.as_str().filter(|id| !id.is_empty())
    }

    pub(super) fn email(&self) -> Option<&str> {
        self.0.get("email")?.as_str()
    }

    pub(super) fn plan(&self) -> Option<&str> {
        self.auth("chatgpt_plan_type")?.as_str()
    }

    pub(super) fn fedramp(&self) -> Option<bool> {
        self.auth("chatgpt_account_is_fedramp")?.as_bool()
    }

    fn auth(&self, name: &str) -> Option<&Value> {
        self.0.get("https://api.openai.com/auth")?.get(name)
    }
}
