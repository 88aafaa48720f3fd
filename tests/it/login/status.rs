use std::{fs, time::Duration};

use codexway::simulator::{Options, TokenScript};
use insta::assert_snapshot;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::World;

impl World {
    /// With a login of our own.
    async fn ready(options: Options) -> Self {
        let world = Self::with(options).await;
        world.logged_in("default", &world.simulator.auth_json());
        world
    }

    /// With one that has to be refreshed first.
    async fn expired() -> Self {
        let world = Self::new().await;
        world.logged_in("default", &world.simulator.auth_json_expiring(Duration::ZERO));
        world
    }

    /// Exit code, state and problem.
    fn state(&self) -> (i32, String, String) {
        let told = self.run(&["status", "--json"]);
        assert_eq!(told.stderr, "", "all is said in the JSON");
        let account = told.json()["accounts"][0].clone();
        let text = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
        (told.code, text("state"), text("problem"))
    }

    #[track_caller]
    fn fails(&self, code: i32, state: &str, part: &str) {
        let told = self.state();
        assert_eq!((told.0, &*told.1), (code, state), "{}", told.2);
        assert!(told.2.contains(part), "{part} in {}", told.2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_accounts_windows_and_credits() {
    let options = Options { credits: Some("12.50".to_owned()), ..Options::default() };
    let world = World::ready(options).await;
    let told = world.run(&["status"]).ok();
    assert_eq!(told.stderr, "");
    let file = world.own("default").display().to_string();
    assert_snapshot!(told.stdout.replace(&file, "[FILE]"), @"
    ACCOUNT  KIND   PLAN  STATE  TOKEN               WINDOW   USED        RESETS
    default  codex  plus  ready  10 d, then renewed  5 h      31 %        in 2 h 30 min
                                                     7 d      12 %        in 3 d 12 h
                                                     credits  12.50 left

    default: codexway's own login, in `[FILE]`

    server: none at http://127.0.0.1:1
    ");
    let colored = world.command(&["status"]).env_remove("NO_COLOR").output().unwrap();
    assert!(!colored.stdout.contains(&0x1b), "not a terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_has_these_members_and_times_in_seconds() {
    let world = World::ready(Options::default()).await;
    let now = jiff::Timestamp::now().as_second();
    let mut told = world.run(&["status", "--json"]).ok().json();
    let account = &mut told["accounts"][0];
    let near = |value: Value, expected: i64| {
        let value = value.as_i64().unwrap();
        assert!((value - expected).abs() < 60, "{value} is not near {expected}");
    };
    near(account["expires_at"].take(), now + 10 * 24 * 3600);
    near(account["windows"][0]["resets_at"].take(), now + 150 * 60);
    near(account["windows"][1]["resets_at"].take(), now + 5040 * 60);
    assert_eq!(
        told,
        json!({
            "accounts": [{
                "name": "default",
                "kind": "codex",
                "plan": "plus",
                "state": "ready",
                "expires_at": null,
                "windows": [
                    {"minutes": 300, "used_percent": 31.0, "resets_at": null},
                    {"minutes": 10080, "used_percent": 12.0, "resets_at": null},
                ],
                "credits": null,
                "login": "own",
                "file": world.own("default"),
                "problem": null,
            }],
            "server": null,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_called_by_its_length_whichever_comes_first() {
    let options = Options { windows: [(10_080, 94), (90, 3)], ..Options::default() };
    let world = World::ready(options).await;
    let told = world.run(&["status"]).ok();
    let windows: Vec<&str> = told.stdout.lines().skip(1).take(2).collect();
    assert!(windows[0].contains("90 min  3 %"), "{told:?}");
    assert!(windows[1].contains("7 d     94 %"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_used_up_is_no_failure_and_its_login_is_kept_alive() {
    let world = World::expired().await;
    world.simulator.use_up_plan(Some(7200));
    assert_eq!(world.state(), (0, "used_up".to_owned(), String::new()));
    assert_eq!(world.simulator.refreshes(), 1);
    let told = world.run(&["status"]).ok();
    assert!(told.stdout.contains("used up"), "{told:?}");
    assert!(told.stdout.contains("100 %  in 2 h"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_early_refresh_keeps_the_old_token_working_and_is_told() {
    let world = World::new().await;
    let soon = Duration::from_secs(120);
    world.logged_in("default", &world.simulator.auth_json_expiring(soon));
    world.simulator.token_script(TokenScript::status(503, "busy"));
    let (code, state, problem) = world.state();
    assert_eq!((code, &*state), (0, "ready"));
    assert!(problem.contains("answered 503"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_of_losing_a_login_has_its_message_and_exit_code_3() {
    for (code, expected) in [
        ("refresh_token_expired", "has expired (`refresh_token_expired`)"),
        ("refresh_token_reused", "was already used (`refresh_token_reused`)"),
        ("refresh_token_invalidated", "was ended elsewhere (`refresh_token_invalidated`)"),
        ("invalid_grant", "could not be refreshed: the server answered 401 (`invalid_grant`)"),
    ] {
        let world = World::expired().await;
        let before = fs::read(world.own("default")).unwrap();
        let refusal = json!({ "error": { "code": code } }).to_string();
        world.simulator.token_script(TokenScript::status(401, &refusal));
        world.fails(3, "login_needed", expected);
        assert_eq!(fs::read(world.own("default")).unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_login_s_fault_has_its_message_and_exit_code_1() {
    let world = World::ready(Options::default()).await;
    let forbidden = TokenScript::status(403, r#"{"detail":"Forbidden"}"#);
    let without = r#"{"error":{"type":"usage_not_included","message":"…"}}"#;
    for (script, state, expected) in [
        (TokenScript::page(403), "blocked", "Cloudflare blocked the way"),
        (TokenScript::page(503), "blocked", "try again without a VPN"),
        (forbidden, "forbidden", "does not let this account in"),
        (TokenScript::status(403, without), "no_codex", "does not include Codex; upgrade it"),
        (TokenScript::status(500, "oops"), "unavailable", "answered 500; try again in a minute"),
        (TokenScript::cut(), "unreachable", "check the network and the proxy settings"),
    ] {
        world.simulator.usage_script(script);
        world.fails(1, state, expected);
    }
    world.simulator.stop();
    world.fails(1, "unreachable", "check the network and the proxy settings");
    // What is known without asking is still shown.
    let told = world.run(&["status"]);
    assert!(told.stdout.contains("plus") && told.stdout.contains("10 d"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_every_token_is_told_apart_from_an_ended_login() {
    let world = World::ready(Options::default()).await;
    for _ in 0..2 {
        world.simulator.usage_script(TokenScript::status(401, r#"{"detail":"Unauthorized"}"#));
    }
    world.fails(1, "refused", "refuses every token");
    assert_eq!(world.simulator.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_told_by_how_much() {
    for (clock_ahead, expected) in [(3900, "1 h 5 min behind"), (-600, "10 min ahead")] {
        let world = World::ready(Options { clock_ahead, ..Options::default() }).await;
        let (code, state, problem) = world.state();
        assert_eq!((code, &*state), (0, "ready"));
        assert_eq!(problem, format!("this computer's clock is {expected}; set it"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_whose_login_it_is_and_in_which_file() {
    let world = World::new().await;
    let folder = world.home.path().join("theirs");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("auth.json"), world.simulator.auth_json()).unwrap();
    let status = |args: &[&str]| {
        let output = world.command(args).env("CODEX_HOME", &folder).output().unwrap();
        super::Told::of(output).ok()
    };
    let account = status(&["status", "--json"]).json()["accounts"][0].clone();
    let file = folder.join("auth.json");
    assert_eq!((&account["login"], &account["file"]), (&json!("borrowed"), &json!(file)));
    let line = format!("default: borrowed from another program, in `{}`", file.display());
    assert!(status(&["status"]).stdout.contains(&line));

    world.logged_in("default", &world.simulator.auth_json());
    let account = status(&["status", "--json"]).json()["accounts"][0].clone();
    let file = world.own("default");
    assert_eq!((&account["login"], &account["file"]), (&json!("own"), &json!(file)));
}
