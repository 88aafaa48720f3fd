//! The outer gate, which answers `{"detail":"…"}` before the engine sees the request.

use http::header;
use serde_json::Value;

use super::Options;
use super::accounts::Account;
use super::catalog::{self, Model, Version};
use super::reply::Refusal;
use super::server::{Asked, State};

/// The gate is an allow-list; everything else is refused by name, one at a time.
const PARAMETERS: [&str; 15] = [
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "store",
    "stream",
    "include",
    "prompt_cache_key",
    "text",
    "service_tier",
    "client_metadata",
    "stream_options",
];

pub(super) fn check(asked: &Asked, options: &Options) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::detail(400, text));
    if !asked.header(header::CONTENT_TYPE.as_str()).starts_with("application/json") {
        return refuse("Unsupported content type");
    }
    if !matches!(asked.header(header::CONTENT_ENCODING.as_str()), "" | "identity" | "zstd") {
        return Err(Refusal::detail(415, "Unsupported content encoding"));
    }
    let Some(body) = asked.json.as_object() else {
        return refuse("Bad Request");
    };
    if asked.json["stream"] != true {
        return refuse("Stream must be set to true");
    }
    if asked.json["store"] != false {
        return refuse("Store must be set to false");
    }
    match &asked.json["instructions"] {
        Value::String(_) => {}
        Value::Null if !options.instructions_required => {}
        Value::Null => return refuse("Instructions are required"),
        _ => return refuse("Instructions must be a string"),
    }
    let Some(input) = asked.json["input"].as_array() else {
        return refuse("Input must be a list");
    };
    if let Some(unknown) = body.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
        return refuse(&format!("Unsupported parameter: {unknown}"));
    }
    stream_options(&asked.json["stream_options"])?;
    match &asked.json["service_tier"] {
        Value::Null => {}
        Value::String(tier) if tier == "priority" => {}
        Value::String(tier) => return refuse(&format!("Unsupported service_tier: {tier}")),
        other => return refuse(&format!("Unsupported service_tier: {other}")),
    }
    // Typed and bare items alike; `developer` is the role that says the same and passes.
    if input.iter().any(|item| item["role"] == "system") {
        return refuse("System messages are not allowed");
    }
    Ok(())
}

/// Only what the official client sends gets through.
fn stream_options(options: &Value) -> Result<(), Refusal> {
    let allowed = match options {
        Value::Null => true,
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            name == "reasoning_summary_delivery" && value == "sequential_cutoff"
        }),
        _ => false,
    };
    match allowed {
        true => Ok(()),
        false => Err(Refusal::detail(400, "Unsupported parameter: stream_options")),
    }
}

/// Whether this account, with this client, may use the model.
pub(super) fn model<'a>(
    asked: &Asked,
    account: &Account,
    state: &'a State,
) -> Result<&'a Model, Refusal> {
    const LUNA: &str = "gpt-5.6-luna";
    /// Models that ask for less were let in before clients had to say their version.
    const VERSION_REQUIRED_FROM: Version = [0, 144, 0];

    let Some(slug) = asked.json["model"].as_str() else {
        return Err(Refusal::engine(
            400,
            "Missing required parameter: 'model'.",
            Some("model"),
            Some("missing_required_parameter"),
        ));
    };
    let known = state.catalog.find(slug).filter(|model| model.in_plan(&account.plan));
    let Some(model) = known else {
        return Err(Refusal::detail(
            400,
            &format!(
                "The '{slug}' model is not supported when using Codex with a ChatGPT account."
            ),
        ));
    };
    let old = match client_version(asked) {
        Some(version) => version < model.minimal_version,
        None => model.minimal_version >= VERSION_REQUIRED_FROM,
    };
    let stranger = state.options.originator_gate && !first_party(asked.header("originator"));
    if slug == LUNA && (old || stranger) {
        return Err(Refusal::engine(404, format!("Model not found {LUNA}"), Some("model"), None));
    }
    if old {
        return Err(Refusal::detail(
            400,
            &format!(
                "The '{slug}' model requires a newer version of Codex. Please upgrade to the latest \
                 app or CLI and try again."
            ),
        ));
    }
    Ok(model)
}

/// The `version` header, or what a Codex client says in its `user-agent`.
fn client_version(asked: &Asked) -> Option<Version> {
    if let Some(version) = catalog::version(asked.header("version")) {
        return Some(version);
    }
    let (product, rest) = asked.header(header::USER_AGENT.as_str()).split_once('/')?;
    let version = rest.split_whitespace().next()?;
    first_party(product).then(|| catalog::version(version))?
}

fn first_party(originator: &str) -> bool {
    matches!(originator, "codex_cli_rs" | "codex-tui" | "codex_vscode" | "codex_exec")
        || originator.starts_with("Codex ")
}
