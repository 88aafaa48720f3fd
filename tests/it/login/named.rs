//! What says to log in says it for the account that has to be logged in.

use std::{fs, time::Duration};

use codexway::simulator::{Script, TokenScript};
use serde_json::{Value, json};

use super::{Told, World, browser};
use crate::support::binary::listening;

const COMMAND: &str = "`codexway login --account work`";

fn settings(world: &World) {
    let settings = "[accounts.work]\n[profiles.work]\naccount = \"work\"\n";
    fs::write(world.home.path().join("my.toml"), settings).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a_named_account_is_told_to_log_that_one_in() {
    let world = World::new().await;
    settings(&world);
    let (_server, info) = listening(&world.home, world.command(&["serve", "--config", "my.toml"]));
    let url = format!("{}/profiles/work/v1/responses", info["url"].as_str().unwrap());
    let client = browser();
    let message = async || {
        let body = json!({"model": "gpt-5.5", "input": "hi"});
        let answer = client.post(&url).json(&body).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        body["error"]["message"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    };
    let check = |case: &str, told: String| {
        assert!(told.contains(COMMAND), "{case}: {told}");
        assert!(!told.contains("`codexway login`"), "{case}: {told}");
    };
    check("no login", message().await);
    for code in [
        "refresh_token_expired",
        "refresh_token_reused",
        "refresh_token_invalidated",
        "invalid_grant",
    ] {
        world.logged_in("work", &world.simulator.auth_json_expiring(Duration::ZERO));
        let refusal = json!({ "error": { "code": code } }).to_string();
        world.simulator.token_script(TokenScript::status(401, &refusal));
        check(code, message().await);
    }
    world.logged_in("work", r#"{"OPENAI_API_KEY": "sk-1"}"#);
    check("an API key", message().await);
    world.logged_in("work", &world.simulator.auth_json());
    for script in [Script::usage_not_included(), Script::deactivated_workspace()] {
        let case = format!("{script:?}");
        world.simulator.script(script);
        check(&case, message().await);
    }
    // Every token is refused, the new one as well.
    world.simulator.script_always(Some(Script::unauthorized("token_invalidated")));
    check("refused", message().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_login_of_a_named_account_name_it_too() {
    let world = World::new().await;
    settings(&world);
    world.logged_in("work", &world.simulator.auth_json_expiring(Duration::ZERO));
    world.simulator.revoke_all();
    let told = world.run(&["status", "--json", "--config", "my.toml"]);
    let problem = told.json()["accounts"][1]["problem"].clone();
    assert!(problem.as_str().unwrap().ends_with(&format!("run {COMMAND}")), "{problem}");

    let options = codexway::simulator::Options { device_logins: false, ..Default::default() };
    let world = World::with(options).await;
    let told = world.run(&["login", "--device", "--yes", "--account", "work"]);
    told.failed(1, &[COMMAND]);
    let mut command = world.command(&["login", "--access-token", "--yes", "--account", "work"]);
    let file = world.home.path().join("token");
    fs::write(&file, "at-unknown").unwrap();
    command.stdin(fs::File::open(file).unwrap());
    Told::of(command.output().unwrap()).failed(1, &["make a new one on the web"]);
}
