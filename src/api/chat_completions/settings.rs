//! The fields that say how the model is to answer.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    api::{
        Error,
        fields::{Members, one_of, read, take, take_raw},
    },
    config::{Profile, ReasoningFormat},
    protocol::{Object, Reasoning, raw},
    shaping::{EFFORTS, Ignored},
};

/// A field with one of a few words.
pub(super) fn choice(
    fields: &mut Object<'_>,
    name: &str,
    values: &[&str],
) -> Result<Option<String>, Error> {
    take_raw(fields, name).map(|json| one_of(name, &json, values)).transpose()
}

/// How much the model is to think, and how its thoughts are shown.
pub(super) struct Thought {
    pub(super) sent: Reasoning,
    pub(super) format: ReasoningFormat,
}

/// `reasoning_effort`, and what OpenRouter's clients send: a `reasoning` object and
/// `include_reasoning`. Chat has no field for the summary: the profile says whether there is one.
pub(super) fn reasoning(
    fields: &mut Object<'_>,
    profile: &Profile,
    ignored: &mut Ignored,
) -> Result<Thought, Error> {
    let mut effort = choice(fields, "reasoning_effort", &EFFORTS)?;
    let mut summary = None;
    let mut shown = take::<bool>(fields, "include_reasoning")?.unwrap_or(true);
    if let Some(json) = take_raw(fields, "reasoning") {
        let mut members: Object<'_> = read("reasoning", &json)?;
        let mut word = |name: &str, values: &[&str]| {
            take_raw(&mut members, name)
                .map(|json| one_of(&format!("reasoning.{name}"), &json, values))
                .transpose()
        };
        let theirs = word("effort", &EFFORTS)?;
        summary = word("summary", &["auto", "concise", "detailed", "none"])?;
        let mut flag = |name: &str| {
            take_raw(&mut members, name)
                .map(|json| read::<bool>(&format!("reasoning.{name}"), &json))
                .transpose()
        };
        shown &= flag("exclude")? != Some(true);
        let disabled = flag("enabled")? == Some(false);
        effort = effort.or(theirs).or(disabled.then(|| "none".to_owned()));
        for (name, json) in members.iter().filter(|(_, json)| json.get() != "null") {
            // A number of tokens to think has no like upstream.
            if name != "max_tokens" || read::<i64>("reasoning.max_tokens", json)? > 0 {
                ignored.drop(format!("reasoning.{name}"));
            }
        }
    }
    let format = if shown { profile.reasoning.format } else { ReasoningFormat::None };
    let summary = summary.unwrap_or_else(|| profile.reasoning.summary.clone());
    let summary = (format != ReasoningFormat::None && summary != "none").then_some(summary);
    Ok(Thought { sent: Reasoning { effort, summary, context: None }, format })
}

/// The backend knows `priority` alone, and the usual tier is what it gives anyway; the platform
/// knows them all.
pub(in crate::api) fn service_tier(
    fields: &mut Object<'_>,
    ignored: &mut Ignored,
    platform: bool,
) -> Result<Option<String>, Error> {
    const TIERS: [&str; 8] =
        ["auto", "default", "flex", "scale", "priority", "fast", "standard", "ultrafast"];
    Ok(match choice(fields, "service_tier", &TIERS)?.as_deref() {
        Some("priority" | "fast") => Some("priority".to_owned()),
        Some(tier @ ("flex" | "scale" | "ultrafast")) if platform => Some(tier.to_owned()),
        Some("flex" | "scale" | "ultrafast") => {
            ignored.drop("service_tier");
            None
        }
        _ => None,
    })
}

/// `response_format` as `text.format`; plain text needs none.
pub(super) fn response_format(format: &RawValue) -> Result<Option<Box<RawValue>>, Error> {
    #[derive(Deserialize)]
    struct Format<'a> {
        r#type: String,
        #[serde(borrow, default)]
        json_schema: Option<Members<Schema<'a>>>,
    }
    #[derive(Deserialize)]
    struct Schema<'a> {
        #[serde(default)]
        name: Option<String>,
        #[serde(borrow, default)]
        description: Option<&'a RawValue>,
        #[serde(borrow, default)]
        schema: Option<&'a RawValue>,
        #[serde(default)]
        strict: Option<bool>,
    }
    #[derive(Serialize)]
    struct Sent<'a> {
        r#type: &'a str,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a RawValue>,
        schema: &'a RawValue,
        strict: bool,
    }
    let Members(Format { r#type, json_schema }) = read("response_format", format)?;
    match r#type.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(raw(&serde_json::json!({"type": "json_object"})))),
        "json_schema" => {
            const AT: &str = "response_format.json_schema";
            let Some(Members(Schema { name, description, schema, strict })) = json_schema else {
                return Err(Error::missing(AT));
            };
            let Some(schema) = schema else { return Err(Error::missing(format!("{AT}.schema"))) };
            if !schema.get().starts_with('{') {
                return Err(Error::wrong_type(format!("{AT}.schema"), "an object"));
            }
            let name = schema_name(name.as_deref().unwrap_or_default());
            // Here leaving `strict` out means false, upstream it means true.
            let strict = strict.unwrap_or(false);
            Ok(Some(raw(&Sent { r#type: "json_schema", name, description, schema, strict })))
        }
        other => Err(Error::wrong_value(
            "response_format.type",
            format!("'{other}'. Supported values are: 'text', 'json_object' and 'json_schema'"),
        )),
    }
}

fn schema_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    match name {
        "" => "response".to_owned(),
        name => name.chars().take(64).map(plain).collect(),
    }
}
