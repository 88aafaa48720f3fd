//! One `auth.json`, tokens that live for seconds, and more than one process that renews them.

use std::{fs, path::PathBuf, time::Duration};

use codexway::simulator::{Options, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::binary::{Running, codexway, listening};

/// Processes that somebody stops who will not wait.
mod impatient;
/// Killed processes.
mod killed;
/// The official program, as far as this file goes.
mod rotator;
/// Several processes of ours, and the official program.
mod shared;

/// A folder that several programs borrow the login in, and the issuer of its tokens.
struct World {
    folder: TempDir,
    simulator: Simulator,
    client: reqwest::Client,
}

/// A process of ours.
struct Server {
    child: Running,
    url: String,
    /// Outlives the process.
    _home: TempDir,
}

impl World {
    /// With tokens that live for `life` at most, and up to a second less.
    async fn new(life: Duration) -> Self {
        let options = Options { access_token_life: life, ..Options::default() };
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            simulator: Simulator::start(options).await.unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        };
        world.log_in();
        world
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("auth.json")
    }

    /// A new login, whose access token has ended already.
    fn log_in(&self) {
        let new = self.folder.path().join("new");
        fs::write(&new, self.simulator.auth_json_expiring(Duration::ZERO)).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// The file, which has to be whole at any moment.
    #[track_caller]
    fn on_disk(&self) -> Value {
        let file: Value = serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap();
        for token in ["id_token", "access_token", "refresh_token", "account_id"] {
            assert!(file["tokens"][token].is_string(), "{token}");
        }
        file
    }

    /// The names of what is in the folder besides the login and locks.
    fn left(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "auth.json" && !name.ends_with(".lock")).collect()
    }

    fn start(&self) -> Server {
        let home = tempfile::tempdir().unwrap();
        let mut command = codexway(&home);
        command
            .arg("serve")
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", self.simulator.base_url())
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", self.simulator.auth_url())
            .env("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", self.folder.path())
            .env("RUST_LOG", "error"); // nobody reads it, so it must not fill the pipe
        let (child, info) = listening(&home, command);
        Server { child, url: info["url"].as_str().unwrap().to_owned(), _home: home }
    }

    /// A turn at this server; the status, and the body if that tells of an error.
    async fn turn(&self, server: &Server) -> (u16, String) {
        let body = json!({"model": "gpt-5.5", "input": "Say exactly pong"});
        let request = self.client.post(format!("{}/v1/responses", server.url)).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Spends a refresh token as the official program does.
    async fn refresh(&self, token: &Value) -> (u16, Value) {
        let body = json!({
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_reason": "proactive_expiry",
            "refresh_token": token,
        });
        let request = self.client.post(format!("{}/oauth/token", self.simulator.auth_url()));
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}
