//! A user unit of systemd.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use jiff::{civil::DateTime, tz::TimeZone};

use super::{Manager, Plan, State, Trouble, ask};

const UNIT: &str = "codexway.service";

pub(super) struct Systemd {
    file: PathBuf,
}

impl Systemd {
    /// `folder` is the platform's for settings.
    pub(super) fn new(folder: &Path) -> Self {
        Self { file: folder.join("systemd/user").join(UNIT) }
    }
}

impl Manager for Systemd {
    fn name(&self) -> &'static str {
        "systemd"
    }

    fn file(&self) -> &Path {
        &self.file
    }

    fn text(&self, plan: &Plan) -> String {
        let command: Vec<String> =
            plan.command.iter().enumerate().map(|(n, word)| argument(n, word)).collect();
        let variables: String = plan
            .variables
            .iter()
            .map(|(name, value)| format!("Environment={}\n", word(&format!("{name}={value}"))))
            .collect();
        // What is not there is left out; a login that is borrowed later needs a restart.
        let writable: Vec<String> =
            plan.writable.iter().map(|folder| word(&format!("-{folder}"))).collect();
        format!(
            "\
# Written by `codexway service install`, which replaces it; `systemctl --user edit` keeps changes.

[Unit]
Description=codexway, an OpenAI-compatible endpoint for your own ChatGPT plan

[Service]
Type=exec
ExecStart={command}
ExecReload=kill -HUP $MAINPID
{variables}Restart=on-failure
RestartSec=5
# Settings that are wrong stay wrong.
RestartPreventExitStatus=2
# Running turns are let to end, and with them the programs that they run in.
KillMode=mixed
TimeoutStopSec={stop}

# What it has no use for. Programs that it starts have a sandbox of their own, so namespaces stay.
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
ProtectHome=read-only
ProtectSystem=strict
ReadWritePaths={writable}
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
",
            command = command.join(" "),
            stop = plan.stop.as_secs(),
            writable = writable.join(" "),
        )
    }

    fn comment(&self, text: &str) -> String {
        format!("# {text}")
    }

    fn start(&self) -> Result<(), Trouble> {
        systemctl(&["daemon-reload"])?;
        systemctl(&["enable", UNIT])?;
        // One that runs already is to run what the file says now.
        systemctl(&["restart", UNIT]).map(drop)
    }

    fn stop(&self) -> Result<(), Trouble> {
        systemctl(&["disable", "--now", UNIT]).map(drop)
    }

    fn forget(&self) -> Result<(), Trouble> {
        systemctl(&["daemon-reload"]).map(drop)
    }

    fn state(&self) -> Result<State, Trouble> {
        let wanted = "--property=UnitFileState,ActiveState,MainPID,ActiveEnterTimestamp";
        Ok(state(&systemctl(&["show", UNIT, wanted])?))
    }

    fn by_hand(&self) -> String {
        format!("systemctl --user daemon-reload && systemctl --user enable --now {UNIT}")
    }

    fn notes(&self) -> Vec<String> {
        vec![
            "`journalctl --user --unit codexway` shows what it logs".to_owned(),
            "`loginctl enable-linger` lets it run while you are not logged in".to_owned(),
        ]
    }
}

fn systemctl(args: &[&str]) -> Result<String, Trouble> {
    let mut command = Command::new("systemctl");
    let asked = ask(command.arg("--user").args(args));
    asked.map_err(|trouble| match trouble {
        Trouble::Failed(error) if nobody_is_there(&error.to_string()) => {
            Trouble::Absent(format!("{error:#}"))
        }
        other => other,
    })
}

/// Whether it found no systemd of this user's to ask.
fn nobody_is_there(said: &str) -> bool {
    let words = ["has not been booted with systemd", "Failed to connect to"];
    words.iter().any(|words| said.contains(words))
}

/// Reads what `show` prints: a line `NAME=VALUE` for each property.
fn state(shown: &str) -> State {
    let property = |name: &str| {
        shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
    };
    let running = matches!(property("ActiveState"), "active" | "reloading" | "deactivating");
    let since = DateTime::strptime("%a %Y-%m-%d %H:%M:%S UTC", property("ActiveEnterTimestamp"));
    let since = since.ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    State {
        enabled: property("UnitFileState") == "enabled",
        running,
        pid: property("MainPID").parse().ok().filter(|pid| *pid != 0 && running),
        since: since.map(|at| at.timestamp()).filter(|_| running),
    }
}

/// A word of `ExecStart`; from the second on `$` begins a variable.
fn argument(n: usize, text: &str) -> String {
    let word = word(text);
    if n == 0 { word } else { word.replace('$', "$$") }
}

/// A word as units quote it, which `%` would begin a specifier in.
fn word(text: &str) -> String {
    let text = text.replace('%', "%%");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,%$".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
