//! The API key of an account of the kind `api-key`.

use std::path::Path;

use secrecy::SecretString;

use super::source::expand;
use super::{Error, LogIn, Own, Places};
use crate::config::Account;

/// The key in the file that the settings name, else the one that `codexway login --api-key` has
/// kept, else the one in the variable that the settings name. `variable` looks into the
/// environment.
///
/// # Errors
/// When there is none, or what should hold it cannot be read.
pub fn api_key(
    account: &Account,
    places: &Places,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<SecretString, Error> {
    let filled = |text: String| Some(text.trim()).filter(|text| !text.is_empty()).map(Into::into);
    if !account.key_file.is_empty() {
        let file = expand(Path::new(&account.key_file), places);
        let unreadable = |why: String| Error::KeyFile { file: file.clone(), why };
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(error.to_string()))?;
        return filled(text).ok_or_else(|| unreadable("it is empty".to_owned()));
    }
    if let Some(key) = Own::of(places).api_key()? {
        return Ok(key);
    }
    variable(&account.key_env).and_then(filled).ok_or_else(|| Error::NoApiKey {
        variable: account.key_env.clone(),
        log_in: LogIn::to(&places.account),
    })
}
