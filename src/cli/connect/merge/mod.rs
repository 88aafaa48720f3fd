//! Settings put into a file that somebody else wrote: all that is not ours stays as it was, byte
//! for byte.

use std::fmt;

use serde::Deserialize;

mod json;
mod toml;
mod yaml;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Toml,
    /// With comments and trailing commas.
    Json,
    Yaml,
}

/// Why a file cannot be added to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It cannot be read as what it is, for this reason.
    Unreadable(String),
    /// What stands in the way.
    InTheWay(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "it cannot be read: {}", why.trim_end()),
            Self::InTheWay(what) => f.write_str(what),
        }
    }
}

impl Format {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }

    /// `text`, the whole of a file, with `ours` in it; the same again where it is there already.
    /// What the file says of keys in `keep` stays.
    pub(super) fn merge(self, text: &str, ours: &str, keep: &[String]) -> Result<String, Refusal> {
        if text.trim().is_empty() {
            return Ok(match self {
                Self::Yaml => yaml::marked(ours),
                Self::Toml | Self::Json => ours.to_owned(),
            });
        }
        match self {
            Self::Toml => toml::merge(text, ours),
            Self::Json => json::merge(text, ours),
            Self::Yaml => yaml::merge(text, ours, keep),
        }
    }
}
