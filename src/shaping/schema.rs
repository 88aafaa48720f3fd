//! Tool schemas that the backend would refuse for want of a member it could have assumed.

use std::borrow::Cow;

use serde_json::{Map, Value, json, value::RawValue};

use crate::protocol::{Object, raw};

/// The schema with what the backend insists on: an object has `properties`, an array `items`.
///
/// A schema that has them is passed on as it was written, byte for byte.
#[must_use]
pub fn repair(schema: Option<&RawValue>) -> Cow<'_, RawValue> {
    let Some(schema) = schema.filter(|schema| schema.get() != "null") else {
        return Cow::Owned(raw(&json!({"type": "object", "properties": {}})));
    };
    let sound = |members: &Object<'_>| members.has("properties") && members.has("type");
    let plain = !schema.get().contains(r#""array""#);
    if plain && serde_json::from_str::<Object<'_>>(schema.get()).is_ok_and(|it| sound(&it)) {
        return Cow::Borrowed(schema);
    }
    let Ok(Value::Object(mut tree)) = serde_json::from_str(schema.get()) else {
        return Cow::Borrowed(schema);
    };
    let before = tree.clone();
    let composed = ["$ref", "anyOf", "oneOf", "allOf"].iter().any(|key| tree.contains_key(*key));
    if !composed {
        tree.entry("type").or_insert_with(|| json!("object"));
        if tree["type"] == "object" {
            tree.entry("properties").or_insert_with(|| json!({}));
        }
    }
    add_items(&mut tree);
    if tree == before { Cow::Borrowed(schema) } else { Cow::Owned(raw(&tree)) }
}

fn add_items(schema: &mut Map<String, Value>) {
    let is_array = match schema.get("type") {
        Some(Value::String(name)) => name == "array",
        Some(Value::Array(names)) => names.iter().any(|name| name == "array"),
        _ => false,
    };
    if is_array && !schema.contains_key("items") {
        schema.insert("items".to_owned(), json!({}));
    }
    for (key, value) in schema.iter_mut() {
        match (key.as_str(), value) {
            // These hold schemas by name, so their keys are no keywords.
            (
                "properties" | "$defs" | "definitions" | "patternProperties",
                Value::Object(named),
            ) => {
                named.values_mut().filter_map(Value::as_object_mut).for_each(add_items);
            }
            (
                "items" | "additionalProperties" | "not" | "if" | "then" | "else",
                Value::Object(inner),
            ) => {
                add_items(inner);
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(several)) => {
                several.iter_mut().filter_map(Value::as_object_mut).for_each(add_items);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: &str) {
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        assert_eq!(repair(Some(&schema)).get(), expected);
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_sound_is_not_touched() {
        assert_eq!(repair(None).get(), r#"{"type":"object","properties":{}}"#);
        check("{}", r#"{"type":"object","properties":{}}"#);
        check(r#"{"type":"object"}"#, r#"{"type":"object","properties":{}}"#);
        let sound =
            r#"{ "type":"object", "properties":{"a":{"type":"array","items":{"type":"string"}}} }"#;
        check(sound, sound);
        check(
            r#"{"type":"object","properties":{"array":{"type":["array","null"]}}}"#,
            r#"{"type":"object","properties":{"array":{"type":["array","null"],"items":{}}}}"#,
        );
        check(r##"{"$ref":"#/$defs/a"}"##, r##"{"$ref":"#/$defs/a"}"##);
    }
}
