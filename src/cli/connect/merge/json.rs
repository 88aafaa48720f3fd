use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstObject, CstRootNode},
};
use serde_json::{Map, Value};

use super::Refusal;

pub(super) fn merge(text: &str, ours: &str) -> Result<String, Refusal> {
    let unreadable = |error: &dyn ToString| Refusal::Unreadable(error.to_string());
    // Comments and trailing commas are common; what else is not JSON is a slip, not a habit.
    let options = ParseOptions {
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        ..ParseOptions::default()
    };
    let root = CstRootNode::parse(text, &options).map_err(|error| unreadable(&error))?;
    let ours: Map<String, Value> =
        serde_json::from_str(ours).map_err(|error| unreadable(&error))?;
    let file = root.object_value();
    let file = file.ok_or_else(|| Refusal::InTheWay("it holds no object".to_owned()))?;
    lay(&file, &ours, "")?;
    Ok(root.to_string())
}

fn lay(into: &CstObject, ours: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    for (key, value) in ours {
        let path = format!("{path}{key}");
        let Some(known) = into.get(key) else {
            into.append(key, input(value));
            continue;
        };
        if let Some(ours) = value.as_object() {
            let into = known.object_value();
            let into = into.ok_or_else(|| Refusal::InTheWay(format!("`{path}` is no object")))?;
            lay(&into, ours, &format!("{path}."))?;
        } else if known.to_serde_value().as_ref() != Some(value) {
            known.set_value(input(value));
        }
    }
    Ok(())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Value::Object(fields) => CstInputValue::Object(
            fields.iter().map(|(key, value)| (key.clone(), input(value))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const OURS: &str = r#"{"provider": {"codexway": {"url": "u", "models": [{"id": "m"}]}}}"#;

    #[test]
    fn comments_order_indentation_and_trailing_commas_stay() {
        let text = "// mine\n{\n    \"z\": 1, // why\n    \"provider\": {\n        \"other\": {\"a\":  [1,2]},\n    },\n    \"b\": null\n}\n";
        let merged = merge(text, OURS).unwrap();
        let wanted = "// mine\n{\n    \"z\": 1, // why\n    \"provider\": {\n        \"other\": {\"a\":  [1,2]},\n        \"codexway\": {\n            \"url\": \"u\",\n            \"models\": [\n                {\n                    \"id\": \"m\",\n                },\n            ],\n        },\n    },\n    \"b\": null\n}\n";
        assert_eq!(merged, wanted);
        assert_eq!(merge(&merged, OURS).unwrap(), merged);
    }

    #[test]
    fn another_address_replaces_the_old_one_alone() {
        let text =
            r#"{"provider": {"codexway": {"url": "old", "mine": 1, "models": [{"id": "m"}]}}}"#;
        let wanted = text.replace("old", "u");
        assert_eq!(merge(text, OURS).unwrap(), wanted);
    }

    #[test]
    fn slips_and_what_is_no_object_are_refused() {
        for text in ["{\"a\": }", "{\"a\": 1 \"b\": 2}", "{a: 1}", "{"] {
            assert!(matches!(merge(text, OURS), Err(Refusal::Unreadable(_))), "{text}");
        }
        let refused = merge("{\"provider\": []}", OURS).unwrap_err();
        assert_eq!(refused, Refusal::InTheWay("`provider` is no object".to_owned()));
        assert!(matches!(merge("[]", OURS), Err(Refusal::InTheWay(_))));
    }
}
