use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn nothing_shows_a_secret() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    let access = manager.access().await.unwrap();
    let shown = format!("{access:?} {:?}", manager.snapshot().await.unwrap());
    assert!(shown.contains("acc") && shown.contains("REDACTED"), "{shown}");
    assert!(!shown.contains("rt_0") && !shown.contains(&token(&access)), "{shown}");
}

#[tokio::test]
async fn the_log_tells_what_happened_without_a_secret() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    world.server.answer(503, "oops rt_0");
    manager.access().await.unwrap_err();
    world.pass(2);
    let obstacle = world.dir.path().join("auth.lock");
    fs::remove_file(&obstacle).unwrap();
    fs::create_dir(&obstacle).unwrap();
    manager.access().await.unwrap();
    fs::remove_dir(&obstacle).unwrap();
    world.pass(1);
    manager.access().await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in [
        "no new token: `{url}` answered 503; try again in a minute",
        "refreshed the login in `{file}`",
        "the new login lives in memory only, because `{file}` could not be written: ",
        "let codexway write there before codexway stops, or it will need a new login",
        "the login was written to `{file}` at last",
    ] {
        assert!(log.contains(&world.said(line)), "{line}\nin {log}");
    }
    for secret in ["rt_0", "rt_2", &jwt(-10, "acc"), &issued(2)] {
        assert!(!log.contains(secret), "{secret}\nin {log}");
    }
}

#[tokio::test]
async fn the_summary_needs_no_network() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let summary = world.manager().snapshot().await.unwrap();
    assert_eq!(summary.kind, Kind::Chatgpt);
    assert_eq!(summary.account_id.as_deref(), Some("acc"));
    assert_eq!(summary.expires_at, Some(at(-10)));
    assert_eq!(summary.folder.path(), world.dir.path());
    assert!(summary.refreshable);
    assert_eq!(world.asked().len(), 0);
}
