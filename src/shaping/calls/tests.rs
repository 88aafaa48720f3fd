use serde_json::json;

use super::{mend, text::text};
use crate::{config::ToolTextFormat, protocol::Item};

#[test]
fn arguments_that_are_nearly_json_become_json() {
    for (written, meant) in [
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        ("", "{}"),
        ("```json\n{\"a\": 1}\n```", r#"{"a":1}"#),
        (r#"{"a": [1, 2,], }"#, r#"{"a":[1,2]}"#),
        (r#"{'a': 'it''}"#, r#"{'a': 'it''}"#),
        (r"{'a': 'x', b: True, c: None}", r#"{"a":"x","b":true,"c":null}"#),
        ("{\"a\": \"two\nlines\"}", r#"{"a":"two\nlines"}"#),
        (r#"{"a": {"b": [1, "c"#, r#"{"a":{"b":[1,"c"]}}"#),
        (r#"{"a": 1, "b"#, r#"{"a":1}"#),
        (r#"{"größe": "🦀\u00e9"#, r#"{"größe":"🦀é"}"#),
        // Not to be guessed at.
        ("ls -l", "ls -l"),
        (r#"{"a" 1}"#, r#"{"a" 1}"#),
        (r#"{"a": 1} and more"#, r#"{"a": 1} and more"#),
        ("[1,", "[1,"),
    ] {
        assert_eq!(mend::arguments(written), meant, "{written}");
    }
    let deep = "{\"a\":".repeat(100_000);
    assert_eq!(mend::arguments(&deep), deep);
}

#[test]
fn a_name_that_is_nearly_a_tool_s_is_that_tool_s() {
    let tools = ["get_weather", "read-file", "readFile2"].map(str::to_owned);
    let check = |name: &str, meant: Option<&str>| {
        assert_eq!(mend::name(name, &tools).as_deref(), meant, "{name}");
    };
    check("get_weather", None);
    check("getWeather", Some("get_weather"));
    check("functions.get_weather", Some("get_weather"));
    check("read_file", Some("read-file"));
    check("weather", None);
}

#[test]
fn a_call_is_shown_in_each_format() {
    let call = Item::new(&json!({"type": "function_call", "name": "shell",
        "arguments": "{\"command\":[\"ls\",\"-l\"],\"n\":3}"}));
    let patch = Item::new(&json!({"type": "custom_tool_call", "name": "apply_patch",
        "input": "*** Begin Patch\n*** End Patch"}));
    let check = |item: &Item, format: ToolTextFormat, expected: &str| {
        assert_eq!(text(item, format).as_deref(), Some(expected));
    };
    check(
        &call,
        ToolTextFormat::CodexXml,
        "<execute_command>\n<command>ls -l</command>\n<n>3</n>\n</execute_command>",
    );
    check(
        &patch,
        ToolTextFormat::CodexXml,
        "<apply_diff>\n<diff>*** Begin Patch\n*** End Patch</diff>\n</apply_diff>",
    );
    check(&call, ToolTextFormat::Summary, "shell(command: [\"ls\",\"-l\"], n: 3)");
    check(&patch, ToolTextFormat::Summary, "apply_patch(*** Begin Patch …)");
    check(
        &patch,
        ToolTextFormat::Markdown,
        "**apply_patch**\n\n```\n*** Begin Patch\n*** End Patch\n```",
    );
    assert!(text(&call, ToolTextFormat::None).is_none());
}
