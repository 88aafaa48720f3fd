use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::Open;
use crate::support::{TestServer, ask, with};

const PARTS: [&str; 7] = ["server", "accounts", "profiles", "clients", "live", "tokens", "errors"];

#[tokio::test]
async fn an_open_page_is_sent_everything_and_then_what_is_another() {
    let server = TestServer::start().await;
    let mut page = Open::on(&server).await;
    assert_eq!(page.next().await.unwrap(), PARTS);
    page.until("accounts", |accounts| accounts[0]["state"] == "ready").await;
    server.simulator.script(Script::new().stall());
    let turn = with(ask("hi"), json!({"stream": true}));
    {
        let mut turn = std::pin::pin!(server.chat(&turn));
        let live = tokio::select! {
            _ = &mut turn => panic!("it stalls"),
            live = page.until("live", |live| live["running"] == 1) => live,
        };
        let turn = &live["turns"][0];
        assert_eq!(
            (&turn["dialect"], &turn["profile"], &turn["upstream"]),
            (&json!("chat"), &json!("codex"), &json!("codex"))
        );
        assert!(turn["since"].as_u64() > Some(1_700_000_000_000));
    }
    // Its client has left.
    page.until("live", |live| live["running"] == 0).await;
    page.until("tokens", |tokens| tokens["ended"] == 1).await;
    let times = |name: &str| page.all.matches(&format!("event: {name}\n")).count();
    assert_eq!(["server", "clients", "errors"].map(times), [1, 1, 1]);
}

#[tokio::test]
async fn a_page_left_open_neither_delays_a_stop_nor_takes_a_turn_s_place() {
    let mut server = TestServer::with_vars(&[("CODEXWAY__SERVER__MAX_TURNS", "1")]).await;
    let mut pages = Vec::new();
    for _ in 0..3 {
        let mut page = Open::on(&server).await;
        page.next().await.unwrap();
        pages.push(page);
    }
    server.chat(&ask("hi")).await.ok();
    assert!(server.stop().await, "every connection ended by itself");
    for mut page in pages {
        while page.next().await.is_some() {}
    }
}

#[tokio::test]
async fn there_is_an_end_to_how_many_pages_may_be_open() {
    let server = TestServer::start().await;
    let mut pages = Vec::new();
    for _ in 0..32 {
        pages.push(Open::on(&server).await);
    }
    server.get("/page/events").await.refused(429, "too_many_pages", Value::Null);
    // Who has no place looks once.
    server.get("/page/state").await.ok();
}

#[tokio::test]
async fn a_page_that_is_open_when_keys_are_set_is_closed_and_has_to_have_one() {
    let server = TestServer::start().await;
    let mut page = Open::on(&server).await;
    page.next().await.unwrap();
    server.reload(&[("CODEXWAY__SERVER__KEYS", r#"["sk-one"]"#.to_owned())]);
    while page.next().await.is_some() {}
    server.get("/page/events").await.refused(401, "invalid_api_key", Value::Null);
}
