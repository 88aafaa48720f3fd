use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn a_rewrite_keeps_unknown_keys_their_order_and_the_account() {
    let world = World::new().await;
    let old = jwt(-10, "acc");
    let before = format!(
        "\u{feff}{{\n  \"zeta\": {{\"b\": null, \"a\": [1, 2]}},\n  \"auth_mode\": \"chatgpt\",\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {{\"refresh_token\": \"rt_0\", \"login_owner_id\": \"o\", \"access_token\": \"{old}\", \"id_token\": \"i\", \"account_id\": \"filed\"}},\n  \"last_refresh\": \"2026-11-01T00:00:00Z\",\n  \"later\": true\n}}"
    );
    fs::write(world.file(), before).unwrap();
    world.manager().access().await.unwrap();
    let after = fs::read_to_string(world.file()).unwrap();
    let new = world.issued(1);
    assert_eq!(
        after,
        format!(
            r#"{{
  "zeta": {{
    "b": null,
    "a": [
      1,
      2
    ]
  }},
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": null,
  "tokens": {{
    "refresh_token": "rt_1",
    "login_owner_id": "o",
    "access_token": "{new}",
    "id_token": "i",
    "account_id": "filed"
  }},
  "last_refresh": "2026-11-21T12:00:00Z",
  "later": true
}}
"#
        )
    );
}

#[tokio::test]
async fn what_the_server_leaves_out_stays_as_it_was() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let access = jwt(DAY, "acc");
    world.server.answer(200, &json!({ "access_token": access, "refresh_token": null }).to_string());
    assert_eq!(token(&world.manager().access().await.unwrap()), access);
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_0");
    assert_eq!(world.on_disk()["tokens"]["access_token"], access);
}

#[tokio::test]
async fn an_answer_without_an_access_token_is_kept_but_is_no_success() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    world.server.answer(200, r#"{"refresh_token":"rt_x"}"#);
    let error = world.manager().access().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said("`{url}` answered 200 (`no_access_token`); try again in a minute")
    );
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_x");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let world = World::new().await;
    world.login(-10, "rt_0");
    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("real.json");
    fs::rename(world.file(), &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(world.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    symlink(&real, world.file()).unwrap();
    let manager = world.manager_of(Folder::Own(world.dir.path().to_owned()));
    manager.access().await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&real), 0o600);
    assert_eq!(mode(world.dir.path()), 0o700);
    assert_eq!(mode(&world.dir.path().join("auth.lock")), 0o600);
    assert!(fs::symlink_metadata(world.file()).unwrap().is_symlink());
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1, "no temporary file stays");
}

#[cfg(unix)]
#[tokio::test]
async fn root_does_not_take_the_file_away_from_its_owner() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let world = World::new().await;
    world.login(-10, "rt_0");
    let user = Some(12345);
    if chown(world.file(), user, user).and(chown(world.dir.path(), user, user)).is_err() {
        return; // only root can show it
    }
    world.manager().access().await.unwrap();
    for entry in fs::read_dir(world.dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().uid(), 12345, "{:?}", entry.path());
    }
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_works_from_memory_and_is_tried_again() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    // Root may write anywhere, but not even root can open a folder as its lock file.
    let obstacle = world.dir.path().join("auth.lock");
    fs::create_dir(&obstacle).unwrap();
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_0");
    // Somebody touches the file, and the unsaved token is refused: nothing is lost.
    fs::write(world.file(), fs::read(world.file()).unwrap()).unwrap();
    world.pass(1);
    let unsaved = manager.access().await.unwrap();
    assert_eq!(token(&unsaved), world.issued(1));
    assert_eq!(token(&manager.instead_of(&unsaved).await.unwrap()), world.issued(2));
    assert_eq!(world.asked()[1]["refresh_token"], "rt_1");
    fs::remove_dir(&obstacle).unwrap();
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(2));
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_2");
    assert_eq!(world.asked().len(), 2);
}

#[tokio::test]
async fn a_later_login_wins_over_tokens_that_could_not_be_written() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    fs::create_dir(world.dir.path().join("auth.lock")).unwrap();
    manager.access().await.unwrap();
    let login = chatgpt(&jwt(DAY, "acc"), "rt_login");
    world.write(&login);
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), login["tokens"]["access_token"]);
    assert_eq!(world.on_disk(), login);
}

#[tokio::test]
async fn a_half_written_file_does_not_stop_a_token_in_hand() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    let old = manager.access().await.unwrap();
    fs::write(world.file(), r#"{"tokens": {"acc"#).unwrap();
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), token(&old));
    let error = manager.instead_of(&old).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(world.asked().len(), 0, "nothing is spent that could not be written");
}

#[tokio::test]
async fn a_logout_is_noticed() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    let manager = world.manager();
    manager.access().await.unwrap();
    fs::remove_file(world.file()).unwrap();
    world.pass(1);
    let error = manager.access().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said("there is no ChatGPT login in `{dir}`; run `codexway login`")
    );
    world.login(DAY, "rt_9");
    manager.access().await.unwrap();
}
