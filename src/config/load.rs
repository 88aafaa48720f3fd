//! Where settings come from, and which of two wins.

use std::{fmt, path::PathBuf};

use config::Value;

use super::{
    Error, Settings,
    defaults::{self, merge},
    error::Fault,
    file, keys, references,
    schema::ROOT,
    shape::{self, Tree},
    text::{Place, from_json, variables},
};

/// All that settings are made of besides the defaults. Later fields win over earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file that the user named; it must exist. A name in `.yaml` or `.yml` is YAML.
    pub file: Option<PathBuf>,
    /// The platform's folder for settings, where `codexway/config.toml` may be. Not looked at
    /// when there is a `file`.
    pub config_dir: Option<PathBuf>,
    /// The environment. `CODEXWAY__SECTION__KEY` are settings; the rest is there for `key_env`,
    /// `~` in `key_file`, and `OPENAI_API_BASE_URL`.
    pub env: Vec<(String, String)>,
    /// Dotted key, the flag as the user wrote it, value.
    pub flags: Vec<(String, String, serde_json::Value)>,
}

/// The settings, and what is known of where they came from.
#[derive(Clone)]
pub struct Loaded {
    pub settings: Settings,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    pub(super) tree: Tree,
}

/// The tree holds keys as the user wrote them.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Loaded");
        shown.field("settings", &self.settings).field("file", &self.file).finish_non_exhaustive()
    }
}

/// The settings of `sources`, or all that is wrong with them.
pub fn load(sources: &Sources) -> Result<Loaded, Error> {
    let found = file::find(sources)?;
    let file = found.as_ref().map(|(path, _)| path.clone());
    let mut user = match found {
        Some((path, text)) => file::parse(&path, &text)?,
        None => Tree::new(),
    };
    let mut faults = Vec::new();
    read_variables(sources, &mut user, &mut faults);
    read_flags(sources, &mut user, &mut faults);

    let mut tree = defaults::below(&user);
    merge(&mut tree, well_known(sources));
    merge(&mut tree, user);
    let root = Value::new(None, tree.clone());
    shape::check(&ROOT, &root, "", defaults::ORIGIN, &mut faults);
    fail_on(&faults)?;
    references::check(&tree, &mut faults);
    let readable = keys::read(tree.clone(), sources, file.as_deref(), &mut faults);
    fail_on(&faults)?;
    let settings = Value::new(None, readable).try_deserialize().map_err(|error| Error::Syntax {
        origin: "settings".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Loaded { settings, file, tree })
}

fn fail_on(faults: &[Fault]) -> Result<(), Error> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults.to_vec())) }
}

fn read_variables(sources: &Sources, user: &mut Tree, faults: &mut Vec<Fault>) {
    let defaults = defaults::tree();
    for (variable, key, text) in variables(&sources.env) {
        let place = Place::of_variable(key, [user, &defaults]);
        match place.read(text, variable) {
            Ok(value) => merge(user, place.holding(value)),
            Err(fault) => faults.push(fault),
        }
    }
}

fn read_flags(sources: &Sources, user: &mut Tree, faults: &mut Vec<Fault>) {
    for (key, flag, value) in &sources.flags {
        let place = Place::of_key(key);
        let value = match value {
            serde_json::Value::String(text) => place.read(text, flag),
            other => Ok(from_json(other, flag)),
        };
        match value {
            Ok(value) => merge(user, place.holding(value)),
            Err(fault) => faults.push(fault),
        }
    }
}

/// A variable that other programs read too, so whatever is said to codexway itself wins over it.
fn well_known(sources: &Sources) -> Tree {
    const NAME: &str = "OPENAI_API_BASE_URL";
    let set = sources.env.iter().find(|(name, text)| name == NAME && !text.trim().is_empty());
    let holding = |(_, text): &(String, String)| {
        let value = Value::new(Some(&NAME.to_owned()), text.trim());
        Place::of_key("upstreams.openai.base_url").holding(value)
    };
    set.map(holding).unwrap_or_default()
}
