//! The settings: what they are, where they come from, and what is wrong with them.
//!
//! Nothing here looks at the process: variables, flags and folders come in as [`Sources`].
//! `config/default.toml` holds the default and the explanation of each setting.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

mod choice;
mod defaults;
mod error;
mod file;
mod keys;
mod load;
mod profile;
mod references;
mod renamed;
mod schema;
mod shape;
mod show;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod upstream;
mod words;

use choice::choice;
pub use defaults::default_toml;
pub use error::{Error, Fault};
pub use file::{default_file, watched};
pub use load::{Loaded, Sources, load};
pub use profile::{
    Instructions, Parameters, Passthrough, Policy, Profile, PromptMode, Protocol, Reasoning,
    ReasoningFormat, ToolSchemaMode, ToolTextFormat, UnlistedModels,
};
pub use renamed::foreign_variables;
pub use schema::is_section_name;
pub use show::Entry;
pub use upstream::{Compression, Pairs, Transport, Upstream, UpstreamKind};

/// Every setting in force. Names are checked: each profile's upstream and account exist.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub state: State,
    pub accounts: BTreeMap<String, Account>,
    pub upstreams: BTreeMap<String, Upstream>,
    pub profiles: BTreeMap<String, Profile>,
}

/// What holds where nobody said otherwise.
impl Default for Settings {
    fn default() -> Self {
        config::Value::new(None, defaults::tree())
            .try_deserialize()
            .expect("default.toml is compiled in, and a test reads it")
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    /// The profile that serves what names none.
    pub profile: String,
    /// Without any, whoever reaches the port is let in.
    pub keys: Vec<Key>,
    pub allowed_hosts: Vec<String>,
    pub allowed_origins: Vec<String>,
    /// In bytes.
    #[serde(deserialize_with = "units::size")]
    pub max_body: usize,
    pub max_turns: usize,
    #[serde(deserialize_with = "units::duration")]
    pub keepalive: Duration,
    #[serde(deserialize_with = "units::duration")]
    pub idle_timeout: Duration,
    #[serde(deserialize_with = "units::duration")]
    pub shutdown_grace: Duration,
}

impl Server {
    /// The key to name where one is wanted: one that is bound to no profile, if there is one.
    #[must_use]
    pub fn usual_key(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.profile.is_none()).or(self.keys.first())
    }
}

/// A local key that clients present. `key_env` and `key_file` have been read by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What logs call it; `key-1` and so on where the user gave no name.
    pub name: String,
    #[serde(deserialize_with = "units::secret")]
    pub key: SecretString,
    /// The profile that this key is bound to.
    #[serde(default)]
    pub profile: Option<String>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.key.expose_secret() == other.key.expose_secret()
            && self.profile == other.profile
    }
}

/// Finished turns, kept for `previous_response_id` and `GET /v1/responses/{id}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub store: Store,
    #[serde(deserialize_with = "units::duration")]
    pub ttl: Duration,
    #[serde(deserialize_with = "units::size")]
    pub max_bytes: usize,
}

choice! {
    Store { Off = "off", Memory = "memory", Disk = "disk" }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub kind: AccountKind,
    /// `auto`, `own`, or a folder as the user wrote it, `~` included.
    pub source: String,
    /// Where `codexway login` keeps what it gets.
    pub store: LoginStore,
    /// The variable that holds an API key.
    pub key_env: String,
    /// The file that holds an API key, as the user wrote it; wins over `key_env`, empty for none.
    pub key_file: String,
}

choice! {
    AccountKind { Codex = "codex", ApiKey = "api-key" }
}

choice! {
    /// Where a login is kept; `Auto` is the keyring where there is one, else the file.
    LoginStore { Auto = "auto", File = "file", Keyring = "keyring" }
}
