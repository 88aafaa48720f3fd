//! Whose instructions the model gets, and what it is told of the machine.
//!
//! What the client wrote is moved, never rewritten.

use std::fmt::Write;

use serde_json::value::RawValue;

use crate::{
    config::{Profile, PromptMode},
    protocol::{Item, Object, Request, raw, raw_str},
};

/// The base prompt where the user names no other.
pub const BASE_PROMPT: &str = include_str!("base_prompt.txt");

/// What a client says of the machine it works on: the name of the element and its text.
pub type Environment = Vec<(&'static str, String)>;

/// Applies `prompt_mode` and `include_environment_context`.
pub fn prompt(request: &mut Request, profile: &Profile, base: &str, environment: &Environment) {
    if profile.include_environment_context {
        let context = Item::message("user", "input_text", &raw(&context(environment)));
        let at = first_of_user(&request.input);
        request.input.insert(at.unwrap_or(request.input.len()), context);
    }
    match profile.prompt() {
        PromptMode::CustomOnly => {}
        PromptMode::MergeCustom => {
            let theirs = request.instructions.take().as_deref().and_then(text);
            let both = theirs.map_or_else(|| base.to_owned(), |text| format!("{base}\n\n{text}"));
            request.instructions = Some(raw(&both));
        }
        PromptMode::CodexDefault => {
            let theirs = request.instructions.replace(raw(base));
            let theirs = theirs.as_deref().and_then(text);
            move_to_user(&mut request.input, theirs);
        }
    }
}

fn text(instructions: &RawValue) -> Option<String> {
    raw_str(instructions).filter(|text| !text.is_empty()).map(std::borrow::Cow::into_owned)
}

/// Puts the instructions, and what developers say before the user's first words, in front of those
/// words.
fn move_to_user(input: &mut Vec<Item>, instructions: Option<String>) {
    let mut parts: Vec<Box<RawValue>> = Vec::new();
    if let Some(text) = instructions {
        let mut part = Object::default();
        part.set("type", raw("input_text"));
        part.set("text", raw(&text));
        parts.push(raw(&part));
    }
    let head = first_of_user(input).unwrap_or(input.len());
    let before: Vec<Item> = input.drain(..head).collect();
    let mut kept = Vec::with_capacity(before.len());
    for item in before {
        match item.role().as_deref() {
            Some("developer") => parts.extend(item.parts::<Box<RawValue>>()),
            _ => kept.push(item),
        }
    }
    let at = kept.len();
    input.splice(..0, kept);
    if parts.is_empty() {
        return;
    }
    let mut message = Object::default();
    if let Some(first) = input.get(at) {
        parts.extend(first.parts::<Box<RawValue>>());
        message = first.members().unwrap_or_default().into_owned();
        input.remove(at);
    }
    message.set_default("type", || raw("message"));
    message.set_default("role", || raw("user"));
    message.set("content", raw(&parts));
    input.insert(at, Item::new(&message));
}

fn first_of_user(input: &[Item]) -> Option<usize> {
    input.iter().position(|item| item.role().as_deref() == Some("user"))
}

/// What is known of the machine. codexway runs nothing itself, so what the client does not say is
/// what an agent has to expect of one that cannot be asked.
fn context(environment: &Environment) -> String {
    const USUAL: [(&str, &str); 3] = [
        ("approval_policy", "never"),
        ("sandbox_mode", "read-only"),
        ("network_access", "restricted"),
    ];
    let mut text = "<environment_context>\n".to_owned();
    let mut element = |name: &str, value: &str| {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        // A String takes whatever is written to it.
        let _ = writeln!(text, "  <{name}>{value}</{name}>");
    };
    for (name, value) in environment {
        element(name, value);
    }
    for (name, value) in USUAL {
        if environment.iter().all(|(told, _)| *told != name) {
            element(name, value);
        }
    }
    text.push_str("</environment_context>");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn profile(mode: PromptMode) -> Profile {
        let loaded = crate::config::load(&crate::config::Sources::default()).unwrap();
        let profile = loaded.settings.profiles["codex"].clone();
        Profile { prompt_mode: Some(mode), ..profile }
    }

    fn shaped(mode: PromptMode, instructions: &str, input: &[Value]) -> (Value, Vec<Value>) {
        let mut request = Request {
            instructions: Some(raw(instructions)),
            input: input.iter().map(Item::new).collect(),
            ..Request::default()
        };
        prompt(&mut request, &profile(mode), "base", &Vec::new());
        let value = |json: &RawValue| serde_json::from_str(json.get()).unwrap();
        let input = request.input.iter().map(|item| value(item.json())).collect();
        (value(&request.instructions.unwrap()), input)
    }

    fn message(role: &str, texts: &[&str]) -> Value {
        let parts: Vec<Value> =
            texts.iter().map(|text| json!({"type": "input_text", "text": text})).collect();
        json!({"type": "message", "role": role, "content": parts})
    }

    #[test]
    fn the_client_s_words_stay_whole_wherever_they_go() {
        let input = [
            json!({"type": "additional_tools", "tools": []}),
            message("developer", &["größer 🦀"]),
            message("user", &["hi"]),
            message("developer", &["later"]),
        ];
        let (instructions, same) = shaped(PromptMode::CustomOnly, "be brief", &input);
        assert_eq!((instructions, same), (json!("be brief"), input.to_vec()));

        let (instructions, same) = shaped(PromptMode::MergeCustom, "be brief", &input);
        assert_eq!((instructions, same), (json!("base\n\nbe brief"), input.to_vec()));

        let (instructions, moved) = shaped(PromptMode::CodexDefault, "be brief", &input);
        assert_eq!(instructions, json!("base"));
        let first = message("user", &["be brief", "größer 🦀", "hi"]);
        assert_eq!(moved, [input[0].clone(), first, input[3].clone()]);
    }

    #[test]
    fn without_a_user_the_client_s_words_are_a_message_of_their_own() {
        let (_, moved) =
            shaped(PromptMode::CodexDefault, "", &[message("developer", &["be brief"])]);
        assert_eq!(moved, [message("user", &["be brief"])]);
    }
}
