//! Tools: flat, with names and schemas that the engine can compile.

use std::collections::HashSet;

use serde_json::Value;

use super::schema::{self, Place};
use super::wording::{
    Object, choice, invalid_value, known_keys, missing, name, object, refuse, text, wrong_type,
};
use crate::simulator::reply::Refusal;

const TYPES: [&str; 7] = [
    "function",
    "custom",
    "web_search",
    "image_generation",
    "local_shell",
    "tool_search",
    "namespace",
];

pub(super) fn check(tools: &Value, path: &str) -> Result<(), Refusal> {
    let tools = match tools {
        Value::Null => return Ok(()),
        Value::Array(tools) => tools,
        other => return Err(wrong_type(path, "an array of objects", other)),
    };
    let mut names = HashSet::new();
    for (index, tool) in tools.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let tool = object(tool, &path)?;
        match text(tool, &path, "type")? {
            "function" => function(tool, &path)?,
            "custom" => custom(tool, &path)?,
            "namespace" => namespace(tool, &path)?,
            // Hosted tools and their settings come and go; what matters is that they pass.
            "web_search" | "image_generation" | "local_shell" | "tool_search" => {}
            other => return Err(invalid_value(&format!("{path}.type"), other, &TYPES)),
        }
        let name = tool.get("name").and_then(Value::as_str);
        if let Some(name) = name.filter(|name| !names.insert(*name)) {
            let path = format!("{path}.name");
            let message = format!(
                "Invalid '{path}': duplicate tool name '{name}'. Tool names must be unique."
            );
            return Err(refuse(message, &path, "invalid_value"));
        }
    }
    Ok(())
}

fn function(tool: &Object, path: &str) -> Result<(), Refusal> {
    // First, so that the nested shape of Chat Completions is told what it lacks.
    let function = text(tool, path, "name")?;
    name(function, &format!("{path}.name"))?;
    let keys = ["type", "name", "description", "parameters", "strict", "defer_loading"];
    known_keys(tool, path, &keys)?;
    description(tool, path)?;
    let strict = match tool.get("strict") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(strict)) => *strict,
        Some(other) => return Err(wrong_type(&format!("{path}.strict"), "a boolean", other)),
    };
    let param = format!("{path}.parameters");
    match tool.get("parameters") {
        None => Err(missing(&param)),
        Some(Value::Null) => Ok(()),
        Some(parameters) => {
            let subject = format!("function '{function}'");
            let place = Place { subject, param, code: "invalid_function_parameters" };
            schema::check(parameters, &place, strict)
        }
    }
}

fn custom(tool: &Object, path: &str) -> Result<(), Refusal> {
    name(text(tool, path, "name")?, &format!("{path}.name"))?;
    known_keys(tool, path, &["type", "name", "description", "format", "defer_loading"])?;
    description(tool, path)?;
    let path = format!("{path}.format");
    let format = match tool.get("format") {
        None | Some(Value::Null) => return Ok(()),
        Some(format) => object(format, &path)?,
    };
    match text(format, &path, "type")? {
        "text" => known_keys(format, &path, &["type"]),
        "grammar" => {
            text(format, &path, "definition")?;
            text(format, &path, "syntax")?;
            choice(&format["syntax"], &format!("{path}.syntax"), &["lark", "regex"])?;
            known_keys(format, &path, &["type", "syntax", "definition"])
        }
        other => Err(invalid_value(&format!("{path}.type"), other, &["text", "grammar"])),
    }
}

fn namespace(tool: &Object, path: &str) -> Result<(), Refusal> {
    name(text(tool, path, "name")?, &format!("{path}.name"))?;
    known_keys(tool, path, &["type", "name", "description", "tools"])?;
    let path = format!("{path}.tools");
    check(tool.get("tools").ok_or_else(|| missing(&path))?, &path)
}

fn description(tool: &Object, path: &str) -> Result<(), Refusal> {
    match tool.get("description") {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(other) => Err(wrong_type(&format!("{path}.description"), "a string", other)),
    }
}
