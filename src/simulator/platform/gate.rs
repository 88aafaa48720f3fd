//! What the platform takes besides what the engine checks.

use http::header;
use serde_json::Value;

use crate::simulator::Options;
use crate::simulator::catalog::Model;
use crate::simulator::engine;
use crate::simulator::reply::Refusal;
use crate::simulator::server::Asked;

/// Every parameter of the Responses API. What none of them is called is refused by name.
const PARAMETERS: [&str; 32] = [
    "background",
    "client_metadata",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Whole numbers and decimals: from, to.
const NUMBERS: [(&str, f64, f64); 5] = [
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
    ("top_logprobs", 0.0, 20.0),
    ("max_output_tokens", 16.0, f64::INFINITY),
    ("max_tool_calls", 1.0, f64::INFINITY),
];
const TIERS: [&str; 5] = ["auto", "default", "flex", "priority", "scale"];

/// The names and values of the fields, whatever the model.
pub(super) fn fields(asked: &Asked) -> Result<(), Refusal> {
    let typed = asked.header(header::CONTENT_TYPE.as_str()).starts_with("application/json");
    let Some(body) = asked.json.as_object().filter(|_| typed) else {
        return Err(Refusal::engine(
            400,
            "We could not parse the JSON body of your request.",
            None,
            None,
        ));
    };
    if let Some(unknown) = body.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
        return Err(refuse(
            format!("Unknown parameter: '{unknown}'."),
            unknown,
            "unknown_parameter",
        ));
    }
    for (name, least, most) in NUMBERS {
        number(name, &asked.json[name], least, most)?;
    }
    match &asked.json["service_tier"] {
        Value::Null => {}
        Value::String(tier) if TIERS.contains(&tier.as_str()) => {}
        other => {
            let message = format!("Invalid value: {other}. Supported values are: {TIERS:?}.");
            return Err(refuse(message, "service_tier", "invalid_value"));
        }
    }
    if asked.json["store"] == false && asked.json["background"] == true {
        let message = "Background mode requires 'store' to be true.";
        return Err(refuse(message.to_owned(), "store", "invalid_value"));
    }
    Ok(())
}

fn number(name: &str, value: &Value, least: f64, most: f64) -> Result<(), Refusal> {
    let whole = !matches!(name, "temperature" | "top_p");
    let kind = if whole { "integer" } else { "decimal" };
    let number = match value {
        Value::Null => return Ok(()),
        value => value.as_f64().filter(|_| !whole || value.is_i64()),
    };
    let Some(number) = number else {
        let message = format!("Invalid type for '{name}': expected a {kind}.");
        return Err(refuse(message, name, "invalid_type"));
    };
    let (side, word, sign, bound) = match number {
        number if number < least => ("below minimum", "below_min", ">=", least),
        number if number > most => ("above maximum", "above_max", "<=", most),
        _ => return Ok(()),
    };
    let message = format!(
        "Invalid '{name}': {kind} {side} value. Expected a value {sign} {bound}, but got {value} instead."
    );
    Err(refuse(message, name, &format!("{kind}_{word}_value")))
}

/// What the model, or the organisation, does not have.
pub(super) fn fit(asked: &Asked, model: &Model, options: &Options) -> Result<(), Refusal> {
    let body = &asked.json;
    let unsupported = |name: &str| {
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
        Err(refuse(message, name, "unsupported_parameter"))
    };
    if engine::is_lite(&asked.headers) && !model.lite {
        return unsupported("model");
    }
    if model.efforts.is_empty() {
        let asked_for = |name: &&&str| !body["reasoning"][**name].is_null();
        if let Some(name) = ["effort", "summary"].iter().find(asked_for) {
            return unsupported(&format!("reasoning.{name}"));
        }
        let include = body["include"].as_array();
        if include
            .is_some_and(|names| names.iter().any(|name| name == "reasoning.encrypted_content"))
        {
            return Err(Refusal::engine(
                400,
                "Encrypted content is not supported with this model.",
                Some("include"),
                None,
            ));
        }
        return Ok(());
    }
    if let Some(name) = ["temperature", "top_p"].iter().find(|name| !body[**name].is_null()) {
        return unsupported(name);
    }
    if !options.organization_verified && !body["reasoning"]["summary"].is_null() {
        return Err(refuse(
            "Your organization must be verified to generate reasoning summaries. Please go to: \
             https://platform.openai.com/settings/organization/general and click on Verify \
             Organization. If you just verified, it can take up to 15 minutes for access to \
             propagate."
                .to_owned(),
            "reasoning.summary",
            "unsupported_value",
        ));
    }
    Ok(())
}

fn refuse(message: String, param: &str, code: &str) -> Refusal {
    Refusal::engine(400, message, Some(param), Some(code))
}
