//! Logging in with a browser on this machine: it comes back to a port of ours with a code.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use reqwest::Url;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::pages::Page;
use super::{Error, denied, fresh, pkce};
use crate::auth::oauth::CLIENT_ID;
use crate::auth::tokens::Fresh;
use crate::auth::{Error as ServerError, OAuth};

/// The only ports that the login server sends a browser back to.
pub const PORTS: [u16; 2] = [1455, 1457];
const CALLBACK: &str = "/auth/callback";
/// Connectors, which the Codex CLI asks for as well, are of no use here.
const SCOPE: &str = "openid profile email offline_access";
/// How long the browser may take to fetch the last page.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// A login that waits for a browser.
pub struct Browser {
    listener: TcpListener,
    redirect_uri: String,
    state: String,
    verifier: String,
}

/// Somebody has said yes: the browser waits for the page that says how it ended.
pub struct Answered {
    code: String,
    redirect_uri: String,
    verifier: String,
    visitor: Visitor,
    /// The visitor's connection lives in here, and ends with it.
    _connections: JoinSet<()>,
}

impl Browser {
    /// Listens on the first of [`PORTS`] that is free.
    ///
    /// # Errors
    /// When none is.
    pub async fn listen() -> Result<Self, Error> {
        for port in PORTS {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => {
                    return Ok(Self {
                        listener,
                        redirect_uri: format!("http://127.0.0.1:{port}{CALLBACK}"),
                        state: pkce::state(),
                        verifier: pkce::verifier(),
                    });
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => {
                    let (url, why) = (format!("127.0.0.1:{port}"), error.to_string());
                    return Err(ServerError::Unreachable { url, why }.into());
                }
            }
        }
        Err(Error::PortsTaken)
    }

    /// The page to open.
    pub fn url(&self, oauth: &OAuth) -> String {
        let authorize = oauth.url("/oauth/authorize");
        let query = [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", &self.redirect_uri),
            ("scope", SCOPE),
            ("code_challenge", &pkce::challenge(&self.verifier)),
            ("code_challenge_method", "S256"),
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("state", &self.state),
            ("originator", &oauth.originator),
        ];
        match Url::parse_with_params(&authorize, query) {
            Ok(url) => url.into(),
            Err(_) => authorize, // The settings hold no such `auth_url`.
        }
    }

    /// Waits for the answer. Whatever comes without our state is shown out, and we wait on.
    ///
    /// # Errors
    /// When the answer is no, or another login program wants the port.
    pub async fn answer(self) -> Result<Answered, Error> {
        let (found, mut finds) = mpsc::channel(1);
        let visitors = Arc::new(Visitors { state: self.state, found });
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        connections.spawn(serve(socket, Arc::clone(&visitors)));
                    }
                    // Out of file handles, most likely: others may close theirs.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some((found, visitor)) = finds.recv() => match found {
                    Found::Code(code) => {
                        let Self { redirect_uri, verifier, .. } = self;
                        return Ok(Answered {
                            code, redirect_uri, verifier, visitor, _connections: connections,
                        });
                    }
                    Found::No(error) => {
                        visitor.show(Page::failed(&error)).await;
                        return Err(error);
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

impl Answered {
    /// Exchanges the code for a login.
    ///
    /// # Errors
    /// When the server does not give one; the browser is told by [`Answered::failed`].
    pub async fn redeem(&self, oauth: &OAuth) -> Result<Fresh, Error> {
        let tokens = oauth.exchange(&self.code, &self.verifier, &self.redirect_uri).await;
        fresh(tokens, Timestamp::now())
    }

    /// Shows that the login is there and kept.
    pub async fn succeeded(self) {
        self.visitor.show(Page::succeeded()).await;
    }

    /// Shows why it is not.
    pub async fn failed(self, why: &dyn std::fmt::Display) {
        self.visitor.show(Page::failed(why)).await;
    }
}

/// A browser that waits for a page.
struct Visitor {
    page: oneshot::Sender<Page>,
    /// Tells when it has it.
    shown: Arc<Notify>,
}

impl Visitor {
    async fn show(self, page: Page) {
        if self.page.send(page).is_ok() {
            let _ = timeout(LAST_PAGE, self.shown.notified()).await;
        }
    }
}

/// What a visit has brought.
enum Found {
    Code(String),
    No(Error),
}

struct Visitors {
    state: String,
    found: mpsc::Sender<(Found, Visitor)>,
}

/// Browsers open connections ahead of need, so each has a task of its own.
async fn serve(socket: TcpStream, visitors: Arc<Visitors>) {
    let shown = Arc::new(Notify::new());
    let done = Arc::clone(&shown);
    let service = service_fn(move |request: Request<Incoming>| {
        let (visitors, shown) = (Arc::clone(&visitors), Arc::clone(&shown));
        async move {
            let page = visitors.visit(&request, shown).await;
            Ok::<Response<String>, std::convert::Infallible>(page.into_response())
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
    done.notify_one();
}

impl Visitors {
    async fn visit(&self, request: &Request<Incoming>, shown: Arc<Notify>) -> Page {
        let uri = request.uri();
        let found = match (request.method(), uri.path()) {
            (&Method::GET, CALLBACK) => match self.read(uri) {
                Some(found) => found,
                None => return Page::foreign(),
            },
            // The Codex CLI says this to whoever holds the port when it wants to log in itself.
            (&Method::GET, "/cancel") => Found::No(Error::Cancelled),
            _ => return Page::missing(),
        };
        let (page, shows) = oneshot::channel();
        if self.found.send((found, Visitor { page, shown })).await.is_err() {
            return Page::missing();
        }
        shows.await.unwrap_or_else(|_| Page::missing())
    }

    /// The answer in the query, if it is one to our question.
    fn read(&self, uri: &http::Uri) -> Option<Found> {
        let url = Url::parse("http://127.0.0.1").ok()?.join(uri.path_and_query()?.as_str()).ok()?;
        let field = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        if field("state")? != self.state {
            return None;
        }
        match (field("error"), field("code")) {
            (Some(error), _) => {
                let description = field("error_description").unwrap_or_default();
                Some(Found::No(denied(&error, &description)))
            }
            (None, Some(code)) => Some(Found::Code(code)),
            (None, None) => None,
        }
    }
}
