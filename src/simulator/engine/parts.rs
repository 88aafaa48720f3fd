//! Content: a string, or a list of parts.

use serde_json::Value;

use super::wording::{
    choice, invalid_value, known_keys, missing, object, refuse, text, wrong_type,
};
use crate::simulator::reply::Refusal;

pub(super) fn check(content: &Value, path: &str, supported: &[&str]) -> Result<(), Refusal> {
    let parts = match content {
        Value::String(_) => return Ok(()),
        Value::Array(parts) => parts,
        other => {
            return Err(wrong_type(path, "one of an array of objects or string", other));
        }
    };
    for (index, part) in parts.iter().enumerate() {
        check_part(part, &format!("{path}[{index}]"), supported)?;
    }
    Ok(())
}

fn check_part(part: &Value, path: &str, supported: &[&str]) -> Result<(), Refusal> {
    let part = object(part, path)?;
    let kind = text(part, path, "type")?;
    if !supported.contains(&kind) {
        return Err(invalid_value(path, kind, supported));
    }
    if part.contains_key("prompt_cache_breakpoint") {
        return Err(refuse(
            "prompt_cache_breakpoint is not supported on this model",
            &format!("{path}.prompt_cache_breakpoint"),
            "unsupported_parameter",
        ));
    }
    let known: &[&str] = match kind {
        "output_text" => &["type", "text", "annotations", "logprobs"],
        "refusal" => &["type", "refusal"],
        "input_image" => &["type", "image_url", "file_id", "detail"],
        "input_file" => &["type", "filename", "file_data", "file_id", "file_url", "detail"],
        _ => &["type", "text"],
    };
    known_keys(part, path, known)?;
    match kind {
        "refusal" => text(part, path, "refusal").map(drop),
        "input_image" => {
            if !["image_url", "file_id"].iter().any(|key| part.contains_key(*key)) {
                return Err(missing(&format!("{path}.image_url")));
            }
            let detail = part.get("detail").unwrap_or(&Value::Null);
            choice(detail, &format!("{path}.detail"), &["low", "high", "auto", "original"])
        }
        "input_file" => {
            match ["file_data", "file_id", "file_url"].iter().any(|key| part.contains_key(*key)) {
                true => Ok(()),
                false => Err(missing(&format!("{path}.file_data"))),
            }
        }
        _ => text(part, path, "text").map(drop),
    }
}
