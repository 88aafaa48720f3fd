//! The tools that a turn may call.

use serde_json::Value;

use crate::simulator::engine::schema;
use crate::simulator::turn::Turn;

pub(super) struct Tools {
    pub functions: Vec<Tool>,
    pub web_search: bool,
    pub image_generation: bool,
}

pub(super) struct Tool {
    pub namespace: Option<String>,
    pub name: String,
    pub description: String,
    pub input: Input,
}

pub(super) enum Input {
    /// Arguments for this schema.
    Json(Value),
    /// Text, in the grammar of the tool.
    Text,
}

impl Tools {
    /// From `tools`, and from items that bring tools along.
    pub(super) fn read(turn: &Turn<'_>) -> Self {
        let mut tools = Self { functions: Vec::new(), web_search: false, image_generation: false };
        tools.add(&turn.body["tools"], None);
        for item in turn.input() {
            tools.add(&item["tools"], None);
        }
        tools
    }

    fn add(&mut self, list: &Value, namespace: Option<&str>) {
        for tool in list.as_array().into_iter().flatten() {
            let text = |key: &str| tool[key].as_str().unwrap_or_default().to_owned();
            let input = match tool["type"].as_str() {
                Some("function") if tool.get("strict").is_none() => {
                    Input::Json(schema::made_strict(&tool["parameters"]))
                }
                Some("function") => Input::Json(tool["parameters"].clone()),
                Some("custom") => Input::Text,
                Some("namespace") => {
                    self.add(&tool["tools"], tool["name"].as_str());
                    continue;
                }
                hosted => {
                    self.web_search |= hosted == Some("web_search");
                    self.image_generation |= hosted == Some("image_generation");
                    continue;
                }
            };
            self.functions.push(Tool {
                namespace: namespace.map(str::to_owned),
                name: text("name"),
                description: text("description"),
                input,
            });
        }
    }
}

impl Tool {
    /// The name in lower case, words apart by `_`.
    pub(super) fn plain_name(&self) -> String {
        let mut plain = String::new();
        for c in self.name.chars() {
            if c.is_ascii_uppercase() && plain.ends_with(|c: char| c.is_ascii_lowercase()) {
                plain.push('_');
            }
            plain.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
        }
        plain
    }

    pub(super) fn runs_commands(&self) -> bool {
        const NAMES: [&str; 16] = [
            "shell",
            "local_shell",
            "exec_command",
            "bash",
            "sh",
            "run_command",
            "run_commands",
            "shell_command",
            "run_shell_command",
            "terminal",
            "execute",
            "execute_command",
            "run_terminal_cmd",
            "run_in_terminal",
            "execute_bash",
            "run_terminal_command",
        ];
        NAMES.contains(&self.plain_name().as_str())
    }

    pub(super) fn writes_files(&self) -> bool {
        const NAMES: [&str; 9] = [
            "write",
            "write_file",
            "create_file",
            "create_new_file",
            "write_to_file",
            "save_file",
            "file_editor",
            "editor",
            "str_replace_editor",
        ];
        NAMES.contains(&self.plain_name().as_str())
    }

    /// Tools by which an agent says that it is done.
    pub(super) fn finishes(&self) -> bool {
        ["attempt_completion", "final_answer", "finish", "task_complete"]
            .contains(&self.plain_name().as_str())
    }
}

/// `tool_choice`, read.
pub(super) enum Choice {
    Auto,
    None,
    Required,
    Named(String),
    /// A hosted tool, by its type.
    Hosted(String),
    Allowed {
        required: bool,
        names: Vec<String>,
    },
}

impl Choice {
    pub(super) fn read(body: &Value) -> Self {
        let choice = &body["tool_choice"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match (choice.as_str(), choice["type"].as_str()) {
            (Some("none"), _) => Self::None,
            (Some("required"), _) => Self::Required,
            (_, Some("function" | "custom")) => Self::Named(text(&choice["name"])),
            (_, Some("allowed_tools")) => {
                let tools = choice["tools"].as_array().into_iter().flatten();
                let names = tools.map(|tool| text(&tool["name"])).collect();
                Self::Allowed { required: choice["mode"] == "required", names }
            }
            (_, Some(hosted)) => Self::Hosted(hosted.to_owned()),
            _ => Self::Auto,
        }
    }

    pub(super) fn allows(&self, tool: &Tool) -> bool {
        match self {
            Self::None | Self::Hosted(_) => false,
            Self::Auto | Self::Required => true,
            Self::Named(name) => *name == tool.name,
            Self::Allowed { names, .. } => names.contains(&tool.name),
        }
    }

    pub(super) fn forces(&self) -> bool {
        matches!(self, Self::Required | Self::Named(_) | Self::Allowed { required: true, .. })
    }
}
