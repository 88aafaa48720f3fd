use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use insta::assert_snapshot;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::binary::{codexway, start, text};

#[test]
fn installing_writes_a_unit_for_this_program_and_has_it_started() {
    let world = World::new();
    let told = world.ok(&["install"]);
    assert_snapshot!(world.masked(&world.unit()), @r"
    # Written by `codexway service install`, which replaces it; `systemctl --user edit` keeps changes.
    # codexway-service sha256:…

    [Unit]
    Description=codexway, an OpenAI-compatible endpoint for your own ChatGPT plan

    [Service]
    Type=exec
    ExecStart=PROGRAM serve --server-info HOME/.local/share/codexway/service.json
    ExecReload=kill -HUP $MAINPID
    Restart=on-failure
    RestartSec=5
    # Settings that are wrong stay wrong.
    RestartPreventExitStatus=2
    # Running turns are let to end, and with them the programs that they run in.
    KillMode=mixed
    TimeoutStopSec=70

    # What it has no use for. Programs that it starts have a sandbox of their own, so namespaces stay.
    UMask=0077
    NoNewPrivileges=yes
    LockPersonality=yes
    ProtectHome=read-only
    ProtectSystem=strict
    ReadWritePaths=-HOME/.local/share/codexway -/tmp -HOME/.codex
    RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    SystemCallArchitectures=native

    [Install]
    WantedBy=default.target
    ");
    assert_eq!(
        world.asked(),
        [
            "--user daemon-reload",
            "--user enable codexway.service",
            "--user restart codexway.service"
        ]
    );
    assert_snapshot!(world.masked(&told), @r"
    wrote HOME/.config/systemd/user/codexway.service
    codexway runs in the background now, and whenever you log in
    hint: `codexway service status` shows how it does
    hint: `journalctl --user --unit codexway` shows what it logs
    hint: `loginctl enable-linger` lets it run while you are not logged in
    ");
}

#[test]
fn what_install_is_given_is_what_the_service_is_given() {
    let world = World::new();
    let config = world.home.path().join("my settings.toml");
    fs::write(&config, "[server]\nshutdown_grace = \"3m\"\n[profiles.other]\n").unwrap();
    let told = world.ok(&[
        "install",
        "--config",
        "my settings.toml",
        "--profile",
        "other",
        "--listen",
        "0.0.0.0:7000",
        "--key-file",
        "keys/100%",
    ]);
    let unit = world.masked(&world.unit());
    let line = |name: &str| unit.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_eq!(
        line("ExecStart="),
        "ExecStart=PROGRAM serve --profile other --listen 0.0.0.0:7000 --config \"HOME/my settings.toml\" --key-file HOME/keys/100%% --server-info HOME/.local/share/codexway/service.json"
    );
    assert_eq!(
        line("ReadWritePaths="),
        "ReadWritePaths=-HOME/.local/share/codexway -/tmp -HOME/keys -HOME/.codex"
    );
    assert_eq!(line("TimeoutStopSec="), "TimeoutStopSec=220");
    assert!(told.contains("made a local key"), "{told}");
    assert!(world.home.path().join("keys/100%").exists());
}

#[test]
fn variables_that_say_where_things_are_go_along_and_secrets_do_not() {
    let world = World::new();
    let mut command = world.command(&["install"]);
    command
        .env("CODEX_HOME", "/srv/codex $1")
        .env("CODEXWAY__SERVER__MAX_TURNS", "7")
        .env("OPENAI_API_KEY", "sk-secret");
    let told = text(&command.output().unwrap().stderr);
    let unit = world.unit();
    assert!(unit.contains("\nEnvironment=\"CODEX_HOME=/srv/codex $1\"\n"), "{unit}");
    assert!(unit.contains(" \"-/srv/codex $1\""), "{unit}");
    assert!(!unit.contains("sk-secret") && !unit.contains("MAX_TURNS"), "{unit}");
    let warning = "warning: CODEXWAY__SERVER__MAX_TURNS and OPENAI_API_KEY are set here, and the service will not have them";
    assert!(told.contains(warning), "{told}");
}

#[test]
fn settings_that_would_not_start_are_not_installed() {
    let world = World::new();
    for args in [
        ["install", "--listen", "0.0.0.0:7531"],
        ["install", "--profile", "nobody"],
        ["install", "--config", "missing.toml"],
    ] {
        let output = world.run(&args);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    }
    assert!(!world.file().exists());
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn where_no_systemd_answers_it_says_what_it_wrote_and_what_to_type() {
    let world = World::new();
    world.systemctl("echo 'Failed to connect to bus: No medium found' >&2; exit 1");
    let told = world.ok(&["install"]);
    assert!(told.contains(&format!("wrote {}", world.file().display())), "{told}");
    assert!(told.contains("no systemd answers here: "), "{told}");
    assert!(
        told.contains(
            "run `systemctl --user daemon-reload && systemctl --user enable --now codexway.service`"
        ),
        "{told}"
    );
    fs::remove_dir_all(world.programs()).unwrap();
    let told = world.ok(&["install"]);
    assert!(told.contains("no systemd answers here: there is no `systemctl`"), "{told}");
    let told = world.ok(&["uninstall"]);
    assert!(told.contains("nothing is stopped"), "{told}");
    assert!(!world.file().exists());
    assert_eq!(world.status()["manager"], Value::Null);
}

#[test]
fn what_systemd_refuses_is_told_and_fails() {
    let world = World::new();
    world.systemctl("[ \"$2\" != restart ] || { echo 'Job failed: on purpose' >&2; exit 1; }");
    let output = world.run(&["install"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("the service is written, but systemd failed: `systemctl --user restart codexway.service`: Job failed: on purpose"),
        "{told}"
    );
}

#[test]
fn a_unit_that_somebody_else_wrote_or_changed_is_kept() {
    let world = World::new();
    let folder = world.file().parent().unwrap().to_owned();
    fs::create_dir_all(&folder).unwrap();
    fs::write(world.file(), "[Service]\nExecStart=/bin/true\n").unwrap();
    let told = world.ok(&["install"]);
    assert!(told.contains("was there already, and is kept as"), "{told}");
    let kept = folder.join("codexway.service.before-codexway");
    assert_eq!(fs::read_to_string(kept).unwrap(), "[Service]\nExecStart=/bin/true\n");

    let ours = world.unit();
    let told = world.ok(&["install"]);
    assert!(!told.contains("kept"), "{told}");
    assert_eq!((world.unit(), names(&folder).len()), (ours.clone(), 2));

    let changed = ours.replace("RestartSec=5", "RestartSec=50");
    fs::write(world.file(), &changed).unwrap();
    assert_eq!(world.status()["changed"], true);
    world.ok(&["install"]);
    let kept = folder.join("codexway.service.before-codexway.1");
    assert_eq!((world.unit(), fs::read_to_string(kept).unwrap()), (ours, changed));
}

#[test]
fn uninstalling_removes_what_install_wrote_and_nothing_else() {
    let world = World::new();
    world.ok(&["install", "--key-file", "key"]);
    let drop_in = world.file().with_file_name("codexway.service.d");
    fs::create_dir(&drop_in).unwrap();
    let info = world.home.path().join(".local/share/codexway/service.json");
    fs::write(&info, "{}").unwrap();
    world.forget();
    world.ok(&["uninstall"]);
    assert_eq!(world.asked(), ["--user disable --now codexway.service", "--user daemon-reload"]);
    assert_eq!(names(world.file().parent().unwrap()), ["codexway.service.d"]);
    assert!(!info.exists() && world.home.path().join("key").exists());
    world.forget();
    let told = world.ok(&["uninstall"]);
    assert_eq!((&*told, world.asked().len()), ("no service of codexway's is installed\n", 0));
}

#[test]
fn uninstalling_keeps_changes_and_leaves_what_is_not_ours() {
    let world = World::new();
    world.ok(&["install"]);
    let changed = format!("{}# mine\n", world.unit());
    fs::write(world.file(), &changed).unwrap();
    world.ok(&["uninstall"]);
    let kept = world.file().with_file_name("codexway.service.with-changes");
    assert_eq!(fs::read_to_string(kept).unwrap(), changed);
    assert!(!world.file().exists());

    fs::write(world.file(), "[Service]\n").unwrap();
    world.forget();
    let output = world.run(&["uninstall"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("was not written by `codexway service install`"));
    assert_eq!((&*world.unit(), world.asked().len()), ("[Service]\n", 0));
}

#[test]
fn a_service_that_cannot_be_stopped_stays_installed() {
    let world = World::new();
    world.ok(&["install"]);
    world.systemctl("echo 'Access denied' >&2; exit 4");
    let output = world.run(&["uninstall"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Access denied"));
    assert!(world.file().exists());
}

#[test]
fn status_tells_whether_it_runs_since_when_and_where() {
    let world = World::new();
    let nothing = world.status();
    assert_eq!(
        nothing,
        json!({
            "installed": false, "changed": false, "enabled": false, "running": false,
            "since": null, "pid": null, "url": null, "manager": "systemd", "file": world.file(),
        })
    );
    world.ok(&["install"]);
    let (server, info) = start(&world.home, &["demo"]);
    let kept = world.home.path().join(".local/share/codexway/service.json");
    fs::copy(world.home.path().join("info.json"), &kept).unwrap();
    let shows = |pid: u32| {
        world.systemctl(&format!(
            "printf 'MainPID={pid}\\nActiveState=active\\nUnitFileState=enabled\\nActiveEnterTimestamp=Fri 2026-11-20 09:08:07 UTC\\n'"
        ));
    };
    shows(server.0.id());
    world.forget();
    assert_eq!(
        world.status(),
        json!({
            "installed": true, "changed": false, "enabled": true, "running": true,
            "since": "2026-11-20T09:08:07Z", "pid": server.0.id(), "url": info["url"],
            "manager": "systemd", "file": world.file(),
        })
    );
    assert_eq!(
        world.asked(),
        [
            "--user show codexway.service --property=UnitFileState,ActiveState,MainPID,ActiveEnterTimestamp"
        ]
    );
    let told = text(&world.run(&["status"]).stdout);
    assert!(told.contains("\nrunning:   since 2026-11-20T09:08:07Z ("), "{told}");
    assert!(told.contains(&format!("\nserver:    {}\n", info["url"].as_str().unwrap())), "{told}");
    // Another process: what the file says is what an earlier one said.
    shows(1);
    assert_eq!(world.status()["url"], Value::Null);
}

/// The unit as systemd itself reads it; where there is none, its own reader is tested elsewhere.
#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let world = World::new();
    world.ok(&["install", "--key-file", "a \"key\" of 100% $HOME\\n"]);
    let verify = Command::new("systemd-analyze")
        .args(["--user", "--man=no", "verify"])
        .arg(world.file())
        .env("XDG_RUNTIME_DIR", world.home.path())
        .output();
    let Ok(output) = verify else { return };
    assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(0), ""));
}

/// A home folder, and a `systemctl` that writes down what it is asked.
struct World {
    home: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { home: tempfile::tempdir().unwrap() };
        fs::create_dir(world.programs()).unwrap();
        world.systemctl("exit 0");
        world
    }

    /// Lets `systemctl` do this, in sh, once it has written down what it is asked.
    fn systemctl(&self, script: &str) {
        let file = self.programs().join("systemctl");
        let asked = self.home.path().join("asked");
        let script = format!("#!/bin/sh\necho \"$*\" >>'{}'\n{script}\n", asked.display());
        // By a child: a file that this process had open could not be run beside another's fork.
        let mut write = Command::new("sh");
        write.args(["-c", "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh", &script]).arg(file);
        assert!(write.status().unwrap().success());
    }

    fn programs(&self) -> PathBuf {
        self.home.path().join("programs")
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".config/systemd/user/codexway.service")
    }

    fn unit(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = codexway(&self.home);
        let path = format!("{}:/nowhere", self.programs().display());
        command.env("PATH", path).arg("service").args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command that succeeds tells.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stderr)
    }

    fn status(&self) -> Value {
        serde_json::from_slice(&self.run(&["status", "--json"]).stdout).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.home.path().join("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }

    fn forget(&self) {
        let _ = fs::remove_file(self.home.path().join("asked"));
    }

    /// With the paths and the digest of this run replaced by words.
    fn masked(&self, text: &str) -> String {
        let text = text.replace(self.home.path().to_str().unwrap(), "HOME");
        let text = text.replace(env!("CARGO_BIN_EXE_codexway"), "PROGRAM");
        match text.split_once("sha256:") {
            Some((before, after)) => format!("{before}sha256:…{}", &after[64..]),
            None => text,
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
