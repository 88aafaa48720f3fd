//! Where turns are run, and who we say we are there.

use std::{collections::BTreeMap, fmt, ops::Deref};

use serde::Deserialize;

use super::{choice::choice, units};

/// A kind that has no use for a setting leaves it empty, `http` or `off`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    pub kind: UpstreamKind,
    /// Without a slash at the end.
    #[serde(default, deserialize_with = "units::url")]
    pub base_url: String,
    /// Without a slash at the end.
    #[serde(default, deserialize_with = "units::url")]
    pub auth_url: String,
    #[serde(default)]
    pub transport: Transport,
    #[serde(default)]
    pub compression: Compression,
    #[serde(default)]
    pub originator: String,
    /// As written: `{version}` stands for our own.
    #[serde(default)]
    pub user_agent: String,
    /// A compatibility level such as `0.155.0`, or `auto`.
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub headers: Pairs,
    /// A path, or a name to be looked for in `$PATH`.
    #[serde(default)]
    pub program: String,
    /// Settings of the program's own: dotted name and value, as its `-c` takes them.
    #[serde(default)]
    pub config: Pairs,
    /// Names of variables that the program gets besides the usual ones.
    #[serde(default)]
    pub env: Vec<String>,
    /// At least 1 for the kind that runs programs.
    #[serde(default)]
    pub max_processes: usize,
}

choice! {
    UpstreamKind { Codex = "codex", Openai = "openai", CodexExec = "codex-exec", Demo = "demo" }
}

choice! {
    #[derive(Default)]
    Transport { Auto = "auto", #[default] Http = "http", Websocket = "websocket" }
}

choice! {
    #[derive(Default)]
    Compression { Zstd = "zstd", #[default] Off = "off" }
}

/// Values by name, of headers or of another program's settings. `Debug` hides those that look like
/// credentials.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Pairs(BTreeMap<String, String>);

impl Pairs {
    /// Whether the value of what is called `name` must not be shown.
    pub(super) fn hides(name: &str) -> bool {
        const WORDS: [&str; 11] = [
            "auth",
            "bearer",
            "cookie",
            "cred",
            "jwt",
            "key",
            "pass",
            "secret",
            "session",
            "signature",
            "token",
        ];
        let name = name.to_ascii_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    }
}

impl Deref for Pairs {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Pairs {
    type Item = (&'a String, &'a String);
    type IntoIter = std::collections::btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<(String, String)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value)| (name, if Self::hides(name) { "***" } else { value });
        let pairs = self.0.iter().map(|(name, value)| shown((name.as_str(), value.as_str())));
        f.debug_map().entries(pairs).finish()
    }
}
