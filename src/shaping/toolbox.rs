//! The tools of the official client, for those who want them offered.

use serde_json::{json, value::RawValue};

use super::Ignored;
use crate::{
    config::{Profile, ToolSchemaMode},
    protocol::{Object, Request, raw},
};

/// The form of a patch: files that are added, deleted, or changed in places.
const PATCH_GRAMMAR: &str = r#"start: "*** Begin Patch" LF file+ "*** End Patch" LF?

file: "*** Add File: " PATH LF added+ -> add
    | "*** Delete File: " PATH LF -> delete
    | "*** Update File: " PATH LF ("*** Move to: " PATH LF)? place* -> update

added: "+" REST LF
place: "@@" REST LF line+ ("*** End of File" LF)?
line: ("+" | "-" | " ") REST LF

PATH: /[^\n]+/
REST: /[^\n]*/

%import common.LF
"#;

/// Applies `tool_schema_mode`, and writes out what is no more than named.
pub fn tools(request: &mut Request, profile: &Profile, ignored: &mut Ignored) {
    for tool in request.tools.iter_mut().flatten() {
        // Programs that leave the schema to the official client name its tool and nothing else.
        if has_type(tool, "shell_tool") {
            *tool = shell();
        }
    }
    match profile.tool_schema_mode {
        ToolSchemaMode::CustomOnly => {}
        ToolSchemaMode::MergeCustom => {
            let tools = request.tools.get_or_insert_default();
            let named: Vec<String> = tools.iter().filter_map(|tool| name(tool)).collect();
            // A tool of the client's of the same name is the one that it will run.
            let is_missing = |tool: &RawValue| name(tool).is_none_or(|name| !named.contains(&name));
            tools.extend(of_codex().into_iter().filter(|tool| is_missing(tool)));
        }
        ToolSchemaMode::CodexDefault => {
            if request.tools.replace(of_codex()).is_some_and(|tools| !tools.is_empty()) {
                ignored.drop("tools");
            }
            let choice = request.tool_choice.take_if(|choice| choice.get().starts_with('{'));
            if choice.is_some() {
                ignored.drop("tool_choice"); // It names a tool that is not offered.
            }
        }
    }
}

fn name(tool: &RawValue) -> Option<String> {
    let tool: Object<'_> = serde_json::from_str(tool.get()).ok()?;
    Some(tool.str("name")?.into_owned())
}

fn has_type(tool: &RawValue, kind: &str) -> bool {
    // Most tools are large, and none of them says the word.
    let tool = tool.get().contains(kind).then(|| serde_json::from_str::<Object<'_>>(tool.get()));
    tool.is_some_and(|tool| {
        tool.is_ok_and(|tool| tool.str("type").is_some_and(|told| told == kind))
    })
}

fn of_codex() -> Vec<Box<RawValue>> {
    let apply_patch = json!({
        "type": "custom",
        "name": "apply_patch",
        "description": "Changes files. The input is the patch itself, not JSON.",
        "format": {"type": "grammar", "syntax": "lark", "definition": PATCH_GRAMMAR},
    });
    vec![shell(), raw(&apply_patch)]
}

fn shell() -> Box<RawValue> {
    raw(&json!({
        "type": "function",
        "name": "shell",
        "description": "Runs a command in the user's project and gives its output.",
        "strict": false,
        "parameters": {
            "type": "object",
            "properties": {
                "command": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The program and its arguments.",
                },
                "workdir": {"type": "string", "description": "The folder to run it in."},
                "timeout_ms": {
                    "type": "number",
                    "description": "The milliseconds after which it is ended.",
                },
            },
            "required": ["command"],
            "additionalProperties": false,
        },
    }))
}
