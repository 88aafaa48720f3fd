//! Which model serves a request, and what of the request it can do.

use crate::{
    config::{Profile, UnlistedModels},
    models::{Catalog, Lack, Model},
    protocol::Request,
};

use super::{
    Ignored,
    asked::{Asked, BadTail, take_apart},
};

/// Every effort that clients may name, weakest first. `ultra` is a notion of the official client:
/// the backend refuses it.
pub const EFFORTS: [&str; 8] =
    ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];

/// The request names a model that there is not.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownModel {
    pub name: String,
    pub why: Why,
    /// The names most like it, nearest first.
    pub nearest: Vec<String>,
    /// Whether the turns are paid for by a plan, so that an API key may have more models.
    pub plan: bool,
}

/// Why there is no such model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Lack(Lack),
    /// What stands behind its `?` is no setting.
    Tail(String),
}

/// The model that serves a request for `asked`, and what else that name says.
///
/// # Errors
/// When the catalogue does not have it and the profile does not let it pass all the same.
pub fn resolve(asked: &str, profile: &Profile, catalog: &Catalog) -> Result<Asked, UnknownModel> {
    let of_profile = |name: &str| matches!(name, "" | "auto") && !profile.model.is_empty();
    let name = if of_profile(asked) { &profile.model } else { asked };
    let alias = |name: &str| profile.aliases.get(name).map(String::as_str);
    let known =
        |name: &str| name == "auto" || alias(name).is_some() || catalog.find(name).is_some();
    let unknown = |name: &str, why: Why| UnknownModel {
        name: name.to_owned(),
        why,
        nearest: catalog.nearest(name).into_iter().map(str::to_owned).collect(),
        plan: catalog.is_of_a_plan(),
    };
    let bad_tail = |name: &str, BadTail(tail)| unknown(name, Why::Tail(tail));
    let mut found = take_apart(name, known).map_err(|bad| bad_tail(name, bad))?;
    if of_profile(&found.model) {
        found.model.clone_from(&profile.model);
    }
    if let Some(target) = alias(&found.model) {
        // An alias may say more than a name too; what the client says is nearer.
        let target = take_apart(target, |name| catalog.find(name).is_some())
            .map_err(|bad| bad_tail(target, bad))?;
        found = Asked {
            model: target.model,
            effort: found.effort.or(target.effort),
            verbosity: found.verbosity.or(target.verbosity),
            service_tier: found.service_tier.or(target.service_tier),
        };
    }
    if found.model == "auto"
        && let Some(best) = catalog.listed().next()
    {
        found.model.clone_from(&best.slug);
    }
    if catalog.find(&found.model).is_some() || profile.unlisted_models == UnlistedModels::Forward {
        return Ok(found);
    }
    Err(unknown(&found.model, Why::Lack(catalog.lack(&found.model))))
}

/// Writes into the request what the model's name said; it is the most deliberate place to say it.
pub fn name(request: &mut Request, asked: Asked) {
    let Asked { model, effort, verbosity, service_tier } = asked;
    request.model = model;
    request.reasoning.effort = effort.or(request.reasoning.effort.take());
    request.text.verbosity = verbosity.or(request.text.verbosity.take());
    request.service_tier = service_tier.or(request.service_tier.take());
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
    match request.service_tier.as_deref() {
        Some("fast") => request.service_tier = Some("priority".to_owned()),
        Some("auto" | "default") => request.service_tier = None,
        _ => {}
    }
    let Some(model) = model else { return };
    let asked = reasoning.effort.take();
    reasoning.effort = asked.as_deref().and_then(|effort| clamp(effort, &model.efforts));
    // A model that cannot do without is told nothing of reasoning by who wants none of it.
    let unwanted = asked.as_deref() == Some("none") && reasoning.effort.is_none();
    if unwanted || !model.supports_reasoning_summary_parameter {
        reasoning.summary = None;
    }
    let has_tier = |tier: &String| model.tiers().is_none_or(|tiers| tiers.contains(&tier.as_str()));
    if request.service_tier.as_ref().is_some_and(|tier| !has_tier(tier)) {
        request.service_tier = None;
        ignored.drop("service_tier");
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

    fn fitted(entry: &str, more: impl FnOnce(&mut Request)) -> (Request, Vec<String>) {
        let catalog = Catalog::parse(format!(r#"{{"models":[{entry}]}}"#).as_bytes()).unwrap();
        let settings = crate::config::Settings::default();
        let profile = &settings.profiles["codex"];
        let mut ignored = Ignored::new(&profile.parameters, false);
        let mut request = Request::default();
        more(&mut request);
        fit(&mut request, profile, catalog.listed().next(), &mut ignored);
        (request, ignored.dropped().to_vec())
    }

    #[test]
    fn what_the_catalogue_says_a_model_lacks_is_not_asked_of_it() {
        let wish = |request: &mut Request| {
            request.reasoning.effort = Some("high".to_owned());
            request.reasoning.summary = Some("auto".to_owned());
            request.text.verbosity = Some("low".to_owned());
            request.service_tier = Some("fast".to_owned());
        };
        let lacking = r#"{"slug":"a","supported_reasoning_levels":["low"],"service_tiers":[],
            "support_verbosity":false,"supports_reasoning_summary_parameter":false}"#;
        let (request, dropped) = fitted(lacking, wish);
        assert_eq!(request.reasoning.effort.as_deref(), Some("low"));
        assert_eq!((request.reasoning.summary, request.text.verbosity), (None, None));
        assert_eq!(request.service_tier, None);
        assert_eq!(dropped, ["service_tier", "verbosity"]);

        let having = r#"{"slug":"a","supported_reasoning_levels":["low","high"],
            "service_tiers":[{"id":"priority"}],"support_verbosity":true}"#;
        let (request, dropped) = fitted(having, wish);
        assert_eq!(request.reasoning.effort.as_deref(), Some("high"));
        assert_eq!(request.reasoning.summary.as_deref(), Some("auto"));
        assert_eq!(request.text.verbosity.as_deref(), Some("low"));
        assert_eq!(request.service_tier.as_deref(), Some("priority"));
        assert!(dropped.is_empty(), "{dropped:?}");
    }

    #[test]
    fn who_wants_no_reasoning_of_a_model_that_must_reason_says_nothing_of_it() {
        let none = |request: &mut Request| {
            request.reasoning.effort = Some("none".to_owned());
            request.reasoning.summary = Some("auto".to_owned());
        };
        let (request, _) = fitted(r#"{"slug":"a","supported_reasoning_levels":["low"]}"#, none);
        assert!(request.reasoning.is_empty());
        let (request, _) =
            fitted(r#"{"slug":"a","supported_reasoning_levels":["none","low"]}"#, none);
        assert_eq!(request.reasoning.effort.as_deref(), Some("none"));
    }
}
