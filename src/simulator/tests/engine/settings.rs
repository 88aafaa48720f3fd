use super::*;

#[tokio::test]
async fn settings_are_checked_by_model() {
    each_is_refused([
        (
            json!({ "parallel_tool_calls": "yes" }),
            "Invalid type for 'parallel_tool_calls': expected a boolean, but got a string instead.",
            "parallel_tool_calls",
            "invalid_type",
        ),
        (
            json!({ "prompt_cache_key": "k".repeat(65) }),
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
            json!({ "reasoning": { "context": "sometimes" } }),
            "Invalid value: 'sometimes'. Supported values are: 'auto', 'current_turn', and \
             'all_turns'.",
            "reasoning.context",
            "invalid_value",
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
    ])
    .await;
    each_passes([
        json!({ "reasoning": { "effort": "xhigh", "summary": "auto" } }),
        json!({ "model": "gpt-6-luna", "reasoning": { "effort": "none" } }),
        json!({ "model": "gpt-6-sol", "reasoning": { "effort": "max", "summary": null } }),
        json!({ "text": { "verbosity": "high" } }),
    ])
    .await;
}

#[tokio::test]
async fn formats_of_text_are_checked() {
    let format = |format: Value| json!({ "text": { "format": format } });
    let schema = json!({ "type": "object", "properties": {} });
    each_is_refused([
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
            format(json!({ "type": "json_schema", "name": "a b", "schema": schema })),
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
            format(json!({ "type": "json_schema", "name": "a", "strict": true, "schema": schema })),
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
        format(json!({ "type": "text" })),
        with(format(json!({ "type": "json_object" })), json!({ "input": [user("as JSON")] })),
        format(json!({ "type": "json_schema", "name": "a", "schema": schema })),
    ])
    .await;
}

/// A lite turn that passes, with these fields changed.
async fn lite(client: &Client, fields: Value) -> Answer {
    let fitting = json!({
        "model": "gpt-6-sol",
        "parallel_tool_calls": false,
        "reasoning": { "context": "all_turns" },
    });
    let body = with(with(body(), fitting), fields).to_string();
    let header = "x-openai-internal-codex-responses-lite";
    Answer::of(client.turn().header(header, "true").body(body)).await
}

#[tokio::test]
async fn the_lite_header_brings_its_own_rules() {
    let client = client().await;
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
            json!({ "model": "gpt-5.5", "reasoning": {} }),
            format!("This model is not supported when using {header}."),
            "model",
        ),
    ] {
        let error = json!({
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": "unsupported_value",
        });
        assert_eq!(lite(&client, fields).await.json()["error"], error);
    }
}

#[tokio::test]
async fn lite_tools_travel_in_the_input() {
    let client = client().await;
    let exec = json!({ "type": "custom", "name": "exec", "description": "Run JavaScript" });
    let functions =
        json!({ "type": "namespace", "name": "functions", "description": "", "tools": [exec] });
    let input = json!([
        { "type": "additional_tools", "id": "at_1", "role": "developer", "tools": [functions] },
        user("Use exec to print something"),
    ]);
    let call = lite(&client, json!({ "input": input })).await.items().pop().unwrap();
    assert_eq!(
        (&call["type"], &call["namespace"]),
        (&"custom_tool_call".into(), &"functions".into())
    );
}
