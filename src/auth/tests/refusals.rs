use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn each_refusal_has_its_own_message_and_is_not_asked_for_again() {
    let world = World::new().await;
    let cases = [
        (
            401,
            r#"{"error":{"code":"refresh_token_expired"}}"#,
            "the login in `{file}` has expired (`refresh_token_expired`); run `codexway login`",
        ),
        (
            400,
            r#"{"error":"refresh_token_reused"}"#,
            "the refresh token in `{file}` was already used (`refresh_token_reused`), probably by another program that shares the login; run `codexway login` to get one of codexway's own",
        ),
        (
            401,
            r#"{"code":"refresh_token_invalidated"}"#,
            "the login in `{file}` was ended elsewhere (`refresh_token_invalidated`), by a logout or a changed password; run `codexway login`",
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"rt_0"}"#,
            "the login in `{file}` could not be refreshed: the server answered 400 (`invalid_grant`); run `codexway login`",
        ),
        (
            401,
            r#"{"error":{"code":"no code, but rt_0"}}"#,
            "the login in `{file}` could not be refreshed: the server answered 401; run `codexway login`",
        ),
    ];
    for (n, (status, body, expected)) in cases.into_iter().enumerate() {
        world.login(-10, "rt_0");
        let kept = fs::read(world.file()).unwrap();
        let manager = world.manager();
        world.server.answer(status, body);
        for _ in 0..3 {
            let error = manager.access().await.unwrap_err();
            assert_eq!(error.to_string(), world.said(expected));
            assert!(error.needs_login());
            world.pass(3600);
        }
        assert_eq!(world.asked().len(), n + 1);
        assert_eq!(fs::read(world.file()).unwrap(), kept);
        let login = chatgpt(&jwt(DAY, "acc"), "rt_login");
        world.write(&login);
        assert_eq!(token(&manager.access().await.unwrap()), login["tokens"]["access_token"]);
        world.pass(-3 * 3600);
    }
}

#[tokio::test]
async fn passing_trouble_is_told_apart_and_tried_again() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    for (status, body, expected) in [
        (500, "oops", "`{url}` answered 500; try again in a minute"),
        (
            429,
            r#"{"error":"slow_down"}"#,
            "`{url}` answered 429 (`slow_down`); try again in a minute",
        ),
        (
            403,
            r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
            "`{url}` answered 403 (`unsupported_country_region_territory`); try again in a minute",
        ),
        (200, "?", "`{url}` answered 200 (`unreadable_answer`); try again in a minute"),
        (
            403,
            "<!DOCTYPE html>Just a moment…",
            "Cloudflare blocked the way to `{url}`: this is about the network, not the account; try again without a VPN or proxy, or from another network",
        ),
    ] {
        world.server.answer(status, body);
        let error = manager.access().await.unwrap_err();
        assert_eq!(error.to_string(), world.said(expected));
        assert!(!error.needs_login());
        let asked = world.asked().len();
        assert_eq!(manager.access().await.unwrap_err(), error, "shared by those who waited");
        assert_eq!(world.asked().len(), asked);
        world.pass(2);
    }
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(6));
}

#[tokio::test]
async fn an_unreachable_server_is_a_matter_of_the_network() {
    let mut world = World::new().await;
    world.login(-10, "rt_0");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    world.server.url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = world.manager().access().await.unwrap_err();
    let (before, after) = ("cannot reach `{url}`: ", "; check the network and the proxy settings");
    assert!(error.to_string().starts_with(&world.said(before)), "{error}");
    assert!(error.to_string().ends_with(after), "{error}");
    assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
    assert!(!error.needs_login());
}

#[tokio::test]
async fn the_client_that_the_login_was_issued_to_refreshes_it() {
    let world = World::new().await;
    let mut file = chatgpt(&jwt(-10, "acc"), "rt_0");
    file["tokens"]["oauth_provenance"] = json!({ "issuer": "i", "client_id": "app_other" });
    world.write(&file);
    world.manager().access().await.unwrap();
    assert_eq!(world.asked()[0]["client_id"], "app_other");
    assert_eq!(world.on_disk()["tokens"]["oauth_provenance"]["client_id"], "app_other");
}
