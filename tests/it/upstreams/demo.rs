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

#[test]
fn commands_find_the_simulator_of_a_profile_that_runs_there() {
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = codexway(&home);
        command
            .args(args)
            .env("CODEXWAY__PROFILES__CODEX__UPSTREAM", "demo")
            .env("CODEXWAY__SERVER__LISTEN", "127.0.0.1:0");
        let output = command.output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        assert!(output.status.success(), "{args:?}\n{out}\n{err}");
        (out, err)
    };
    let (models, warned) = run(&["models"]);
    assert!(models.contains("gpt-5.5") && !warned.contains("built-in"), "{models}{warned}");
    let (status, _) = run(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    let [account] = status["accounts"].as_array().unwrap().as_slice() else { panic!("{status}") };
    assert_eq!((&account["state"], &account["login"]), (&"ready".into(), &Value::Null));
    let (found, _) = run(&["doctor", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap()["ok"], true, "{found}");
    // Its account is nobody's to name.
    let mut command = codexway(&home);
    let output = command.args(["logout", "--account", "(demo)"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
