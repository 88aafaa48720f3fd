//! Calls that are nearly right, made right. What is not nearly right stays as it is.

use super::lenient;

/// The offered tool that `name` stands for, if it is not one itself: written in another case or
/// with other separators, or behind the namespace that models put before it.
pub(super) fn name(name: &str, tools: &[String]) -> Option<String> {
    if tools.iter().any(|tool| tool == name) {
        return None;
    }
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let last = name.rsplit(['.', '/', ':']).next().unwrap_or(name);
    for wanted in [plain(name), plain(last)] {
        let mut like = tools.iter().filter(|tool| plain(tool) == wanted);
        if let (Some(only), None) = (like.next(), like.next()) {
            return Some(only.clone());
        }
    }
    None
}

/// The arguments as JSON; what cannot be read even with goodwill is passed on as it is, since its
/// client can tell the model so.
pub(super) fn arguments(text: &str) -> String {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return "{}".to_owned();
    }
    if serde_json::from_str::<&serde_json::value::RawValue>(trimmed).is_ok() {
        return text.to_owned();
    }
    match lenient::object(trimmed) {
        Some(object) => object.to_string(),
        None => text.to_owned(),
    }
}
