//! A call with arguments that fit.

use serde_json::{Value, json};

use super::conversation::Conversation;
use super::instance::Maker;
use super::offered::{Input, Tool};
use super::words;
use crate::simulator::script::Item;

const COMMAND: [&str; 6] = ["command", "cmd", "commands", "script", "input", "code"];
const PATH: [&str; 7] =
    ["path", "file_path", "filepath", "filename", "file_name", "file", "target_file"];
const CONTENT: [&str; 6] = ["content", "contents", "file_text", "new_text", "text", "data"];
const PLACE: [&str; 7] = ["city", "location", "place", "town", "destination", "country", "region"];
const RESULT: [&str; 6] = ["result", "answer", "final_answer", "message", "summary", "output"];

/// Calls the tool; `round` counts the calls of the same tool, each with the next place.
pub(super) fn make(tool: &Tool, conversation: &Conversation, round: usize) -> Item {
    let said = &conversation.words;
    match &tool.input {
        Input::Text => custom(tool, said),
        Input::Json(schema) => {
            let mut maker = Maker::new(schema, conversation);
            if tool.runs_commands() {
                let command = words::command(said);
                let list = json!(["bash", "-lc", command]);
                maker.know(&COMMAND, command.into());
                // `commands` are commands, `command` as a list is the words of one.
                maker.know(&["command", "cmd"], list);
            } else if tool.writes_files() || words::wants_file(said) {
                maker.know(&["command"], "create".into());
                maker.know(&CONTENT, words::file_content(said).into());
            }
            if let Some(name) = words::file_name(said) {
                maker.know(&PATH, path(name, schema, conversation).into());
            }
            let mut places = words::places(said);
            if !places.is_empty() {
                let place = places.swap_remove(round % places.len());
                maker.know(&PLACE, place.into());
            }
            function(tool, &maker.make())
        }
    }
}

/// The file's name, in the agent's folder where the tool says that it wants the whole path.
fn path(name: String, schema: &Value, conversation: &Conversation) -> String {
    let wants_all = super::fields(&schema["properties"]).any(|(key, property)| {
        let told = property["description"].as_str().unwrap_or_default();
        PATH.contains(&key.as_str()) && told.to_ascii_lowercase().contains("absolute")
    });
    match &conversation.folder {
        Some(folder) if wants_all && !name.starts_with(['/', '~']) => format!("{folder}/{name}"),
        _ => name,
    }
}

/// Calls a tool that ends an agent's run.
pub(super) fn finish(tool: &Tool, conversation: &Conversation, text: &str) -> Item {
    match &tool.input {
        Input::Text => custom(tool, text),
        Input::Json(schema) => {
            let mut maker = Maker::new(schema, conversation);
            maker.know(&RESULT, text.into());
            function(tool, &maker.make())
        }
    }
}

/// Whether the tool asks where.
pub(super) fn takes_place(tool: &Tool) -> bool {
    match &tool.input {
        Input::Text => false,
        Input::Json(schema) => {
            super::fields(&schema["properties"]).any(|(name, _)| PLACE.contains(&name.as_str()))
        }
    }
}

fn function(tool: &Tool, arguments: &Value) -> Item {
    Item::ToolCall {
        namespace: tool.namespace.clone(),
        name: tool.name.clone(),
        arguments: arguments.to_string(),
    }
}

fn custom(tool: &Tool, said: &str) -> Item {
    let input = match tool.name.as_str() {
        "apply_patch" => patch(said),
        "exec" => javascript(said),
        _ => words::quoted(said).pop().map_or_else(|| said.to_owned(), |(_, quote)| quote),
    };
    Item::CustomToolCall { namespace: tool.namespace.clone(), name: tool.name.clone(), input }
}

fn patch(said: &str) -> String {
    let name = words::file_name(said).unwrap_or_else(|| "hello.txt".to_owned());
    let content: String =
        words::file_content(said).lines().map(|line| format!("+{line}\n")).collect();
    format!("*** Begin Patch\n*** Add File: {name}\n{content}*** End Patch\n")
}

/// In code mode the other tools are functions of `tools`, and `text` adds to the output.
fn javascript(said: &str) -> String {
    match words::wants_file(said) || words::wants_command(said) {
        true => {
            let command = Value::from(words::command(said));
            format!(
                "const result = await tools.exec_command({{ cmd: {command} }});\n\
                 text(result.output ?? JSON.stringify(result));\n"
            )
        }
        false => "text(\"hello from the simulator\");\n".to_owned(),
    }
}
