//! JSON schemas, as far as the engine refuses them.

use serde_json::{Map, Value};

use super::wording::refuse;
use crate::simulator::reply::Refusal;

const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/// Whose schema it is, for the sentence of a refusal.
pub(super) struct Place {
    pub subject: String,
    pub param: String,
    pub code: &'static str,
}

pub(super) fn check(schema: &Value, place: &Place, strict: bool) -> Result<(), Refusal> {
    if schema["type"] != "object" {
        let got = schema["type"].as_str().unwrap_or("None");
        return place.refuse(&format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'."
        ));
    }
    let branches = ["oneOf", "anyOf", "allOf", "enum", "not"];
    if branches.iter().any(|key| schema.get(key).is_some()) {
        return place.refuse(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at \
             the top level.",
        );
    }
    if schema["properties"].as_object().is_none() {
        return place.refuse("In context=(), object schema missing properties.");
    }
    Walk { place, strict }.node(schema, &mut Vec::new())
}

impl Place {
    fn refuse(&self, why: &str) -> Result<(), Refusal> {
        let message = format!("Invalid schema for {}: {why}", self.subject);
        Err(refuse(message, &self.param, self.code))
    }
}

struct Walk<'a> {
    place: &'a Place,
    strict: bool,
}

impl Walk<'_> {
    fn node(&self, schema: &Value, context: &mut Vec<String>) -> Result<(), Refusal> {
        let Some(schema) = schema.as_object() else { return Ok(()) };
        self.kinds(schema, context)?;
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && (pattern.contains("\\p{") || pattern.contains("\\P{"))
        {
            // Quoted the way Python prints strings, which doubles the backslashes.
            let pattern = pattern.replace('\\', "\\\\");
            return self.place.refuse(&format!("'{pattern}' is not a 'regex'."));
        }
        if is(schema, "array") {
            if schema.contains_key("prefixItems") {
                return self.refuse(context, "'prefixItems' is not permitted.");
            }
            match schema.get("items") {
                None => return self.refuse(context, "array schema missing items."),
                Some(items @ Value::Array(_)) => {
                    let message = format!("{items} is not of type 'object', 'boolean'.");
                    return self.refuse(context, &message);
                }
                Some(_) => {}
            }
        }
        if self.strict {
            self.strict(schema, context)?;
        }
        for (key, child) in children(schema) {
            let depth = context.len();
            context.extend(key);
            self.node(child, context)?;
            context.truncate(depth);
        }
        Ok(())
    }

    fn kinds(&self, schema: &Map<String, Value>, context: &[String]) -> Result<(), Refusal> {
        let kinds = match schema.get("type") {
            None => return Ok(()),
            Some(Value::Array(kinds)) => kinds.as_slice(),
            Some(kind) => std::slice::from_ref(kind),
        };
        match kinds.iter().find(|kind| !kind.as_str().is_some_and(|kind| TYPES.contains(&kind))) {
            None => Ok(()),
            Some(kind) => {
                let kind = kind.to_string().replace('"', "'");
                self.refuse(
                    context,
                    &format!("{kind} is not valid under any of the given schemas."),
                )
            }
        }
    }

    fn strict(&self, schema: &Map<String, Value>, context: &[String]) -> Result<(), Refusal> {
        let forbidden = ["oneOf", "allOf", "not", "patternProperties", "if"];
        if let Some(key) = forbidden.iter().find(|key| schema.contains_key(**key)) {
            return self.refuse(context, &format!("'{key}' is not permitted."));
        }
        if !is(schema, "object") {
            return Ok(());
        }
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return self.refuse(
                context,
                "'additionalProperties' is required to be supplied and to be false.",
            );
        }
        let required = schema.get("required").and_then(Value::as_array);
        let required = required.map_or(&[][..], Vec::as_slice);
        let properties = schema.get("properties").and_then(Value::as_object);
        let missing =
            properties.and_then(|p| p.keys().find(|key| !required.iter().any(|r| r == *key)));
        if let Some(key) = missing {
            return self.refuse(
                context,
                &format!(
                    "'required' is required to be supplied and to be an array including every key \
                     in properties. Missing '{key}'."
                ),
            );
        }
        let extra = required.iter().filter_map(Value::as_str);
        match extra.into_iter().find(|key| !properties.is_some_and(|p| p.contains_key(*key))) {
            None => Ok(()),
            Some(key) => self.refuse(context, &format!("Extra required key '{key}' supplied.")),
        }
    }

    fn refuse(&self, context: &[String], why: &str) -> Result<(), Refusal> {
        // A Python tuple: a single entry keeps its comma.
        let steps: Vec<_> = context.iter().map(|step| format!("'{step}'")).collect();
        let comma = if steps.len() == 1 { "," } else { "" };
        let context = format!("({}{comma})", steps.join(", "));
        self.place.refuse(&format!("In context={context}, {why}"))
    }
}

fn is(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        _ => false,
    }
}

/// The schemas inside a schema, each with the steps that lead to it.
fn children(schema: &Map<String, Value>) -> impl Iterator<Item = (Vec<String>, &Value)> {
    schema.iter().flat_map(|(key, value)| -> Vec<(Vec<String>, &Value)> {
        let step = |inner: &str| vec![key.clone(), inner.to_owned()];
        match (key.as_str(), value) {
            (
                "properties" | "$defs" | "definitions" | "patternProperties",
                Value::Object(inner),
            ) => inner.iter().map(|(name, child)| (step(name), child)).collect(),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(inner)) => {
                let indexed = inner.iter().enumerate();
                indexed.map(|(index, child)| (step(&index.to_string()), child)).collect()
            }
            ("items" | "additionalProperties" | "not", Value::Object(_)) => {
                vec![(vec![key.clone()], value)]
            }
            _ => Vec::new(),
        }
    })
}

/// What the engine makes of a schema whose tool does not say `strict`: everything is required and
/// nothing may be added.
pub(in crate::simulator) fn made_strict(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut fields: Map<_, _> =
                fields.iter().map(|(key, value)| (key.clone(), made_strict(value))).collect();
            if is(&fields, "object")
                && let Some(Value::Object(properties)) = fields.get("properties")
            {
                let required: Vec<_> = properties.keys().cloned().map(Value::from).collect();
                fields.insert("required".to_owned(), required.into());
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            Value::Object(fields)
        }
        Value::Array(values) => values.iter().map(made_strict).collect(),
        other => other.clone(),
    }
}
