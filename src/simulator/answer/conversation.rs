use serde_json::Value;

use super::words;
use crate::simulator::turn::Turn;

/// What matters of the conversation: the last thing the user said, and what came after it.
pub(super) struct Conversation {
    /// The user's own words, without what agents wrap around them.
    pub words: String,
    /// What tools returned since then.
    pub outputs: Vec<String>,
    /// The names of the tools that were called since then.
    pub called: Vec<String>,
    /// How many images came with the words.
    pub images: usize,
    /// The folder that the agent says it works in, if it says so.
    pub folder: Option<String>,
}

impl Conversation {
    pub(super) fn read(turn: &Turn<'_>) -> Self {
        let input = turn.input();
        let asked = input.iter().rposition(|item| item["role"] == "user");
        let since = asked.map_or(input, |at| &input[at + 1..]);
        let content = asked.map_or(&Value::Null, |at| &input[at]["content"]);
        let is_output =
            |item: &&Value| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output"));
        let parts = content.as_array().into_iter().flatten();
        Self {
            words: words(content),
            outputs: since.iter().filter(is_output).map(|item| text(&item["output"])).collect(),
            called: since
                .iter()
                .filter(|item| item["call_id"].is_string())
                .filter_map(|item| item["name"].as_str().map(str::to_owned))
                .collect(),
            images: parts.filter(|part| part["type"] == "input_image").count(),
            folder: folder(turn),
        }
    }

    /// What the tools returned, quoted so that one can see it was read.
    pub(super) fn report(&self) -> String {
        const LONGEST: usize = 200;
        let quote = |output: &String| {
            // Codex puts its own lines before what the command printed.
            let printed = output.split_once("Output:\n").map_or(output.as_str(), |(_, rest)| rest);
            words::shortened(printed.trim(), LONGEST)
        };
        match self.outputs.as_slice() {
            [only] => format!("The tool returned: {}", quote(only)),
            several => {
                let quotes: Vec<_> = several.iter().map(quote).collect();
                format!("The tools returned:\n- {}", quotes.join("\n- "))
            }
        }
    }
}

/// From what the agent tells beside the task, mostly before it.
fn folder(turn: &Turn<'_>) -> Option<String> {
    let told = turn.input().iter().filter(|item| item["role"].is_string());
    let told = told.map(|item| text(&item["content"]));
    std::iter::once(text(&turn.body["instructions"]))
        .chain(told)
        .find_map(|text| words::folder(&text))
}

/// The text of a string or of a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<_> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join("\n")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The user's words; where agents send long parts along, those of the last part.
fn words(content: &Value) -> String {
    const SHORT: usize = 400;
    let all = own_words(&text(content));
    let parts = content.as_array().into_iter().flatten().rev();
    let mut parts = parts.filter_map(|part| part["text"].as_str()).map(own_words);
    match parts.find(|part| !part.is_empty()) {
        Some(last) if all.len() > SHORT => last,
        _ => all,
    }
}

/// Some agents put the task into a tag and the state of the world beside it.
fn own_words(text: &str) -> String {
    let unwrapped = unquoted(text.trim());
    let text = unwrapped.as_str();
    for tag in ["task", "user_message", "user_query", "user_input"] {
        if let Some((_, rest)) = text.split_once(&format!("<{tag}>"))
            && let Some((inside, _)) = rest.split_once(&format!("</{tag}>"))
        {
            return inside.trim().to_owned();
        }
    }
    let mut text = text.to_owned();
    for tag in ["environment_details", "environment_context", "system-reminder"] {
        while let Some(start) = text.find(&format!("<{tag}>")) {
            let close = format!("</{tag}>");
            let end = text[start..].find(&close).map_or(text.len(), |at| start + at + close.len());
            text.replace_range(start..end, "");
        }
    }
    // The Codex CLI puts a picture between two tags that name its file.
    for tag in ["<image", "</image"] {
        while let Some(start) = text.find(tag) {
            let end = text[start..].find('>').map_or(text.len(), |at| start + at + 1);
            text.replace_range(start..end, "");
        }
    }
    text.trim().to_owned()
}

/// Some command lines put what they were given between quotes, and a backslash before each quote
/// in it.
fn unquoted(text: &str) -> String {
    let inside = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        Some(inside) if !inside.replace("\\\"", "").contains('"') => inside.replace("\\\"", "\""),
        _ => text.to_owned(),
    }
}
