use std::{collections::HashMap, fs, net::TcpListener, time::Duration};

use codexway::simulator::TokenScript;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Told, World, browser, mode, page, ports, sent_back};
use crate::support::binary::{listening, signal};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_the_browser_is_kept_and_serves_turns() {
    let _ports = ports();
    let world = World::new().await;
    let (child, url) = world.browser_login(&["--yes"]);
    let asked = reqwest::Url::parse(&url).unwrap();
    let asked: HashMap<_, _> = asked.query_pairs().into_owned().collect();
    assert_eq!(asked["redirect_uri"], "http://127.0.0.1:1455/auth/callback");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["originator"], "codexway");
    let browser = browser();
    let back = sent_back(&browser, &url).await;
    let answer = browser.get(&back).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(answer.status(), 200);
    let shown = answer.text().await.unwrap();
    assert!(shown.contains("Logged in") && !shown.contains("http"), "{shown}");
    let told = Told::end_of(child).ok();
    assert!(told.stderr.contains("logged in as ada@example.com (plan: plus)"), "{told:?}");

    let kept = world.on_disk("default");
    let tokens = kept["tokens"].as_object().unwrap();
    let keys: Vec<&str> = tokens.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["id_token", "access_token", "refresh_token", "oauth_provenance", "account_id"]
    );
    assert_eq!((&kept["auth_mode"], &kept["OPENAI_API_KEY"]), (&json!("chatgpt"), &Value::Null));
    assert!(kept["last_refresh"].as_str().unwrap().ends_with('Z'));
    let file = world.own("default");
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert!(!world.home.path().join(".codex").exists());
    for token in ["id_token", "access_token", "refresh_token"] {
        assert!(!told.stderr.contains(tokens[token].as_str().unwrap()), "{told:?}");
    }

    let (_server, info) = listening(&world.home, world.command(&["serve"]));
    let url = format!("{}/v1/responses", info["url"].as_str().unwrap());
    let body = json!({"model": "gpt-5.5", "input": "Say exactly pong"});
    let turn = browser.post(url).json(&body).send().await.unwrap();
    assert_eq!(turn.status(), 200, "{}", turn.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_question_is_shown_out_and_the_login_goes_on() {
    let _ports = ports();
    let world = World::new().await;
    let (child, url) = world.browser_login(&["--yes"]);
    let browser = browser();
    let back = sent_back(&browser, &url).await;
    let (before, _) = back.split_once("&state=").unwrap();
    for wrong in [before.to_owned(), format!("{before}&state="), format!("{before}&state=forged")] {
        let (status, shown) = page(&browser, &wrong).await;
        assert!(status == 400 && shown.contains("Not this login"), "{wrong}: {shown}");
    }
    assert_eq!(page(&browser, "http://127.0.0.1:1455/favicon.ico").await.0, 404);
    assert!(world.asked("/oauth/token").is_empty());
    assert_eq!(page(&browser, &back).await.0, 200);
    Told::end_of(child).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_on_the_page_ends_the_login_and_keeps_nothing() {
    let _ports = ports();
    let world = World::new().await;
    for (why, expected) in [
        ("The user <b>denied</b> the request", "the login was refused: The user <b>denied</b>"),
        ("missing_codex_entitlement", "plan of this account does not include Codex"),
    ] {
        world.simulator.refuse_logins(Some(why));
        let (child, url) = world.browser_login(&["--yes"]);
        let browser = browser();
        let (status, shown) = page(&browser, &sent_back(&browser, &url).await).await;
        assert!(status == 400 && shown.contains("Not logged in"), "{shown}");
        assert!(!shown.contains("<b>"), "{shown}");
        Told::end_of(child).failed(1, &[expected]);
        assert!(!world.own("default").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_the_server_does_not_take_is_told_in_both_places() {
    let _ports = ports();
    let world = World::new().await;
    world.simulator.token_script(TokenScript::status(400, r#"{"error":"invalid_grant"}"#));
    let (child, url) = world.browser_login(&["--yes"]);
    let browser = browser();
    let (status, shown) = page(&browser, &sent_back(&browser, &url).await).await;
    assert!(status == 400 && shown.contains("invalid_grant"), "{shown}");
    Told::end_of(child).failed(1, &["400 (`invalid_grant`); run the command again"]);
    assert!(!world.own("default").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_port_serves_where_the_first_is_taken_and_then_device_is_named() {
    let _ports = ports();
    let world = World::new().await;
    let _first = TcpListener::bind("127.0.0.1:1455").unwrap();
    let (child, url) = world.browser_login(&["--yes"]);
    assert!(url.contains("127.0.0.1%3A1457%2Fauth"), "{url}");
    let browser = browser();
    assert_eq!(page(&browser, &sent_back(&browser, &url).await).await.0, 200);
    Told::end_of(child).ok();

    let _second = TcpListener::bind("127.0.0.1:1457").unwrap();
    let told = world.run(&["login", "--no-browser", "--yes"]);
    told.failed(1, &["1455 and 1457", "`codexway login --device`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_s_login_may_have_the_port() {
    let _ports = ports();
    let world = World::new().await;
    let (child, _) = world.browser_login(&["--yes"]);
    page(&browser(), "http://127.0.0.1:1455/cancel").await;
    Told::end_of(child).failed(1, &["another login program took over"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_given_up_leaves_the_old_one_as_it_was() {
    let _ports = ports();
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json());
    let before = fs::read(world.own("default")).unwrap();
    let (child, _) = world.browser_login(&["--yes"]);
    signal(&child.0, "-INT");
    Told::end_of(child).failed(1, &["stopped; nothing was changed"]);
    assert_eq!(fs::read(world.own("default")).unwrap(), before);
    assert_eq!(only_locks_beside(&world), Vec::<String>::new());
}

/// What the server has given out and nobody has written is lost: that login, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_killed_before_it_is_written_costs_no_more_than_itself() {
    let _ports = ports();
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json());
    let before = fs::read(world.own("default")).unwrap();
    world.simulator.token_script(TokenScript::new().delay(Duration::from_secs(3600)));
    let (child, url) = world.browser_login(&["--yes"]);
    let browser = browser();
    let back = sent_back(&browser, &url).await;
    let waiting = tokio::spawn(async move { browser.get(back).send().await });
    while world.asked("/oauth/token").is_empty() {
        tokio::task::yield_now().await;
    }
    drop(child); // with SIGKILL
    assert!(waiting.await.unwrap().is_err());
    assert_eq!(fs::read(world.own("default")).unwrap(), before);
    assert_eq!(only_locks_beside(&world), Vec::<String>::new());
    assert!(world.asked("/oauth/revoke").is_empty());
    assert_eq!(world.run(&["status", "--json"]).ok().json()["accounts"][0]["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_login_ends_the_one_before_it_at_the_server() {
    let _ports = ports();
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json());
    let old = world.on_disk("default")["tokens"]["refresh_token"].clone();
    let (child, url) = world.browser_login(&["--yes"]);
    let browser = browser();
    page(&browser, &sent_back(&browser, &url).await).await;
    Told::end_of(child).ok();
    let revoked: Vec<Value> =
        world.asked("/oauth/revoke").iter().map(|asked| asked.json()).collect();
    assert_eq!(
        revoked,
        [json!({
            "token": old,
            "token_type_hint": "refresh_token",
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        })]
    );
    assert_ne!(world.on_disk("default")["tokens"]["refresh_token"], old);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_opens_in_the_browser_of_the_desktop() {
    use std::os::unix::fs::PermissionsExt as _;
    let _ports = ports();
    let world = World::new().await;
    let opener = world.home.path().join("xdg-open");
    fs::write(&opener, "#!/bin/sh\nprintf %s \"$1\" > opened.tmp\nmv opened.tmp opened\n").unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:/usr/bin:/bin", world.home.path().display());
    let mut command = world.command(&["login", "--yes"]);
    command.env("PATH", path).env("DISPLAY", ":0");
    let (child, []) = world.waiting(command);
    let opened = world.home.path().join("opened");
    while !opened.exists() {
        tokio::task::yield_now().await;
    }
    let url = fs::read_to_string(opened).unwrap();
    let browser = browser();
    assert_eq!(page(&browser, &sent_back(&browser, &url).await).await.0, 200);
    let told = Told::end_of(child).ok();
    assert!(told.stderr.contains("a login page opens in your browser"), "{told:?}");
}

/// What lies beside the login and is neither it nor a lock.
fn only_locks_beside(world: &World) -> Vec<String> {
    let folder = world.own("default");
    let names = fs::read_dir(folder.parent().unwrap()).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "auth.json" && !name.ends_with(".lock"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_shown_at_any_log_level() {
    let _ports = ports();
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json_expiring(Duration::ZERO));
    let mut secrets = Vec::new();
    let mut learn = |world: &World| {
        let tokens = world.on_disk("default")["tokens"].clone();
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        secrets.extend(["id_token", "access_token", "refresh_token"].map(token));
    };
    let traced = |args: &[&str]| {
        let mut command = world.command(args);
        command.env("RUST_LOG", "trace");
        command
    };
    learn(&world);
    let refreshed = Told::of(traced(&["status"]).output().unwrap()).ok();
    learn(&world);
    let (child, [url]) = world.waiting(traced(&["login", "--no-browser", "--yes"]));
    let browser = browser();
    let back = sent_back(&browser, &url).await;
    page(&browser, &back).await;
    let logged_in = Told::end_of(child).ok();
    learn(&world);
    let logged_out = Told::of(traced(&["logout"]).output().unwrap()).ok();
    secrets.push(back.split(['=', '&']).nth(1).unwrap().to_owned()); // the code
    let exchange = world.asked("/oauth/token").pop().unwrap();
    let sent = String::from_utf8(exchange.body.to_vec()).unwrap();
    secrets.push(sent.split_once("code_verifier=").unwrap().1.to_owned());
    assert_eq!(secrets.len(), 11);
    for told in [refreshed, logged_in, logged_out] {
        assert!(told.stderr.contains("TRACE"), "{told:?}");
        for secret in &secrets {
            let shown = told.stdout.contains(secret) || told.stderr.contains(secret);
            assert!(!shown, "{secret} in {told:?}");
        }
    }
}
