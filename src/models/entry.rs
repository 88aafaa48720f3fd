//! A model as `GET /v1/models` lists it: rich enough for clients to configure themselves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Catalog, Model};

/// When these entries began to be; the catalogue does not say when each model did.
pub const CREATED: u64 = 1_783_555_200;

impl Catalog {
    /// The entries of the models that are offered, best first, and then of the aliases for them.
    #[must_use]
    pub fn entries(&self, aliases: &BTreeMap<String, String>) -> Vec<Value> {
        let listed = self.listed().map(|model| entry(&model.slug, model));
        let aliased = aliases
            .iter()
            .filter_map(|(alias, name)| self.find(name).map(|model| entry(alias, model)));
        listed.chain(aliased).collect()
    }
}

/// The entry of `model` under the name `id`.
#[must_use]
pub fn entry(id: &str, model: &Model) -> Value {
    let efforts: Vec<&String> = model.levels().collect();
    let tiers = model.tiers().unwrap_or_default();
    let mut entry = json!({
        "id": id,
        "object": "model",
        "created": CREATED,
        "owned_by": "openai",
        "context_window": model.context_window,
        "context_length": model.context_window,
        "input_modalities": model.input_modalities,
        "reasoning_efforts": efforts,
        "default_reasoning_effort": model.default_reasoning_level,
        "service_tiers": tiers,
    });
    if !model.billed {
        // The plan pays.
        entry["pricing"] = json!({"prompt": "0", "completion": "0", "input_cache_read": "0"});
    }
    entry
}
