//! A connection from its upgrade to its end.

use std::{collections::VecDeque, pin::pin};

use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use uuid::Uuid;
use yawc::{HttpStream, close::CloseCode};

use super::{
    asked::Asked,
    memory::{Draft, Memory},
    peer::{self, Gone},
};
use crate::{
    api::{
        App, Error, Responses, Stopping,
        access::{self, Named},
        outer::{self, RequestId},
        turn,
    },
    protocol::{Event, Item, unix_now},
    sse,
};

type Peer = peer::Peer<HttpStream>;

/// How many messages may wait while another is being answered.
const MAX_WAITING: usize = 16;

pub(super) struct Session {
    app: App,
    /// What the WebSocket was asked for at.
    uri: Uri,
    /// Of the request for the WebSocket, which stand for those of each turn.
    headers: HeaderMap,
    /// How large what is remembered may become, and what waits, in bytes.
    limit: usize,
    /// Tells of the server's end, which waits for this one's.
    stopping: Stopping,
    memory: Option<Memory>,
    waiting: VecDeque<Bytes>,
}

impl Session {
    pub(super) fn new(
        app: App,
        uri: Uri,
        headers: &HeaderMap,
        limit: usize,
        stopping: Stopping,
    ) -> Self {
        let mut headers = headers.clone();
        for name in [
            header::CONNECTION,
            header::UPGRADE,
            header::SEC_WEBSOCKET_KEY,
            header::SEC_WEBSOCKET_VERSION,
            header::SEC_WEBSOCKET_EXTENSIONS,
            header::CONTENT_LENGTH,
            header::CONTENT_ENCODING,
        ] {
            headers.remove(name);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { app, uri, headers, limit, stopping, memory: None, waiting: VecDeque::new() }
    }

    /// Answers messages, one after another, until the client leaves.
    pub(super) async fn run(mut self, mut peer: Peer) {
        let gone = loop {
            if let Err(gone) = self.step(&mut peer).await {
                break gone;
            }
        };
        peer.end(gone).await;
    }

    async fn step(&mut self, peer: &mut Peer) -> Result<(), Gone> {
        let message = match self.waiting.pop_front() {
            Some(message) => message,
            None => tokio::select! {
                biased;
                () = self.stopping.begun() => return Err(Gone(Some(CloseCode::Away))),
                message = peer.asked() => message?,
            },
        };
        let named = match self.admitted() {
            Ok(named) => named,
            Err(error) => {
                refuse(peer, error.into_response()).await?;
                return Err(Gone(Some(CloseCode::Policy)));
            }
        };
        match Asked::read(&message, self.memory.as_ref()) {
            Ok(Asked::Turn(body, headers, draft)) => {
                drop(message);
                self.turn(peer, named, body, headers, draft).await
            }
            Ok(Asked::WarmUp { model, items }) => self.warm_up(peer, &model, items).await,
            Ok(Asked::Nothing) => Ok(()),
            Err(error) => refuse(peer, error.into_response()).await,
        }
    }

    /// Who asks, by the settings now in force: a key may have been taken away since the last turn.
    fn admitted(&self) -> Result<Named, Error> {
        let server = self.app.server();
        access::admit(&server, &Method::GET, &self.headers, &self.uri)
            .map(|admitted| admitted.named)
    }

    async fn turn(
        &mut self,
        peer: &mut Peer,
        named: Named,
        body: Vec<u8>,
        more: HeaderMap,
        mut draft: Draft,
    ) -> Result<(), Gone> {
        let _until_told = peer.work();
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().extend(more);
        request.extensions_mut().insert(self.stopping.clone());
        let (app, named) = (State(self.app.clone()), Extension(named));
        let answer = turn::serve::<Responses>(app, named, Extension(RequestId::new()), request);
        let answer = outer::caught(answer.map(Ok));
        let response = self.beside(peer, Box::pin(answer)).await?;
        if !response.status().is_success() {
            return refuse(peer, response).await;
        }
        let mut body = response.into_body();
        let mut decoder = sse::Decoder::new(usize::MAX);
        while let Some(Ok(frame)) = self.beside(peer, body.frame()).await? {
            let Some(chunk) = frame.data_ref() else { continue };
            decoder.push(chunk);
            while let Ok(Some(frame)) = decoder.next() {
                if let Ok(event) = Event::parse(frame) {
                    if let Some(memory) = draft.event(&event) {
                        self.memory = Some(memory).filter(|memory| memory.size() <= self.limit);
                    }
                    peer.feed(event.json).await?;
                }
            }
            peer.flush().await?;
        }
        Ok(())
    }

    /// Says that nothing is said yet.
    async fn warm_up(
        &mut self,
        peer: &mut Peer,
        model: &str,
        items: Vec<Item>,
    ) -> Result<(), Gone> {
        let id = format!("resp_{}", Uuid::now_v7().simple());
        let memory = Memory { id: id.clone(), items };
        self.memory = Some(memory).filter(|memory| memory.size() <= self.limit);
        let usage = json!({"input_tokens": 0, "output_tokens": 0, "total_tokens": 0});
        for (number, (name, status, usage)) in [
            ("response.created", "in_progress", Value::Null),
            ("response.completed", "completed", usage),
        ]
        .into_iter()
        .enumerate()
        {
            let response = json!({"id": id, "object": "response", "created_at": unix_now(),
                "status": status, "model": model, "output": [], "usage": usage});
            let event = json!({"type": name, "response": response, "sequence_number": number});
            peer.send(event.to_string()).await?;
        }
        Ok(())
    }

    /// Waits for something, while messages wait in their turn and a client that leaves is noticed.
    async fn beside<T>(
        &mut self,
        peer: &mut Peer,
        awaited: impl Future<Output = T>,
    ) -> Result<T, Gone> {
        let mut awaited = pin!(awaited);
        loop {
            tokio::select! {
                biased;
                done = &mut awaited => return Ok(done),
                message = peer.message() => {
                    self.waiting.push_back(message?);
                    if self.is_crowded() {
                        refuse(peer, too_many().into_response()).await?;
                        return Err(Gone(Some(CloseCode::Policy)));
                    }
                }
            }
        }
    }

    /// Whether more messages wait than a client has any reason to send ahead: too many, or more of
    /// them than one body may hold.
    fn is_crowded(&self) -> bool {
        let size: usize = self.waiting.iter().map(Bytes::len).sum();
        self.waiting.len() > MAX_WAITING || size > self.limit
    }
}

fn too_many() -> Error {
    let message = format!(
        "Too many messages wait on this WebSocket: at most {MAX_WAITING}, and together as many bytes as one body. Ask for a turn when the one before it has ended."
    );
    Error::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message).code("too_many_messages")
}

impl Memory {
    fn size(&self) -> usize {
        self.items.iter().map(|item| item.json().get().len()).sum()
    }
}

/// Says what a refusal over HTTP would say: its status, its error, and what the client may see of
/// its headers.
async fn refuse(peer: &mut Peer, response: Response) -> Result<(), Gone> {
    let told = |name: &str| {
        name.starts_with("x-codex-")
            || name.starts_with("x-ratelimit-")
            || name.starts_with("retry-after")
    };
    let headers: serde_json::Map<String, Value> = response
        .headers()
        .iter()
        .filter(|(name, _)| told(name.as_str()))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = body["error"].take();
    let event = json!({"type": "error", "status": status, "error": error, "headers": headers});
    peer.send(event.to_string()).await
}
