#![expect(clippy::disallowed_methods, reason = "a test waits for what it starts")]

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pretty_assertions::assert_eq;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{Access, Error, Folder, Kind, OAuth, Places, TokenManager, find};

const NOW: &str = "2026-11-21T12:00:00Z";
const DAY: i64 = 24 * 3600;

// One refresh, however many want one

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

// When

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

// Others who share the file

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
async fn the_write_waits_for_the_codex_cli_to_finish_its_own() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let theirs = File::create(world.dir.path().join("auth.lock")).unwrap();
    theirs.lock().unwrap();
    let call = tokio::spawn({
        let manager = world.manager();
        async move { manager.access().await }
    });
    world.asked_times(1).await;
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_0");
    drop(theirs);
    assert_eq!(token(&call.await.unwrap().unwrap()), world.issued(1));
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1");
}

// The file

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

// Shapes of auth.json

#[tokio::test]
async fn the_account_is_the_access_tokens_then_the_files_then_the_id_tokens() {
    let world = World::new().await;
    let without = unsigned(&json!({ "exp": 2_000_000_000 }));
    for (access, filed, id, expected) in [
        (jwt(DAY, "claim"), Some("filed"), jwt(DAY, "id"), "claim"),
        (without.clone(), Some("filed"), jwt(DAY, "id"), "filed"),
        (without.clone(), None, jwt(DAY, "id"), "id"),
        ("opaque".to_owned(), Some("filed"), "opaque".to_owned(), "filed"),
    ] {
        world.write(&json!({ "tokens": { "id_token": id, "access_token": access, "refresh_token": "rt", "account_id": filed } }));
        assert_eq!(world.manager().access().await.unwrap().account_id, expected);
    }
}

#[tokio::test]
async fn plan_and_fedramp_come_from_the_claims() {
    let world = World::new().await;
    let access = unsigned(&json!({
        "exp": 2_000_000_000,
        "https://api.openai.com/auth": { "chatgpt_account_id": "acc", "chatgpt_account_is_fedramp": true },
    }));
    let id = unsigned(&json!({ "https://api.openai.com/auth": { "chatgpt_plan_type": "plus" } }));
    world.write(&json!({ "OPENAI_API_KEY": "sk-exchanged", "tokens": { "id_token": id, "access_token": access, "refresh_token": "rt" } }));
    let access = world.manager().access().await.unwrap();
    assert_eq!((access.fedramp, access.plan.as_deref()), (true, Some("plus")));
}

#[tokio::test]
async fn files_without_a_usable_login_say_what_to_do() {
    let world = World::new().await;
    let lacks = unsigned(&json!({ "exp": 2_000_000_000 }));
    let api_key = "`{file}` holds an API key, and the `codex` upstream needs a ChatGPT login; run `codexway login`, or use the `openai` upstream with the key";
    let mode = |mode| {
        format!(
            "`{{file}}` holds a login of the kind `{mode}`, which codexway cannot use; run `codexway login`"
        )
    };
    let nothing = "there is no ChatGPT login in `{dir}`; run `codexway login`";
    for (file, expected) in [
        (json!({ "OPENAI_API_KEY": "sk-1" }), api_key.to_owned()),
        (json!({ "auth_mode": "apikey", "OPENAI_API_KEY": "sk-1" }), api_key.to_owned()),
        (json!({ "auth_mode": "chatgptAuthTokens" }), mode("chatgptAuthTokens")),
        (json!({ "auth_mode": "headers" }), mode("headers")),
        (json!({ "OPENAI_API_KEY": null, "agent_identity": "ey.." }), mode("agentIdentity")),
        (json!({ "auth_mode": "bedrockApiKey", "bedrock_api_key": "b" }), mode("bedrockApiKey")),
        (json!({}), nothing.to_owned()),
        (json!({ "auth_mode": "chatgpt", "OPENAI_API_KEY": "sk-1" }), nothing.to_owned()),
        (
            json!({ "tokens": { "access_token": "opaque" } }),
            "the account is unknown: the access token is malformed, so it does not show the claim `https://api.openai.com/auth.chatgpt_account_id`, and `{file}` names no `account_id` either; run `codexway login`".to_owned(),
        ),
        (
            json!({ "tokens": { "access_token": lacks } }),
            "the account is unknown: the access token lacks the claim `https://api.openai.com/auth.chatgpt_account_id`, and `{file}` names no `account_id` either; run `codexway login`".to_owned(),
        ),
        (
            json!({ "tokens": { "access_token": jwt(-10, "acc") } }),
            "the access token in `{file}` has expired or was refused, and there is no refresh token beside it; run `codexway login`".to_owned(),
        ),
    ] {
        world.write(&file);
        let error = world.manager().access().await.unwrap_err();
        assert_eq!(error.to_string(), world.said(&expected), "{file}");
        assert!(error.needs_login(), "{error}");
    }
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn an_unreadable_file_is_named_and_kept() {
    let world = World::new().await;
    for (bytes, why) in [
        (
            &b"{\"OPENAI_API_KEY\": \"sk-secret"[..],
            "EOF while parsing a string at line 1 column 29",
        ),
        (b"\"sk-secret\"", "it is not a JSON object"),
        (b"", "EOF while parsing a value at line 1 column 0"),
    ] {
        fs::write(world.file(), bytes).unwrap();
        let error = world.manager().access().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            world.said(&format!("cannot read `{{file}}`: {why}; it was left as it is: repair it, or move it away and run `codexway login`"))
        );
        assert_eq!(fs::read(world.file()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_personal_access_token_is_looked_up_once_and_never_refreshed() {
    let world = World::new().await;
    world.write(&json!({ "OPENAI_API_KEY": null, "personal_access_token": "at-1" }));
    let manager = world.manager();
    let summary = manager.snapshot().await.unwrap();
    assert_eq!((summary.kind, summary.account_id), (Kind::PersonalAccessToken, None));
    for _ in 0..3 {
        let access = manager.access().await.unwrap();
        assert_eq!((token(&access).as_str(), access.account_id.as_str()), ("at-1", "pat-acc"));
        assert_eq!((access.fedramp, access.plan.as_deref()), (true, Some("business")));
    }
    assert_eq!(world.asked(), [json!("Bearer at-1")]);
    let refused = manager.access().await.unwrap();
    let error = manager.instead_of(&refused).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said(
            "the personal access token in `{file}` was refused; replace it, or run `codexway login`"
        )
    );
    world.write(&json!({ "personal_access_token": "at-2" }));
    assert_eq!(token(&manager.instead_of(&refused).await.unwrap()), "at-2");
    assert_eq!(world.asked().len(), 2);
}

// What the token endpoint says

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

// What can be seen

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
    fs::create_dir(&obstacle).unwrap();
    manager.access().await.unwrap();
    fs::remove_dir(&obstacle).unwrap();
    world.pass(1);
    manager.access().await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in [
        "no new token: `{url}` answered 503; try again in a minute",
        "refreshed the login in `{file}`",
        "the new login lives in memory only, because it could not be written: ",
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

// Where auth.json is

#[test]
fn the_source_setting_finds_the_folder() {
    let own = tempfile::tempdir().unwrap();
    let path = |path: &str| Some(PathBuf::from(path));
    let places = |openai_codex_path, codex_home| Places {
        own: own.path().to_owned(),
        openai_codex_path,
        codex_home,
        home: path("/home/u"),
    };
    let none = places(None, None);
    assert_eq!(find("own", &none), Folder::Own(own.path().to_owned()));
    assert_eq!(find("~/x", &none), Folder::Borrowed("/home/u/x".into()));
    assert_eq!(find("~", &none), Folder::Borrowed("/home/u".into()));
    assert_eq!(find("/x/auth.json", &none), Folder::Borrowed("/x".into()));
    assert_eq!(find("auto", &none), Folder::Borrowed("/home/u/.codex".into()));
    assert_eq!(
        find("auto", &places(path("/a"), path("/b"))),
        Folder::Variable("OPENAI_CODEX_PATH", "/a".into())
    );
    assert_eq!(
        find("auto", &places(path(""), path("~/b"))),
        Folder::Variable("CODEX_HOME", "/home/u/b".into())
    );
    assert_eq!(find("auto", &Places { home: None, ..none }), Folder::Own(own.path().to_owned()));
    fs::write(own.path().join("auth.json"), "{}").unwrap();
    assert_eq!(find("auto", &places(path("/a"), None)), Folder::Own(own.path().to_owned()));
}

#[tokio::test]
async fn a_folder_without_a_login_is_named_with_its_variable() {
    let world = World::new().await;
    let folder = Folder::Variable("CODEX_HOME", world.dir.path().join("none"));
    let error = world.manager_of(folder).access().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said("there is no ChatGPT login in `{dir}/none` (which `$CODEX_HOME` names); run `codexway login`")
    );
}

// Support

struct World {
    dir: TempDir,
    server: Server,
    now: Arc<AtomicI64>,
}

impl World {
    async fn new() -> Self {
        LazyLock::force(&LISTENERS);
        let now = Arc::new(AtomicI64::new(NOW.parse::<Timestamp>().unwrap().as_second()));
        Self { dir: tempfile::tempdir().unwrap(), server: Server::start().await, now }
    }

    fn manager(&self) -> TokenManager {
        self.manager_of(Folder::Borrowed(self.dir.path().to_owned()))
    }

    fn manager_of(&self, folder: Folder) -> TokenManager {
        let oauth = OAuth {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            auth_url: self.server.url.clone(),
            originator: "codexway".to_owned(),
            user_agent: "codexway/test".to_owned(),
        };
        let now = self.now.clone();
        let clock = move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap();
        TokenManager::with_clock(folder, oauth, Box::new(clock))
    }

    fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("auth.json")
    }

    fn write(&self, file: &Value) {
        let new = self.dir.path().join("new");
        fs::write(&new, file.to_string()).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// A login whose access token ends in so many seconds.
    fn login(&self, seconds: i64, refresh: &str) {
        self.write(&chatgpt(&jwt(seconds, "acc"), refresh));
    }

    fn on_disk(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap()
    }

    /// The access token in the server's nth answer.
    fn issued(&self, n: usize) -> String {
        issued(n)
    }

    fn asked(&self) -> Vec<Value> {
        self.server.asked.borrow().clone()
    }

    async fn asked_times(&self, n: usize) {
        self.server.asked.subscribe().wait_for(|asked| asked.len() == n).await.unwrap();
    }

    fn reasons(&self) -> Vec<Value> {
        self.asked().iter().map(|asked| asked["refresh_reason"].clone()).collect()
    }

    /// A message with this world's paths filled in.
    fn said(&self, message: &str) -> String {
        message
            .replace("{file}", &self.file().display().to_string())
            .replace("{dir}", &self.dir.path().display().to_string())
            .replace("{url}", &self.server.url)
    }
}

/// While there is at most one listener, `tracing` switches a log line off for good if the first
/// thread to reach it does not listen; a test that reads the log would then miss that line.
static LISTENERS: LazyLock<[tracing::Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| tracing::Dispatch::new(tracing_subscriber::registry())));

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A token endpoint that rotates `rt_0` to `rt_1` and so on, unless told what to answer.
#[derive(Clone)]
struct Server {
    url: String,
    asked: watch::Sender<Vec<Value>>,
    script: Arc<Mutex<VecDeque<(u16, String)>>>,
    /// Whoever holds it keeps the answers back.
    stall: Arc<tokio::sync::Mutex<()>>,
}

impl Server {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: watch::Sender::default(),
            script: Arc::default(),
            stall: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/oauth/token", post(refresh))
            .route("/api/accounts/v1/user-auth-credential/whoami", get(whoami))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server
    }

    fn answer(&self, status: u16, body: &str) {
        self.script.lock().unwrap().push_back((status, body.to_owned()));
    }
}

async fn refresh(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["originator"], "codexway");
    assert_eq!(headers["user-agent"], "codexway/test");
    let asked: Value = serde_json::from_slice(&body).unwrap();
    server.asked.send_modify(|all| all.push(asked.clone()));
    let n = server.asked.borrow().len();
    drop(server.stall.lock().await);
    let script = server.script.lock().unwrap().pop_front();
    let (status, body) = script.unwrap_or_else(|| match asked["refresh_token"].as_str() {
        Some("rt_spent") => (401, r#"{"error":{"code":"refresh_token_reused"}}"#.to_owned()),
        _ => (
            200,
            json!({ "access_token": issued(n), "refresh_token": format!("rt_{n}") }).to_string(),
        ),
    });
    let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
    (StatusCode::from_u16(status).unwrap(), [("content-type", kind)], body).into_response()
}

async fn whoami(State(server): State<Server>, headers: HeaderMap) -> Response {
    let bearer = headers["authorization"].to_str().unwrap().into();
    server.asked.send_modify(|all| all.push(bearer));
    json!({
        "chatgpt_user_id": "u",
        "chatgpt_account_id": "pat-acc",
        "chatgpt_plan_type": "business",
        "chatgpt_account_is_fedramp": true,
    })
    .to_string()
    .into_response()
}

fn chatgpt(access_token: &str, refresh_token: &str) -> Value {
    json!({
        "auth_mode": "chatgpt",
        "tokens": { "access_token": access_token, "refresh_token": refresh_token, "account_id": "acc" },
        "last_refresh": "2026-11-20T00:00:00Z",
    })
}

fn issued(n: usize) -> String {
    jwt(10 * DAY + i64::try_from(n).unwrap(), "acc")
}

fn at(seconds: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn jwt(seconds: i64, account: &str) -> String {
    unsigned(&json!({
        "exp": at(seconds).as_second(),
        "https://api.openai.com/auth": { "chatgpt_account_id": account },
    }))
}

fn unsigned(claims: &Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn token(access: &Access) -> String {
    access.token.expose_secret().to_owned()
}
