//! The backend, the pass-through and codexway, each where the others can reach it.

use std::{net::SocketAddr, path::PathBuf, process::Command};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    backend::Backend,
    client::{Client, Target},
    process::{Process, free_address},
};

/// The first argument with which this program is the pass-through; the upstream and the address to
/// listen at come behind it.
pub(crate) const PASS_THROUGH: &str = "--pass-through";

const UPSTREAM: &str = "/backend-api/codex/responses";

pub(crate) struct Stage {
    pub(crate) backend: Backend,
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// How long everything lasts, by the usual.
    pub(crate) scale: Scale,
    home: TempDir,
}

/// How much is done.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// How often the targets take turns in a row.
    pub(crate) rounds: usize,
    /// How long each is then measured, in milliseconds.
    pub(crate) block: u64,
    /// How many streams are held open.
    pub(crate) open: &'static [usize],
}

impl Stage {
    pub(crate) async fn set(program: PathBuf, scale: Scale) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("auth.json"), login().to_string()).expect("a login");
        Self { backend: Backend::start().await, program, scale, home }
    }

    /// Starts codexway on the usual settings and these.
    pub(crate) fn codexway(&self, further: &[(&str, &str)]) -> Process {
        self.codexway_before(&format!("http://{}", self.backend.address), further)
    }

    /// The same in front of another backend.
    pub(crate) fn codexway_before(&self, origin: &str, further: &[(&str, &str)]) -> Process {
        let address = free_address();
        let mut command = Command::new(&self.program);
        let home = self.home.path();
        command.env_clear().env("HOME", home).current_dir(home).arg("serve");
        command.env("CODEXWAY__SERVER__LISTEN", address.to_string());
        command.env("CODEXWAY__SERVER__MAX_TURNS", "10000");
        command.env("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", home);
        command.env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", format!("{origin}/backend-api"));
        command.env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", origin);
        command.envs(further.iter().copied());
        Process::start(command, address)
    }

    pub(crate) fn pass_through(&self) -> Process {
        let address = free_address();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(PASS_THROUGH).arg(format!("http://{}", self.backend.address));
        command.arg(address.to_string());
        Process::start(command, address)
    }

    /// The backend without anything between.
    pub(crate) fn direct(&self, body: &str) -> Target {
        through(self.backend.address, body)
    }

    pub(crate) fn home(&self) -> &std::path::Path {
        self.home.path()
    }
}

/// What goes through the pass-through to the backend.
pub(crate) fn through(address: SocketAddr, body: &str) -> Target {
    Target::new(address, UPSTREAM, body)
}

pub(crate) fn chat(address: SocketAddr, body: &str) -> Target {
    Target::new(address, "/v1/chat/completions", body)
}

pub(crate) fn responses(address: SocketAddr, body: &str) -> Target {
    Target::new(address, "/v1/responses", body)
}

pub(crate) fn small_chat() -> String {
    json!({"model": "gpt-5.5", "stream": true, "messages": [{"role": "user", "content": "hi"}]})
        .to_string()
}

pub(crate) fn small_responses() -> String {
    json!({"model": "gpt-5.5", "stream": true, "input": "hi"}).to_string()
}

/// Waits until a child serves, by asking for a turn as soon as it listens.
pub(crate) async fn first_turn(target: &Target) -> Client {
    while tokio::net::TcpStream::connect(target.address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let mut client = Client::connect(target).await;
    client.turn(target).await;
    client
}

/// A login that nobody has signed and that does not expire while anyone looks.
fn login() -> Value {
    const FAR: u64 = 4_000_000_000;
    let account = json!({"chatgpt_account_id": "account", "chatgpt_plan_type": "plus"});
    let claims = json!({"exp": FAR, "iat": FAR - 999, "https://api.openai.com/auth": account});
    let encode = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
    let header = json!({"alg": "RS256", "typ": "JWT"}).to_string();
    let token =
        [encode(header), encode(claims.to_string()), encode("unsigned".to_owned())].join(".");
    json!({
        "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "last_refresh": "2026-11-01T00:00:00Z",
        "tokens": {
            "id_token": token, "access_token": token, "refresh_token": "none",
            "account_id": "account",
        },
    })
}
