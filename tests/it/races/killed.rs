use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::World;

/// What became of a login whose process was killed while it renewed it.
#[derive(Debug, Default)]
struct Count {
    /// The file still held the old one, whose token the issuer had taken: it took a new login.
    lost: usize,
    /// The new one was written whole, and put in place by the next process.
    recovered: usize,
    /// The new one was there.
    new: usize,
}

/// Kills a process with SIGKILL `kills` times, each a little later after the issuer has answered
/// its refresh, and has another go on.
async fn kill(world: &World, kills: u32) -> Count {
    let mut count = Count::default();
    for kill in 0..kills {
        world.log_in();
        let before = world.on_disk();
        let mut server = world.start();
        let (refreshes, reuses) = (world.simulator.refreshes(), world.simulator.reuses());
        let url = format!("{}/v1/responses", server.url);
        let body = serde_json::json!({"model": "gpt-5.5", "input": "hi"});
        let turn = tokio::spawn(world.client.post(url).json(&body).send());
        while world.simulator.refreshes() == refreshes {
            tokio::task::yield_now().await;
        }
        // Through the whole write, which takes milliseconds.
        let later = Duration::from_micros(250) * (kill % 40);
        tokio::time::sleep(later).await;
        server.child.0.kill().unwrap();
        server.child.0.wait().unwrap();
        drop(turn.await.unwrap());

        let after = world.on_disk();
        let kept =
            |file: &Value| file["tokens"]["refresh_token"] == before["tokens"]["refresh_token"];
        assert!(after == before || !kept(&after), "half of each: {later:?}");
        let server = world.start();
        let (status, told) = world.turn(&server).await;
        match status {
            200 if !kept(&after) => count.new += 1,
            200 => count.recovered += 1,
            _ => {
                assert!(kept(&after), "{later:?}: {told}");
                assert!(told.contains("refresh_token_reused"), "{told}");
                count.lost += 1;
            }
        }
        let reused = world.simulator.reuses() - reuses;
        assert_eq!(reused, usize::from(status != 200), "{later:?}");
    }
    // What was left behind is gone with the next write.
    world.log_in();
    assert_eq!(world.turn(&world.start()).await.0, 200);
    assert_eq!(world.left(), [""; 0]);
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_leaves_a_login_that_can_be_read() {
    let world = World::new(Duration::from_hours(1)).await;
    let count = kill(&world, 8).await;
    assert_eq!(count.lost + count.recovered + count.new, 8, "{count:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; run it by `cargo test -- --ignored --nocapture a_hundred_and_sixty`"]
async fn a_hundred_and_sixty_killed_processes_leave_a_login_that_can_be_read() {
    let world = World::new(Duration::from_hours(1)).await;
    let count = kill(&world, 160).await;
    println!("{count:?}");
    assert!(count.lost > 0 && count.new > 0, "the moments were not spread: {count:?}");
}
