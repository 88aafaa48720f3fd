#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a test may panic, and waits for what it starts"
)]

mod disk;
mod file;
mod killed;
mod once;
mod own;
mod places;
mod refusals;
mod shapes;
mod sharing;
mod shown;
mod when;

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
        let now = self.now.clone();
        let clock = move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap();
        TokenManager::with_clock(folder, self.oauth(), Box::new(clock))
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
            .route("/oauth/revoke", post(revoke))
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

async fn revoke(State(server): State<Server>, body: Bytes) -> Response {
    server.asked.send_modify(|all| all.push(serde_json::from_slice(&body).unwrap()));
    let (status, body) =
        server.script.lock().unwrap().pop_front().unwrap_or((200, "{}".to_owned()));
    (StatusCode::from_u16(status).unwrap(), body).into_response()
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
