use super::*;

const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg\
                     YGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==";

fn part(part: Value) -> Value {
    json!({ "input": [{ "role": "user", "content": [part] }] })
}

fn assistant(part: Value) -> Value {
    json!({ "input": [{ "role": "assistant", "content": [part] }] })
}

#[tokio::test]
async fn items_have_a_type_and_its_keys() {
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
            item(json!({ "content": "x" })),
            "Missing required parameter: 'input[1].type'.",
            "input[1].type",
            "missing_required_parameter",
        ),
        (
            item("x".into()),
            "Invalid type for 'input[1]': expected an object, but got a string instead.",
            "input[1]",
            "invalid_type",
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
            json!({ "input": [{ "role": "assistant", "content": "x", "phase": "middle" }] }),
            "Invalid value: 'middle'. Supported values are: 'commentary' and 'final_answer'.",
            "input[0].phase",
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
async fn calls_and_outputs_have_text() {
    each_is_refused([
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
            item(json!({ "type": "function_call_output", "call_id": "c" })),
            "Missing required parameter: 'input[1].output'.",
            "input[1].output",
            "missing_required_parameter",
        ),
        (
            item(call(&"x".repeat(70))),
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
            part(json!({ "type": "input_image", "detail": "low" })),
            "Missing required parameter: 'input[0].content[0].image_url'.",
            "input[0].content[0].image_url",
            "missing_required_parameter",
        ),
        (
            part(json!({ "type": "input_image", "image_url": PIXEL, "detail": "huge" })),
            "Invalid value: 'huge'. Supported values are: 'low', 'high', 'auto', and 'original'.",
            "input[0].content[0].detail",
            "invalid_value",
        ),
    ])
    .await;
    each_passes([
        assistant(json!({ "type": "output_text", "text": "x", "annotations": [], "logprobs": [] })),
        assistant(json!({ "type": "refusal", "refusal": "x" })),
        part(json!({ "type": "input_file", "filename": "a.pdf", "file_data": "data:," })),
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
        (image("file:///home/ada/a.png".into()), no_url, path, "invalid_value"),
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
    let seen = json!([{ "type": "input_image", "image_url": PIXEL }]);
    each_passes([
        image(PIXEL.into()),
        image("https://example.com/a.png".into()),
        json!({ "input": [user("look"), call("c"), output("c", seen)] }),
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
    each_passes([message("msg_1"), message(&format!("msg_{uuid}"))]).await;
}
