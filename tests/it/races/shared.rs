use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pretty_assertions::assert_eq;

use super::{Server, World, rotator::Rotator};
use crate::support::binary::signal;

const SERVERS: usize = 3;
/// Clients of each.
const CLIENTS: usize = 4;

/// Has every client of every server ask one turn after the other until this is over, with another
/// program at the same file; how many turns there were, and what the other program did.
async fn contend(world: &World, over: impl Fn() -> bool) -> (usize, Rotator) {
    let servers: Vec<Server> = (0..SERVERS).map(|_| world.start()).collect();
    let asking = servers.iter().flat_map(|server| std::iter::repeat_n(server, CLIENTS));
    let asking = join_all(asking.map(async |server| {
        let mut turns = 0;
        while !over() {
            let (status, told) = world.turn(server).await;
            assert_eq!(status, 200, "{told}");
            turns += 1;
        }
        turns
    }));
    let mut rotator = Rotator::default();
    // It ends behind a round: whoever stops in the midst of one has lost the login.
    let (turns, ()) = tokio::join!(asking, rotator.run(world, &over));
    for mut server in servers {
        // A refresh may be under way that no turn waits for any more.
        signal(&server.child.0, "-TERM");
        assert!(server.child.0.wait().unwrap().success());
    }
    (turns.iter().sum(), rotator)
}

/// The login that is there when all is over is good.
async fn nothing_was_lost(world: &World) {
    assert_eq!(world.simulator.reuses(), 0, "a refresh token was spent twice");
    let (status, told) = world.refresh(&world.on_disk()["tokens"]["refresh_token"]).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(world.left(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_and_the_official_program_share_a_login_and_lose_it_never() {
    let world = World::new(Duration::from_secs(3)).await;
    let (turns, rotator) = contend(&world, || world.simulator.refreshes() >= 12).await;
    assert!(turns >= SERVERS * CLIENTS && rotator.rotated > 0, "{turns} {rotator:?}");
    nothing_was_lost(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; run it by `cargo test -- --ignored --nocapture a_minute`"]
async fn a_minute_of_constant_expiry_loses_no_login() {
    let world = World::new(Duration::from_secs(2)).await;
    let end = Instant::now() + Duration::from_secs(60);
    let (turns, rotator) = contend(&world, || Instant::now() >= end).await;
    let refreshes = world.simulator.refreshes();
    println!("{turns} turns, {refreshes} refreshes, of which another program's: {rotator:?}");
    assert!(rotator.rotated > 0 && rotator.logged_in > 0 && refreshes > rotator.rotated);
    nothing_was_lost(&world).await;
}
