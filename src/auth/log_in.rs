//! What an account's owner has to type to log it in.

use std::fmt;
use std::sync::Arc;

/// The account of commands that name none.
const DEFAULT: &str = "default";

/// The command that logs an account in: `` `codexway login` ``, with the account's name where
/// that is not the default one. It is shown in backticks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogIn(Option<Arc<str>>);

impl LogIn {
    /// For the account of that name; without a name it is the default one.
    #[must_use]
    pub fn to(account: &str) -> Self {
        Self(Some(account).filter(|name| !name.is_empty() && *name != DEFAULT).map(Arc::from))
    }

    /// Whether the plain command does.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.is_none()
    }

    /// With a flag behind it.
    pub(super) fn with(&self, flag: &str) -> String {
        format!("`{} {flag}`", self.bare())
    }

    /// `text` with the account's command in the place of every `codexway login` that names no
    /// account.
    #[must_use]
    pub fn named_in(&self, text: &str) -> String {
        const PLAIN: &str = "`codexway login";
        if self.is_plain() {
            return text.to_owned();
        }
        let mut parts = text.split(PLAIN);
        let mut named = parts.next().unwrap_or_default().to_owned();
        for rest in parts {
            let command = format!("`{}", self.bare());
            named.push_str(if rest.starts_with(" --account") { PLAIN } else { &command });
            named.push_str(rest);
        }
        named
    }

    fn bare(&self) -> String {
        match &self.0 {
            Some(name) => format!("codexway login --account {name}"),
            None => "codexway login".to_owned(),
        }
    }
}

impl fmt::Display for LogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.bare())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_account_needs_no_name() {
        for name in ["", "default"] {
            assert_eq!(LogIn::to(name).to_string(), "`codexway login`");
        }
        assert_eq!(LogIn::to("work").to_string(), "`codexway login --account work`");
        assert_eq!(
            LogIn::to("work").with("--api-key"),
            "`codexway login --account work --api-key`"
        );
    }

    #[test]
    fn a_text_is_told_the_account_once() {
        let text = "run `codexway login`, or `codexway login --device`";
        let named =
            "run `codexway login --account work`, or `codexway login --account work --device`";
        assert_eq!(LogIn::to("work").named_in(text), named);
        assert_eq!(LogIn::to("work").named_in(named), named);
        assert_eq!(LogIn::to("default").named_in(text), text);
    }
}
