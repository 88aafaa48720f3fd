//! Which models there are, and what each accepts.

use std::{cmp::Ordering, collections::HashSet};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{config::UpstreamKind, upstream::Upstream};

mod entry;
mod lack;
mod live;

pub use entry::{CREATED, entry};
pub use lack::Lack;
pub use live::Live;

/// The catalogue that is known without asking: facts of the official client of November 2026.
pub const BUILTIN: &[u8] = include_bytes!("builtin.json");

/// The models an account may use, best first.
#[derive(Clone, Debug)]
pub struct Catalog {
    models: Vec<Model>,
    /// The client version that the upstream was asked as; `None` where it was not asked.
    asked_as: Option<String>,
}

/// One model, as the backend's catalogue describes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Model {
    pub slug: String,
    /// `list`, or `hide` for those that work but are not offered.
    #[serde(default = "listed")]
    pub visibility: String,
    /// The lower, the better.
    #[serde(default)]
    pub priority: i64,
    #[serde(default)]
    pub minimal_client_version: Option<String>,
    /// Tokens.
    #[serde(default)]
    pub context_window: Option<u64>,
    #[serde(default, rename = "supported_reasoning_levels", deserialize_with = "efforts")]
    pub efforts: Vec<String>,
    #[serde(default)]
    pub default_reasoning_level: Option<String>,
    #[serde(default = "yes")]
    pub supports_reasoning_summary_parameter: bool,
    #[serde(default)]
    pub support_verbosity: bool,
    #[serde(default)]
    pub service_tiers: Option<Vec<Tier>>,
    #[serde(default = "text_only")]
    pub input_modalities: Vec<String>,
    #[serde(default)]
    pub use_responses_lite: bool,
    /// Whether each turn is billed, instead of being paid for by a plan.
    #[serde(skip)]
    pub billed: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Tier {
    pub id: String,
}

impl Model {
    /// The efforts that may be asked for. `ultra` stands in catalogues and is sent by nobody.
    pub fn levels(&self) -> impl Iterator<Item = &String> {
        self.efforts.iter().filter(|effort| *effort != "ultra")
    }

    /// The names of the tiers that it may be asked for; `None` where nothing is known of them.
    pub fn tiers(&self) -> Option<Vec<&str>> {
        let tiers = self.service_tiers.as_ref()?;
        Some(tiers.iter().map(|tier| tier.id.as_str()).collect())
    }
}

impl Catalog {
    /// What is known without asking.
    ///
    /// # Panics
    /// Never: a test reads the same text.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in catalogue is sound")
    }

    /// What is known without asking of the models of such an upstream.
    #[must_use]
    pub fn of(kind: UpstreamKind) -> Self {
        match kind {
            UpstreamKind::Openai => Self::builtin().billed(),
            UpstreamKind::Codex | UpstreamKind::CodexExec | UpstreamKind::Demo => Self::builtin(),
        }
    }

    /// Reads a catalogue as this upstream has sent it.
    ///
    /// # Errors
    /// As [`Catalog::parse`].
    pub fn sent_by(upstream: &dyn Upstream, json: &[u8]) -> serde_json::Result<Self> {
        let catalog = Self::parse(json)?;
        Ok(match upstream.is_platform() {
            true => catalog.described_by(&Self::builtin()),
            false => catalog,
        })
    }

    /// Whether the upstream was asked for it.
    fn is_the_upstream_s(&self) -> bool {
        self.asked_as.is_some()
    }

    /// Reads a catalogue as the backend sends it. An entry that cannot be read is left out, so
    /// that one novelty does not hide every other model; what is `null` is not told, and of two
    /// entries for one model the better one counts.
    ///
    /// # Errors
    /// When it is no object with a list of `models`, or none of them can be read.
    pub fn parse(json: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Body {
            models: Vec<Value>,
        }
        let read = |mut entry: Value| {
            entry.as_object_mut()?.retain(|_, value| !value.is_null());
            serde_json::from_value::<Model>(entry).ok()
        };
        let body: Body = serde_json::from_slice(json)?;
        let mut models: Vec<Model> = body.models.into_iter().filter_map(read).collect();
        if models.is_empty() {
            return Err(serde::de::Error::custom("no entry of the catalogue can be read"));
        }
        models.sort_by_key(|model| model.priority);
        let mut known = HashSet::new();
        models.retain(|model| known.insert(model.slug.clone()));
        Ok(Self { models, asked_as: None })
    }

    /// The same as what the upstream showed to a client of this version.
    #[must_use]
    fn asked_as(mut self, version: &str) -> Self {
        self.asked_as = Some(version.to_owned());
        self
    }

    /// The platform's models with what `known` says of them, best first, and behind them those that
    /// `known` does not have: the platform tells little more than their names.
    fn described_by(mut self, known: &Self) -> Self {
        let describe = |model: Model| match known.find(undated(&model.slug)) {
            Some(facts) => {
                let Model { slug, visibility, .. } = model;
                (false, Model { slug, visibility, ..facts.clone() })
            }
            None => (true, model),
        };
        let mut models: Vec<(bool, Model)> = self.models.drain(..).map(describe).collect();
        models.sort_by_key(|(unknown, model)| (*unknown, model.priority));
        Self { models: models.into_iter().map(|(_, model)| model).collect(), ..self }.billed()
    }

    /// The same where each turn is billed.
    fn billed(mut self) -> Self {
        self.models.iter_mut().for_each(|model| model.billed = true);
        self
    }

    #[must_use]
    pub fn find(&self, slug: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.slug == slug)
    }

    /// The model of that name, or the one that a newer one most likely takes after: the one with
    /// the most similar name, if any is similar.
    #[must_use]
    pub fn relative(&self, slug: &str) -> Option<&Model> {
        const SIMILAR: f64 = 0.85;
        let likeness = |model: &&Model| strsim::jaro_winkler(slug, &model.slug);
        self.find(slug).or_else(|| {
            let nearest = self.models.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            nearest.filter(|model| likeness(model) > SIMILAR)
        })
    }

    /// The models that are offered, best first.
    pub fn listed(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.visibility == "list")
    }

    /// The names most like `wanted`, nearest first.
    #[must_use]
    pub fn nearest(&self, wanted: &str) -> Vec<&str> {
        let mut names: Vec<(f64, &str)> = self
            .listed()
            .map(|model| (strsim::jaro_winkler(wanted, &model.slug), model.slug.as_str()))
            .collect();
        names.sort_by(|a, b| b.0.total_cmp(&a.0));
        names.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// The highest client version that any model asks for: the level to claim compatibility with.
    #[must_use]
    pub fn version(&self) -> &str {
        self.models
            .iter()
            .filter_map(|model| model.minimal_client_version.as_deref())
            .max_by(|a, b| compare_versions(a, b))
            .unwrap_or("0.0.0")
    }
}

/// `gpt-5.5` for `gpt-5.5-2026-04-23`: a dated name is that of one state of a model.
fn undated(slug: &str) -> &str {
    let date = |tail: &str| {
        tail.len() == 11
            && tail.char_indices().all(|(at, c)| match at {
                0 | 5 | 8 => c == '-',
                _ => c.is_ascii_digit(),
            })
    };
    match slug.len().checked_sub(11).and_then(|at| slug.split_at_checked(at)) {
        Some((name, tail)) if date(tail) => name,
        _ => slug,
    }
}

fn compare_versions(a: &str, b: &str) -> Ordering {
    fn numbers(version: &str) -> impl Iterator<Item = u64> {
        version.split(['.', '-', '+']).map_while(|part| part.parse().ok())
    }
    numbers(a).cmp(numbers(b))
}

/// The catalogue writes `{"effort": "low", "description": …}`, older copies of it plain names.
fn efforts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Level {
        Named { effort: String },
        Name(String),
    }
    let levels = Option::<Vec<Level>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(levels
        .into_iter()
        .map(|level| match level {
            Level::Named { effort } | Level::Name(effort) => effort,
        })
        .collect())
}

fn listed() -> String {
    "list".to_owned()
}

const fn yes() -> bool {
    true
}

fn text_only() -> Vec<String> {
    vec!["text".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalog = Catalog::builtin();
        let model = catalog.find("gpt-5.5").unwrap();
        assert_eq!(model.efforts, ["low", "medium", "high", "xhigh"]);
        assert!(!model.use_responses_lite && model.support_verbosity);
        assert_eq!(catalog.version(), "0.155.0");
        assert_eq!(catalog.listed().next().unwrap().slug, "gpt-6.1-sol");
        assert!(catalog.listed().all(|model| model.slug != "codex-auto-review"));
        assert!(catalog.nearest("gpt-5.4").contains(&"gpt-5.5"));
        assert_eq!(catalog.relative("gpt-5.9").map(|model| &*model.slug), Some("gpt-5.5"));
        assert!(catalog.relative("o1").is_none());
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(compare_versions("0.153.10", "0.153.9"), Ordering::Greater);
        assert_eq!(compare_versions("0.99.0", "0.153.0"), Ordering::Less);
    }

    #[test]
    fn the_platform_s_models_are_described_by_the_built_in_catalogue() {
        let listed = br#"{"models":[{"slug":"new","priority":-9},{"slug":"gpt-5.5-2026-04-23","priority":-1},{"slug":"gpt-6-sol"}]}"#;
        let models = Catalog::parse(listed).unwrap().described_by(&Catalog::builtin());
        let names: Vec<&str> = models.listed().map(|model| model.slug.as_str()).collect();
        assert_eq!(names, ["gpt-6-sol", "gpt-5.5-2026-04-23", "new"]);
        let dated = models.find("gpt-5.5-2026-04-23").unwrap();
        assert_eq!(dated.efforts, ["low", "medium", "high", "xhigh"]);
        assert!(models.listed().all(|model| model.billed));
        assert_eq!(undated("2026-04-23"), "2026-04-23");
    }

    #[test]
    fn an_entry_that_cannot_be_read_hides_no_other() {
        let json = br#"{"models":[{"slug":7},{"slug":"new","supported_reasoning_levels":["low"],"odd":{}}]}"#;
        let catalog = Catalog::parse(json).unwrap();
        assert_eq!(catalog.find("new").unwrap().efforts, ["low"]);
        let json = br#"{"models":[
            {"slug":"new","priority":2,"visibility":"hide"},
            {"slug":"new","priority":null,"visibility":null,"input_modalities":null,"use_responses_lite":null}]}"#;
        let listed: Vec<Model> = Catalog::parse(json).unwrap().listed().cloned().collect();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].input_modalities, ["text"]);
        assert!(Catalog::parse(br#"{"models":[]}"#).is_err());
        assert!(Catalog::parse(b"<html>").is_err());
    }
}
