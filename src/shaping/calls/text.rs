//! Calls as text, for clients that read them there.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{config::ToolTextFormat, protocol::Item};

/// The call in that format; `None` where it has no name.
pub(super) fn text(call: &Item, format: ToolTextFormat) -> Option<String> {
    let members = call.members().ok()?;
    let name = members.str("name")?.into_owned();
    let payload = members.str("arguments").or_else(|| members.str("input")).unwrap_or_default();
    let arguments: Option<Map<String, Value>> = serde_json::from_str(&payload).ok();
    match format {
        ToolTextFormat::None => None,
        ToolTextFormat::CodexXml => Some(xml(&name, arguments, &payload)),
        ToolTextFormat::Markdown => {
            let (language, body) = match &arguments {
                Some(arguments) => ("json", serde_json::to_string_pretty(arguments).ok()?),
                None => ("", payload.into_owned()),
            };
            Some(format!("**{name}**\n\n```{language}\n{body}\n```"))
        }
        ToolTextFormat::Summary => {
            let told: Vec<String> = match &arguments {
                Some(arguments) => {
                    arguments.iter().map(|(name, value)| format!("{name}: {value}")).collect()
                }
                None => vec![first_line(&payload).into_owned()],
            };
            Some(format!("{name}({})", told.join(", ")))
        }
    }
}

/// Elements named by the tool and its arguments. The two tools of the official client go by the
/// names under which agents that read such text know them.
fn xml(name: &str, arguments: Option<Map<String, Value>>, payload: &str) -> String {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(words) if words.iter().all(Value::is_string) => {
            words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let element = |name: &str, text: &str| format!("<{name}>{text}</{name}>");
    let tag = match name {
        "shell" => "execute_command",
        "apply_patch" => "apply_diff",
        other => other,
    };
    let inner = match arguments {
        Some(arguments) => {
            let elements: Vec<String> =
                arguments.iter().map(|(name, value)| element(name, &plain(value))).collect();
            elements.join("\n")
        }
        None if tag == "apply_diff" => element("diff", payload),
        None => payload.to_owned(),
    };
    format!("<{tag}>\n{inner}\n</{tag}>")
}

fn first_line(text: &str) -> Cow<'_, str> {
    match text.split_once('\n') {
        Some((first, _)) => Cow::Owned(format!("{first} …")),
        None => Cow::Borrowed(text),
    }
}
