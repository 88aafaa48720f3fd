use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use codexway::simulator::{Options, Simulator};
use serde_json::json;
use tempfile::TempDir;

use crate::support::binary::{self, codexway};

/// Everything below a folder, links not followed.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// A command whose process would let everybody read what it makes.
fn careless(home: &TempDir, simulator: &Simulator, args: &[&str]) -> Command {
    let program = codexway(home);
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"umask 000 && exec "$0" "$@""#])
        .arg(program.get_program())
        .args(args)
        .env_clear()
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(home.path())
        .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url())
        .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url())
        .env("CODEXWAY__STATE__STORE", "disk");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_can_be_read_by_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let options = Options { device_approved_at_poll: Some(0), ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let login = careless(&home, &simulator, &["login", "--device", "--yes"]).output().unwrap();
    assert!(login.status.success(), "{login:?}");
    // Near its end, so that it is renewed and written again.
    let (_running, info) = binary::listening(&home, careless(&home, &simulator, &["serve"]));
    simulator.expire_access_tokens();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({"model": "gpt-5.5", "input": "hi"});
    let url = format!("{}/v1/responses", info["url"].as_str().unwrap());
    assert_eq!(client.post(url).json(&body).send().await.unwrap().status(), 200);
    assert_eq!(simulator.refreshes(), 1);

    let data = home.path().join(".local/share/codexway");
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for path in below(&data) {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
        names.push(path.strip_prefix(&data).unwrap().display().to_string());
    }
    for kept in ["accounts/default/auth.json", "responses.redb"] {
        assert!(names.iter().any(|name| name == kept), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_what_was_kept_that_is_a_link_is_not_followed() {
    let home = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let data = home.path().join(".local/share/codexway");
    fs::create_dir_all(&data).unwrap();
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    symlink(&elsewhere, data.join("responses.redb")).unwrap();
    let mut command = careless(&home, &simulator, &["serve", "--listen", "127.0.0.1:0"]);
    let told = command.output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("symbolic link"), "{told:?}");
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "precious");
}

/// A lock's name may have been made to stand for another file before we come.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_planted_link_names_is_not_changed_by_a_login() {
    let home = tempfile::tempdir().unwrap();
    let options = Options { device_approved_at_poll: Some(0), ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let folder = home.path().join(".local/share/codexway/accounts/default");
    fs::create_dir_all(&folder).unwrap();
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&elsewhere, folder.join("auth.lock")).unwrap();
    let before = fs::metadata(&elsewhere).unwrap();
    let login = careless(&home, &simulator, &["login", "--device", "--yes"]).output().unwrap();
    assert!(login.status.success(), "{login:?}");
    let after = fs::metadata(&elsewhere).unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
    assert_eq!((before.mode(), before.uid()), (after.mode(), after.uid()));
    // The folder had been there for everybody, and now is its owner's.
    assert_eq!(mode(&folder), 0o700);
}
