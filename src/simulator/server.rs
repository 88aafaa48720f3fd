//! The socket, what every handler shares, and which handler answers what.

use std::collections::VecDeque;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::accounts::Accounts;
use super::cache::PromptCache;
use super::catalog::{self, Catalog};
use super::device::Devices;
use super::oauth::{Codes, Person};
use super::platform::Platform;
use super::record::Log;
use super::reply::{Reply, Said};
use super::script::{Scripts, TokenScript};
use super::seal::Seal;
use super::stream::Running;
use super::wire::{Counted, Received};
use super::{Options, device, lock, oauth, platform, turn, websocket, wham};

/// What the handlers share.
pub(super) struct State {
    pub options: Options,
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    pub accounts: Accounts,
    pub catalog: Catalog,
    pub codes: Codes,
    pub devices: Devices,
    pub scripts: Scripts,
    /// For those who ask for a WebSocket.
    pub upgrades: Scripts,
    /// WebSockets that were opened before this have lived for as long as they may.
    pub aged: Mutex<Option<Instant>>,
    pub token_scripts: Mutex<VecDeque<TokenScript>>,
    pub usage_scripts: Mutex<VecDeque<TokenScript>>,
    pub person: Mutex<Person>,
    pub log: Log,
    pub seal: Seal,
    pub cache: PromptCache,
    pub running: Running,
    pub platform: Platform,
    /// Set while the plan is used up: the seconds until it is not.
    pub used_up: Mutex<Option<u64>>,
}

/// A request, read to its end.
pub(super) struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// With `content-encoding: zstd` undone.
    pub body: Bytes,
    pub encoded_len: usize,
    /// What had come over the connection since the request before it, in bytes.
    pub wire_len: u64,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

/// The connection ends here, with no answer or with half of one.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script cuts the connection")
    }
}

impl std::error::Error for Cut {}

pub(super) async fn start(options: Options) -> std::io::Result<(Arc<State>, JoinSet<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let state = Arc::new(State {
        accounts: Accounts::new(&options.plan, &origin),
        devices: Devices::new(options.device_approved_at_poll),
        catalog: Catalog::built_in(),
        codes: Codes::default(),
        scripts: Scripts::default(),
        upgrades: Scripts::default(),
        aged: Mutex::default(),
        token_scripts: Mutex::default(),
        usage_scripts: Mutex::default(),
        person: Mutex::new(Person { email: options.email.clone(), refused: None }),
        log: Log::default(),
        seal: Seal::new(),
        cache: PromptCache::default(),
        running: Running::default(),
        platform: Platform::default(),
        used_up: Mutex::default(),
        origin,
        options,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, Arc::clone(&state)));
    Ok((state, tasks))
}

/// Owns its connections: when this task is aborted, they end with it.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => { connections.spawn(serve(socket, Arc::clone(&state))); }
                // Out of file handles, most likely: give the others time to close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What the requests of a connection share.
struct Connection {
    state: Arc<State>,
    received: Received,
    /// What becomes of the connection once it is a WebSocket.
    session: Mutex<Option<BoxFuture<'static, ()>>>,
}

async fn serve(socket: TcpStream, state: Arc<State>) {
    // One write an event has to be one packet an event, or clients see no deltas.
    let _ = socket.set_nodelay(true);
    let received = Received::default();
    let socket = TokioIo::new(Counted::new(socket, received.clone()));
    let connection = Arc::new(Connection { state, received, session: Mutex::default() });
    let served = Arc::clone(&connection);
    let service = service_fn(move |request| answer(Arc::clone(&served), request));
    // An error here is a client that left or a script that cut: neither is ours to report.
    let _ = http1::Builder::new().serve_connection(socket, service).with_upgrades().await;
    let session = lock(&connection.session).take();
    if let Some(session) = session {
        session.await;
    }
}

async fn answer(
    connection: Arc<Connection>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    let Connection { state, received, session } = &*connection;
    let wanted = websocket::is_wanted(&request);
    let upgrade = wanted.then(|| hyper::upgrade::on(&mut request));
    let asked = read(request, received).await?;
    let number = state.log.note(&asked);
    let response = match upgrade {
        Some(upgrade) => {
            let (response, run) = websocket::upgrade(state, &asked, upgrade, received).await?;
            *lock(session) = run;
            response
        }
        None => route(state, &asked).await?,
    };
    let said = response.extensions().get::<Said>().map(|said| said.0.clone());
    state.log.answered(number, response.status().as_u16(), said);
    Ok(response)
}

async fn read(request: Request<Incoming>, received: &Received) -> Result<Asked, Cut> {
    let (head, body) = request.into_parts();
    let sent = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let zstd = head.headers.get(header::CONTENT_ENCODING).is_some_and(|value| value == "zstd");
    let body = match zstd {
        // Broken compression reads as an empty body, which is no JSON, which the gate refuses.
        true => zstd::decode_all(&*sent).unwrap_or_default().into(),
        false => sent.clone(),
    };
    Ok(Asked {
        json: serde_json::from_slice(&body).unwrap_or_default(),
        encoded_len: sent.len(),
        wire_len: received.take(),
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body,
    })
}

async fn route(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Cut> {
    let get = asked.method == Method::GET;
    let post = asked.method == Method::POST;
    let reply = match asked.uri.path() {
        "/backend-api/codex/responses" if post => return turn::answer(state, asked).await,
        "/v1/responses" if post => return platform::answer(state, asked).await,
        path if get && (path == "/v1/models" || path.starts_with("/v1/models/")) => {
            let id = path.strip_prefix("/v1/models/");
            return Ok(platform::list(state, asked, id));
        }
        "/backend-api/codex/models" if get => catalog::list(state, asked),
        "/backend-api/wham/usage" | "/backend-api/codex/usage" if get => {
            wham::usage(state, asked).await?
        }
        "/backend-api/wham/accounts/check" if get => wham::accounts(state, asked),
        "/oauth/token" if post => oauth::token(state, asked).await?,
        "/oauth/revoke" if post => oauth::revoke(state, asked),
        "/oauth/authorize" if get => oauth::authorize(state, asked),
        "/api/accounts/deviceauth/usercode" if post => device::usercode(state, asked),
        "/api/accounts/deviceauth/token" if post => device::token(state, asked),
        "/codex/device" if get => device::page(asked),
        "/codex/device" if post => device::submit(state, asked),
        "/api/accounts/v1/user-auth-credential/whoami" if get => wham::whoami(state, asked),
        "/backend-api/codex/responses"
        | "/backend-api/codex/models"
        | "/backend-api/codex/usage"
        | "/backend-api/wham/usage"
        | "/backend-api/wham/accounts/check"
        | "/oauth/token"
        | "/oauth/revoke"
        | "/oauth/authorize" => Reply::detail(405, "Method Not Allowed"),
        _ => Reply::detail(404, "Not Found"),
    };
    Ok(reply.into_response())
}

impl Asked {
    /// A header's text; empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The fields of the query.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        fields(self.uri.query().unwrap_or_default())
    }

    /// The fields of a form body.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        fields(&String::from_utf8_lossy(&self.body))
    }
}

/// The value of a field of a query or a form; empty if there is none.
pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn fields(encoded: &str) -> Vec<(String, String)> {
    let uri = format!("/?{encoded}").parse::<Uri>().unwrap_or_default();
    axum::extract::Query::try_from_uri(&uri).map(|query| query.0).unwrap_or_default()
}
