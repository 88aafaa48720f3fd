//! The platform's models: those of the backend's catalogue, and older ones.

use serde_json::{Value, json};

use crate::simulator::catalog::Model;
use crate::simulator::reply::{Refusal, Reply};
use crate::simulator::server::{Asked, State};

/// Models that the backend does not have, with the date of each.
pub(in crate::simulator) struct Models(Vec<(Model, u64)>);

/// Listed, but not for conversations.
const EMBEDDING: &str = "text-embedding-3-small";

impl Default for Models {
    fn default() -> Self {
        let model = |slug: &str, efforts: &[&str], created: u64| {
            let entry = json!({
                "slug": slug,
                "slug": slug,
                "supported_reasoning_levels": efforts,
                "default_reasoning_level": if efforts.is_empty() { "none" } else { "medium" },
                "default_verbosity": "medium",
                "minimal_client_version": "0.0.0",
                "support_verbosity": false,
                "use_responses_lite": false,
            });
            let entry = entry.as_object().cloned().unwrap_or_default();
            (Model::new(entry, &[]), created)
        };
        Self(vec![
            model("gpt-4o", &[], 1_715_367_049),
            model("gpt-4.1", &[], 1_744_316_542),
            model("o3", &["low", "medium", "high"], 1_744_225_308),
        ])
    }
}

pub(in crate::simulator) fn find<'a>(state: &'a State, slug: &str) -> Option<&'a Model> {
    let own = || state.platform.models.0.iter().find(|(model, _)| model.slug == slug);
    state.catalog.find(slug).or_else(|| own().map(|(model, _)| model))
}

/// The model that a request names.
pub(super) fn asked_for<'a>(state: &'a State, asked: &Asked) -> Result<&'a Model, Refusal> {
    let refuse =
        |message: String, code: &str| Err(Refusal::engine(400, message, Some("model"), Some(code)));
    match &asked.json["model"] {
        Value::String(slug) if slug == EMBEDDING => refuse(
            "This model is not supported with the Responses API.".to_owned(),
            "unsupported_model",
        ),
        Value::String(slug) => match find(state, slug) {
            Some(model) => Ok(model),
            None => {
                refuse(format!("The requested model '{slug}' does not exist."), "model_not_found")
            }
        },
        _ => {
            refuse("Missing required parameter: 'model'.".to_owned(), "missing_required_parameter")
        }
    }
}

/// The list, or one of it.
pub(super) fn list(state: &State, id: Option<&str>) -> Reply {
    /// The catalogue of the backend does not say when its models came.
    const LATER: u64 = 1_780_000_000;

    let entry = |id: &str, created: u64| json!({ "id": id, "object": "model", "created": created, "owned_by": "system" });
    let older = state.platform.models.0.iter().map(|(model, created)| entry(&model.slug, *created));
    let newer = state.catalog.slugs().map(|slug| entry(slug, LATER));
    let all: Vec<Value> = newer.chain(older).chain([entry(EMBEDDING, 1_705_948_997)]).collect();
    match id {
        None => Reply::json(200, &json!({ "object": "list", "data": all })),
        Some(id) => match all.iter().find(|entry| entry["id"] == id) {
            Some(entry) => Reply::json(200, entry),
            None => Reply::engine(
                404,
                format!("The model '{id}' does not exist"),
                Some("model"),
                Some("model_not_found"),
            ),
        },
    }
}
