//! Why there is no token to send, and what the user can do about it.

use std::path::{Path, PathBuf};

use super::claims::ACCOUNT_ID;

/// Each message stands alone in front of a user: what is wrong, then what to do.
///
/// Cloneable, because one failed refresh answers every caller that waited for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "there is no ChatGPT login in `{}`{}; run `codexway login`",
        .folder.display(),
        .variable.map(|name| format!(" (which `${name}` names)")).unwrap_or_default()
    )]
    NotLoggedIn { folder: PathBuf, variable: Option<&'static str> },
    #[error(
        "`{}` holds an API key, and the `codex` upstream needs a ChatGPT login; run `codexway login`, or use the `openai` upstream with the key",
        .file.display()
    )]
    ApiKeyFile { file: PathBuf },
    #[error(
        "`{}` holds a login of the kind `{mode}`, which codexway cannot use; run `codexway login`",
        .file.display()
    )]
    UnsupportedMode { file: PathBuf, mode: String },
    #[error(
        "cannot read `{}`: {why}; it was left as it is: repair it, or move it away and run `codexway login`",
        .file.display()
    )]
    Unreadable { file: PathBuf, why: String },
    #[error(
        "the account is unknown: the access token {} the claim `{ACCOUNT_ID}`, and `{}` names no `account_id` either; run `codexway login`",
        if *.malformed { "is malformed, so it does not show" } else { "lacks" },
        .file.display()
    )]
    MissingClaim { file: PathBuf, malformed: bool },
    #[error(
        "the access token in `{}` has expired or was refused, and there is no refresh token beside it; run `codexway login`",
        .file.display()
    )]
    TokenExpired { file: PathBuf },
    #[error(
        "the login in `{}` has expired (`refresh_token_expired`); run `codexway login`",
        .file.display()
    )]
    RefreshExpired { file: PathBuf },
    #[error(
        "the refresh token in `{}` was already used (`refresh_token_reused`), probably by another program that shares the login; run `codexway login` to get one of codexway's own",
        .file.display()
    )]
    RefreshReused { file: PathBuf },
    #[error(
        "the login in `{}` was ended elsewhere (`refresh_token_invalidated`), by a logout or a changed password; run `codexway login`",
        .file.display()
    )]
    RefreshInvalidated { file: PathBuf },
    #[error(
        "the login in `{}` could not be refreshed: the server answered {status}{}; run `codexway login`",
        .file.display(),
        parenthesis(.code)
    )]
    RefreshRefused { file: PathBuf, status: u16, code: Option<String> },
    #[error(
        "the personal access token in `{}` was refused; replace it, or run `codexway login`",
        .file.display()
    )]
    PersonalTokenRefused { file: PathBuf },
    #[error(
        "`{}` now holds the login of another account than this request began with; send the request again to use that account",
        .file.display()
    )]
    WrongAccount { file: PathBuf },
    #[error(
        "Cloudflare blocked the way to `{url}`: this is about the network, not the account; try again without a VPN or proxy, or from another network"
    )]
    Blocked { url: String },
    #[error("cannot reach `{url}`: {why}; {}", way_out(.why))]
    Unreachable { url: String, why: String },
    #[error(
        "the backend refuses every token of the login in `{}`, even one that it has just issued; try again in a minute, and if that does not help, run `codexway login`",
        .file.display()
    )]
    TokenRefused { file: PathBuf },
    #[error(
        "the backend does not let this account in (`{url}` answered 403); it may be deactivated, or the login may be another workspace's: check it on the web, or run `codexway login` and choose another"
    )]
    Forbidden { url: String },
    #[error(
        "the ChatGPT plan of this account does not include Codex; upgrade it, have the workspace's administrator allow Codex, or run `codexway login` and choose another account or workspace"
    )]
    NoCodex,
    #[error("`{url}` answered {status}{}; try again in a minute", parenthesis(.code))]
    TokenEndpoint { url: String, status: u16, code: Option<String> },
    #[error(
        "another process has been refreshing this login for too long and holds `{}`; stop that process",
        .lock.display()
    )]
    Busy { lock: PathBuf },
    #[error(
        "there is no API key: none was kept, and `${variable}` is not set; run `codexway login --api-key`"
    )]
    NoApiKey { variable: String },
    #[error("cannot take the API key from `{}`, which `key_file` names: {why}", .file.display())]
    KeyFile { file: PathBuf, why: String },
    #[error("cannot delete `{}`: {why}", .file.display())]
    NotDeleted { file: PathBuf, why: String },
    #[error("the refresh was interrupted because codexway is stopping; start it again")]
    Interrupted,
}

impl Error {
    /// Whether only a new login helps. An unreadable file is not one of these: a person
    /// must look at it first.
    pub fn needs_login(&self) -> bool {
        match self {
            Self::NotLoggedIn { .. }
            | Self::ApiKeyFile { .. }
            | Self::UnsupportedMode { .. }
            | Self::MissingClaim { .. }
            | Self::TokenExpired { .. }
            | Self::RefreshExpired { .. }
            | Self::RefreshReused { .. }
            | Self::RefreshInvalidated { .. }
            | Self::RefreshRefused { .. }
            | Self::PersonalTokenRefused { .. }
            | Self::NoApiKey { .. } => true,
            Self::Unreadable { .. }
            | Self::WrongAccount { .. }
            | Self::TokenRefused { .. }
            | Self::Forbidden { .. }
            | Self::NoCodex
            | Self::Blocked { .. }
            | Self::Unreachable { .. }
            | Self::TokenEndpoint { .. }
            | Self::Busy { .. }
            | Self::KeyFile { .. }
            | Self::NotDeleted { .. }
            | Self::Interrupted => false,
        }
    }

    /// What the token endpoint's 400 or 401 to a refresh means.
    pub(super) fn refresh_refused(file: &Path, status: u16, code: Option<String>) -> Self {
        let file = file.to_owned();
        match code.as_deref() {
            Some("refresh_token_expired") => Self::RefreshExpired { file },
            Some("refresh_token_reused") => Self::RefreshReused { file },
            Some("refresh_token_invalidated") => Self::RefreshInvalidated { file },
            _ => Self::RefreshRefused { file, status, code },
        }
    }
}

/// What to do about a server that cannot be reached: the TLS library's words tell three cases apart.
fn way_out(why: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if says(&["certificate expired", "certificate not valid yet", "Expired", "NotValidYet"]) {
        "check this computer's clock: by it, the server's certificate is not valid now"
    } else if says(&["UnknownIssuer", "invalid peer certificate"]) {
        "something in between, such as a company's proxy or a virus scanner, answers in the server's place: name the file with its root certificate in `$SSL_CERT_FILE`"
    } else {
        "check the network and the proxy settings"
    }
}

fn parenthesis(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" (`{code}`)")).unwrap_or_default()
}
