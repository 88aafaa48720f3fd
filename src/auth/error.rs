//! Why there is no token to send, and what the user can do about it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::LogIn;
use super::claims::ACCOUNT_ID;

/// Each message stands alone in front of a user: what is wrong, then what to do.
///
/// Cloneable, because one failed refresh answers every caller that waited for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "there is no ChatGPT login in `{}`{}; run {log_in}",
        .folder.display(),
        .variable.map(|name| format!(" (which `${name}` names)")).unwrap_or_default()
    )]
    NotLoggedIn { folder: PathBuf, variable: Option<&'static str>, log_in: LogIn },
    #[error(
        "`{}` holds an API key, and the `codex` upstream needs a ChatGPT login; run {log_in}, or use the `openai` upstream with the key",
        .file.display()
    )]
    ApiKeyFile { file: PathBuf, log_in: LogIn },
    #[error(
        "`{}` holds a login of the kind `{mode}`, which codexway cannot use; run {log_in}",
        .file.display()
    )]
    UnsupportedMode { file: PathBuf, mode: String, log_in: LogIn },
    #[error(
        "cannot read `{}`: {why}; it was left as it is: repair it, or move it away and run {log_in}",
        .file.display()
    )]
    Unreadable { file: PathBuf, why: String, log_in: LogIn },
    #[error(
        "the account is unknown: the access token {} the claim `{ACCOUNT_ID}`, and `{}` names no `account_id` either; run {log_in}",
        if *.malformed { "is malformed, so it does not show" } else { "lacks" },
        .file.display()
    )]
    MissingClaim { file: PathBuf, malformed: bool, log_in: LogIn },
    #[error(
        "the access token in `{}` has expired or was refused, and there is no refresh token beside it; run {log_in}",
        .file.display()
    )]
    TokenExpired { file: PathBuf, log_in: LogIn },
    #[error(
        "the login in `{}` has expired (`refresh_token_expired`); run {log_in}",
        .file.display()
    )]
    RefreshExpired { file: PathBuf, log_in: LogIn },
    #[error(
        "the refresh token in `{}` was already used (`refresh_token_reused`), probably by another program that shares the login; run {log_in} to get one of codexway's own",
        .file.display()
    )]
    RefreshReused { file: PathBuf, log_in: LogIn },
    #[error(
        "the login in `{}` was ended elsewhere (`refresh_token_invalidated`), by a logout or a changed password; run {log_in}",
        .file.display()
    )]
    RefreshInvalidated { file: PathBuf, log_in: LogIn },
    #[error(
        "the login in `{}` could not be refreshed: the server answered {status}{}; run {log_in}",
        .file.display(),
        parenthesis(.code)
    )]
    RefreshRefused { file: PathBuf, status: u16, code: Option<String>, log_in: LogIn },
    #[error(
        "the personal access token in `{}` was refused; replace it, or run {log_in}",
        .file.display()
    )]
    PersonalTokenRefused { file: PathBuf, log_in: LogIn },
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
        "the backend refuses every token of the login in `{}`, even one that it has just issued; try again in a minute, and if that does not help, run {log_in}",
        .file.display()
    )]
    TokenRefused { file: PathBuf, log_in: LogIn },
    #[error(
        "the backend does not let this account in (`{url}` answered 403); it may be deactivated, or the login may be another workspace's: check it on the web, or run {log_in} and choose another"
    )]
    Forbidden { url: String, log_in: LogIn },
    #[error(
        "the ChatGPT plan of this account does not include Codex; upgrade it, have the workspace's administrator allow Codex, or run {log_in} and choose another account or workspace"
    )]
    NoCodex { log_in: LogIn },
    #[error("`{url}` answered {status}{}; try again in a minute", parenthesis(.code))]
    TokenEndpoint { url: String, status: u16, code: Option<String> },
    #[error(
        "the new login lives in memory only, because `{}` could not be written: {why}; {way_out} before codexway stops, or it will need a new login",
        .file.display()
    )]
    NotSaved { file: PathBuf, why: String, way_out: &'static str },
    #[error(
        "the login was not renewed, because what that brings could not be written to `{}`: {why}; {way_out}",
        .file.display()
    )]
    NotWritable { file: PathBuf, why: String, way_out: &'static str },
    #[error("cannot keep a login in `{}`: {why}; {way_out}, and run {log_in} again", .folder.display())]
    NotKept { folder: PathBuf, why: String, way_out: &'static str, log_in: LogIn },
    #[error(
        "another codexway that runs has renewed the login in `{}`, but cannot write it there and holds it in memory; see what that one warns of, and do not stop it before the file can be written",
        .file.display()
    )]
    HeldElsewhere { file: PathBuf },
    #[error(
        "another process has been refreshing this login for too long and holds `{}`; stop that process",
        .lock.display()
    )]
    Busy { lock: PathBuf },
    #[error(
        "there is no API key: none was kept, and `${variable}` is not set; run {}",
        .log_in.with("--api-key")
    )]
    NoApiKey { variable: String, log_in: LogIn },
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
            | Self::NoCodex { .. }
            | Self::NotSaved { .. }
            | Self::NotWritable { .. }
            | Self::NotKept { .. }
            | Self::HeldElsewhere { .. }
            | Self::Blocked { .. }
            | Self::Unreachable { .. }
            | Self::TokenEndpoint { .. }
            | Self::Busy { .. }
            | Self::KeyFile { .. }
            | Self::NotDeleted { .. }
            | Self::Interrupted => false,
        }
    }

    /// What the account is called that it keeps from working, for programs.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            error if error.needs_login() => "login_needed",
            Self::Unreachable { .. } => "unreachable",
            Self::Blocked { .. } => "blocked",
            Self::NoCodex { .. } => "no_codex",
            Self::Forbidden { .. } => "forbidden",
            Self::TokenRefused { .. } => "refused",
            Self::NotWritable { .. } => "unwritable",
            Self::HeldElsewhere { .. } => "unsaved",
            Self::Unreadable { .. } | Self::KeyFile { .. } => "unreadable",
            _ => "unavailable",
        }
    }

    /// What the token endpoint's 400 or 401 to a refresh means.
    pub(super) fn refresh_refused(
        file: PathBuf,
        log_in: LogIn,
        status: u16,
        code: Option<String>,
    ) -> Self {
        match code.as_deref() {
            Some("refresh_token_expired") => Self::RefreshExpired { file, log_in },
            Some("refresh_token_reused") => Self::RefreshReused { file, log_in },
            Some("refresh_token_invalidated") => Self::RefreshInvalidated { file, log_in },
            _ => Self::RefreshRefused { file, status, code, log_in },
        }
    }

    /// A renewed login that could not be written to `file`.
    pub(super) fn not_saved(file: PathBuf, error: &io::Error) -> Self {
        Self::NotSaved { file, why: error.to_string(), way_out: way_to_write(error) }
    }

    /// A login that is better not renewed, since what that brings could not be written.
    pub(super) fn not_writable(file: PathBuf, error: &io::Error) -> Self {
        Self::NotWritable { file, why: error.to_string(), way_out: way_to_write(error) }
    }
}

/// What to do about a file that cannot be written.
pub(super) fn way_to_write(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ResourceBusy => "mount the folder, not only the file",
        ErrorKind::TimedOut => "stop the program that holds the lock",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "free some space"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "move away what is in its place",
        ErrorKind::ReadOnlyFilesystem => "mount the folder so that it can be written",
        _ => "let codexway write there",
    }
}

/// What to do about a server that cannot be reached: the TLS library's words tell three cases apart.
pub fn way_out(why: &str) -> &'static str {
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
