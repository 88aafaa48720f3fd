use super::*;

fn empty() -> Value {
    json!({ "type": "object", "properties": {} })
}

#[tokio::test]
async fn tools_are_flat_and_named_well() {
    let tools = |tool: Value| json!({ "tools": [tool] });
    let no_match = "string does not match pattern. Expected a string that matches the pattern \
                    '^[a-zA-Z0-9_-]+$'.";
    each_is_refused([
        (
            tools(json!({ "type": "function", "function": { "name": "f" } })),
            "Missing required parameter: 'tools[0].name'.",
            "tools[0].name",
            "missing_required_parameter",
        ),
        (
            tools(json!({ "type": "function", "name": "f" })),
            "Missing required parameter: 'tools[0].parameters'.",
            "tools[0].parameters",
            "missing_required_parameter",
        ),
        (
            tools(function("fs.read", empty())),
            &format!("Invalid 'tools[0].name': {no_match}"),
            "tools[0].name",
            "invalid_value",
        ),
        (
            tools(function("", empty())),
            "Invalid 'tools[0].name': empty string. Expected a string with minimum length 1, but \
             got an empty string instead.",
            "tools[0].name",
            "empty_string",
        ),
        (
            tools(function(&"x".repeat(65), empty())),
            "Invalid 'tools[0].name': string too long. Expected a string with maximum length 64, \
             but got a string with length 65 instead.",
            "tools[0].name",
            "string_above_max_length",
        ),
        (
            tools(json!({ "type": "function", "name": "f", "function": {}, "parameters": {} })),
            "Unknown parameter: 'tools[0].function'.",
            "tools[0].function",
            "unknown_parameter",
        ),
        (
            tools(json!({ "type": "web_search_preview" })),
            "Invalid value: 'web_search_preview'. Supported values are: 'function', 'custom', \
             'web_search', 'image_generation', 'local_shell', 'tool_search', and 'namespace'.",
            "tools[0].type",
            "invalid_value",
        ),
        (
            json!({ "tools": [function("f", empty()), function("f", empty())] }),
            "Invalid 'tools[1].name': duplicate tool name 'f'. Tool names must be unique.",
            "tools[1].name",
            "invalid_value",
        ),
        (
            tools(json!({ "type": "custom", "name": "p", "format": { "type": "grammar" } })),
            "Missing required parameter: 'tools[0].format.definition'.",
            "tools[0].format.definition",
            "missing_required_parameter",
        ),
        (
            tools(json!({ "type": "namespace", "name": "n", "tools": [function("a b", empty())] })),
            &format!("Invalid 'tools[0].tools[0].name': {no_match}"),
            "tools[0].tools[0].name",
            "invalid_value",
        ),
    ])
    .await;
    let grammar = json!({ "type": "grammar", "syntax": "lark", "definition": "start: \"a\"" });
    each_passes([json!({ "tools": [
        { "type": "function", "name": "f", "strict": null, "parameters": empty() },
        { "type": "custom", "name": "apply_patch", "format": grammar },
        { "type": "namespace", "name": "n", "description": "", "tools": [function("f", empty())] },
        { "type": "tool_search", "execution": "client", "description": "", "parameters": {} },
        { "type": "web_search", "external_web_access": false },
        { "type": "image_generation" },
        { "type": "local_shell" },
    ] })])
    .await;
}

/// A schema with this one property.
fn property(property: Value) -> Value {
    json!({ "type": "object", "properties": { "a": property } })
}

#[tokio::test]
async fn schemas_have_to_compile() {
    let rows = [
        (json!({ "type": "object" }), "In context=(), object schema missing properties."),
        (json!({}), "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        (
            json!({ "type": "object", "properties": {}, "oneOf": [] }),
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at \
             the top level.",
        ),
        (
            property(json!({ "type": "array" })),
            "In context=('properties', 'a'), array schema missing items.",
        ),
        (
            property(json!({ "anyOf": [{ "type": "array" }, { "type": "null" }] })),
            "In context=('properties', 'a', 'anyOf', '0'), array schema missing items.",
        ),
        (
            property(json!({ "type": "array", "items": {}, "prefixItems": [] })),
            "In context=('properties', 'a'), 'prefixItems' is not permitted.",
        ),
        (
            property(json!({ "type": "string", "pattern": r"^[^\p{Cc}]{1,200}$" })),
            r"'^[^\\p{Cc}]{1,200}$' is not a 'regex'.",
        ),
        (
            property(json!({ "type": "any" })),
            "In context=('properties', 'a'), 'any' is not valid under any of the given schemas.",
        ),
    ]
    .map(|(schema, why)| (function("f", schema), why));
    let strict = [
        (
            empty(),
            "In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            with(property(json!({})), json!({ "additionalProperties": false })),
            "In context=(), 'required' is required to be supplied and to be an array including \
             every key in properties. Missing 'a'.",
        ),
        (
            with(empty(), json!({ "additionalProperties": false, "required": ["b"] })),
            "In context=(), Extra required key 'b' supplied.",
        ),
    ]
    .map(|(schema, why)| (with(function("f", schema), json!({ "strict": true })), why));
    let rows: Vec<_> = rows
        .into_iter()
        .chain(strict)
        .map(|(tool, why)| (tool, format!("Invalid schema for function 'f': {why}")))
        .collect();
    each_is_refused(rows.iter().map(|(tool, message)| {
        let fields = json!({ "tools": [tool] });
        (fields, message.as_str(), "tools[0].parameters", "invalid_function_parameters")
    }))
    .await;
}

#[tokio::test]
async fn a_tool_without_strict_is_made_strict_and_noted() {
    let client = client().await;
    let tool = json!({
        "type": "function",
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": { "city": { "type": "string" }, "unit": { "type": "string" } },
            "required": ["city"],
        },
    });
    let answer = client.ask(&with(body(), json!({ "tools": [tool] }))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(client.sim.requests()[0].strict_absent, ["get_weather"]);
    let echoed = &answer.events()[0]["response"]["tools"][0];
    assert_eq!(echoed["strict"], true);
    assert_eq!(echoed["parameters"]["required"], json!(["city", "unit"]));
    assert_eq!(echoed["parameters"]["additionalProperties"], false);
}

#[tokio::test]
async fn tool_choice_names_a_tool_that_is_there() {
    let choice =
        |choice: Value| json!({ "tools": [function("f", empty())], "tool_choice": choice });
    let allowed = |name: &str| {
        let tools = json!([{ "type": "function", "name": name }]);
        choice(json!({ "type": "allowed_tools", "mode": "required", "tools": tools }))
    };
    let not_found = "Tool choice 'g' not found in 'tools' parameter.";
    each_is_refused([
        (
            choice("any".into()),
            "Invalid value: 'any'. Supported values are: 'none', 'auto', and 'required'.",
            "tool_choice",
            "invalid_value",
        ),
        (
            choice(json!({ "type": "function", "function": { "name": "f" } })),
            "Unknown parameter: 'tool_choice.function'.",
            "tool_choice.function",
            "unknown_parameter",
        ),
        (choice(json!({ "type": "function", "name": "g" })), not_found, "tool_choice", ""),
        (allowed("g"), not_found, "tool_choice", ""),
        (
            choice(json!({ "type": "web_search" })),
            "Tool choice 'web_search' not found in 'tools' parameter.",
            "tool_choice",
            "",
        ),
        (
            json!({ "tool_choice": "required" }),
            "Tool choice 'required' must be specified with 'tools' parameter.",
            "tool_choice",
            "",
        ),
    ])
    .await;
    each_passes([
        json!({ "tool_choice": "auto" }),
        json!({ "tool_choice": "none" }),
        choice("required".into()),
        choice(json!({ "type": "function", "name": "f" })),
        allowed("f"),
    ])
    .await;
}
