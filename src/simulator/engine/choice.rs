//! `tool_choice`, in its flat forms.

use serde_json::Value;

use super::wording::{choice, invalid_value, known_keys, object, text};
use crate::simulator::reply::Refusal;

const MODES: [&str; 3] = ["none", "auto", "required"];
const HOSTED: [&str; 3] = ["web_search", "image_generation", "local_shell"];

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let asked = &body["tool_choice"];
    let label = match asked {
        Value::Null => return Ok(()),
        Value::String(mode) => {
            choice(asked, "tool_choice", &MODES)?;
            mode
        }
        other => {
            let object = object(other, "tool_choice")?;
            text(object, "tool_choice", "type")?
        }
    };
    if !matches!(label, "auto" | "none") && !any_tools(body) {
        return Err(refuse(format!(
            "Tool choice '{label}' must be specified with 'tools' parameter."
        )));
    }
    match asked {
        Value::Object(asked) => match label {
            "function" | "custom" => {
                known_keys(asked, "tool_choice", &["type", "name"])?;
                let name = text(asked, "tool_choice", "name")?;
                present(body, label, Some(name))
            }
            "allowed_tools" => {
                known_keys(asked, "tool_choice", &["type", "mode", "tools"])?;
                text(asked, "tool_choice", "mode")?;
                choice(&asked["mode"], "tool_choice.mode", &["auto", "required"])?;
                let tools = asked.get("tools").and_then(Value::as_array);
                tools.into_iter().flatten().try_for_each(|tool| {
                    present(body, tool["type"].as_str().unwrap_or_default(), tool["name"].as_str())
                })
            }
            hosted if HOSTED.contains(&hosted) => present(body, hosted, None),
            other => {
                let forms = [&["function", "custom", "allowed_tools"][..], &HOSTED].concat();
                Err(invalid_value("tool_choice.type", other, &forms))
            }
        },
        _ => Ok(()),
    }
}

fn refuse(message: String) -> Refusal {
    Refusal::engine(400, message, Some("tool_choice"), None)
}

fn lists(body: &Value) -> impl Iterator<Item = &Value> {
    let items = body["input"].as_array().into_iter().flatten();
    let lists = items.map(|item| &item["tools"]).chain([&body["tools"]]);
    lists.filter_map(Value::as_array).flatten()
}

fn any_tools(body: &Value) -> bool {
    lists(body).next().is_some()
}

fn present(body: &Value, kind: &str, name: Option<&str>) -> Result<(), Refusal> {
    let is_it = |tool: &Value| tool["type"] == kind && tool["name"].as_str() == name;
    let inside =
        |tool: &Value| tool["tools"].as_array().is_some_and(|tools| tools.iter().any(is_it));
    if lists(body).any(|tool| is_it(tool) || inside(tool)) {
        return Ok(());
    }
    let name = name.unwrap_or(kind);
    Err(refuse(format!("Tool choice '{name}' not found in 'tools' parameter.")))
}
