//! Which model serves a request, and what of the request it can do.

use crate::{
    config::{Profile, UnlistedModels},
    models::{Catalog, Model},
    protocol::Request,
};

use super::Ignored;

/// Every effort that clients may name, weakest first. `ultra` is a notion of the official client:
/// the backend refuses it.
pub const EFFORTS: [&str; 8] =
    ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];

/// The request names a model that there is not.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownModel {
    pub name: String,
    /// The names most like it, nearest first.
    pub nearest: Vec<String>,
}

/// The name of the model that serves a request for `asked`.
///
/// # Errors
/// When the catalogue does not have it and the profile does not let it pass all the same.
pub fn resolve(asked: &str, profile: &Profile, catalog: &Catalog) -> Result<String, UnknownModel> {
    let name = match asked {
        "" | "auto" if !profile.model.is_empty() => &profile.model,
        other => other,
    };
    let name = profile.aliases.get(name).map_or(name, String::as_str);
    if name == "auto"
        && let Some(best) = catalog.listed().next()
    {
        return Ok(best.slug.clone());
    }
    if catalog.find(name).is_some() || profile.unlisted_models == UnlistedModels::Forward {
        return Ok(name.to_owned());
    }
    let nearest = catalog.nearest(name).into_iter().map(str::to_owned).collect();
    Err(UnknownModel { name: name.to_owned(), nearest })
}

/// Fills in what the profile prefers, and fits the request to what the model accepts.
pub fn fit(request: &mut Request, profile: &Profile, model: Option<&Model>, ignored: &mut Ignored) {
    let preferred = |setting: &str| (setting != "auto").then(|| setting.to_owned());
    let reasoning = &mut request.reasoning;
    if reasoning.effort.is_none() {
        reasoning.effort = preferred(&profile.reasoning.effort);
    }
    if request.text.verbosity.is_none() {
        request.text.verbosity = preferred(&profile.verbosity);
    }
    if request.service_tier.is_none() {
        request.service_tier = preferred(&profile.service_tier);
    }
    if matches!(request.service_tier.as_deref(), Some("fast")) {
        request.service_tier = Some("priority".to_owned());
    }
    let Some(model) = model else { return };
    reasoning.effort = reasoning.effort.take().and_then(|effort| clamp(&effort, &model.efforts));
    if reasoning.summary.is_some() && !model.supports_reasoning_summary_parameter {
        reasoning.summary = None;
    }
    if request.text.verbosity.is_some() && !model.support_verbosity {
        request.text.verbosity = None;
        ignored.drop("verbosity");
    }
}

/// The level nearest to `wanted` that the model has: the next weaker one, else its weakest.
///
/// `none` where there is no such level means that nothing is said about effort at all.
fn clamp(wanted: &str, supported: &[String]) -> Option<String> {
    let has = |level: &str| level != "ultra" && supported.iter().any(|name| name == level);
    if supported.is_empty() || has(wanted) {
        return Some(wanted.to_owned());
    }
    if wanted == "none" {
        return None;
    }
    let rank = EFFORTS.iter().position(|level| *level == wanted)?;
    let weaker = EFFORTS[..rank].iter().rev().find(|level| **level != "none" && has(level));
    weaker
        .or_else(|| EFFORTS[rank..].iter().find(|level| has(level)))
        .map(|level| (*level).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effort_is_clamped_to_what_the_model_has() {
        let check = |wanted: &str, supported: &[&str], expected: Option<&str>| {
            let supported: Vec<String> =
                supported.iter().map(|level| (*level).to_owned()).collect();
            assert_eq!(clamp(wanted, &supported).as_deref(), expected, "{wanted} of {supported:?}");
        };
        let usual = ["low", "medium", "high", "xhigh"];
        check("minimal", &usual, Some("low"));
        check("high", &usual, Some("high"));
        check("max", &usual, Some("xhigh"));
        check("none", &usual, None);
        check("ultra", &["low", "max", "ultra"], Some("max"));
        check("xhigh", &["medium", "high"], Some("high"));
        check("high", &[], Some("high"));
    }
}
