use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn another_programs_rotation_is_picked_up_without_a_refresh() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    let old = manager.access().await.unwrap();
    let new = jwt(2 * DAY, "acc");
    world.write(&chatgpt(&new, "rt_theirs"));
    assert_eq!(token(&manager.access().await.unwrap()), token(&old), "within the same second");
    assert_eq!(token(&manager.instead_of(&old).await.unwrap()), new);
    assert_eq!(token(&manager.access().await.unwrap()), new);
    let newer = jwt(3 * DAY, "acc");
    world.write(&chatgpt(&newer, "rt_theirs"));
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), newer);
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn a_token_that_another_program_spent_first_is_no_failure() {
    let world = World::new().await;
    world.login(-10, "rt_spent");
    let manager = world.manager();
    let stall = world.server.stall.clone().lock_owned().await;
    let call = tokio::spawn(async move { manager.access().await });
    world.asked_times(1).await;
    let theirs = jwt(DAY, "acc");
    world.write(&chatgpt(&theirs, "rt_theirs"));
    drop(stall);
    assert_eq!(token(&call.await.unwrap().unwrap()), theirs);
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn the_disk_wins_where_another_program_changed_it_during_our_refresh() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    let stall = world.server.stall.clone().lock_owned().await;
    let call = tokio::spawn(async move { manager.access().await });
    world.asked_times(1).await;
    let theirs = chatgpt(&jwt(DAY, "acc"), "rt_theirs");
    world.write(&theirs);
    drop(stall);
    assert_eq!(token(&call.await.unwrap().unwrap()), theirs["tokens"]["access_token"]);
    assert_eq!(world.on_disk(), theirs);
}

#[tokio::test]
async fn a_logout_during_a_refresh_is_not_undone() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    let stall = world.server.stall.clone().lock_owned().await;
    let call = tokio::spawn(async move { manager.access().await });
    world.asked_times(1).await;
    fs::remove_file(world.file()).unwrap();
    drop(stall);
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::NotLoggedIn { .. }), "{error}");
    assert!(!world.file().exists());
}

#[tokio::test]
async fn another_account_in_the_file_ends_the_turn_and_serves_the_next() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    let refused = manager.access().await.unwrap();
    world.write(&chatgpt(&jwt(DAY, "other"), "rt_other"));
    let error = manager.instead_of(&refused).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said("`{file}` now holds the login of another account than this request began with; send the request again to use that account")
    );
    assert!(!error.needs_login());
    assert_eq!(manager.access().await.unwrap().account_id, "other");
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn nothing_is_spent_while_the_codex_cli_writes_what_it_got() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let theirs = File::create(world.dir.path().join("auth.lock")).unwrap();
    theirs.lock().unwrap();
    let manager = world.manager();
    let call = tokio::spawn(async move { manager.access().await });
    for _ in 0..100 {
        tokio::task::yield_now().await; // it gets as far as it can
    }
    let new = chatgpt(&jwt(DAY, "acc"), "rt_theirs");
    world.write(&new);
    drop(theirs);
    assert_eq!(token(&call.await.unwrap().unwrap()), new["tokens"]["access_token"]);
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn the_codex_cli_s_lock_is_held_over_a_refresh_of_its_login_and_not_over_one_of_ours() {
    for borrowed in [true, false] {
        let world = World::new().await;
        world.login(-10, "rt_0");
        let folder = world.dir.path().to_owned();
        let manager = match borrowed {
            true => world.manager(),
            false => world.manager_of(Folder::Own(folder.clone())),
        };
        let stall = world.server.stall.clone().lock_owned().await;
        let call = tokio::spawn(async move { manager.access().await });
        world.asked_times(1).await;
        let open = |name: &str| File::create(folder.join(name)).unwrap();
        assert_eq!(open("auth.lock").try_lock().is_err(), borrowed);
        // This one it would not wait for.
        open("auth.json.lock").try_lock().unwrap();
        drop(stall);
        call.await.unwrap().unwrap();
        assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1");
        open("auth.lock").try_lock().unwrap();
    }
}
