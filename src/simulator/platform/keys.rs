//! API keys: what was issued, and is still good.

use std::collections::HashMap;
use std::sync::Mutex;

use http::header;
use uuid::Uuid;

use crate::simulator::accounts::Account;
use crate::simulator::reply::Refusal;
use crate::simulator::server::Asked;
use crate::simulator::{lock, random_text};

#[derive(Default)]
pub(in crate::simulator) struct Keys(Mutex<HashMap<String, Account>>);

impl Keys {
    /// A new key of a project of its own.
    pub(in crate::simulator) fn issue(&self, email: &str) -> String {
        let key = format!("sk-proj-{}", random_text(48));
        let account = Account {
            id: format!("proj_{}", Uuid::new_v4().simple()),
            user: format!("user-{}", random_text(24)),
            email: email.to_owned(),
            plan: "api".to_owned(),
        };
        lock(&self.0).insert(key.clone(), account);
        key
    }

    pub(in crate::simulator) fn revoke(&self, key: &str) {
        lock(&self.0).remove(key);
    }

    pub(super) fn check(&self, asked: &Asked) -> Result<Account, Refusal> {
        let header = asked.header(header::AUTHORIZATION.as_str());
        let Some(key) = header.strip_prefix("Bearer ") else {
            return Err(unauthorized("Missing bearer or basic authentication in header", None));
        };
        lock(&self.0).get(key).cloned().ok_or_else(|| {
            let message = format!(
                "Incorrect API key provided: {}. You can find your API key at \
                 https://platform.openai.com/account/api-keys.",
                masked(key)
            );
            unauthorized(&message, Some("invalid_api_key"))
        })
    }
}

fn unauthorized(message: &str, code: Option<&str>) -> Refusal {
    Refusal::engine(401, message, None, code)
}

/// The ends of a key, as the platform repeats them.
fn masked(key: &str) -> String {
    let ends = |at: usize| key.split_at_checked(at);
    match (ends(8), key.len().checked_sub(4).and_then(ends)) {
        (Some((head, _)), Some((middle, tail))) if middle.len() > head.len() => {
            format!("{head}{}{tail}", "*".repeat(middle.len() - head.len()))
        }
        _ => "*".repeat(key.len()),
    }
}
