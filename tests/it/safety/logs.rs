use std::io::Read;

use codexway::simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::support::{ask, binary, with};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_word_of_a_conversation_is_logged() {
    let home = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let login = simulator.auth_json();
    std::fs::write(home.path().join("auth.json"), &login).unwrap();
    let mut command = binary::codexway(&home);
    command
        .arg("serve")
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url())
        .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url())
        .env("CODEXWAY__SERVER__KEYS", r#"["sk-local-secret"]"#)
        .env("CODEX_HOME", home.path())
        .env("RUST_LOG", "codexway=trace,info");
    let (mut running, info) = binary::listening(&home, command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/chat/completions", info["url"].as_str().unwrap());
    let post = |key: &str, body: &Value| client.post(&url).bearer_auth(key).json(body).send();
    let words = ask("Say exactly a-word-of-mine");
    for body in [&words, &with(words.clone(), json!({"stream": true, "user": "a-user-of-mine"}))] {
        assert_eq!(post("sk-local-secret", body).await.unwrap().status(), 200);
        assert_eq!(post("sk-wrong-secret", body).await.unwrap().status(), 401);
        // Once with a token that has to be renewed.
        simulator.expire_access_tokens();
    }
    let wrong = with(words, json!({"temperature": "a-word-of-mine"}));
    assert_eq!(post("sk-local-secret", &wrong).await.unwrap().status(), 400);
    running.0.kill().unwrap();
    let mut log = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();

    assert!(log.contains("gpt-5.5"), "the turns are logged: {log}");
    let tokens: Value = serde_json::from_str(&login).unwrap();
    let now: Value =
        serde_json::from_slice(&std::fs::read(home.path().join("auth.json")).unwrap()).unwrap();
    let of = |login: &Value| {
        ["access_token", "refresh_token", "id_token"]
            .map(|name| login["tokens"][name].as_str().unwrap().to_owned())
    };
    let said = ["sk-local", "sk-wrong", "a-word-of-mine", "a-user-of-mine", "ada@example.com"];
    let secrets = of(&tokens).into_iter().chain(of(&now)).chain(said.map(str::to_owned));
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log: {log}");
    }
}

#[tokio::test]
async fn a_line_tells_those_who_want_to_know_more_what_each_turn_asks_for() {
    let home = tempfile::tempdir().unwrap();
    let mut command = binary::codexway(&home);
    command.arg("demo").env("RUST_LOG", "codexway=debug");
    let (child, info) = binary::logging(&home, command, "server.log");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({
        "model": "gpt-5.5",
        "stream": true,
        "temperature": 0,
        "reasoning_effort": "high",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "No \"input_image\" but this:"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        ]}],
    });
    let url = format!("{}/v1/chat/completions", info["url"].as_str().unwrap());
    client.post(&url).json(&body).send().await.unwrap().text().await.unwrap();
    drop(child);
    let log = std::fs::read_to_string(home.path().join("server.log")).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("turn begins")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    let (_, asked) = line.split_once("turn.dialect").unwrap();
    assert_eq!(
        asked,
        r#"="chat" turn.model="gpt-5.5" stream=true tools=1 images=1 effort="high" dropped="temperature""#
    );
}
