use super::*;

const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==";

/// Status and error of the smallest turn with these fields changed.
async fn refused(client: &Client, fields: &Value) -> (u16, Value) {
    let answer = client.ask(&with(body(), fields.clone())).await;
    assert_ne!(answer.status, 200, "{fields} passed");
    let json = answer.json();
    assert_eq!(answer.text, format!("{json:#}"), "the engine prints over several lines");
    assert_eq!(json["error"]["type"], "invalid_request_error");
    (answer.status, json["error"].clone())
}

/// Fields, message, param, code.
type Row<'a> = (Value, &'a str, &'a str, &'a str);

async fn each_is_refused(rows: impl IntoIterator<Item = Row<'_>>) {
    let client = client().await;
    for (fields, message, param, code) in rows {
        let (status, error) = refused(&client, &fields).await;
        let null_or = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        assert_eq!(error["message"], message, "{fields}");
        assert_eq!(
            (&error["param"], &error["code"]),
            (&null_or(param), &null_or(code)),
            "{fields}"
        );
        assert_eq!(status, 400, "{fields}");
    }
}

async fn each_passes(rows: impl IntoIterator<Item = Value>) {
    let client = client().await;
    for fields in rows {
        let answer = client.ask(&with(body(), fields.clone())).await;
        assert_eq!(answer.status, 200, "{fields}: {}", answer.text);
    }
}

fn item(item: Value) -> Value {
    json!({ "input": [user("hi"), item] })
}

fn part(part: Value) -> Value {
    json!({ "input": [{ "role": "user", "content": [part] }] })
}

fn assistant(part: Value) -> Value {
    json!({ "input": [{ "role": "assistant", "content": [part] }] })
}

fn call(call_id: &str) -> Value {
    json!({ "type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}" })
}

fn output(call_id: &str, output: Value) -> Value {
    json!({ "type": "function_call_output", "call_id": call_id, "output": output })
}

#[tokio::test]
async fn items_have_a_type_and_its_keys() {
    let too_long = "x".repeat(70);
    each_is_refused([
        (
            json!({ "input": [] }),
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be \
             provided.",
            "input",
            "missing_required_parameter",
        ),
        (
            item(json!({ "type": "thought" })),
            "Invalid value: 'thought'. Supported values are: 'message', 'reasoning', \
             'function_call', 'function_call_output', 'custom_tool_call', \
             'custom_tool_call_output', 'tool_search_call', 'tool_search_output', \
             'local_shell_call', 'local_shell_call_output', 'web_search_call', \
             'image_generation_call', 'item_reference', 'additional_tools', 'compaction', \
             'context_compaction', 'compaction_trigger', 'agent_message', and \
             'configuration_update'.",
            "input[1].type",
            "invalid_value",
        ),
        (
            json!({ "input": [{ "role": "user" }] }),
            "Missing required parameter: 'input[0].content'.",
            "input[0].content",
            "missing_required_parameter",
        ),
        (
            json!({ "input": [{ "role": "user", "content": null }] }),
            "Invalid type for 'input[0].content': expected one of an array of objects or string, \
             but got null instead.",
            "input[0].content",
            "invalid_type",
        ),
        (
            json!({ "input": [{ "role": "tool", "content": "x" }] }),
            "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and \
             'user'.",
            "input[0].role",
            "invalid_value",
        ),
        (
            json!({ "input": [{ "role": "user", "content": "x", "name": "Ada" }] }),
            "Unknown parameter: 'input[0].name'.",
            "input[0].name",
            "unknown_parameter",
        ),
        (
            item(json!({
                "type": "function_call", "call_id": "c", "name": "f", "arguments": { "a": 1 },
            })),
            "Invalid type for 'input[1].arguments': expected a string, but got an object instead.",
            "input[1].arguments",
            "invalid_type",
        ),
        (
            item(json!({ "type": "function_call", "call_id": "c", "name": "f" })),
            "Missing required parameter: 'input[1].arguments'.",
            "input[1].arguments",
            "missing_required_parameter",
        ),
        (
            item(call(&too_long)),
            "Invalid 'input[1].call_id': string too long. Expected a string with maximum length \
             64, but got a string with length 70 instead.",
            "input[1].call_id",
            "string_above_max_length",
        ),
        (
            item(output("c", json!({ "a": 1 }))),
            "Invalid type for 'input[1].output': expected one of an array of objects or string, \
             but got an object instead.",
            "input[1].output",
            "invalid_type",
        ),
        (
            item(output("c", json!([{ "type": "text", "text": "x" }]))),
            "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', and \
             'input_file'.",
            "input[1].output[0]",
            "invalid_value",
        ),
        (
            item(json!({ "type": "reasoning", "encrypted_content": "x" })),
            "Missing required parameter: 'input[1].summary'.",
            "input[1].summary",
            "missing_required_parameter",
        ),
        (
            item(json!({ "type": "web_search_call", "action": { "type": "other" } })),
            "Invalid value: 'other'. Supported values are: 'search', 'open_page', and \
             'find_in_page'.",
            "input[1].action.type",
            "invalid_value",
        ),
        (
            item(json!({ "type": "additional_tools", "role": "developer", "tools": [] })),
            "Missing required parameter: 'input[1].content'.",
            "input[1].content",
            "missing_required_parameter",
        ),
    ])
    .await;
}

#[tokio::test]
async fn parts_belong_to_roles() {
    each_is_refused([
        (
            assistant(json!({ "type": "input_text", "text": "x" })),
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            part(json!({ "type": "output_text", "text": "x" })),
            "Invalid value: 'output_text'. Supported values are: 'input_text', 'input_image', and \
             'input_file'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            part(json!({ "type": "input_text" })),
            "Missing required parameter: 'input[0].content[0].text'.",
            "input[0].content[0].text",
            "missing_required_parameter",
        ),
        (
            part(json!({ "type": "input_text", "text": "x", "cache_control": {} })),
            "Unknown parameter: 'input[0].content[0].cache_control'.",
            "input[0].content[0].cache_control",
            "unknown_parameter",
        ),
        (
            part(json!({ "type": "input_text", "text": "x", "prompt_cache_breakpoint": {} })),
            "prompt_cache_breakpoint is not supported on this model",
            "input[0].content[0].prompt_cache_breakpoint",
            "unsupported_parameter",
        ),
        (
            part(json!({ "type": "input_image", "image_url": PIXEL, "detail": "huge" })),
            "Invalid value: 'huge'. Supported values are: 'low', 'high', 'auto', and 'original'.",
            "input[0].content[0].detail",
            "invalid_value",
        ),
    ])
    .await;
}

#[tokio::test]
async fn images_are_looked_at() {
    let image = |url: Value| part(json!({ "type": "input_image", "image_url": url }));
    let invalid = "The image data you provided does not represent a valid image. Please check your \
                   input and try again with one of the supported image formats: ['image/jpeg', \
                   'image/png', 'image/gif', 'image/webp'].";
    let no_url = "Invalid 'input[0].content[0].image_url'. Expected a valid URL, but got a value \
                  with an invalid format.";
    let path = "input[0].content[0].image_url";
    each_is_refused([
        (image("data:image/png;base64,aGVsbG8=".into()), invalid, "input", "invalid_value"),
        (image("data:image/png;base64,???".into()), invalid, "input", "invalid_value"),
        (image("file:///tmp/a.png".into()), no_url, path, "invalid_value"),
        (image("sediment://file".into()), no_url, path, "invalid_value"),
        (
            image(json!({ "url": PIXEL })),
            "Invalid type for 'input[0].content[0].image_url': expected an image URL, but got an \
             object instead.",
            path,
            "invalid_type",
        ),
        (
            part(json!({ "type": "input_image", "file_id": "file_1" })),
            "Files [file_1] were not found",
            "input",
            "",
        ),
        (
            part(json!({ "type": "input_file", "file_id": "file_2" })),
            "Files [file_2] were not found",
            "input",
            "",
        ),
    ])
    .await;
    each_passes([
        image(PIXEL.into()),
        image("https://example.com/a.png".into()),
        json!({ "input": [
            user("look"),
            call("c"),
            output("c", json!([{ "type": "input_image", "image_url": PIXEL }])),
        ] }),
    ])
    .await;
}

#[tokio::test]
async fn ids_have_prefixes() {
    let message = |id: &str| json!({ "input": [{ "role": "user", "content": "x", "id": id }] });
    let uuid = "6f1c2a34-9d0e-4b57-8c21-1f2e3d4c5b6a";
    each_is_refused([
        (
            item(json!({ "type": "reasoning", "id": uuid, "summary": [] })),
            "Invalid 'input[1].id': '6f1c2a34-9d0e-4b57-8c21-1f2e3d4c5b6a'. Expected an ID that \
             begins with 'rs'.",
            "input[1].id",
            "invalid_value",
        ),
        (
            message("item_1"),
            "Invalid 'input[0].id': 'item_1'. Expected an ID that begins with 'msg'.",
            "input[0].id",
            "invalid_value",
        ),
        (
            message("msg_1|2"),
            "Invalid 'input[0].id': 'msg_1|2'. Expected an ID that contains letters, numbers, \
             underscores, or dashes, but this value contained additional characters.",
            "input[0].id",
            "invalid_value",
        ),
        (
            message(&format!("msg_{}", "1".repeat(61))),
            "Invalid 'input[0].id': string too long. Expected a string with maximum length 64, but \
             got a string with length 65 instead.",
            "input[0].id",
            "string_above_max_length",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_persisted_is_not_found() {
    let client = client().await;
    let text = "Item with id 'rs_1' not found. Items are not persisted when `store` is set to \
                false. Try again with `store` set to true, or remove this item from your input.";
    for fields in [
        item(json!({ "type": "item_reference", "id": "rs_1" })),
        item(json!({ "type": "reasoning", "id": "rs_1", "summary": [] })),
        item(json!({ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "" })),
    ] {
        let (status, error) = refused(&client, &fields).await;
        assert_eq!((status, &error["message"]), (404, &text.into()));
        assert_eq!((&error["param"], &error["code"]), (&"input".into(), &Value::Null));
    }
    each_passes([item(json!({ "type": "reasoning", "summary": [] }))]).await;
}

#[tokio::test]
async fn calls_and_outputs_come_in_pairs() {
    let custom = json!({ "type": "custom_tool_call", "call_id": "c", "name": "f", "input": "" });
    each_is_refused([
        (item(call("call_X")), "No tool output found for function call call_X.", "input", ""),
        (
            item(output("call_X", "done".into())),
            "No tool call found for function call output with call_id call_X.",
            "input",
            "",
        ),
        (
            json!({ "input": [output("call_X", "done".into()), call("call_X")] }),
            "No tool call found for function call output with call_id call_X.",
            "input",
            "",
        ),
        (
            json!({ "input": [user("hi"), custom, output("c", "done".into())] }),
            "No tool output found for custom tool call c.",
            "input",
            "",
        ),
    ])
    .await;
    each_passes([json!({ "input": [
        user("hi"),
        call("a"),
        call("b"),
        output("b", "2".into()),
        output("a", json!([{ "type": "input_text", "text": "1" }])),
    ] })])
    .await;
}

#[tokio::test]
async fn replayed_reasoning_is_verified() {
    let client = client().await;
    let asked = with(body(), json!({ "include": ["reasoning.encrypted_content"] }));
    let reasoning = client.ask(&asked).await.items().remove(0);
    let sealed = reasoning["encrypted_content"].as_str().unwrap().to_owned();
    assert!(sealed.starts_with("gAAAAAB"), "{sealed}");
    let replay = |sealed: &str, id: Option<&Value>| {
        let mut item = json!({ "type": "reasoning", "summary": [], "encrypted_content": sealed });
        if let Some(id) = id {
            item["id"] = id.clone();
        }
        json!({ "input": [user("hi"), item, user("go on")] })
    };
    assert_eq!(client.ask(&with(body(), replay(&sealed, None))).await.status, 200);
    assert_eq!(
        client.ask(&with(body(), replay(&sealed, Some(&reasoning["id"])))).await.status,
        200
    );

    let mut changed = sealed.clone();
    let last = if changed.remove(40) == 'A' { 'B' } else { 'A' };
    changed.insert(40, last);
    let (status, error) = refused(&client, &replay(&changed, None)).await;
    let ends = format!("{}...{}", &sealed[..4], &sealed[sealed.len() - 4..]);
    assert_eq!(status, 400);
    assert_eq!(error["message"], format!("The encrypted content {ends} could not be verified."));
    assert_eq!(error["code"], "invalid_encrypted_content");

    let (_, error) = refused(&client, &replay(&changed, Some(&"rs_345678abc".into()))).await;
    assert_eq!(
        error["message"],
        "The encrypted content for item rs_345....abc could not be verified. Reason: Encrypted \
         content could not be decrypted or parsed."
    );

    let auth = client.sim.auth_json_of("bob@example.com");
    let other = Client::new(client.sim.clone(), &auth);
    let (_, error) = refused(&other, &replay(&sealed, None)).await;
    assert_eq!(error["code"], "invalid_encrypted_content");
    assert!(error["message"].as_str().unwrap().ends_with(
        "could not be verified. Reason: Encrypted content organization_id did not match the \
         target organization."
    ));
}

#[tokio::test]
async fn tools_are_flat_and_named_well() {
    let tools = |tool: Value| json!({ "tools": [tool] });
    let schema = json!({ "type": "object", "properties": {} });
    let too_long = "x".repeat(65);
    each_is_refused([
        (
            tools(json!({ "type": "function", "function": { "name": "f" } })),
            "Missing required parameter: 'tools[0].name'.",
            "tools[0].name",
            "missing_required_parameter",
        ),
        (
            tools(function("fs.read", schema.clone())),
            "Invalid 'tools[0].name': string does not match pattern. Expected a string that \
             matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "tools[0].name",
            "invalid_value",
        ),
        (
            tools(function(&too_long, schema.clone())),
            "Invalid 'tools[0].name': string too long. Expected a string with maximum length 64, \
             but got a string with length 65 instead.",
            "tools[0].name",
            "string_above_max_length",
        ),
        (
            tools(json!({ "type": "function", "name": "f", "function": {}, "parameters": schema })),
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
            json!({ "tools": [function("f", schema.clone()), function("f", schema.clone())] }),
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
            tools(json!({
                "type": "namespace", "name": "n", "tools": [function("a b", schema.clone())],
            })),
            "Invalid 'tools[0].tools[0].name': string does not match pattern. Expected a string \
             that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "tools[0].tools[0].name",
            "invalid_value",
        ),
    ])
    .await;
    let grammar = json!({ "type": "grammar", "syntax": "lark", "definition": "start: \"a\"" });
    each_passes([json!({ "tools": [
        { "type": "function", "name": "f", "strict": null, "parameters": schema },
        { "type": "custom", "name": "apply_patch", "format": grammar },
        { "type": "namespace", "name": "n", "description": "", "tools": [function("f", schema)] },
        { "type": "tool_search", "execution": "client", "description": "", "parameters": {} },
        { "type": "web_search", "external_web_access": false },
        { "type": "image_generation" },
        { "type": "local_shell" },
    ] })])
    .await;
}

#[tokio::test]
async fn schemas_have_to_compile() {
    let schema = |parameters: Value| json!({ "tools": [function("f", parameters)] });
    let strict = |parameters: Value| {
        let mut tool = function("f", parameters);
        tool["strict"] = true.into();
        json!({ "tools": [tool] })
    };
    let property =
        |property: Value| schema(json!({ "type": "object", "properties": { "a": property } }));
    let rows = [
        (schema(json!({ "type": "object" })), "In context=(), object schema missing properties."),
        (
            schema(json!({})),
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
        ),
        (
            schema(json!({ "type": "object", "properties": {}, "oneOf": [] })),
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
        (
            strict(json!({ "type": "object", "properties": {} })),
            "In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            strict(json!({
                "type": "object", "properties": { "a": {} }, "additionalProperties": false,
            })),
            "In context=(), 'required' is required to be supplied and to be an array including \
             every key in properties. Missing 'a'.",
        ),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(fields, why)| (fields, format!("Invalid schema for function 'f': {why}")))
        .collect();
    each_is_refused(rows.iter().map(|(fields, message)| {
        (fields.clone(), message.as_str(), "tools[0].parameters", "invalid_function_parameters")
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
    let tools = json!([function("f", json!({ "type": "object", "properties": {} }))]);
    let choice = |choice: Value| json!({ "tools": tools, "tool_choice": choice });
    each_is_refused([
        (
            choice(json!("any")),
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
        (
            choice(json!({ "type": "function", "name": "g" })),
            "Tool choice 'g' not found in 'tools' parameter.",
            "tool_choice",
            "",
        ),
        (
            choice(json!({ "type": "web_search" })),
            "Tool choice 'web_search' not found in 'tools' parameter.",
            "tool_choice",
            "",
        ),
        (
            choice(json!({
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{ "type": "function", "name": "g" }],
            })),
            "Tool choice 'g' not found in 'tools' parameter.",
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
        choice(json!("required")),
        choice(json!({ "type": "function", "name": "f" })),
        choice(json!({
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{ "type": "function", "name": "f" }],
        })),
    ])
    .await;
}

#[tokio::test]
async fn settings_are_checked_by_model() {
    let format = |format: Value| json!({ "text": { "format": format } });
    let too_long = "k".repeat(65);
    each_is_refused([
        (
            json!({ "parallel_tool_calls": "yes" }),
            "Invalid type for 'parallel_tool_calls': expected a boolean, but got a string instead.",
            "parallel_tool_calls",
            "invalid_type",
        ),
        (
            json!({ "prompt_cache_key": too_long }),
            "Invalid 'prompt_cache_key': string too long. Expected a string with maximum length \
             64, but got a string with length 65 instead.",
            "prompt_cache_key",
            "string_above_max_length",
        ),
        (
            json!({ "reasoning": { "effort": "max" } }),
            "Unsupported value: 'max' is not supported with the 'gpt-5.5' model. Supported values \
             are: 'low', 'medium', 'high', and 'xhigh'.",
            "reasoning.effort",
            "unsupported_value",
        ),
        (
            json!({ "model": "gpt-6-sol", "reasoning": { "effort": "ultra" } }),
            "Invalid value: 'ultra'. Supported values are: 'none', 'minimal', 'low', 'medium', \
             'high', 'xhigh', and 'max'.",
            "reasoning.effort",
            "invalid_value",
        ),
        (
            json!({ "reasoning": { "summary": "none" } }),
            "Invalid value: 'none'. Supported values are: 'concise', 'detailed', and 'auto'.",
            "reasoning.summary",
            "invalid_value",
        ),
        (
            json!({ "reasoning": { "max_tokens": 5 } }),
            "Unknown parameter: 'reasoning.max_tokens'.",
            "reasoning.max_tokens",
            "unknown_parameter",
        ),
        (
            json!({ "reasoning": { "context": "all_turns" } }),
            "Unsupported value: 'all_turns' is not supported with the 'gpt-5.5' model. Supported \
             values are: 'auto' and 'current_turn'.",
            "reasoning.context",
            "unsupported_value",
        ),
        (
            json!({ "text": { "verbosity": "loud" } }),
            "Invalid value: 'loud'. Supported values are: 'low', 'medium', and 'high'.",
            "text.verbosity",
            "invalid_value",
        ),
        (
            json!({ "include": ["everything"] }),
            "Invalid value: 'everything'. Supported values are: 'file_search_call.results', \
             'web_search_call.results', 'web_search_call.action.sources', \
             'message.input_image.image_url', 'computer_call_output.output.image_url', \
             'code_interpreter_call.outputs', 'reasoning.encrypted_content', and \
             'message.output_text.logprobs'.",
            "include[0]",
            "invalid_value",
        ),
        (
            format(json!({ "type": "json_object" })),
            "Response input messages must contain the word 'json' in some form to use \
             'text.format' of type 'json_object'.",
            "input",
            "",
        ),
        (
            format(json!({ "type": "json_schema", "json_schema": {} })),
            "Missing required parameter: 'text.format.name'.",
            "text.format.name",
            "missing_required_parameter",
        ),
        (
            format(json!({ "type": "json_schema", "name": "a b", "schema": {} })),
            "Invalid 'text.format.name': string does not match pattern. Expected a string that \
             matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "text.format.name",
            "invalid_value",
        ),
        (
            format(json!({ "type": "json_schema", "name": "a" })),
            "Missing required parameter: 'text.format.schema'.",
            "text.format.schema",
            "missing_required_parameter",
        ),
        (
            format(json!({
                "type": "json_schema",
                "name": "a",
                "strict": true,
                "schema": { "type": "object", "properties": {} },
            })),
            "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is \
             required to be supplied and to be false.",
            "text.format.schema",
            "invalid_json_schema",
        ),
        (
            format(json!({ "type": "sound" })),
            "Invalid value: 'sound'. Supported values are: 'json_object', 'json_schema', and \
             'text'.",
            "text.format.type",
            "invalid_value",
        ),
    ])
    .await;
    each_passes([
        json!({ "reasoning": { "effort": "xhigh", "summary": "auto" } }),
        json!({ "model": "gpt-6-luna", "reasoning": { "effort": "none" } }),
        json!({ "model": "gpt-6-sol", "reasoning": { "effort": "max", "summary": null } }),
        json!({ "text": { "verbosity": "high", "format": { "type": "text" } } }),
        with(json!({ "input": [user("as JSON")] }), format(json!({ "type": "json_object" }))),
    ])
    .await;
}

#[tokio::test]
async fn the_lite_header_brings_its_own_rules() {
    let client = client().await;
    let lite = |fields: Value| {
        let fitting = json!({
            "model": "gpt-6-sol",
            "parallel_tool_calls": false,
            "reasoning": { "context": "all_turns" },
        });
        let body = with(with(body(), fitting), fields);
        client
            .turn()
            .header("x-openai-internal-codex-responses-lite", "true")
            .body(body.to_string())
    };
    let header = "X-OpenAI-Internal-Codex-Responses-Lite";
    for (fields, message, param) in [
        (
            json!({ "parallel_tool_calls": null }),
            format!("{header} requires `parallel_tool_calls` to be false."),
            "parallel_tool_calls",
        ),
        (
            json!({ "reasoning": null }),
            format!("{header} requires `reasoning.context` to be `all_turns`."),
            "reasoning.context",
        ),
        (
            json!({ "tools": [{ "type": "web_search" }] }),
            format!(
                "{header} only supports function tools, custom tools, and client-executed tool \
                 search."
            ),
            "tools",
        ),
        (
            json!({ "model": "gpt-5.5", "reasoning": {}, }),
            format!("This model is not supported when using {header}."),
            "model",
        ),
    ] {
        let error = Answer::of(lite(fields)).await.json()["error"].take();
        assert_eq!(error["message"], message);
        assert_eq!((&error["param"], &error["code"]), (&param.into(), &"unsupported_value".into()));
    }
    let tools = json!([{ "type": "namespace", "name": "functions", "description": "", "tools": [
        { "type": "custom", "name": "exec", "description": "Run JavaScript" },
    ] }]);
    let answer = Answer::of(lite(json!({ "input": [
        { "type": "additional_tools", "id": "at_1", "role": "developer", "tools": tools },
        user("Use exec to print something"),
    ] })))
    .await;
    let call = answer.items().pop().unwrap();
    assert_eq!(
        (&call["type"], &call["namespace"]),
        (&"custom_tool_call".into(), &"functions".into())
    );
}
