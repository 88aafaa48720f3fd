//! "Responses Lite": a header that brings rules of its own.

use http::HeaderMap;
use serde_json::Value;

use super::wording::refuse;
use crate::simulator::catalog::Model;
use crate::simulator::reply::Refusal;

const HEADER: &str = "X-OpenAI-Internal-Codex-Responses-Lite";

/// The switch is the header, not the model.
pub(in crate::simulator) fn is_lite(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value == "true")
}

pub(super) fn check(body: &Value, model: &Model) -> Result<(), Refusal> {
    let refuse = |why: String, param: &str| Err(refuse(why, param, "unsupported_value"));
    if !model.lite {
        return refuse(format!("This model is not supported when using {HEADER}."), "model");
    }
    // Leaving it out counts as true.
    if body["parallel_tool_calls"] != false {
        let param = "parallel_tool_calls";
        return refuse(format!("{HEADER} requires `{param}` to be false."), param);
    }
    if body["reasoning"]["context"] != "all_turns" {
        let param = "reasoning.context";
        return refuse(format!("{HEADER} requires `{param}` to be `all_turns`."), param);
    }
    let items = body["input"].as_array().into_iter().flatten();
    let lists = items.map(|item| &item["tools"]).chain([&body["tools"]]);
    if !lists.filter_map(Value::as_array).flatten().all(allowed) {
        return refuse(
            format!(
                "{HEADER} only supports function tools, custom tools, and client-executed tool \
                 search."
            ),
            "tools",
        );
    }
    Ok(())
}

fn allowed(tool: &Value) -> bool {
    match tool["type"].as_str() {
        Some("function" | "custom") => true,
        Some("tool_search") => tool["execution"] == "client",
        Some("namespace") => {
            tool["tools"].as_array().is_some_and(|tools| tools.iter().all(allowed))
        }
        _ => false,
    }
}
