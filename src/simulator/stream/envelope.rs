//! The `response` object that opens and closes a stream.

use serde_json::{Value, json};

use crate::simulator::cache::{self, Prompt};
use crate::simulator::engine::schema;
use crate::simulator::now;
use crate::simulator::script::Item;
use crate::simulator::turn::Turn;

/// The response as it starts. Instructions and tools are echoed whole, three times a stream.
pub(super) fn started(turn: &Turn<'_>, id: &str, created: u64) -> Value {
    let body = turn.body;
    let or = |value: &Value, default: Value| if value.is_null() { default } else { value.clone() };
    let verbosity = turn.model.map_or("medium", |model| &model.default_verbosity);
    let mut started = json!({
        "id": id,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": false,
        "completed_at": null,
        "error": null,
        "frequency_penalty": 0.0,
        "incomplete_details": null,
        "instructions": body["instructions"],
        "max_output_tokens": null,
        "max_tool_calls": null,
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": or(&body["parallel_tool_calls"], true.into()),
        "presence_penalty": 0.0,
        "previous_response_id": null,
        "prompt_cache_key":
            or(&body["prompt_cache_key"], uuid::Uuid::new_v4().to_string().into()),
        "prompt_cache_retention": null,
        "reasoning": { "effort": turn.effort(), "summary": body["reasoning"]["summary"] },
        "safety_identifier": turn.account.as_ref().map(|account| &account.user),
        // Not what was asked for, even with `priority`.
        "service_tier": "auto",
        "store": false,
        "temperature": 1.0,
        "text": {
            "format": or(&body["text"]["format"], json!({ "type": "text" })),
            "verbosity": or(&body["text"]["verbosity"], verbosity.into()),
        },
        "tool_choice": or(&body["tool_choice"], "auto".into()),
        "tool_usage": {
            "image_gen": {
                "input_tokens": 0,
                "input_tokens_details": { "image_tokens": 0, "text_tokens": 0 },
                "output_tokens": 0,
                "output_tokens_details": { "image_tokens": 0, "text_tokens": 0 },
                "total_tokens": 0,
            },
            "web_search": { "num_requests": 0 },
        },
        "tools": tools(&body["tools"]),
        "top_logprobs": 0,
        "top_p": 0.98,
        "truncation": "disabled",
        "usage": null,
        "user": null,
        "metadata": {},
    });
    if turn.platform {
        for name in REPEATED {
            if !body[name].is_null() {
                started[name] = body[name].clone();
            }
        }
    }
    started
}

/// What the platform repeats of a request, beside what the backend does.
const REPEATED: [&str; 9] = [
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "safety_identifier",
    "store",
    "temperature",
    "top_logprobs",
    "top_p",
    "user",
];

/// The response as it ends well.
pub(super) fn finished(mut started: Value, status: &str, output: Option<Value>) -> Value {
    started["status"] = status.into();
    if status == "completed" {
        started["completed_at"] = now().into();
    }
    match (output, started.as_object_mut()) {
        (Some(output), _) => started["output"] = output,
        (None, Some(fields)) => drop(fields.shift_remove("output")),
        (None, None) => {}
    }
    started
}

/// The response as it fails, which has far fewer fields.
pub(super) fn failed(id: &str, created: u64, code: &str, message: &str) -> Value {
    json!({
        "id": id,
        "object": "response",
        "created_at": created,
        "status": "failed",
        "background": false,
        "error": { "code": code, "message": message },
        "usage": null,
        "user": null,
        "metadata": {},
    })
}

pub(super) fn usage(prompt: Prompt, items: &[Item]) -> Value {
    let reasoning: usize = items.iter().map(thoughts).sum();
    let said: usize = items.iter().map(words).sum();
    json!({
        "input_tokens": prompt.tokens,
        "input_tokens_details": {
            "cache_write_tokens": prompt.written,
            "cached_tokens": prompt.cached,
        },
        "output_tokens": reasoning + said,
        "output_tokens_details": { "reasoning_tokens": reasoning },
        "total_tokens": prompt.tokens + reasoning + said,
    })
}

/// Reasoning is billed in steps of 64, and is longer than its summary.
fn thoughts(item: &Item) -> usize {
    match item {
        Item::Reasoning { summary } => cache::tokens(&summary.concat()).max(1).next_multiple_of(64),
        _ => 0,
    }
}

fn words(item: &Item) -> usize {
    match item {
        Item::Message { text, .. } | Item::Refusal(text) => cache::tokens(text),
        Item::ToolCall { name, arguments: said, .. }
        | Item::CustomToolCall { name, input: said, .. } => {
            cache::tokens(name) + cache::tokens(said)
        }
        Item::WebSearch { query } => cache::tokens(query),
        Item::Reasoning { .. } | Item::ImageGeneration | Item::Compaction => 0,
    }
}

/// The tools as the engine understood them, with `strict` filled in.
fn tools(tools: &Value) -> Vec<Value> {
    let understood = |tool: &Value| {
        let mut tool = tool.clone();
        if tool["type"] == "function" && tool["strict"].is_null() {
            let absent = tool.get("strict").is_none();
            tool["strict"] = absent.into();
            if absent {
                tool["parameters"] = schema::made_strict(&tool["parameters"]);
            }
        }
        tool
    };
    tools.as_array().into_iter().flatten().map(understood).collect()
}
