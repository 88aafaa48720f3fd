use std::time::Duration;

use codexway::simulator::{Options, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{
    ask,
    binary::{codexway, listening, signal},
    with,
};

/// What a client is told of a long answer by a server that is stopped after its first words, and
/// waits for a second.
async fn stopped(path: &str, body: Value) -> (u16, String) {
    let options = Options { pace: Some(Duration::from_millis(20)), ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("auth.json"), simulator.auth_json()).unwrap();
    let mut command = codexway(&home);
    command
        .arg("serve")
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url())
        .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url())
        .env("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", home.path())
        .env("CODEXWAY__SERVER__SHUTDOWN_GRACE", "1s")
        .env("RUST_LOG", "off"); // nobody reads it
    let (mut child, info) = listening(&home, command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{path}", info["url"].as_str().unwrap());
    let turn = tokio::spawn(client.post(url).json(&body).send());
    simulator.until_running(1).await;
    signal(&child.0, "-TERM");
    let answer = turn.await.unwrap().unwrap();
    let told = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(child.0.wait().unwrap().success());
    told
}

fn long() -> String {
    let words: Vec<String> = (0..900).map(|n| format!("word{n}")).collect();
    format!("Say exactly {}", words.join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_be_waited_for_ends_in_an_error() {
    let body = with(ask(&long()), json!({"stream": true}));
    let (status, told) = stopped("/v1/chat/completions", body).await;
    let last = told.trim_end().rsplit("\n\n").next().unwrap();
    let last: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((status, &last["error"]["code"]), (200, &json!("server_stopped")), "{told}");

    let body = json!({"model": "gpt-5.5", "input": long(), "stream": true});
    let (status, told) = stopped("/v1/responses", body).await;
    assert_eq!(status, 200);
    assert!(told.contains("event: response.failed") && told.contains("server_stopped"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_that_cannot_be_waited_for_is_a_503() {
    let (status, told) = stopped("/v1/chat/completions", ask(&long())).await;
    assert_eq!(status, 503, "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["error"]["code"], "server_stopped");
}
