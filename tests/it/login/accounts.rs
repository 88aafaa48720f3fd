use std::fs;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Told, World, browser};
use crate::support::{
    TestServer,
    binary::{listening, run, start},
};

impl World {
    /// Logs in with a code, which is typed at once.
    fn log_in(&self, args: &[&str]) -> Told {
        let command = self.command(&[&["login", "--device", "--yes"], args].concat());
        let (child, [_, code]) = self.waiting(command);
        assert!(self.simulator.approve_device(&code));
        Told::end_of(child).ok()
    }

    fn borrowed(&self) -> std::path::PathBuf {
        let folder = self.home.path().join(".codex");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("auth.json"), self.simulator.auth_json()).unwrap();
        folder.join("auth.json")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_live_beside_each_other() {
    let world = World::new().await;
    world.log_in(&[]);
    world.simulator.sign_in_as("grace@example.com");
    world.log_in(&["--account", "work"]);
    let id = |account| world.on_disk(account)["tokens"]["account_id"].clone();
    assert_ne!(id("default"), id("work"));
    let again = world.log_in(&["--account", "work"]);
    assert!(!again.stderr.contains("another ChatGPT account"), "{again:?}");
    let other = world.log_in(&[]);
    assert!(
        other.stderr.contains("`default` was the login of another ChatGPT account"),
        "{other:?}"
    );
    let status = world.run(&["status", "--json"]).ok().json();
    let names: Vec<&Value> =
        status["accounts"].as_array().unwrap().iter().map(|account| &account["name"]).collect();
    assert_eq!(names, ["default", "work"]);

    world.run(&["logout", "--account", "work"]).ok();
    assert!(!world.own("work").exists());
    let status = world.run(&["status", "--json"]).ok().json();
    assert_eq!(status["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(status["accounts"][0]["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_uses_the_account_that_it_names() {
    let world = World::new().await;
    fs::write(
        world.home.path().join("my.toml"),
        "[accounts.work]\n[profiles.work]\naccount = \"work\"\n",
    )
    .unwrap();
    let status = world.run(&["status", "--json", "--config", "my.toml"]);
    assert_eq!(status.code, 3, "{status:?}");
    let problem = status.json()["accounts"][1]["problem"].clone();
    assert!(
        problem.as_str().unwrap().ends_with("run `codexway login --account work`"),
        "{problem}"
    );
    world.log_in(&["--account", "work", "--config", "my.toml"]);

    let (_server, info) = listening(&world.home, world.command(&["serve", "--config", "my.toml"]));
    let url = format!("{}/profiles/work/v1/responses", info["url"].as_str().unwrap());
    let body = json!({"model": "gpt-5.5", "input": "hi"});
    assert_eq!(browser().post(url).json(&body).send().await.unwrap().status(), 200);
    let turn = world.simulator.turns().pop().unwrap();
    let account = world.on_disk("work")["tokens"]["account_id"].clone();
    assert_eq!(turn.header("chatgpt-account-id"), account.as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_login_here_and_at_the_server() {
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json());
    let token = world.on_disk("default")["tokens"]["refresh_token"].clone();
    let told = world.run(&["logout"]).ok();
    assert!(told.stderr.contains("logged out, here and at the server"), "{told:?}");
    let asked = world.asked("/oauth/revoke").pop().unwrap().json();
    assert_eq!(
        asked,
        json!({
            "token": token,
            "token_type_hint": "refresh_token",
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        })
    );
    assert!(!world.own("default").exists());
    let again = world.run(&["logout"]).ok();
    assert!(again.stderr.contains("has no login to end"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_without_a_network_still_deletes_the_login() {
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json());
    world.simulator.stop();
    let told = world.run(&["logout"]).ok();
    assert!(told.stderr.contains("the server could not be told: cannot reach"), "{told:?}");
    assert!(!world.own("default").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_borrowed_login_is_left_to_its_owner() {
    let world = World::new().await;
    let file = world.borrowed();
    let before = fs::read(&file).unwrap();
    world.run(&["logout"]).failed(1, &["borrowed from another program", "`codex logout`"]);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(world.simulator.requests().is_empty());

    // Our own login leaves it alone as well, and goes before it.
    world.log_in(&[]);
    assert_eq!(fs::read(&file).unwrap(), before);
    let told = world.run(&["logout"]).ok();
    assert!(told.stderr.contains("from now on the login in"), "{told:?}");
    assert_eq!(fs::read(&file).unwrap(), before);

    let source = file.parent().unwrap().to_str().unwrap();
    let mut command = world.command(&["login", "--device", "--yes"]);
    command.env("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", source);
    Told::of(command.output().unwrap()).failed(2, &["borrows the login in", "`codex login`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_notices_a_login_and_a_logout() {
    let world = World::new().await;
    let (_server, info) = listening(&world.home, world.command(&["serve"]));
    let url = info["url"].as_str().unwrap();
    let browser = browser();
    let ready = async || browser.get(format!("{url}/ready")).send().await.unwrap().status();
    assert_eq!(ready().await, 503);
    world.log_in(&[]);
    assert_eq!(ready().await, 200);
    world.run(&["logout"]).ok();
    while ready().await == 200 {
        tokio::task::yield_now().await; // It looks at the file once a second.
    }
    assert_eq!(ready().await, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_told_before_anybody_is_asked() {
    let world = World::new().await;
    fs::create_dir_all(world.data()).unwrap();
    fs::write(world.data().join("accounts"), "in the way").unwrap();
    let told = world.run(&["login", "--device", "--yes"]);
    told.failed(1, &["keep a login in `", "accounts/default`"]);
    fs::remove_file(world.data().join("accounts")).unwrap();
    if cfg!(not(feature = "keyring")) {
        let mut command = world.command(&["login", "--device", "--yes"]);
        command.env("CODEXWAY__ACCOUNTS__DEFAULT__STORE", "keyring");
        let told = Told::of(command.output().unwrap());
        told.failed(1, &["this build of codexway knows no keyring"]);
    }
    assert!(world.simulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn models_lists_what_the_server_would() {
    let server = TestServer::with_vars(&[(
        "CODEXWAY__PROFILES__CODEX__ALIASES",
        r#"{ "gpt-4o" = "gpt-5.5", "none" = "such" }"#,
    )])
    .await;
    let listed = server.get("/v1/models").await.ok().json()["data"].clone();
    let world = World { home: tempfile::tempdir().unwrap(), simulator: server.simulator.clone() };
    world.logged_in("default", &world.simulator.auth_json());
    let models = |args: &[&str]| {
        let mut command = world.command(args);
        command.env(
            "CODEXWAY__PROFILES__CODEX__ALIASES",
            r#"{ "gpt-4o" = "gpt-5.5", "none" = "such" }"#,
        );
        Told::of(command.output().unwrap())
    };
    let told = models(&["models", "--json"]).ok();
    assert_eq!(told.json(), listed);
    let table = models(&["models"]).ok().stdout;
    let line = |name: &str| {
        let found = table.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{name} in {table}")).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(
        line("gpt-4o"),
        ["gpt-4o", "272k", "low", "medium*", "high", "xhigh", "priority", "text,", "image"]
    );
    assert_eq!(line("MODEL")[..2], ["MODEL", "CONTEXT"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_lists_what_the_platform_has() {
    let world = World::new().await;
    let mut command = world.command(&["models", "--json"]);
    command
        .env("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai")
        .env("OPENAI_API_BASE_URL", world.simulator.platform_url())
        .env("OPENAI_API_KEY", world.simulator.api_key());
    let models = Told::of(command.output().unwrap()).ok().json();
    let find = |id: &str| models.as_array().unwrap().iter().find(|model| model["id"] == id);
    assert_eq!(find("gpt-5.5").unwrap()["context_window"], 272_000);
    assert!(find("gpt-4o").unwrap().get("pricing").is_none());
    assert_eq!(find("text-embedding-3-small"), None);
}

#[test]
fn without_a_login_models_shows_the_built_in_list_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let told = Told::of(run(&home, &["models", "--json"])).ok();
    assert!(told.stderr.contains("this is the built-in list"), "{told:?}");
    assert!(told.stderr.contains("run `codexway login`"), "{told:?}");
    assert_eq!(told.json()[0]["id"], "gpt-6.1-sol");
}

#[test]
fn status_finds_the_running_server() {
    let home = tempfile::tempdir().unwrap();
    let (_server, info) = start(&home, &["demo"]);
    let url = info["url"].as_str().unwrap();
    let mut command = crate::support::binary::codexway(&home);
    command.args(["status", "--json"]);
    command.env("CODEXWAY__SERVER__LISTEN", url.strip_prefix("http://").unwrap());
    let told = Told::of(command.output().unwrap());
    let expected = json!({"url": url, "version": env!("CARGO_PKG_VERSION")});
    assert_eq!(told.json()["server"], expected);
}
