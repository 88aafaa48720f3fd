use std::time::Duration;

use codexway::simulator::TokenScript;
use pretty_assertions::assert_eq;

use super::World;
use crate::support::binary::signal;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_it_twice_during_a_refresh_keeps_the_login() {
    let world = World::new(Duration::from_secs(60)).await;
    // The token is spent, and the answer takes its time.
    world.simulator.token_script(TokenScript::new().delay(Duration::from_secs(1)));
    let mut server = world.start();
    let before = world.on_disk();
    let url = format!("{}/v1/responses", server.url);
    let body = serde_json::json!({"model": "gpt-5.5", "input": "hi"});
    let turn = tokio::spawn(world.client.post(url).json(&body).send());
    while world.simulator.refreshes() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    signal(&server.child.0, "-TERM");
    signal(&server.child.0, "-INT");
    assert!(server.child.0.wait().unwrap().success());
    drop(turn.await.unwrap());

    let token = |login: &serde_json::Value| login["tokens"]["refresh_token"].clone();
    assert_ne!(token(&world.on_disk()), token(&before));
    let (status, told) = world.turn(&world.start()).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(world.simulator.reuses(), 0);
}
