//! The fields that say how the model is to answer.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    api::{
        Error,
        fields::{one_of, read, take_raw},
    },
    config::{Profile, ReasoningFormat},
    protocol::{Object, raw},
    shaping::Ignored,
};

/// A field with one of a few words.
pub(super) fn choice(
    fields: &mut Object<'_>,
    name: &str,
    values: &[&str],
) -> Result<Option<String>, Error> {
    take_raw(fields, name).map(|json| one_of(name, &json, values)).transpose()
}

/// Chat has no field for it: the profile says whether reasoning is shown, and how.
pub(super) fn summary(profile: &Profile) -> Option<String> {
    let shown = profile.reasoning.format != ReasoningFormat::None;
    let wanted = &profile.reasoning.summary;
    (shown && wanted != "none").then(|| wanted.clone())
}

/// The backend knows `priority` alone; the usual tier is what it gives anyway.
pub(in crate::api) fn service_tier(
    fields: &mut Object<'_>,
    ignored: &mut Ignored,
) -> Result<Option<String>, Error> {
    const TIERS: [&str; 7] = ["auto", "default", "flex", "scale", "priority", "fast", "standard"];
    Ok(match choice(fields, "service_tier", &TIERS)?.as_deref() {
        Some("priority" | "fast") => Some("priority".to_owned()),
        Some("flex" | "scale") => {
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
        json_schema: Option<Schema<'a>>,
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
    let Format { r#type, json_schema } = read("response_format", format)?;
    match r#type.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(raw(&serde_json::json!({"type": "json_object"})))),
        "json_schema" => {
            const AT: &str = "response_format.json_schema";
            let Some(Schema { name, description, schema, strict }) = json_schema else {
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
