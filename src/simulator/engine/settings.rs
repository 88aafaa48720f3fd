//! The fields beside `input` and `tools`.

use serde_json::Value;

use super::schema::{self, Place};
use super::wording::{
    Object, choice, invalid_value, known_keys, missing, name, object, short, text,
    unsupported_value, wrong_type,
};
use crate::simulator::catalog::Model;
use crate::simulator::reply::Refusal;

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const VERBOSITIES: [&str; 3] = ["low", "medium", "high"];
const INCLUDES: [&str; 8] = [
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
];

pub(super) fn check(body: &Value, model: &Model) -> Result<(), Refusal> {
    match &body["parallel_tool_calls"] {
        Value::Null | Value::Bool(_) => {}
        other => return Err(wrong_type("parallel_tool_calls", "a boolean", other)),
    }
    match &body["prompt_cache_key"] {
        Value::Null => {}
        Value::String(key) => short(key, "prompt_cache_key")?,
        other => return Err(wrong_type("prompt_cache_key", "a string", other)),
    }
    match &body["client_metadata"] {
        Value::Null => {}
        metadata => drop(object(metadata, "client_metadata")?),
    }
    include(&body["include"])?;
    match &body["reasoning"] {
        Value::Null => {}
        reasoning_asked => reasoning(object(reasoning_asked, "reasoning")?, model)?,
    }
    match &body["text"] {
        Value::Null => Ok(()),
        text_asked => text_settings(object(text_asked, "text")?, model, body),
    }
}

fn include(include: &Value) -> Result<(), Refusal> {
    let names = match include {
        Value::Null => return Ok(()),
        Value::Array(names) => names,
        other => return Err(wrong_type("include", "an array of strings", other)),
    };
    names.iter().enumerate().try_for_each(|(index, name)| match name {
        Value::Null => Err(wrong_type(&format!("include[{index}]"), "a string", name)),
        name => choice(name, &format!("include[{index}]"), &INCLUDES),
    })
}

fn reasoning(reasoning: &Object, model: &Model) -> Result<(), Refusal> {
    known_keys(reasoning, "reasoning", &["effort", "summary", "context"])?;
    let asked = |key: &str| reasoning.get(key).unwrap_or(&Value::Null);
    let effort = asked("effort");
    choice(effort, "reasoning.effort", &EFFORTS)?;
    let supported: Vec<_> = model.efforts.iter().map(String::as_str).collect();
    if let Some(effort) = effort.as_str().filter(|effort| !supported.contains(effort)) {
        return Err(unsupported_value("reasoning.effort", effort, &model.slug, &supported));
    }
    choice(asked("summary"), "reasoning.summary", &["concise", "detailed", "auto"])?;
    choice(asked("context"), "reasoning.context", &["auto", "current_turn", "all_turns"])?;
    Ok(())
}

fn text_settings(asked: &Object, model: &Model, body: &Value) -> Result<(), Refusal> {
    known_keys(asked, "text", &["verbosity", "format"])?;
    let verbosity = asked.get("verbosity").unwrap_or(&Value::Null);
    choice(verbosity, "text.verbosity", &VERBOSITIES)?;
    if let Some(verbosity) = verbosity.as_str().filter(|&v| !model.verbosity && v != "medium") {
        return Err(unsupported_value("text.verbosity", verbosity, &model.slug, &["medium"]));
    }
    match asked.get("format") {
        None | Some(Value::Null) => Ok(()),
        Some(asked) => format(object(asked, "text.format")?, body),
    }
}

fn format(format: &Object, body: &Value) -> Result<(), Refusal> {
    const PATH: &str = "text.format";
    match text(format, PATH, "type")? {
        "text" => known_keys(format, PATH, &["type"]),
        "json_object" => {
            known_keys(format, PATH, &["type"])?;
            says_json(body)
        }
        "json_schema" => {
            let title = text(format, PATH, "name")?;
            name(title, "text.format.name")?;
            let keys = ["type", "name", "description", "schema", "strict"];
            known_keys(format, PATH, &keys)?;
            let param = "text.format.schema".to_owned();
            let schema = format.get("schema").ok_or_else(|| missing(&param))?;
            let subject = format!("response_format '{title}'");
            let place = Place { subject, param, code: "invalid_json_schema" };
            schema::check(schema, &place, format.get("strict") == Some(&Value::Bool(true)))
        }
        other => {
            let formats = ["json_object", "json_schema", "text"];
            Err(invalid_value("text.format.type", other, &formats))
        }
    }
}

/// The word has to be in a message: `instructions` do not count.
fn says_json(body: &Value) -> Result<(), Refusal> {
    let says =
        |text: &Value| text.as_str().is_some_and(|text| text.to_lowercase().contains("json"));
    let mut messages = body["input"].as_array().into_iter().flatten();
    let said = messages.any(|item| {
        let mut parts = item["content"].as_array().into_iter().flatten();
        says(&item["content"]) || parts.any(|part| says(&part["text"]))
    });
    match said {
        true => Ok(()),
        false => Err(Refusal::engine(
            400,
            "Response input messages must contain the word 'json' in some form to use \
             'text.format' of type 'json_object'.",
            Some("input"),
            None,
        )),
    }
}
