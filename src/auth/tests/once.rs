use pretty_assertions::assert_eq;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_with_an_expired_token_cause_one_refresh() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    let calls = (0..100).map(|_| {
        tokio::spawn({
            let manager = manager.clone();
            async move { token(&manager.access().await.unwrap()) }
        })
    });
    for result in join_all(calls).await {
        assert_eq!(result.unwrap(), world.issued(1));
    }
    assert_eq!(
        world.asked(),
        [json!({
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_reason": "proactive_expiry",
            "refresh_token": "rt_0",
        })]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_refusals_of_one_token_cause_one_refresh() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    let refused = manager.access().await.unwrap();
    let calls = (0..100).map(|_| {
        tokio::spawn({
            let (manager, refused) = (manager.clone(), refused.clone());
            async move { token(&manager.instead_of(&refused).await.unwrap()) }
        })
    });
    for result in join_all(calls).await {
        assert_eq!(result.unwrap(), world.issued(1));
    }
    assert_eq!(world.reasons(), ["unauthorized_recovery"]);
}

#[tokio::test]
async fn two_processes_on_one_folder_refresh_once() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let stall = world.server.stall.clone().lock_owned().await;
    let (one, two) = (world.manager(), world.manager());
    let one = tokio::spawn(async move { one.access().await });
    world.asked_times(1).await;
    let two = tokio::spawn(async move { two.access().await });
    for _ in 0..100 {
        tokio::task::yield_now().await; // the other gets as far as it can
    }
    drop(stall);
    assert_eq!(token(&one.await.unwrap().unwrap()), world.issued(1));
    assert_eq!(token(&two.await.unwrap().unwrap()), world.issued(1));
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_new_token_with_it() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    let stall = world.server.stall.clone().lock_owned().await;
    let call = tokio::spawn({
        let manager = manager.clone();
        async move { manager.access().await }
    });
    world.asked_times(1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    drop(stall);
    manager.settle().await;
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1");
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    assert_eq!(world.asked().len(), 1);
}
