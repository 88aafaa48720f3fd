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

/// An answer of the server's with a token that lives for so long by the server's clock, which shows
/// this time.
fn answer_at(world: &World, clock: i64, life: i64) -> String {
    let token = unsigned(&json!({
        "iat": at(clock).as_second(),
        "exp": at(clock + life).as_second(),
        "https://api.openai.com/auth": { "chatgpt_account_id": "acc" },
    }));
    let refresh = format!("rt_{clock}_{life}");
    let answer = json!({ "access_token": token, "refresh_token": refresh });
    world.server.answer(200, &answer.to_string());
    token
}

#[tokio::test]
async fn by_a_clock_that_is_hours_off_a_token_lives_as_long_as_by_the_right_one() {
    const HOUR: i64 = 3600;
    for off in [20 * HOUR, -20 * HOUR] {
        let world = World::new().await;
        world.login(-30 * DAY, "rt_0");
        world.pass(off);
        let manager = world.manager();
        let first = answer_at(&world, 0, HOUR);
        for minute in 0..55 {
            assert_eq!(token(&manager.access().await.unwrap()), first, "{off} {minute}");
            world.pass(60);
        }
        assert_eq!(world.asked().len(), 1, "{off}");
        let second = answer_at(&world, 55 * 60, HOUR);
        assert_eq!(token(&manager.access().await.unwrap()), second, "{off}");
        // What another process puts there is judged by the same clock.
        let theirs = unsigned(&json!({ "exp": at(3 * HOUR).as_second() }));
        world.write(&chatgpt(&theirs, "rt_theirs"));
        world.pass(HOUR);
        assert_eq!(token(&manager.access().await.unwrap()), theirs, "{off}");
        assert_eq!(world.asked().len(), 2, "{off}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_costs_one_refresh_at_most() {
    const HOUR: i64 = 3600;
    for jump in [5 * HOUR, -5 * HOUR] {
        let world = World::new().await;
        world.login(-10, "rt_0");
        let manager = world.manager();
        let first = answer_at(&world, 0, HOUR);
        assert_eq!(token(&manager.access().await.unwrap()), first);
        world.pass(jump);
        if jump < 0 {
            // It seems to live for hours. When it has ended the backend says so.
            let ended = manager.access().await.unwrap();
            assert_eq!(token(&ended), first);
            let second = answer_at(&world, HOUR, HOUR);
            assert_eq!(token(&manager.instead_of(&ended).await.unwrap()), second);
        } else {
            answer_at(&world, 0, HOUR);
        }
        for _ in 0..50 {
            manager.access().await.unwrap();
            world.pass(60);
        }
        assert_eq!(world.asked().len(), 2, "{jump}");
        // Set right again.
        world.pass(-jump);
        answer_at(&world, 3 * HOUR, HOUR);
        for _ in 0..4 {
            manager.access().await.unwrap();
            world.pass(60);
        }
        assert!(world.asked().len() <= 3, "{jump}: {}", world.asked().len());
    }
}

#[tokio::test]
async fn after_a_long_sleep_a_token_that_has_ended_is_not_sent() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    answer_at(&world, 0, 3600);
    manager.access().await.unwrap();
    world.pass(8 * 3600);
    let fresh = answer_at(&world, 8 * 3600, 3600);
    assert_eq!(token(&manager.access().await.unwrap()), fresh);
    assert_eq!(world.asked().len(), 2);
}

#[tokio::test]
async fn tokens_that_live_for_seconds_are_renewed_when_they_end_and_not_at_every_turn() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    for round in 0..5 {
        let new = answer_at(&world, 2 * round, 2);
        for _ in 0..3 {
            assert_eq!(token(&manager.access().await.unwrap()), new);
        }
        world.pass(1);
        assert_eq!(token(&manager.access().await.unwrap()), new);
        // Refused because it has ended on the way: that is no reason to give up.
        let ended = manager.access().await.unwrap();
        world.pass(1);
        if round == 3 {
            let instead = answer_at(&world, 8, 2);
            assert_eq!(token(&manager.instead_of(&ended).await.unwrap()), instead);
            world.pass(2);
            let instead_too = answer_at(&world, 10, 2);
            let ended = Access { token: instead.into(), ..ended };
            assert_eq!(token(&manager.instead_of(&ended).await.unwrap()), instead_too);
            break;
        }
    }
    assert_eq!(world.asked().len(), 6);
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
