use std::{fs, time::Duration};

use codexway::simulator::{Options, Simulator, TokenScript};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Setup, TestServer, ask};

async fn server_with(auth_json: impl FnOnce(&Simulator) -> String) -> TestServer {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let auth_json = auth_json(&simulator);
    TestServer::before(simulator, &[], &auth_json).await
}

#[tokio::test]
async fn an_expired_login_is_refreshed_once_however_many_turns_wait() {
    let server = server_with(|simulator| simulator.auth_json_expiring(Duration::ZERO)).await;
    let before: Value =
        serde_json::from_str(&fs::read_to_string(server.auth_file()).unwrap()).unwrap();
    let body = ask("hi");
    let turns = futures_util::future::join_all((0..200).map(|_| server.chat(&body))).await;
    turns.into_iter().for_each(|answer| drop(answer.ok()));
    assert_eq!(server.simulator.refreshes(), 1);
    let after: Value =
        serde_json::from_str(&fs::read_to_string(server.auth_file()).unwrap()).unwrap();
    assert_ne!(after["tokens"]["refresh_token"], before["tokens"]["refresh_token"]);
    assert_eq!(after["tokens"]["account_id"], before["tokens"]["account_id"]);
    let asked =
        server.simulator.requests().into_iter().find(|asked| asked.path == "/oauth/token").unwrap();
    assert_eq!(asked.json()["grant_type"], "refresh_token");
    assert_eq!(asked.json()["refresh_reason"], "proactive_expiry");
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_turn_goes_on() {
    let server = TestServer::start().await;
    server.chat(&ask("hi")).await.ok();
    server.simulator.expire_access_tokens();
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.simulator.refreshes(), 1);
    let turns: Vec<u16> = server.turns().iter().map(|turn| turn.status).collect();
    assert_eq!(turns, [200, 401, 200]);
}

#[tokio::test]
async fn a_login_that_is_over_says_to_log_in_again_and_keeps_the_file() {
    let server = server_with(|simulator| simulator.auth_json_expiring(Duration::ZERO)).await;
    let before = fs::read_to_string(server.auth_file()).unwrap();
    server.simulator.revoke_all();
    for _ in 0..2 {
        let error = server.chat(&ask("hi")).await.refused(401, "upstream_auth_failed", Value::Null);
        assert_eq!(error["type"], "authentication_error");
        assert!(error["message"].as_str().unwrap().contains("codexway login"), "{error}");
    }
    assert_eq!(
        server.simulator.requests().iter().filter(|asked| asked.path == "/oauth/token").count(),
        1
    );
    assert_eq!(fs::read_to_string(server.auth_file()).unwrap(), before);
    let (status, _) = server.get("/ready").await.error();
    assert_eq!(status, 503);
}

#[tokio::test]
async fn two_hundred_turns_refused_at_once_make_one_refresh() {
    let server = TestServer::start().await;
    server.chat(&ask("hi")).await.ok();
    server.simulator.revoke_access_tokens();
    let body = ask("hi");
    let turns = futures_util::future::join_all((0..200).map(|_| server.chat(&body))).await;
    turns.into_iter().for_each(|answer| drop(answer.ok()));
    assert_eq!((server.simulator.refreshes(), server.simulator.reuses()), (1, 0));
}

#[tokio::test]
async fn a_token_of_another_program_that_is_refused_too_is_replaced_by_a_new_one() {
    let server = TestServer::start().await;
    server.chat(&ask("hi")).await.ok();
    fs::write(server.auth_file(), server.simulator.auth_json()).unwrap();
    server.simulator.expire_access_tokens();
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.simulator.refreshes(), 1);
}

#[tokio::test]
async fn an_early_refresh_that_fails_leaves_the_server_ready_and_says_so() {
    let server =
        server_with(|simulator| simulator.auth_json_expiring(Duration::from_secs(120))).await;
    assert_eq!(server.get("/ready").await.json(), json!({"status": "ready"}));
    server.simulator.token_script(TokenScript::status(503, "busy"));
    server.chat(&ask("hi")).await.ok();
    let ready = server.get("/ready").await.ok().json();
    assert_eq!(ready["status"], "ready");
    assert!(ready["warning"].as_str().unwrap().contains("answered 503"), "{ready}");
}

#[tokio::test]
async fn a_login_is_kept_alive_while_the_plan_is_used_up() {
    let server = server_with(|simulator| simulator.auth_json_expiring(Duration::ZERO)).await;
    server.simulator.use_up_plan(Some(7200));
    assert_eq!(server.chat(&ask("hi")).await.status, 429);
    assert_eq!(server.simulator.refreshes(), 1);
    assert_eq!(server.get("/ready").await.status, 200);
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_costs_nothing_while_the_token_lives() {
    let server =
        server_with(|simulator| simulator.auth_json_expiring(Duration::from_secs(120))).await;
    server.simulator.token_script(TokenScript::status(503, "busy"));
    server.chat(&ask("hi")).await.ok();
    assert_eq!(server.simulator.refreshes(), 0);
}

#[tokio::test]
async fn without_a_login_every_turn_says_how_to_get_one() {
    let server = TestServer::start().await;
    fs::remove_file(server.auth_file()).unwrap();
    let error = server.chat(&ask("hi")).await.refused(401, "upstream_auth_failed", Value::Null);
    assert!(error["message"].as_str().unwrap().contains("codexway login"), "{error}");
    assert_eq!(server.get("/ready").await.status, 503);
    assert_eq!(server.get("/health").await.status, 200);
    server.get("/v1/models").await.ok();
}

#[tokio::test]
async fn files_of_other_shapes_work_or_say_why_not() {
    let pat = server_with(|simulator| {
        json!({"OPENAI_API_KEY": null, "personal_access_token": simulator.personal_access_token()})
            .to_string()
    })
    .await;
    pat.chat(&ask("hi")).await.ok();

    for (file, expected) in [
        (json!({"OPENAI_API_KEY": "sk-1"}).to_string(), "API key"),
        (json!({"auth_mode": "chatgpt", "tokens": {"access_token": "x", "refresh_token": "y", "id_token": "z"}, "last_refresh": "2026-11-20T00:00:00Z"}).to_string(), "chatgpt_account_id"),
        ("{".to_owned(), "auth.json"),
    ] {
        let server = TestServer::with(Setup { auth_json: Some(file.clone()), ..Setup::default() }).await;
        let error = server.chat(&ask("hi")).await.refused(401, "upstream_auth_failed", Value::Null);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("sk-1"), "{message}");
        assert_eq!(fs::read_to_string(server.auth_file()).unwrap(), file);
    }
}

#[tokio::test]
async fn a_token_endpoint_that_cannot_be_used_is_not_the_login_s_fault() {
    for (script, status, code) in [
        (TokenScript::cut(), 502, "upstream_auth_unreachable"),
        (TokenScript::status(503, "busy"), 503, "upstream_auth_unavailable"),
    ] {
        let server = server_with(|simulator| simulator.auth_json_expiring(Duration::ZERO)).await;
        server.simulator.token_script(script);
        server.chat(&ask("hi")).await.refused(status, code, Value::Null);
    }
}
