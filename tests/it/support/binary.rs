//! The binary as a child process.

use std::{
    fs::{self, File},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// A free port of this machine.
const ANYWHERE: &str = "127.0.0.1:0";

/// The binary, in a home of its own.
pub(crate) fn codexway(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codexway"));
    command.env_clear().env("HOME", home.path()).env("NO_COLOR", "1").current_dir(home.path());
    command
}

pub(crate) fn run(home: &TempDir, args: &[&str]) -> Output {
    codexway(home).args(args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A child that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits until it says where it is.
pub(crate) fn start(home: &TempDir, args: &[&str]) -> (Running, Value) {
    let mut command = codexway(home);
    command.args(args);
    listening(home, command)
}

pub(crate) fn listening(home: &TempDir, command: Command) -> (Running, Value) {
    until_it_listens(home, command, ANYWHERE, Stdio::piped())
}

/// Starts one on the address of another that has been told to stop.
pub(crate) fn succeeding(home: &TempDir, args: &[&str], address: &str) -> Running {
    let mut command = codexway(home);
    command.args(args);
    until_it_listens(home, command, address, Stdio::piped()).0
}

/// The same with what it logs in a file of its home: a pipe that nobody reads would stop it.
pub(crate) fn logging(home: &TempDir, command: Command, log: &str) -> (Running, Value) {
    let log = File::create(home.path().join(log)).unwrap();
    until_it_listens(home, command, ANYWHERE, log.into())
}

fn until_it_listens(
    home: &TempDir,
    mut command: Command,
    address: &str,
    log: Stdio,
) -> (Running, Value) {
    let info = home.path().join("info.json");
    let child = command
        .args(["--listen", address, "--server-info", "info.json"])
        .stderr(log)
        .spawn()
        .unwrap();
    let mut child = Running(child);
    let until = Instant::now() + Duration::from_secs(20);
    while !info.exists() {
        assert!(child.0.try_wait().unwrap().is_none(), "it has ended");
        assert!(Instant::now() < until, "it does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    (child, serde_json::from_str(&fs::read_to_string(info).unwrap()).unwrap())
}

#[cfg(unix)]
pub(crate) fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}
