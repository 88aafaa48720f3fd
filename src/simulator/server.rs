//! The socket, what every handler shares, and which handler answers what.

use std::collections::VecDeque;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
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
use super::{Options, device, oauth, platform, turn, wham};

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

async fn serve(socket: TcpStream, state: Arc<State>) {
    // One write an event has to be one packet an event, or clients see no deltas.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&state), request));
    // An error here is a client that left or a script that cut: neither is ours to report.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let asked = read(request).await?;
    let number = state.log.note(&asked);
    let response = route(&state, &asked).await?;
    let said = response.extensions().get::<Said>().map(|said| said.0.clone());
    state.log.answered(number, response.status().as_u16(), said);
    Ok(response)
}

async fn read(request: Request<Incoming>) -> Result<Asked, Cut> {
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
        // codexway speaks HTTP first; a client that asks for the socket is sent back to it.
        "/backend-api/codex/responses" if get && asked.headers.contains_key(header::UPGRADE) => {
            Reply::detail(426, "Upgrade Required")
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
