use super::*;

fn weather() -> Value {
    function(
        "get_weather",
        json!({
            "type": "object",
            "properties": {
                "city": { "type": "string" },
                "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
            },
            "required": ["city"],
        }),
    )
}

fn one_text(name: &str, properties: &[&str]) -> Value {
    let each: serde_json::Map<_, _> = properties
        .iter()
        .map(|property| ((*property).to_owned(), json!({ "type": "string" })))
        .collect();
    function(name, json!({ "type": "object", "properties": each, "required": properties }))
}

/// Name and arguments of each call; nothing for a message.
fn calls(items: &[Value]) -> Vec<(String, Value)> {
    let is_call = |item: &&Value| item["type"] == "function_call";
    items
        .iter()
        .filter(is_call)
        .map(|item| {
            let arguments = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
            (item["name"].as_str().unwrap().to_owned(), arguments)
        })
        .collect()
}

async fn called(text: &str, tools: Value) -> Vec<(String, Value)> {
    calls(&client().await.answer_to(text, json!({ "tools": tools })).await)
}

fn call(name: &str, arguments: Value) -> (String, Value) {
    (name.to_owned(), arguments)
}

#[tokio::test]
async fn exact_words_are_said_exactly() {
    let client = client().await;
    for (asked, said) in [
        ("Say exactly pong", "pong"),
        ("Please SAY EXACTLY: \"hello, world\"", "hello, world"),
        ("Say exactly 'ok' and nothing else.\nThanks", "ok"),
        ("say 'ok' and nothing else", "ok"),
        ("Reply with the single word: pong", "pong"),
        ("Say exactly grüße €", "grüße €"),
    ] {
        let items = client.answer_to(asked, json!({ "tools": [weather()] })).await;
        assert_eq!(items[0]["content"][0]["text"], said, "{asked}");
    }
}

#[tokio::test]
async fn plain_questions_get_a_plain_answer_in_deltas() {
    let client = client().await;
    let answer = client.ask(&body()).await;
    assert!(answer.said().contains("simulator"));
    let deltas = answer.names().iter().filter(|name| *name == "response.output_text.delta").count();
    assert!(deltas > 5, "{deltas}");
    assert_eq!(called("Tell me a joke", json!([weather()])).await, []);
}

#[tokio::test]
async fn counting_gives_a_long_answer() {
    let items = client().await.answer_to("Count to 5, please", json!({})).await;
    assert_eq!(items[0]["content"][0]["text"], "1, 2, 3, 4, 5");
}

#[tokio::test]
async fn reasoning_comes_when_it_is_asked_for() {
    let client = client().await;
    let wanted = json!({
        "reasoning": { "summary": "detailed" },
        "include": ["reasoning.encrypted_content"],
    });
    let items = client.answer_to("hi", wanted).await;
    assert_eq!(items[0]["type"], "reasoning");
    assert_eq!(items[0]["summary"].as_array().unwrap().len(), 2);
    assert!(items[0]["encrypted_content"].is_string());
    let items = client.answer_to("hi", json!({ "reasoning": { "summary": "auto" } })).await;
    assert_eq!(items[0].get("encrypted_content"), None);
    assert_eq!(client.answer_to("hi", json!({})).await[0]["type"], "message");
}

#[tokio::test]
async fn words_suggest_a_tool() {
    let paris = call("get_weather", json!({ "city": "Paris" }));
    for asked in [
        "What is the weather in Paris?",
        "Call get_weather for Paris",
        "How's the weather like in Paris, in words?",
        "Current Task: Weather report for Paris",
    ] {
        assert_eq!(
            called(asked, json!([weather()])).await,
            std::slice::from_ref(&paris),
            "{asked}"
        );
    }
    let greet = function("greet", json!({ "type": "object", "properties": {} }));
    assert_eq!(called("Run the greeting", json!([greet])).await, [call("greet", json!({}))]);
    let adding = one_text("other", &["a"]);
    let numbers = function(
        "add",
        json!({
            "type": "object",
            "properties": { "a": { "type": "number" }, "b": { "type": "integer" } },
            "required": ["a", "b"],
        }),
    );
    assert_eq!(
        called("Please add 2 and 40", json!([adding, numbers])).await,
        [call("add", json!({ "a": 2, "b": 40 }))]
    );
}

#[tokio::test]
async fn two_things_are_two_calls() {
    let both = "What is the weather in Paris and in New York?";
    let calls_made = called(both, json!([weather()])).await;
    assert_eq!(
        calls_made,
        [
            call("get_weather", json!({ "city": "Paris" })),
            call("get_weather", json!({ "city": "New York" })),
        ]
    );
    let time = one_text("get_time", &["city"]);
    let tools = json!([weather(), time]);
    let named = called("Use get_weather and get_time for Rome", tools.clone()).await;
    assert_eq!(
        named.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["get_weather", "get_time"]
    );

    let single = json!({ "tools": tools, "parallel_tool_calls": false });
    assert_eq!(calls(&client().await.answer_to(both, single).await).len(), 1);
}

#[tokio::test]
async fn tool_choice_is_honoured() {
    let client = client().await;
    let tools = json!([weather(), one_text("get_time", &["zone"])]);
    let with_choice = |choice: Value| json!({ "tools": tools, "tool_choice": choice });
    let name = |items: Vec<Value>| calls(&items).first().map(|(name, _)| name.clone());
    let required = client.answer_to("Hello", with_choice("required".into())).await;
    assert_eq!(name(required).as_deref(), Some("get_weather"));
    let named = json!({ "type": "function", "name": "get_time" });
    let named = client.answer_to("What is the weather in Paris?", with_choice(named)).await;
    assert_eq!(name(named).as_deref(), Some("get_time"));
    let none = client.answer_to("What is the weather in Paris?", with_choice("none".into())).await;
    assert_eq!(name(none), None);
    let allowed = json!({
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{ "type": "function", "name": "get_time" }],
    });
    let allowed = client.answer_to("What is the weather in Paris?", with_choice(allowed)).await;
    assert_eq!(name(allowed).as_deref(), Some("get_time"));
}

#[tokio::test]
async fn commands_are_run() {
    let asked = "Run `uname -a` and tell me what it printed.";
    let shell = |name: &str, property: &str| one_text(name, &[property]);
    assert_eq!(
        called(asked, json!([weather(), shell("bash", "command")])).await,
        [call("bash", json!({ "command": "uname -a" }))]
    );
    assert_eq!(
        called(asked, json!([shell("exec_command", "cmd")])).await,
        [call("exec_command", json!({ "cmd": "uname -a" }))]
    );
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let schema =
        |name: &str| json!({ "type": "object", "properties": { name: list }, "required": [name] });
    assert_eq!(
        called(asked, json!([function("shell", schema("command"))])).await,
        [call("shell", json!({ "command": ["bash", "-lc", "uname -a"] }))]
    );
    assert_eq!(
        called(asked, json!([function("run_commands", schema("commands"))])).await,
        [call("run_commands", json!({ "commands": ["uname -a"] }))]
    );
    assert_eq!(
        called("Run the greeting shell command.", json!([shell("bash", "command")])).await,
        [call("bash", json!({ "command": "echo hello" }))]
    );
}

#[tokio::test]
async fn files_are_written_with_whatever_is_at_hand() {
    let asked = "Create a file hello.txt with the content \"Hi Ada\".";
    let shell = one_text("bash", &["command"]);
    let write = one_text("write_file", &["path", "content"]);
    assert_eq!(
        called(asked, json!([shell, write])).await,
        [call("write_file", json!({ "path": "hello.txt", "content": "Hi Ada" }))]
    );
    assert_eq!(
        called(asked, json!([shell])).await,
        [call("bash", json!({ "command": "printf '%s\\n' 'Hi Ada' > 'hello.txt'" }))]
    );
    let tools = json!([one_text("read", &["path"]), one_text("write", &["path", "content"])]);
    assert_eq!(
        called("Write \"Hi\" to a.txt, then read it back.", tools).await,
        [call("write", json!({ "path": "a.txt", "content": "Hi" }))]
    );
    let editor = function(
        "file_editor",
        json!({
            "type": "object",
            "properties": {
                "command": { "type": "string", "enum": ["view", "create", "insert"] },
                "path": { "type": "string" },
                "file_text": { "type": "string" },
                "old_str": { "type": "string" },
            },
            "required": ["command", "path"],
        }),
    );
    let edited = json!({ "command": "create", "path": "hello.txt", "file_text": "Hi Ada" });
    assert_eq!(called(asked, json!([editor])).await, [call("file_editor", edited)]);

    let patch = json!({ "type": "custom", "name": "apply_patch" });
    let items = client().await.answer_to(asked, json!({ "tools": [shell, patch] })).await;
    assert_eq!(
        items[0]["input"],
        "*** Begin Patch\n*** Add File: hello.txt\n+Hi Ada\n*** End Patch\n"
    );
}

fn called_back(text: &str, outputs: &[(&str, Value)]) -> Value {
    let mut input = vec![user(text)];
    for (call_id, _) in outputs {
        input.push(json!({
            "type": "function_call", "call_id": call_id, "name": "get_weather", "arguments": "{}",
        }));
    }
    for (call_id, output) in outputs {
        input.push(json!({ "type": "function_call_output", "call_id": call_id, "output": output }));
    }
    input.into()
}

#[tokio::test]
async fn what_tools_return_is_quoted_and_ends_the_round() {
    let client = client().await;
    for choice in ["auto", "required"] {
        let input = called_back("Weather in Paris?", &[("c1", "sunny, 21 degrees".into())]);
        let fields = json!({ "input": input, "tools": [weather()], "tool_choice": choice });
        let said = client.ask(&with(body(), fields)).await.said();
        assert_eq!(said, "The tool returned: sunny, 21 degrees");
    }
    let codex = "Process exited with code 0\nOutput:\nhello\n";
    let parts = json!([{ "type": "input_text", "text": "wind" }]);
    let input = called_back("Weather?", &[("c1", codex.into()), ("c2", parts)]);
    let said = client.ask(&with(body(), json!({ "input": input }))).await.said();
    assert_eq!(said, "The tools returned:\n- hello\n- wind");
}

#[tokio::test]
async fn agents_that_end_by_a_tool_are_ended_by_it() {
    let client = client().await;
    let tools = json!([weather(), one_text("attempt_completion", &["result"])]);
    let input = called_back("Weather in Paris?", &[("c1", "sunny".into())]);
    let answer = client.ask(&with(body(), json!({ "input": input, "tools": tools }))).await;
    let result = json!({ "result": "The tool returned: sunny" });
    assert_eq!(calls(&answer.items()), [call("attempt_completion", result)]);
}

#[tokio::test]
async fn tasks_are_read_out_of_what_agents_wrap_around_them() {
    let asked = "<task>\nRun `date`\n</task>\n<environment_details>\n`ls` run \
                 command\n</environment_details>";
    assert_eq!(
        called(asked, json!([one_text("execute_command", &["command"])])).await,
        [call("execute_command", json!({ "command": "date" }))]
    );
}

#[tokio::test]
async fn tasks_between_quotes_are_read_as_if_there_were_none() {
    let write = json!([one_text("write", &["path", "content"])]);
    assert_eq!(
        called("\"Create a.txt with the content \\\"Hi Ada\\\"\"\n", write).await,
        [call("write", json!({ "path": "a.txt", "content": "Hi Ada" }))]
    );
}

#[tokio::test]
async fn a_whole_path_is_given_where_the_tool_wants_one_and_the_folder_is_told() {
    let client = client().await;
    let write = |about: &str| {
        let path = json!({ "type": "string", "description": about });
        let properties = json!({ "file_path": path, "content": { "type": "string" } });
        let schema = json!({ "type": "object", "properties": properties, "required": ["file_path", "content"] });
        json!([function("write_file", schema)])
    };
    let asked = "Create a.txt with the content \"Hi\"";
    for (told, about, path) in [
        (
            "I'm currently working in the directory: /home/ada/x",
            "An absolute path",
            "/home/ada/x/a.txt",
        ),
        ("Current working directory is `/w`. Be kind", "The Absolute path", "/w/a.txt"),
        ("<cwd>/w/v</cwd>", "Must be absolute", "/w/v/a.txt"),
        ("<cwd>/w/v</cwd>", "Relative to the folder", "a.txt"),
        ("Keep the working directory clean", "An absolute path", "a.txt"),
    ] {
        let more = json!({ "tools": write(about), "instructions": told });
        let items = client.answer_to(asked, more).await;
        let expected = call("write_file", json!({ "file_path": path, "content": "Hi" }));
        assert_eq!(calls(&items), [expected], "{told}");
    }
}

#[tokio::test]
async fn agents_without_tools_are_given_the_file_in_the_text_they_ask_for() {
    let asked = "Create a.txt with the content \"Hi Ada\"\n\n";
    let client = client().await;
    for (rules, said) in [
        ("Return a *file listing*: no \"...\"!", "a.txt\n```\nHi Ada\n```\n"),
        (
            "Use a *SEARCH/REPLACE block*, as in `b.txt`.",
            "a.txt\n```\n<<<<<<< SEARCH\n=======\nHi Ada\n>>>>>>> REPLACE\n```\n",
        ),
    ] {
        let items = client.answer_to(&format!("{asked}{rules}"), json!({})).await;
        assert_eq!(items[0]["content"][0]["text"], said, "{rules}");
    }
    let items = client.answer_to("What is a *file listing* like?", json!({})).await;
    assert!(items[0]["content"][0]["text"].as_str().unwrap().contains("You said"));
}

#[tokio::test]
async fn arguments_of_a_tool_made_strict_have_every_property() {
    let mut tool = weather();
    tool.as_object_mut().unwrap().shift_remove("strict");
    assert_eq!(
        called("Weather in Paris?", json!([tool])).await,
        [call("get_weather", json!({ "city": "Paris", "unit": "celsius" }))]
    );
}
