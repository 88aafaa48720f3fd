//! Disks that cannot be written, with real processes that may not write.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use pretty_assertions::assert_eq;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use super::{Told, World, browser, mode};
use crate::support::binary::{Running, listening};

/// Who is nobody to this machine.
const NOBODY: u32 = 65534;

impl World {
    async fn expired_login() -> Self {
        let world = Self::new().await;
        world.logged_in("default", &world.simulator.auth_json_expiring(Duration::ZERO));
        world
    }

    /// A command that gets an error where it would write more than it may, instead of a signal.
    fn limited(&self, args: &[&str], limit: &str) -> Command {
        let script = format!("trap '' XFSZ; {limit} exec \"$0\" \"$@\"");
        let plain = self.command(args);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).arg(plain.get_program()).args(plain.get_args());
        command.env_clear().current_dir(self.home.path());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// The same command as somebody whom the modes of files bind; root is bound by none.
    fn bound(&self, args: &[&str]) -> Command {
        let plain = self.command(args);
        if !rustix::process::geteuid().is_root() {
            return plain;
        }
        let program = self.home.path().join("codexway");
        if !program.exists() {
            // Not with a descriptor of ours: what another test starts just then would inherit it,
            // and a file that somebody may write cannot be run.
            let itself = env!("CARGO_BIN_EXE_codexway");
            assert!(Command::new("cp").arg(itself).arg(&program).status().unwrap().success());
        }
        give(self.home.path());
        let mut command = Command::new(program);
        command.args(plain.get_args()).env_clear().current_dir(self.home.path());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.uid(NOBODY).gid(NOBODY);
        command
    }

    fn folder(&self) -> PathBuf {
        self.own("default").parent().unwrap().to_owned()
    }

    fn refresh_token(&self) -> Value {
        self.on_disk("default")["tokens"]["refresh_token"].clone()
    }
}

fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path()));
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A server, and what a client can ask of it.
struct Server {
    child: Running,
    url: String,
    client: reqwest::Client,
}

impl Server {
    fn start(world: &World, command: Command) -> Self {
        let (child, info) = listening(&world.home, command);
        let url = info["url"].as_str().unwrap().to_owned();
        Self { child, url, client: browser() }
    }

    async fn turn(&self) -> u16 {
        let body = json!({"model": "gpt-5.5", "input": "hi"});
        let url = format!("{}/v1/responses", self.url);
        self.client.post(url).json(&body).send().await.unwrap().status().as_u16()
    }

    async fn ready(&self) -> (u16, Value) {
        let answer = self.client.get(format!("{}/ready", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Waits until nothing is wrong any more; it looks at the disk once a second.
    async fn until_saved(&self) {
        while self.ready().await.1 != json!({"status": "ready"}) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Turns work, and `/ready` names the file and says what to do.
    async fn works_from_memory(&self, world: &World, way_out: &str) {
        assert_eq!((self.turn().await, self.turn().await), (200, 200));
        let (status, told) = self.ready().await;
        let warning = told["warning"].as_str().unwrap_or_else(|| panic!("{told}"));
        assert_eq!((status, &told["status"]), (200, &json!("ready")));
        let file = world.own("default").display().to_string();
        for part in ["lives in memory only", &file, way_out] {
            assert!(warning.contains(part), "{part} in {warning}");
        }
        assert_eq!(world.simulator.refreshes(), 1);
    }
}

fn limit_files_of(child: &Running, limit: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(child.0.id()).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: limit, maximum: None }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_no_login_and_every_process_says_so() {
    let world = World::expired_login().await;
    let before = world.refresh_token();
    let server = Server::start(&world, world.limited(&["serve"], ""));
    limit_files_of(&server.child, Some(0));
    server.works_from_memory(&world, "free some space").await;
    assert_eq!(world.refresh_token(), before);

    // Another process neither spends the old token again nor takes it for lost.
    let status = world.run(&["status", "--json"]);
    let account = status.json()["accounts"][0].clone();
    assert_eq!((status.code, &account["state"]), (1, &json!("unsaved")));
    let problem = account["problem"].as_str().unwrap();
    assert!(problem.contains("do not stop it before the file can be written"), "{problem}");
    assert_eq!((world.simulator.refreshes(), world.simulator.reuses()), (1, 0));

    limit_files_of(&server.child, None);
    server.until_saved().await;
    assert_ne!(world.refresh_token(), before);
    world.run(&["status"]).ok();
    assert_eq!((world.simulator.refreshes(), world.simulator.reuses()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ends_at_once_renews_nothing_on_a_full_disk() {
    let world = World::expired_login().await;
    let before = fs::read(world.own("default")).unwrap();
    for args in [&["status", "--json"][..], &["models"]] {
        let told = Told::of(world.limited(args, "ulimit -f 0;").output().unwrap());
        let told = [told.stdout, told.stderr].concat();
        assert!(told.contains("the login was not renewed"), "{told}");
        assert!(told.contains("free some space"), "{told}");
    }
    assert_eq!(world.simulator.refreshes(), 0);
    assert_eq!(fs::read(world.own("default")).unwrap(), before);
    world.run(&["status"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_is_begun_on_a_full_disk() {
    let world = World::new().await;
    for args in [&["login", "--device", "--yes"][..], &["login", "--no-browser", "--yes"]] {
        let told = Told::of(world.limited(args, "ulimit -f 0;").output().unwrap());
        let told = told.failed(1, &["cannot keep a login in `", "free some space"]);
        assert!(told.stderr.contains("and run `codexway login` again"), "{told:?}");
        assert_eq!(told.stdout, "");
    }
    assert!(world.simulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_folder_loses_no_login() {
    let world = World::expired_login().await;
    let before = world.refresh_token();
    set_mode(&world.own("default"), 0o400);
    let command = world.bound(&["serve"]);
    set_mode(&world.folder(), 0o500);
    let server = Server::start(&world, command);
    server.works_from_memory(&world, "let codexway write there").await;
    assert_eq!(world.refresh_token(), before);

    let told = Told::of(world.bound(&["login", "--device", "--yes"]).output().unwrap());
    told.failed(1, &["cannot keep a login in `", "let codexway write there"]);
    let status = Told::of(world.bound(&["status", "--json"]).output().unwrap());
    assert_eq!(status.json()["accounts"][0]["state"], "unsaved");

    set_mode(&world.folder(), 0o700);
    server.until_saved().await;
    assert_ne!(world.refresh_token(), before);
    assert_eq!((world.simulator.refreshes(), world.simulator.reuses()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_is_replaced_like_any_other() {
    let world = World::expired_login().await;
    let before = world.refresh_token();
    set_mode(&world.own("default"), 0o400);
    let server = Server::start(&world, world.bound(&["serve"]));
    assert_eq!(server.turn().await, 200);
    assert_eq!(server.ready().await, (200, json!({"status": "ready"})));
    assert_ne!(world.refresh_token(), before);
    assert_eq!(mode(&world.own("default")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_memory_outlives_a_change_of_the_settings() {
    let world = World::expired_login().await;
    let file = world.home.path().join("my.toml");
    fs::write(&file, "").unwrap();
    let command = world.limited(&["serve", "--config", "my.toml"], "");
    let server = Server::start(&world, command);
    limit_files_of(&server.child, Some(0));
    assert_eq!(server.turn().await, 200);
    // The upstream is built anew.
    fs::write(
        &file,
        "[server]\nidle_timeout = \"77s\"\n[profiles.codex.aliases]\nnew = \"gpt-5.5\"\n",
    )
    .unwrap();
    let url = format!("{}/v1/models/new", server.url);
    while server.client.get(&url).send().await.unwrap().status() != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.works_from_memory(&world, "free some space").await;
    assert_eq!(world.simulator.reuses(), 0);
}
