use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_its_end_and_not_earlier() {
    let world = World::new().await;
    world.login(6 * 60, "rt_0");
    let manager = world.manager();
    manager.access().await.unwrap();
    assert_eq!(world.asked().len(), 0);
    world.pass(60);
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    world.pass(60);
    manager.access().await.unwrap();
    assert_eq!(world.reasons(), ["proactive_expiry"]);
}

#[tokio::test]
async fn a_token_that_does_not_say_its_end_is_renewed_after_eight_days() {
    let world = World::new().await;
    let mut file = chatgpt("opaque", "rt_0");
    file["last_refresh"] = json!("2026-11-13T12:00:01Z");
    world.write(&file);
    let manager = world.manager();
    assert_eq!(token(&manager.access().await.unwrap()), "opaque");
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    assert_eq!(world.reasons(), ["scheduled"]);
}

#[tokio::test]
async fn an_old_last_refresh_does_not_matter_where_the_token_says_its_end() {
    let world = World::new().await;
    let mut file = chatgpt(&jwt(DAY, "acc"), "rt_0");
    file["last_refresh"] = json!("2026-01-01T00:00:00Z");
    world.write(&file);
    world.manager().access().await.unwrap();
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn a_wrong_clock_does_not_refresh_at_every_turn() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    world.pass(20 * DAY); // what the server issues, for ten days, is over by this clock
    for _ in 0..3 {
        assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    }
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn a_failed_early_refresh_keeps_the_old_token_and_is_tried_again_half_a_minute_later() {
    let world = World::new().await;
    world.login(4 * 60, "rt_0");
    let manager = world.manager();
    let old = world.on_disk()["tokens"]["access_token"].as_str().unwrap().to_owned();
    world.server.answer(503, r#"{"error":{"code":"server_error"}}"#);
    for _ in 0..5 {
        assert_eq!(token(&manager.access().await.unwrap()), old);
    }
    assert_eq!(world.asked().len(), 1);
    let problem = manager.snapshot().await.unwrap().problem.unwrap().to_string();
    assert_eq!(problem, world.said("`{url}` answered 503 (`server_error`); try again in a minute"));
    world.pass(29);
    assert_eq!(token(&manager.access().await.unwrap()), old);
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(2));
    assert_eq!(manager.snapshot().await.unwrap().problem, None);
}

#[tokio::test]
async fn a_final_refusal_ahead_of_time_lets_the_old_token_live_to_its_end() {
    let world = World::new().await;
    world.login(4 * 60, "rt_0");
    let manager = world.manager();
    world.server.answer(401, r#"{"error":"refresh_token_expired"}"#);
    manager.access().await.unwrap();
    world.pass(200);
    manager.access().await.unwrap();
    world.pass(60);
    let error = manager.access().await.unwrap_err();
    assert!(matches!(error, Error::RefreshExpired { .. }), "{error}");
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn a_backend_that_refuses_new_tokens_too_costs_one_refresh_a_minute() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    let refused = manager.access().await.unwrap();
    let second = manager.instead_of(&refused).await.unwrap();
    for _ in 0..3 {
        let error = manager.instead_of(&second).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            world.said("the backend refuses every token of the login in `{file}`, even one that it has just issued; try again in a minute, and if that does not help, run `codexway login`")
        );
        world.pass(19);
    }
    assert_eq!(world.asked().len(), 1);
    world.pass(3);
    assert_eq!(token(&manager.instead_of(&second).await.unwrap()), world.issued(2));
}
