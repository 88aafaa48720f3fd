//! Input items: their types, keys and ids, and what they refer to.

use serde_json::Value;

use super::wording::{
    Object, choice, invalid_value, known_keys, missing, object, refuse, short, text, wrong_type,
};
use super::{images, parts, tools};
use crate::simulator::accounts::Account;
use crate::simulator::reply::Refusal;
use crate::simulator::seal::{Broken, Seal};

/// Keys that every item may have.
const COMMON: [&str; 4] = ["type", "id", "status", "internal_chat_message_metadata_passthrough"];
const PARTS_OF_INPUT: [&str; 3] = ["input_text", "input_image", "input_file"];

struct Kind {
    name: &'static str,
    /// How its ids begin; empty where no rule is known.
    prefix: &'static str,
    /// Strings that have to be there.
    required: &'static [&'static str],
    /// Other keys that may be.
    optional: &'static [&'static str],
}

const KINDS: [Kind; 19] = [
    kind("message", "msg", &[], &["role", "content", "phase"]),
    kind("reasoning", "rs", &[], &["summary", "content", "encrypted_content"]),
    kind(
        "function_call",
        "fc",
        &["call_id", "name", "arguments"],
        &["namespace", "encrypted_function_args"],
    ),
    kind("function_call_output", "fc", &["call_id"], &["output", "encrypted_content"]),
    kind("custom_tool_call", "ctc", &["call_id", "name", "input"], &["namespace"]),
    kind("custom_tool_call_output", "ctc", &["call_id"], &["output", "name"]),
    kind("tool_search_call", "", &[], &["call_id", "execution", "arguments"]),
    kind("tool_search_output", "", &[], &["call_id", "execution", "tools"]),
    kind("local_shell_call", "", &["call_id"], &["action"]),
    kind("local_shell_call_output", "", &[], &["call_id", "output"]),
    kind("web_search_call", "ws", &[], &["action"]),
    kind(
        "image_generation_call",
        "ig",
        &[],
        &["result", "revised_prompt", "background", "output_format", "quality", "size", "action"],
    ),
    kind("item_reference", "", &["id"], &[]),
    kind("additional_tools", "", &[], &["role", "tools"]),
    kind("compaction", "", &["encrypted_content"], &["created_by"]),
    kind("context_compaction", "", &[], &["encrypted_content"]),
    kind("compaction_trigger", "", &[], &[]),
    kind("agent_message", "", &[], &["author", "recipient", "role", "content"]),
    kind("configuration_update", "", &[], &["role", "content", "configuration"]),
];

const fn kind(
    name: &'static str,
    prefix: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Kind {
    Kind { name, prefix, required, optional }
}

pub(super) fn check(input: &[Value], lite: bool) -> Result<(), Refusal> {
    if input.is_empty() {
        return Err(refuse(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be \
             provided.",
            "input",
            "missing_required_parameter",
        ));
    }
    for (index, item) in input.iter().enumerate() {
        let path = format!("input[{index}]");
        check_item(object(item, &path)?, &path, lite)?;
    }
    Ok(())
}

fn check_item(item: &Object, path: &str, lite: bool) -> Result<(), Refusal> {
    let kind = match item.get("type") {
        // A bare `{role, content}` is a message.
        None if item.contains_key("role") => &KINDS[0],
        None => return Err(missing(&format!("{path}.type"))),
        Some(Value::String(name)) => {
            KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
                let names = KINDS.map(|kind| kind.name);
                invalid_value(&format!("{path}.type"), name, &names)
            })?
        }
        Some(other) => return Err(wrong_type(&format!("{path}.type"), "a string", other)),
    };
    if kind.name == "additional_tools" && !lite {
        // Without the header this type is not known, and what is left is a message with no content.
        return Err(missing(&format!("{path}.content")));
    }
    for key in kind.required {
        text(item, path, key)?;
    }
    let known: Vec<_> = COMMON.iter().chain(kind.required).chain(kind.optional).copied().collect();
    known_keys(item, path, &known)?;
    if let Some(call_id) = item.get("call_id").and_then(Value::as_str) {
        short(call_id, &format!("{path}.call_id"))?;
    }
    check_id(item, path, kind.prefix)?;
    let status = item.get("status").unwrap_or(&Value::Null);
    choice(
        status,
        &format!("{path}.status"),
        &["in_progress", "completed", "incomplete", "searching", "generating", "failed"],
    )?;
    match kind.name {
        "message" => message(item, path),
        "reasoning" => reasoning(item, path),
        "function_call_output" | "custom_tool_call_output" => output(item, path),
        "web_search_call" => web_search(item, path),
        "additional_tools" | "tool_search_output" => {
            let list = item.get("tools").ok_or_else(|| missing(&format!("{path}.tools")))?;
            tools::check(list, &format!("{path}.tools"))
        }
        _ => Ok(()),
    }
}

fn check_id(item: &Object, path: &str, prefix: &str) -> Result<(), Refusal> {
    let path = format!("{path}.id");
    let id = match item.get("id") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(id)) => id,
        Some(other) => return Err(wrong_type(&path, "a string", other)),
    };
    short(id, &path)?;
    if !id.starts_with(prefix) {
        return Err(refuse(
            format!("Invalid '{path}': '{id}'. Expected an ID that begins with '{prefix}'."),
            &path,
            "invalid_value",
        ));
    }
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Err(refuse(
            format!(
                "Invalid '{path}': '{id}'. Expected an ID that contains letters, numbers, \
                 underscores, or dashes, but this value contained additional characters."
            ),
            &path,
            "invalid_value",
        ));
    }
    Ok(())
}

fn message(item: &Object, path: &str) -> Result<(), Refusal> {
    let role = text(item, path, "role")?;
    let content_path = format!("{path}.content");
    let content = item.get("content").ok_or_else(|| missing(&content_path))?;
    let supported: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        "user" | "developer" => &PARTS_OF_INPUT,
        _ => {
            let roles = ["assistant", "system", "developer", "user"];
            return Err(invalid_value(&format!("{path}.role"), role, &roles));
        }
    };
    let phase = item.get("phase").unwrap_or(&Value::Null);
    choice(phase, &format!("{path}.phase"), &["commentary", "final_answer"])?;
    parts::check(content, &content_path, supported)
}

fn reasoning(item: &Object, path: &str) -> Result<(), Refusal> {
    let summary_path = format!("{path}.summary");
    match item.get("summary") {
        None => return Err(missing(&summary_path)),
        Some(Value::Array(_)) => {}
        Some(other) => return Err(wrong_type(&summary_path, "an array of objects", other)),
    }
    parts::check(&item["summary"], &summary_path, &["summary_text"])?;
    match item.get("content") {
        None | Some(Value::Null) => Ok(()),
        Some(content) => parts::check(content, &format!("{path}.content"), &["reasoning_text"]),
    }
}

fn output(item: &Object, path: &str) -> Result<(), Refusal> {
    let path = format!("{path}.output");
    let output = item.get("output").ok_or_else(|| missing(&path))?;
    parts::check(output, &path, &PARTS_OF_INPUT)
}

fn web_search(item: &Object, path: &str) -> Result<(), Refusal> {
    let path = format!("{path}.action.type");
    match item.get("action").and_then(|action| action.get("type")) {
        None => Ok(()),
        Some(kind) => choice(kind, &path, &["search", "open_page", "find_in_page"]),
    }
}

/// What an item refers to: other items, files, reasoning that only the backend can read.
pub(super) fn look_up(input: &[Value], account: &Account, seal: &Seal) -> Result<(), Refusal> {
    for (index, item) in input.iter().enumerate() {
        let id = item["id"].as_str().unwrap_or_default();
        let sealed = item["encrypted_content"].as_str().unwrap_or_default();
        match item["type"].as_str() {
            Some("item_reference") => return Err(not_persisted(id)),
            Some("reasoning") if sealed.is_empty() && !id.is_empty() => {
                return Err(not_persisted(id));
            }
            Some("reasoning" | "compaction" | "context_compaction") if !sealed.is_empty() => {
                seal.check(&account.id, sealed).map_err(|why| unreadable(id, sealed, &why))?;
            }
            _ => {}
        }
        images::check(item, &format!("input[{index}]"))?;
    }
    Ok(())
}

fn not_persisted(id: &str) -> Refusal {
    Refusal::engine(
        404,
        format!(
            "Item with id '{id}' not found. Items are not persisted when `store` is set to false. \
             Try again with `store` set to true, or remove this item from your input."
        ),
        Some("input"),
        None,
    )
}

/// Items with an id are named by it, since mid-2026; the others by the ends of their content.
fn unreadable(id: &str, sealed: &str, why: &Broken) -> Refusal {
    let ends = |text: &str, tail: usize, dots: &str| {
        let head: String = text.chars().take(if dots == "...." { 6 } else { 4 }).collect();
        let skipped = text.chars().count().saturating_sub(tail);
        format!("{head}{dots}{}", text.chars().skip(skipped).collect::<String>())
    };
    let reason = match why {
        Broken::Unreadable => "Encrypted content could not be decrypted or parsed.",
        Broken::Foreign => {
            "Encrypted content organization_id did not match the target organization."
        }
    };
    let message = match (id, why) {
        ("", Broken::Unreadable) => {
            format!("The encrypted content {} could not be verified.", ends(sealed, 4, "..."))
        }
        ("", Broken::Foreign) => {
            let content = ends(sealed, 4, "...");
            format!("The encrypted content {content} could not be verified. Reason: {reason}")
        }
        (id, _) => {
            let id = ends(id, 3, "....");
            format!("The encrypted content for item {id} could not be verified. Reason: {reason}")
        }
    };
    Refusal::engine(400, message, None, Some("invalid_encrypted_content"))
}
