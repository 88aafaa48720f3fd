use std::path::{Path, PathBuf};

use codexway::{
    api::{self, App, Surroundings},
    auth::{Places, Variables},
    config::{self, Settings, Sources},
    server::{self, Limits},
    simulator::{Options, Simulator},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

pub(crate) mod binary;
pub(crate) use crate::harness::frames::{Frame, frames};

/// Whether the test of that name has a process to itself, as what counts for a whole process needs
/// it; where it has not, it is run in one by this, and is then over here.
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "CODEXWAY_TEST_ALONE";
    if std::env::var_os("NEXTEST").is_some() || std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut itself = std::process::Command::new(std::env::current_exe().unwrap());
    let done = itself.args([test, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    eprint!("{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && told.contains("1 passed"), "{done:?}");
    false
}

/// codexway on a port of its own, with a simulator of its own behind it.
pub(crate) struct TestServer {
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    pub(crate) account: TempDir,
    pub(crate) client: reqwest::Client,
    app: App,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<bool>>,
}

/// What a test may want otherwise than usual.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) simulator: Options,
    /// Variables of the process, the settings among them as `CODEXWAY__…`.
    pub(crate) vars: Vec<(&'static str, String)>,
    /// The text of `auth.json`; `None` for a fresh login.
    pub(crate) auth_json: Option<String>,
    pub(crate) limits: Limits,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with_vars(vars: &[(&'static str, &str)]) -> Self {
        let vars = vars.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::with(Setup { vars, ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let simulator = Simulator::start(setup.simulator).await.unwrap();
        let auth_json = setup.auth_json.unwrap_or_else(|| simulator.auth_json());
        Self::run(simulator, None, &setup.vars, &auth_json, setup.limits).await
    }

    /// With a settings file.
    pub(crate) async fn with_file(file: &Path) -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let auth_json = simulator.auth_json();
        Self::run(simulator, Some(file), &[], &auth_json, Limits::default()).await
    }

    /// In front of a simulator that runs already.
    pub(crate) async fn before(
        simulator: Simulator,
        vars: &[(&'static str, String)],
        auth_json: &str,
    ) -> Self {
        Self::run(simulator, None, vars, auth_json, Limits::default()).await
    }

    async fn run(
        simulator: Simulator,
        file: Option<&Path>,
        vars: &[(&'static str, String)],
        auth_json: &str,
        limits: Limits,
    ) -> Self {
        let account = tempfile::tempdir().unwrap();
        std::fs::write(account.path().join("auth.json"), auth_json).unwrap();
        let settings = settings(&simulator, &account, file, vars);
        let variables: Variables =
            vars.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let places = move |name: &str| Places {
            account: name.to_owned(),
            variables: variables.clone(),
            ..Places::default()
        };
        let surroundings = Surroundings { places: Box::new(places), ..Surroundings::default() };
        let app = App::new(settings, surroundings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let (router, grace) = (api::router(app.clone()), app.shutdown_grace());
        let running = tokio::spawn(async move {
            let shutdown = async {
                drop(stopped.await);
                grace
            };
            server::run(limits, listener, router, shutdown).await
        });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, url, account, client, app, stop: Some(stop), running: Some(running) }
    }

    /// Goes on with other settings.
    pub(crate) fn reload(&self, vars: &[(&str, String)]) {
        self.app.reload(settings(&self.simulator, &self.account, None, vars)).unwrap();
    }

    pub(crate) fn auth_file(&self) -> PathBuf {
        self.account.path().join("auth.json")
    }

    /// Stops the server; whether every connection ended by itself.
    pub(crate) async fn stop(&mut self) -> bool {
        drop(self.stop.take());
        self.running.take().unwrap().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.post(format!("{}{path}", self.url)).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.url))).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        // A stream that breaks off keeps what had come.
        let mut response = response;
        let mut body = Vec::new();
        let mut broke = false;
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => {
                    broke = true;
                    break;
                }
            }
        }
        Answer { status, headers, body: String::from_utf8(body).unwrap(), broke }
    }

    pub(crate) async fn chat(&self, body: &Value) -> Answer {
        self.post("/v1/chat/completions", body).await
    }

    pub(crate) async fn responses(&self, body: &Value) -> Answer {
        self.post("/v1/responses", body).await
    }

    /// The body of the last turn that the simulator was asked to run.
    pub(crate) fn last_turn(&self) -> Value {
        let turns = self.turns();
        turns.last().expect("no turn was asked for").json()
    }

    /// Every turn that the simulator was asked to run.
    pub(crate) fn turns(&self) -> Vec<codexway::simulator::Recorded> {
        self.simulator.turns()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The connection was cut inside the body.
    pub(crate) broke: bool,
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    #[track_caller]
    pub(crate) fn frames(&self) -> Vec<Frame> {
        frames(&self.body)
    }

    /// The chunks of a streamed completion, and what the stream ends with.
    #[track_caller]
    pub(crate) fn chunks(&self) -> (Vec<Value>, String) {
        let mut frames = self.frames();
        let end = frames.pop().expect("a stream has frames");
        (frames.iter().map(Frame::json).collect(), end.data)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The error with its status, once its shape has been checked.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, Value) {
        let body = self.json();
        let error = body["error"].as_object().unwrap_or_else(|| panic!("no error: {body}"));
        let keys: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(keys, ["message", "type", "param", "code"]);
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("x-request-id").is_some());
        (self.status.as_u16(), body["error"].clone())
    }

    /// Checks an error's status, code and param.
    #[track_caller]
    pub(crate) fn refused(
        &self,
        status: u16,
        code: impl Into<Value>,
        param: impl Into<Value>,
    ) -> Value {
        let (got, error) = self.error();
        let told = (got, error["code"].clone(), error["param"].clone());
        assert_eq!(told, (status, code.into(), param.into()), "{error}");
        error
    }
}

/// A chat request with one message of the user.
pub(crate) fn ask(text: &str) -> Value {
    json!({"model": "gpt-5.5", "messages": [{"role": "user", "content": text}]})
}

/// The types of a list of items, in order.
#[track_caller]
pub(crate) fn kinds(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect()
}

/// `value` with further members.
pub(crate) fn with(mut value: Value, more: Value) -> Value {
    for (key, member) in more.as_object().unwrap() {
        value[key] = member.clone();
    }
    value
}

fn settings(
    simulator: &Simulator,
    account: &TempDir,
    file: Option<&Path>,
    vars: &[(&str, String)],
) -> Settings {
    let mut env = vec![
        ("CODEXWAY__UPSTREAMS__CODEX__BASE_URL".to_owned(), simulator.base_url()),
        ("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL".to_owned(), simulator.auth_url()),
        (
            "CODEXWAY__ACCOUNTS__DEFAULT__SOURCE".to_owned(),
            account.path().to_str().unwrap().to_owned(),
        ),
    ];
    env.retain(|(name, _)| vars.iter().all(|(other, _)| name != other));
    env.extend(vars.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let sources = Sources { env, file: file.map(Path::to_owned), ..Sources::default() };
    config::load(&sources).unwrap_or_else(|error| panic!("{error}")).settings
}
