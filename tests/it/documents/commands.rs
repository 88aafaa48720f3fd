//! Every command of the documentation runs, and says what the documentation has it say.
//!
//! A block is ```` ```console ```` or ```` ```sh ```` with lines that begin with `$ `. The lines
//! behind a command are what it says, in their order, with `…` for anything. Commands run in a home
//! of their own, with a login, in front of a simulator; one that serves goes on in the background
//! for those after it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    os::unix::{fs::symlink, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use codexway::simulator::{Options, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use super::{path, read};
use crate::support::binary::{Running, codexway, text};

/// What is not run here, by its beginning, and who runs it.
const ELSEWHERE: [(&str, &str); 17] = [
    ("cargo test", "the gate runs the very line"),
    ("cargo nextest", "the gate"),
    ("cargo bench", "takes minutes of a quiet machine; the gate compiles it"),
    ("cargo build", "the gate builds, and so has whoever runs this"),
    ("cargo install", "as `cargo build`"),
    ("codexway login", "`login::browser`, `login::device` and `login::keys`: it wants a person"),
    ("codexway service", "the tests of the service: it changes the user's session"),
    ("npm install", "`tests/clients/agents`, which pins the versions"),
    ("opencode ", "`tests/clients/agents/opencode`"),
    ("cat ", "as what has written the file"),
    ("docker ", "the tests of the container, where there is a daemon"),
    ("podman ", "as `docker`"),
    ("systemctl ", "as `codexway service`"),
    ("journalctl ", "as `codexway service`"),
    ("launchctl ", "as `codexway service`"),
    ("fuzz/run", "the gate"),
    ("tests/clients/run", "the gate"),
];

/// Where the documentation says that the server is.
const SERVER: &str = "127.0.0.1:7531";

/// How long a command may take, and a server until it has said what it is to say.
const PATIENCE: Duration = Duration::from_secs(60);

struct Step {
    file: String,
    line: usize,
    command: String,
    says: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_documentation_runs_and_says_what_is_told() {
    let mut n_run = 0;
    for file in documents() {
        let steps = steps(&file);
        let simulator = Simulator::start(Options::default()).await.unwrap();
        n_run += tokio::task::spawn_blocking(move || {
            let mut reader = Reader::new(&simulator);
            steps.iter().filter(|step| reader.does(step)).count()
        })
        .await
        .unwrap();
    }
    assert!(n_run >= 8, "{n_run}");
}

/// README.md, SECURITY.md, … and everything in `docs`.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs/"] {
        for entry in fs::read_dir(path(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(format!("{folder}{name}"));
            }
        }
    }
    found.sort();
    assert!(found.contains(&"README.md".to_owned()) && found.len() > 8, "{found:?}");
    found
}

fn steps(file: &str) -> Vec<Step> {
    let document = read(file);
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = document.lines().zip(1..).peekable();
    while let Some((line, _)) = lines.next() {
        if !matches!(line, "```console" | "```sh") {
            continue;
        }
        let mut begun = None;
        while let Some((text, line)) = lines.next_if(|(text, _)| *text != "```") {
            if let Some(command) = text.strip_prefix("$ ") {
                let mut command = command.to_owned();
                // A quotation goes on until it ends, and a line that ends in a backslash does too.
                while command.matches('\'').count() % 2 == 1 || command.ends_with('\\') {
                    let (more, _) = lines.next().unwrap();
                    command = format!("{command}\n{more}");
                }
                let file = file.to_owned();
                begun = Some(steps.len());
                steps.push(Step { file, line, command, says: Vec::new() });
            } else if let Some(at) = begun {
                steps[at].says.push(text.to_owned());
            }
        }
    }
    steps
}

/// Somebody who types what the documentation says.
struct Reader {
    home: TempDir,
    base_url: String,
    auth_url: String,
    server: Option<(Running, String)>,
}

impl Reader {
    fn new(simulator: &Simulator) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_codexway"), home.path().join("bin/codexway")).unwrap();
        symlink(path("config"), home.path().join("config")).unwrap();
        fs::create_dir(home.path().join(".codex")).unwrap();
        fs::write(home.path().join(".codex/auth.json"), simulator.auth_json()).unwrap();
        let (base_url, auth_url) = (simulator.base_url(), simulator.auth_url());
        Self { home, base_url, auth_url, server: None }
    }

    /// Whether the step was for here.
    fn does(&mut self, step: &Step) -> bool {
        let command = step.command.replace("cargo run --release --", "codexway");
        let program = without_variables(&command);
        if ELSEWHERE.iter().any(|(beginning, _)| program.starts_with(beginning)) {
            return false;
        }
        let serves = matches!(
            program.split_whitespace().nth(1),
            None | Some("serve" | "demo" | "--config" | "--listen" | "--profile" | "--key-file")
        );
        match program.split_whitespace().next() {
            Some("codexway") if serves => self.serve(&command, step),
            Some("codexway" | "curl") => self.run(&command, step),
            _ => panic!("{}:{}: nobody runs `{command}`", step.file, step.line),
        }
        true
    }

    fn serve(&mut self, command: &str, step: &Step) {
        self.server = None;
        let (log, info) = (self.home.path().join("log"), self.home.path().join("info.json"));
        let _ = fs::remove_file(&info);
        let listen = if command.contains("--listen") { "" } else { "--listen 127.0.0.1:0" };
        let command = format!("exec {command} {listen} --server-info {}", info.display());
        let file = File::create(&log).unwrap();
        let child = self.shell(&command).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut child = Running(child);
        let until = Instant::now() + PATIENCE;
        let address = loop {
            assert!(child.0.try_wait().unwrap().is_none(), "{command} has ended");
            assert!(Instant::now() < until, "{command} does not listen");
            if let Ok(told) = fs::read_to_string(&info) {
                let told: Value = serde_json::from_str(&told).unwrap();
                break told["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        // What it logs of turns comes later, so only its first lines are looked for.
        let told = fs::read_to_string(&log).unwrap().replace(&address, SERVER);
        step.check(&told);
        self.server = Some((child, address));
    }

    fn run(&self, command: &str, step: &Step) {
        let address = self.server.as_ref().map_or(SERVER, |(_, address)| address);
        let command = command.replace(SERVER, address);
        let output = self.shell(&command).output().unwrap();
        let told = [text(&output.stdout), text(&output.stderr)].concat();
        let told = told.replace(address, SERVER);
        let home = self.home.path().to_str().unwrap();
        let told = told.replace(home, "/home/ada");
        assert!(output.status.success(), "{}:{}: {command}\n{told}", step.file, step.line);
        step.check(&told);
    }

    fn shell(&self, command: &str) -> Command {
        let address = self.server.as_ref().map_or("127.0.0.1:0", |(_, address)| address);
        let mut path = OsString::from(self.home.path().join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home.path())
            .env("NO_COLOR", "1")
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", &self.base_url)
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", &self.auth_url)
            .env("CODEXWAY__SERVER__LISTEN", address)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .process_group(0);
        shell
    }
}

/// A command without the variables that are set for it alone.
fn without_variables(command: &str) -> &str {
    let is_variable = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        })
    };
    match command.split_once(' ') {
        Some((word, rest)) if is_variable(word) => without_variables(rest),
        _ => command,
    }
}

impl Step {
    fn check(&self, told: &str) {
        let mut rest = told.lines();
        for said in &self.says {
            if !rest.any(|line| matches(said, line)) {
                let Self { file, line, command, .. } = self;
                panic!("{file}:{line}: `{command}` does not say\n{said}\nbut\n{told}");
            }
        }
    }
}

/// Whether a line is as the pattern has it, in which `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut rest = line.trim_end();
    let mut pieces = pattern.trim_end().split('…');
    let Some(after) = pieces.next().and_then(|first| rest.strip_prefix(first)) else {
        return false;
    };
    rest = after;
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// What stands in a line of text, such as `codexway connect NAME --write`, is not run, but has to be
/// a command that there is.
#[test]
fn every_command_in_passing_is_one_that_there_is() {
    let home = tempfile::tempdir().unwrap();
    let mut commands = BTreeSet::new();
    for file in documents() {
        let document = read(&file);
        let texts = document.split("```").step_by(2);
        let spans = texts.flat_map(|text| text.split('`').skip(1).step_by(2));
        commands.extend(spans.filter(|span| span.starts_with("codexway ")).map(str::to_owned));
    }
    let mut wrong = Vec::new();
    for command in &commands {
        let (command, _) = command.split_once(" <").unwrap_or((command, ""));
        let words = command.split_whitespace().skip(1);
        let words = words.map(|word| match word.trim_matches(['[', ']']) {
            "SHELL" => "bash",
            word => word.split(['\\', '|']).next().unwrap(),
        });
        let mut words: Vec<&str> = words.collect();
        if words.last() == Some(&"…") {
            words.pop();
            // Of a flag it is the value.
            if words.last().is_some_and(|word| word.starts_with("--")) {
                words.push("x");
            }
        }
        words.push("--help");
        let output = codexway(&home).args(&words).output().unwrap();
        if !output.status.success() {
            wrong.push(format!("{command}: {}", text(&output.stderr)));
        }
    }
    assert!(commands.len() > 20, "{commands:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_pattern_stands_for_lines_that_differ_where_it_says_so() {
    for (pattern, line, expected) in [
        ("", "", true),
        ("a b", "a b", true),
        ("a b", "a b c", false),
        ("a … c", "a b c", true),
        ("a … c", "a b d", false),
        ("…", "anything", true),
        (r#"{"id":"…",…"content":"hello"…}"#, r#"{"id":"x","content":"hello","y":1}"#, true),
        (r#"{"id":"…",…"content":"hello"…}"#, r#"{"id":"x","content":"bye","y":1}"#, false),
    ] {
        assert_eq!(matches(pattern, line), expected, "{pattern} / {line}");
    }
}

#[test]
fn commands_are_found_with_what_they_say() {
    assert_eq!(without_variables("A=1 B_C=x codexway config"), "codexway config");
    assert_eq!(without_variables("codexway --set A=1"), "codexway --set A=1");
    let step = |command: &str| {
        let all = steps("README.md");
        all.into_iter().find(|step| step.command.starts_with(command)).unwrap()
    };
    assert!(step("curl ").command.ends_with('\''));
    assert!(Path::new(&path(&step("cargo test").file)).exists());
}
