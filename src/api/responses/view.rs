//! The `response` object as its client sees it: the upstream's, with the client's own request in it.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{json, value::RawValue};

use crate::protocol::{Object, Usage, from_json, on_one_line, raw, raw_str, unix_now};

/// The fields of a request that are found again in the answer.
pub(super) const ECHOED: [&str; 25] = [
    "background",
    "conversation",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "frequency_penalty",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "service_tier",
];

/// Those of which the upstream knows the rest, or better.
const MERGED: [&str; 3] = ["reasoning", "text", "service_tier"];

/// Members that are always the same.
type Members<const N: usize> = LazyLock<[(&'static str, &'static RawValue); N]>;

/// What the upstream may leave out.
static WHERE_MISSING: Members<5> = LazyLock::new(|| {
    [
        ("object", r#""response""#),
        ("completed_at", "null"),
        ("error", "null"),
        ("incomplete_details", "null"),
        ("service_tier", r#""default""#),
    ]
    .map(constant)
});

/// What OpenAI's platform would say of a request that does not ask. The upstream's own word for it
/// (its cache key, its safety identifier) is about codexway's request, not the client's.
static UNLESS_ASKED: Members<19> = LazyLock::new(|| {
    [
        ("background", "false"),
        ("instructions", "null"),
        ("max_output_tokens", "null"),
        ("max_tool_calls", "null"),
        ("metadata", "{}"),
        ("parallel_tool_calls", "true"),
        ("presence_penalty", "0.0"),
        ("frequency_penalty", "0.0"),
        ("previous_response_id", "null"),
        ("prompt_cache_key", "null"),
        ("prompt_cache_retention", "null"),
        ("safety_identifier", "null"),
        ("store", "true"),
        ("temperature", "1.0"),
        ("tool_choice", r#""auto""#),
        ("top_logprobs", "0"),
        ("top_p", "1.0"),
        ("truncation", r#""disabled""#),
        ("tools", "[]"),
    ]
    .map(constant)
});

/// What every reasoning has.
static REASONING: Members<2> =
    LazyLock::new(|| [("effort", "null"), ("summary", "null")].map(constant));

/// What every text has.
static TEXT: Members<1> = LazyLock::new(|| [("format", r#"{"type":"text"}"#)].map(constant));

/// What the client asked for, to be laid over what the upstream says was asked.
#[derive(Debug, Default)]
pub(super) struct View {
    echoed: Vec<(&'static str, Box<RawValue>)>,
    /// Its tools stand in its input, so the upstream's list is the better one.
    lite: bool,
}

impl View {
    pub(super) fn new(echoed: Vec<(&'static str, Box<RawValue>)>, lite: bool) -> Self {
        let echoed = echoed
            .into_iter()
            .map(|(name, value)| match name {
                "tools" => (name, full_tools(value)),
                "conversation" if raw_str(&value).is_some() => (name, raw(&json!({"id": value}))),
                _ => (name, value),
            })
            .map(|(name, value)| (name, on_one_line(value)))
            .collect();
        Self { echoed, lite }
    }

    /// Lays the client's view over the upstream's `response`, which may lack anything.
    pub(super) fn apply<'a>(&'a self, response: &mut Object<'a>) {
        response.set_default("created_at", || raw(&unix_now()));
        for (name, value) in *WHERE_MISSING {
            if !response.has(name) {
                response.set_borrowed(name, value);
            }
        }
        for (name, value) in *UNLESS_ASKED {
            if name != "tools" || !self.lite {
                response.set_borrowed(name, value);
            }
        }
        response.remove("user");
        for (name, value) in &self.echoed {
            if !MERGED.contains(name) {
                response.set_borrowed(name, value);
            }
        }
        self.merge(response, "reasoning", &*REASONING);
        self.merge(response, "text", &*TEXT);
    }

    /// An object of which the client may have given a part: its part wins, and the upstream, which
    /// knows what it chose for the rest, comes before the default.
    fn merge(
        &self,
        response: &mut Object<'_>,
        name: &'static str,
        defaults: &[(&'static str, &'static RawValue)],
    ) {
        let mut merged = response.get(name).and_then(object).unwrap_or_default();
        let asked = self.echoed.iter().find(|(echoed, _)| *echoed == name);
        merged.overlay(asked.and_then(|(_, json)| object(json)).unwrap_or_default());
        for (key, value) in defaults {
            if merged.lacks(key) {
                merged.set_borrowed(key, value);
            }
        }
        if let Some(format) = merged.get("format").and_then(full_format) {
            merged.set("format", format);
        }
        let merged = raw(&merged);
        response.set(name, merged);
    }
}

fn object(json: &RawValue) -> Option<Object<'_>> {
    from_json(json.get()).ok()
}

/// A format that is a schema, with all its keys; `None` where it is none, or has them.
fn full_format(format: &RawValue) -> Option<Box<RawValue>> {
    let mut format = object(format)?;
    let is_full = format.has("description") && format.has("strict");
    if is_full || format.str("type").as_deref() != Some("json_schema") {
        return None;
    }
    format.set_default("description", || raw(&()));
    format.set_default("strict", || raw(&false));
    Some(raw(&format))
}

fn constant((name, json): (&'static str, &'static str)) -> (&'static str, &'static RawValue) {
    (name, serde_json::from_str(json).expect("the tables above hold JSON"))
}

/// Function tools with all the keys that the answer's schema asks for.
fn full_tools(tools: Box<RawValue>) -> Box<RawValue> {
    let Ok(list) = serde_json::from_str::<Vec<Object<'_>>>(tools.get()) else { return tools };
    let full = |mut tool: Object<'static>| {
        if tool.str("type").as_deref() == Some("function") {
            tool.set_default("description", || raw(&()));
            tool.set_default("parameters", || raw(&()));
            tool.set_default("strict", || raw(&true));
        }
        tool
    };
    let list: Vec<Object<'static>> = list.into_iter().map(Object::into_owned).map(full).collect();
    raw(&list)
}

/// An object that stands for a response of that model of which nothing was heard.
pub(super) fn unheard(model: &str) -> Object<'static> {
    let mut response = Object::default();
    response.set("id", raw(&format!("resp_{}", uuid::Uuid::new_v4().simple())));
    response.set("object", raw("response"));
    response.set("created_at", raw(&unix_now()));
    response.set("model", raw(model));
    response
}

#[derive(Serialize)]
struct Zeros {
    input_tokens: u64,
    input_tokens_details: Cached,
    output_tokens: u64,
    output_tokens_details: Reasoned,
    total_tokens: u64,
}

#[derive(Serialize)]
struct Cached {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct Reasoned {
    reasoning_tokens: u64,
}

/// The usage with the members that some upstreams leave out; `None` where nothing is missing.
pub(super) fn full_usage(usage: &RawValue) -> Option<Box<RawValue>> {
    let mut told: Object<'_> = serde_json::from_str(usage.get()).ok()?;
    let counts: Usage = from_json(usage.get()).unwrap_or_default();
    let mut is_full = true;
    for (name, count) in [
        ("input_tokens", counts.input_tokens),
        ("output_tokens", counts.output_tokens),
        ("total_tokens", counts.total_tokens),
    ] {
        if told.lacks(name) {
            told.set(name, raw(&count));
            is_full = false;
        }
    }
    for (name, members) in [
        ("input_tokens_details", ["cached_tokens", "cache_write_tokens"].as_slice()),
        ("output_tokens_details", &["reasoning_tokens"]),
    ] {
        if let Some(details) = full_details(told.get(name), members) {
            told.set(name, details);
            is_full = false;
        }
    }
    (!is_full).then(|| raw(&told))
}

/// The details with all `members`; `None` where none is missing.
fn full_details(details: Option<&RawValue>, members: &[&'static str]) -> Option<Box<RawValue>> {
    let told = details.and_then(|details| serde_json::from_str::<Object<'_>>(details.get()).ok());
    let mut told = told.unwrap_or_default();
    let missing: Vec<&str> = members.iter().copied().filter(|name| told.lacks(name)).collect();
    if missing.is_empty() {
        return None;
    }
    for name in missing {
        told.set(name, raw(&0));
    }
    Some(raw(&told))
}

/// The usage of a turn that tells none: readers of the last event insist on an object.
pub(super) fn no_usage() -> Box<RawValue> {
    raw(&Zeros {
        input_tokens: 0,
        input_tokens_details: Cached { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 0,
        output_tokens_details: Reasoned { reasoning_tokens: 0 },
        total_tokens: 0,
    })
}
