use serde_json::Value;

use crate::support::{
    ask,
    binary::{codexway, listening},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_may_run_at_the_simulator_beside_others_that_do_not() {
    let home = tempfile::tempdir().unwrap();
    let mut command = codexway(&home);
    command
        .arg("serve")
        .env("CODEXWAY__PROFILES__TRY__UPSTREAM", "demo")
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", "http://127.0.0.1:1")
        .env("RUST_LOG", "off"); // nobody reads it
    let (_child, info) = listening(&home, command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str| {
        let url = format!("{}{path}/v1/chat/completions", info["url"].as_str().unwrap());
        let answer = client.post(url).json(&ask("Say exactly pong")).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, answer) = post("/profiles/try").await;
    assert_eq!((status, answer["choices"][0]["message"]["content"].as_str()), (200, Some("pong")));
    let (status, answer) = post("").await;
    assert_eq!(status, 401, "{answer}");
}
