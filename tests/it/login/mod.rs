use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use codexway::simulator::{Options, Recorded, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::binary::{Running, codexway, text};

mod accounts;
mod browser;
mod device;
#[cfg(target_os = "linux")]
mod disk;
mod keys;
mod named;
mod status;
pub(crate) mod tls;

/// A home folder, and a simulator that plays the login server and the backend.
struct World {
    home: TempDir,
    simulator: Simulator,
}

impl World {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        Self { home: tempfile::tempdir().unwrap(), simulator }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = codexway(&self.home);
        command
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", self.simulator.base_url())
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", self.simulator.auth_url())
            .env("CODEXWAY__SERVER__LISTEN", "127.0.0.1:1") // where nobody listens
            .args(args)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Told {
        Told::of(self.command(args).output().unwrap())
    }

    /// The data folder of the program.
    fn data(&self) -> PathBuf {
        self.home.path().join(".local/share/codexway")
    }

    /// Where our own login of an account is.
    fn own(&self, account: &str) -> PathBuf {
        self.data().join("accounts").join(account).join("auth.json")
    }

    fn on_disk(&self, account: &str) -> Value {
        serde_json::from_slice(&fs::read(self.own(account)).unwrap()).unwrap()
    }

    /// Puts a login of ours there, as an earlier run would have.
    fn logged_in(&self, account: &str, auth_json: &str) {
        fs::create_dir_all(self.own(account).parent().unwrap()).unwrap();
        fs::write(self.own(account), auth_json).unwrap();
    }

    /// What was asked of the simulator at `path`.
    fn asked(&self, path: &str) -> Vec<Recorded> {
        self.simulator.requests().into_iter().filter(|asked| asked.path == path).collect()
    }

    /// Starts a login that waits for somebody, and reads the lines that it prints for them.
    fn waiting<const LINES: usize>(&self, mut command: Command) -> (Running, [String; LINES]) {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Running(command.spawn().unwrap());
        let mut printed = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let lines = [(); LINES].map(|()| printed.next().unwrap().unwrap());
        (child, lines)
    }

    /// A login without a browser; a browser of the test's own goes to the page that it names.
    fn browser_login(&self, args: &[&str]) -> (Running, String) {
        let command = self.command(&[&["login", "--no-browser"], args].concat());
        let (child, [url]) = self.waiting(command);
        (child, url)
    }
}

/// What a command that has ended said.
#[derive(Debug)]
struct Told {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Told {
    fn of(output: Output) -> Self {
        let code = output.status.code().unwrap();
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// How a waiting child ended; its stdout has been read already.
    fn end_of(child: Running) -> Self {
        let mut child = child;
        let mut stderr = String::new();
        std::io::Read::read_to_string(child.0.stderr.as_mut().unwrap(), &mut stderr).unwrap();
        let code = child.0.wait().unwrap().code().unwrap();
        Self { code, stdout: String::new(), stderr }
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Checks the exit code and that stderr says each of these.
    #[track_caller]
    fn failed(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part} in {self:?}");
        }
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// The browser is sent back to one of two ports, so one such test runs at a time on a machine.
fn ports() -> File {
    let file = File::create(std::env::temp_dir().join("codexway-test-login-ports.lock")).unwrap();
    file.lock().unwrap();
    file
}

/// A browser that goes where it is told and follows nothing by itself.
fn browser() -> reqwest::Client {
    let follow_nothing = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(follow_nothing).build().unwrap()
}

/// Where the login page sends the browser back to.
async fn sent_back(browser: &reqwest::Client, url: &str) -> String {
    let answer = browser.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The status and the text of a page.
async fn page(browser: &reqwest::Client, url: &str) -> (u16, String) {
    let answer = browser.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
