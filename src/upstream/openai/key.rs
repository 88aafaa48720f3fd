//! The API key: read when it is first needed, and again when it was refused.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    auth::{self, Places},
    config,
    upstream::Error,
};

pub(super) struct Key {
    account: config::Account,
    places: Places,
    held: Mutex<Option<SecretString>>,
}

impl Key {
    /// The key that the settings of `account` lead to.
    pub(super) fn new(account: &config::Account, places: &Places) -> Self {
        Self { account: account.clone(), places: places.clone(), held: Mutex::default() }
    }

    pub(super) fn get(&self) -> Result<SecretString, Error> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(key) => Ok(key.clone()),
            None => Ok(held.insert(self.read()?).clone()),
        }
    }

    /// The key that has come into the place of one that was refused; `None` if there is no other.
    pub(super) fn instead_of(&self, refused: &SecretString) -> Result<Option<SecretString>, Error> {
        let key = self.read()?;
        let other = key.expose_secret() != refused.expose_secret();
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        Ok(other.then_some(key))
    }

    /// Where the key comes from, as the user would look for it.
    pub(super) fn source(&self) -> String {
        if !self.account.key_file.is_empty() {
            return format!("`{}`", self.account.key_file);
        }
        match auth::Own::of(&self.places).api_key() {
            Ok(Some(_)) => "`codexway login --api-key`".to_owned(),
            Ok(None) | Err(_) => format!("`${}`", self.account.key_env),
        }
    }

    fn read(&self) -> Result<SecretString, Error> {
        let variable = |name: &str| self.places.variables.get(name).map(str::to_owned);
        auth::api_key(&self.account, &self.places, variable)
            .map_err(|error| Error::Key { message: error.to_string() })
    }
}
