use std::{
    fs,
    io::{BufRead, BufReader},
};

use codexway::simulator::{Options, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{
    TestServer, ask,
    binary::{codexway, listening, logging, run, signal, start, text},
    with,
};

/// A function whose schema the backend would refuse as it is.
fn odd_tool() -> Value {
    json!({"type": "function", "name": "f", "parameters": {"type": "object"}})
}

#[tokio::test]
async fn bodies_are_mended_or_passed_on_as_profile_and_request_say() {
    let server = TestServer::start().await;
    let body = with(json!({"model": "gpt-5.5", "input": "hi"}), json!({"tools": [odd_tool()]}));
    let sent = async |value: Value| {
        let capabilities = json!({"codex_capabilities": {"codex_passthrough": value}});
        server.responses(&with(body.clone(), capabilities)).await;
        server.last_turn()["tools"][0].take()
    };
    for value in [json!("auto"), json!(true), json!("true")] {
        assert_eq!(sent(value.clone()).await, odd_tool(), "{value}");
    }
    for value in [json!(false), json!("false")] {
        let mended = sent(value.clone()).await;
        let parameters = json!({"type": "object", "properties": {}});
        assert_eq!(
            (&mended["parameters"], &mended["strict"]),
            (&parameters, &json!(false)),
            "{value}"
        );
    }
    let vars = [("CODEXWAY__PROFILES__CODEX__CODEX_PASSTHROUGH", "false")];
    let server = TestServer::with_vars(&vars).await;
    server.responses(&body).await.ok();
    assert_eq!(server.last_turn()["tools"][0]["strict"], false);
}

/// What `extra_body` says is nearer than the profile, and what stands by itself nearer still.
#[tokio::test]
async fn every_capability_may_be_said_anew_by_a_request() {
    let vars = [
        ("CODEXWAY__PROFILES__CODEX__PROMPT_MODE", "codex_default"),
        ("CODEXWAY__PROFILES__CODEX__TOOL_SCHEMA_MODE", "merge_custom"),
        ("CODEXWAY__PROFILES__CODEX__INCLUDE_ENVIRONMENT_CONTEXT", "true"),
        ("CODEXWAY__PROFILES__CODEX__TOOL_TEXT_FORMAT", "markdown"),
        ("CODEXWAY__PROFILES__CODEX__BYPASS_TOOL_CALL_REACTOR", "false"),
        ("CODEXWAY__PROFILES__CODEX__PROTOCOL", "openai-responses"),
    ];
    let server = TestServer::with_vars(&vars).await;
    server.chat(&ask("hi")).await.refused(400, "unsupported_value", "protocol");
    let said = json!({
        "protocol": "openai-chat",
        "codex_passthrough": false,
        "prompt_mode": "custom_only",
        "tool_schema_mode": "custom_only",
        "tool_text_format": "none",
        "bypass_tool_call_reactor": true,
        "include_environment_context": false,
    });
    for more in [
        json!({"codex_capabilities": said}),
        json!({"extra_body": {"codex_capabilities": said}}),
        json!({"extra_body": said}),
        said,
    ] {
        let answer = server.chat(&with(ask("hi"), more.clone())).await.ok();
        assert_eq!(answer.header("x-codexway-dropped"), None, "{more}");
        let sent = server.last_turn();
        assert_eq!((&sent["instructions"], sent.get("tools")), (&json!(""), None), "{more}");
        assert_eq!(sent["input"].as_array().unwrap().len(), 1, "{more}");
    }
}

#[test]
fn the_keys_of_that_proxy_s_file_are_refused_with_those_that_take_their_place() {
    let home = tempfile::tempdir().unwrap();
    let file = "backends:\n  openai_codex:\n    type: openai-codex\n    extra:\n      codex:\n        default_capabilities: {tool_schema_mode: custom_only, prompt_mode: custom_only}\n        prompt: {prepend: [a]}\n";
    fs::write(home.path().join("config.yaml"), file).unwrap();
    for command in [["config", "check"], ["config", "show"], ["serve", "--profile=codex"]] {
        let told = run(&home, &[&command[..], &["--config", "config.yaml"]].concat());
        assert_eq!(told.status.code(), Some(2), "{told:?}");
        let said = text(&told.stderr);
        for part in [
            "`backends.openai_codex.extra.codex.default_capabilities.tool_schema_mode`; here it is `profiles.codex.tool_schema_mode`",
            "`backends.openai_codex.extra.codex.default_capabilities.prompt_mode`; here it is `profiles.codex.prompt_mode`",
            "`backends.openai_codex.extra.codex.prompt.prepend`; here it is `profiles.codex.prompt_mode`",
            "`backends.openai_codex.type`; here it is `upstreams.codex.kind`",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[test]
fn that_proxy_s_variables_are_told_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let mut command = codexway(&home);
    command
        .arg("demo")
        .env("OPENAI_CODEX_DEFAULT_CAPABILITIES", r#"{"prompt_mode":"merge_custom"}"#);
    let (child, _) = logging(&home, command, "server.log");
    drop(child);
    let log = fs::read_to_string(home.path().join("server.log")).unwrap();
    let told = "`OPENAI_CODEX_DEFAULT_CAPABILITIES` is not read; here it is `profiles.codex`";
    assert!(log.contains("WARN") && log.contains(told), "{log}");
}

#[tokio::test]
async fn the_variable_of_the_api_leads_the_platform_s_turns_elsewhere() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut command = codexway(&home);
    command
        .env("OPENAI_API_BASE_URL", simulator.platform_url())
        .env("OPENAI_API_KEY", simulator.api_key())
        .env("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai");
    let (_child, info) = listening(&home, command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/responses", info["url"].as_str().unwrap());
    let body = json!({"model": "gpt-4o", "input": "Say exactly pong"});
    let answer = client.post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    assert_eq!(simulator.turns().pop().unwrap().path, "/v1/responses");
}

/// Waits until the profile's alias is there, or is not.
async fn until_served(url: &str, alias: &str) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while client.get(format!("{url}/v1/models/{alias}")).send().await.unwrap().status() != 200 {
        assert!(std::time::Instant::now() < until, "{alias} is not served");
        tokio::task::yield_now().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_yaml_file_is_followed_as_a_toml_file_is() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("my.yaml");
    let aliases = |name: &str| format!("profiles:\n  codex:\n    aliases: {{{name}: gpt-5.5}}\n");
    fs::write(&file, aliases("first")).unwrap();
    let shown = codexway(&home)
        .args(["config", "show", "--config", "my.yaml"])
        .env("CODEXWAY__STATE__STORE", "off")
        .output()
        .unwrap();
    let shown = text(&shown.stdout);
    let origin = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(key)).unwrap();
        line.rsplit_once("  # ").unwrap().1.to_owned()
    };
    assert_eq!(
        ["profiles.codex.aliases.first", "state.store", "server.max_turns"].map(origin),
        ["my.yaml", "CODEXWAY__STATE__STORE", "default"]
    );
    assert!(shown.lines().all(|line| line.contains("  # ")), "{shown}");

    let (mut child, info) = start(&home, &["demo", "--config", "my.yaml"]);
    let mut log = BufReader::new(child.0.stderr.take().unwrap()).lines();
    let url = info["url"].as_str().unwrap();
    until_served(url, "first").await;
    fs::write(&file, aliases("second")).unwrap();
    signal(&child.0, "-HUP");
    until_served(url, "second").await;
    for (wrong, told) in [
        ("profiles:\n  codex: [\n", "line 3"),
        ("profiles:\n  codex:\n    verbosity: loud\n", "`profiles.codex.verbosity` must be"),
    ] {
        fs::write(&file, wrong).unwrap();
        signal(&child.0, "-HUP");
        let line = log.find(|line| line.as_ref().unwrap().contains(told)).unwrap().unwrap();
        assert!(line.contains("the old ones stay") && line.contains("my.yaml"), "{line}");
        until_served(url, "second").await;
    }
    fs::write(&file, aliases("third")).unwrap();
    until_served(url, "third").await;
}
