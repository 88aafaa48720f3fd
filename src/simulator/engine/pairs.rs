//! Every tool call needs its output, and every output its call.

use serde_json::Value;

use crate::simulator::reply::Refusal;

/// The type of a call, of its output, and what the sentence calls it.
const PAIRS: [(&str, &str, &str); 4] = [
    ("function_call", "function_call_output", "function call"),
    ("custom_tool_call", "custom_tool_call_output", "custom tool call"),
    ("local_shell_call", "local_shell_call_output", "local shell call"),
    ("tool_search_call", "tool_search_output", "tool search call"),
];

pub(super) fn check(input: &[Value]) -> Result<(), Refusal> {
    for (index, item) in input.iter().enumerate() {
        // Hosted tool searches have no call id, and bring their output along.
        let Some(call_id) = item["call_id"].as_str() else { continue };
        let (before, after) = input.split_at(index);
        let among = |items: &[Value], kind: &str| {
            items.iter().any(|item| item["type"] == kind && item["call_id"] == call_id)
        };
        for (call, output, words) in PAIRS {
            if item["type"] == call && !among(after, output) {
                return Err(unpaired(format!("No tool output found for {words} {call_id}.")));
            }
            if item["type"] == output && !among(before, call) {
                return Err(unpaired(format!(
                    "No tool call found for {words} output with call_id {call_id}."
                )));
            }
        }
    }
    Ok(())
}

fn unpaired(message: String) -> Refusal {
    Refusal::engine(400, message, Some("input"), None)
}
