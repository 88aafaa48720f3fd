use super::*;

/// A small check of a value against a schema: enough to catch what the maker can get wrong.
fn valid(schema: &Value, value: &Value, root: &Value) -> bool {
    if let Some(pointer) = schema["$ref"].as_str() {
        return valid(root.pointer(pointer.trim_start_matches('#')).unwrap(), value, root);
    }
    let all = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    let ok = |schema: &Value| valid(schema, value, root);
    if schema.get("const").is_some_and(|only| only != value)
        || schema.get("enum").is_some() && !all("enum").contains(value)
        || !all("allOf").iter().all(ok)
        || schema.get("anyOf").is_some() && !all("anyOf").iter().any(ok)
        || schema.get("oneOf").is_some() && all("oneOf").iter().filter(|one| ok(one)).count() != 1
    {
        return false;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |wanted: &Value| *wanted == kind || (*wanted == "number" && kind == "integer");
    let typed = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(fits),
        only => fits(only),
    };
    let at_least =
        |key: &str, number: f64| schema[key].as_f64().is_none_or(|least| number >= least);
    let at_most = |key: &str, number: f64| schema[key].as_f64().is_none_or(|most| number <= most);
    typed
        && match value {
            Value::String(text) => {
                let length = text.chars().count() as f64;
                at_least("minLength", length) && at_most("maxLength", length)
            }
            Value::Number(number) => {
                let number = number.as_f64().unwrap();
                at_least("minimum", number)
                    && at_most("maximum", number)
                    && schema["exclusiveMinimum"].as_f64().is_none_or(|least| number > least)
                    && schema["exclusiveMaximum"].as_f64().is_none_or(|most| number < most)
                    && schema["multipleOf"].as_f64().is_none_or(|step| number % step == 0.0)
            }
            Value::Array(items) => {
                let length = items.len() as f64;
                at_least("minItems", length)
                    && at_most("maxItems", length)
                    && items.iter().all(|item| valid(&schema["items"], item, root))
            }
            Value::Object(fields) => {
                let properties = &schema["properties"];
                all("required").iter().all(|key| fields.contains_key(key.as_str().unwrap()))
                    && fields.iter().all(|(name, value)| match properties.get(name) {
                        Some(property) => valid(property, value, root),
                        None => schema["additionalProperties"] != false,
                    })
            }
            _ => true,
        }
}

fn object(properties: Value) -> Value {
    let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

#[tokio::test]
async fn a_json_schema_is_answered_with_an_instance() {
    let client = client().await;
    let step =
        object(json!({ "explanation": { "type": "string" }, "output": { "type": "string" } }));
    let mut tree = object(json!({
        "name": { "type": "string", "minLength": 3, "maxLength": 12 },
        "children": { "type": "array", "items": { "$ref": "#/$defs/node" } },
        "parent": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] },
    }));
    let node = tree.clone();
    tree["$defs"] = json!({ "node": node });
    for schema in [
        object(
            json!({ "steps": { "type": "array", "items": step }, "final_answer": { "type": "string" } }),
        ),
        tree,
        object(json!({
            "kind": { "const": "event" },
            "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
            "when": { "type": "string", "format": "date-time" },
            "score": { "type": "number", "minimum": 0.2, "maximum": 0.8 },
            "count": { "type": "integer", "minimum": 10, "multipleOf": 4 },
            "above": { "type": "integer", "exclusiveMinimum": 5 },
            "maybe": { "type": ["string", "null"] },
            "flag": { "type": "boolean" },
            "names": { "type": "array", "items": { "type": "string" }, "minItems": 3, "uniqueItems": true },
            "either": { "anyOf": [{ "type": "integer" }, { "type": "string" }] },
            "nothing": { "type": "null" },
            "nested": object(json!({ "deep": object(json!({ "deeper": { "type": "string" } })) })),
        })),
        json!({
            "type": "object",
            "properties": { "city": { "type": "string" }, "notes": { "type": "string" } },
            "required": ["city"],
        }),
    ] {
        let format =
            json!({ "type": "json_schema", "name": "out", "strict": false, "schema": schema });
        let text = json!({ "text": { "format": format } });
        let items = client.answer_to("How is the weather in Oslo today?", text).await;
        let said: Value =
            serde_json::from_str(items[0]["content"][0]["text"].as_str().unwrap()).unwrap();
        assert!(valid(&schema, &said, &schema), "{said} under {schema}");
    }
}

#[tokio::test]
async fn a_json_object_is_answered_with_one() {
    let client = client().await;
    let format = json!({ "text": { "format": { "type": "json_object" } } });
    let items = client.answer_to("Answer in JSON", format).await;
    let said: Value =
        serde_json::from_str(items[0]["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(said.is_object());
}
