//! Which models there are, and what the backend says about each.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::reply::Reply;
use super::server::{Asked, State, field};

/// `major.minor.patch` of a Codex client.
pub(super) type Version = [u64; 3];

pub(super) struct Catalog {
    models: Vec<Model>,
    pub etag: String,
}

pub(super) struct Model {
    pub slug: String,
    pub minimal_version: Version,
    /// What `reasoning.effort` may be. `ultra` is advertised but is a notion of clients only.
    pub efforts: Vec<String>,
    pub default_effort: String,
    pub default_verbosity: String,
    pub verbosity: bool,
    pub lite: bool,
    plans: Vec<Value>,
    /// The entry as `/models` lists it.
    entry: Map<String, Value>,
}

impl Catalog {
    pub(super) fn built_in() -> Self {
        let text = include_str!("models.json");
        let file: Value = serde_json::from_str(text).expect("models.json is compiled in");
        let plans = array(&file["plans"]);
        let models = array(&file["models"]).iter().map(|facts| {
            let mut entry = file["common"].as_object().cloned().unwrap_or_default();
            entry.extend(facts.as_object().cloned().unwrap_or_default());
            Model::new(entry, plans)
        });
        let etag = Sha256::digest(text)
            .iter()
            .take(8)
            .fold(String::new(), |etag, byte| format!("{etag}{byte:02x}"));
        Self { models: models.collect(), etag: format!("W/\"{etag}\"") }
    }

    /// Slugs are matched as they are, capitals and all.
    pub(super) fn find(&self, slug: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.slug == slug)
    }
}

impl Catalog {
    pub(super) fn slugs(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(|model| model.slug.as_str())
    }
}

impl Model {
    pub(super) fn new(mut entry: Map<String, Value>, plans: &[Value]) -> Self {
        let without = entry.shift_remove("not_in_plans").unwrap_or_default();
        let also = entry.shift_remove("also_accepts").unwrap_or_default();
        let plans: Vec<Value> =
            plans.iter().filter(|plan| !array(&without).contains(plan)).cloned().collect();
        let levels = entry["supported_reasoning_levels"].take();
        let efforts =
            array(&also).iter().chain(array(&levels)).filter_map(Value::as_str).map(str::to_owned);
        let described = |level: &Value| {
            let level = level.as_str().unwrap_or_default();
            json!({ "effort": level, "description": format!("Thinks with {level} effort.") })
        };
        entry.insert(
            "supported_reasoning_levels".to_owned(),
            array(&levels).iter().map(described).collect(),
        );
        entry.insert("available_in_plans".to_owned(), plans.clone().into());
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Self {
            slug: text("slug"),
            minimal_version: version(&text("minimal_client_version")).unwrap_or_default(),
            efforts: efforts.filter(|effort| effort != "ultra").collect(),
            default_effort: text("default_reasoning_level"),
            default_verbosity: text("default_verbosity"),
            verbosity: entry["support_verbosity"] == true,
            lite: entry["use_responses_lite"] == true,
            plans,
            entry,
        }
    }

    pub(super) fn in_plan(&self, plan: &str) -> bool {
        self.plans.iter().any(|allowed| allowed == plan)
    }
}

/// `GET /models`, which shows a client what its version and plan may use.
pub(super) fn list(state: &State, asked: &Asked) -> Reply {
    let account = match state.accounts.check(asked) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    let Some(client) = version(field(&asked.query(), "client_version")) else {
        return Reply::json(
            400,
            &json!({ "detail": [{
                "loc": ["query", "client_version"],
                "msg": "field required",
                "type": "value_error.missing",
            }] }),
        );
    };
    let etag = &state.catalog.etag;
    if asked.header("if-none-match") == etag {
        return Reply::new(304, "").header("etag", etag);
    }
    let visible = |model: &&Model| model.minimal_version <= client && model.in_plan(&account.plan);
    let models = state.catalog.models.iter().filter(visible);
    let models: Vec<_> = models.map(|model| Value::Object(model.entry.clone())).collect();
    Reply::json(200, &json!({ "models": models })).header("etag", etag)
}

/// Reads `0.169.0` and `0.170.0-alpha.1` alike.
pub(super) fn version(text: &str) -> Option<Version> {
    let mut parts = text.trim().splitn(3, '.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    let patch = parts.next()?;
    let digits = patch.find(|c: char| !c.is_ascii_digit()).unwrap_or(patch.len());
    Some([major, minor, patch[..digits].parse().ok()?])
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
