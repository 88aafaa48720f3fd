//! A connection from its upgrade to its end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::SinkExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde_json::{Value, json};
use yawc::frame::{Frame, OpCode};
use yawc::{HttpStream, WebSocket};

use super::memory::Memory;
use super::play::{self, Step};
use crate::simulator::accounts::Account;
use crate::simulator::reply::Refusal;
use crate::simulator::script::Script;
use crate::simulator::server::{Asked, State};
use crate::simulator::stream::Story;
use crate::simulator::wire::Received;
use crate::simulator::{lock, turn};

/// The client has left, or is to be left.
struct Gone;

pub(super) struct Session {
    state: Arc<State>,
    account: Account,
    uri: Uri,
    /// Of the request for the WebSocket, which stand for those of each turn.
    headers: HeaderMap,
    received: Received,
    opened: Instant,
    memory: Option<Memory>,
    /// Messages that came while another was being answered.
    waiting: VecDeque<Bytes>,
}

impl Session {
    pub(super) fn new(
        state: &Arc<State>,
        asked: &Asked,
        account: Account,
        received: &Received,
    ) -> Self {
        Self {
            state: Arc::clone(state),
            account,
            uri: asked.uri.clone(),
            headers: asked.headers.clone(),
            received: received.clone(),
            opened: Instant::now(),
            memory: None,
            waiting: VecDeque::new(),
        }
    }

    /// Answers messages, one after another, until the client leaves.
    pub(super) async fn run(mut self, mut socket: WebSocket<HttpStream>) {
        while let Ok(()) = self.step(&mut socket).await {}
        // What is left to be said is why the connection ends; becoming ready says it.
        let _ = poll_fn(|cx| socket.poll_ready_unpin(cx)).await;
        let _ = socket.flush().await;
    }

    async fn step(&mut self, socket: &mut WebSocket<HttpStream>) -> Result<(), Gone> {
        let message = match self.waiting.pop_front() {
            Some(message) => message,
            None => message(socket).await?,
        };
        let aged = lock(&self.state.aged).is_some_and(|aged| self.opened < aged);
        if aged || self.opened.elapsed() >= self.state.options.websocket_life {
            say(socket, life_is_over().into_message().to_string()).await?;
            return Err(Gone);
        }
        self.turn(socket, message).await
    }

    async fn turn(
        &mut self,
        socket: &mut WebSocket<HttpStream>,
        message: Bytes,
    ) -> Result<(), Gone> {
        let mut body: Value = serde_json::from_slice(&message).unwrap_or_default();
        let mut take = |name| body.as_object_mut().and_then(|body| body.shift_remove(name));
        let (kind, generate) = (take("type"), take("generate"));
        match kind.as_ref().and_then(Value::as_str) {
            Some("response.create") => {}
            Some("response.processed") => return Ok(()),
            _ => return say(socket, unknown_message().into_message().to_string()).await,
        }
        let joined = Memory::join(self.memory.take(), &mut body);
        let asked = self.asked(body, message.len());
        let number = self.state.log.note_message(&asked, message);
        let verdict = joined.and_then(|()| turn::check(&self.state, &asked, &self.account));
        let mut script = match self.state.scripts.next(verdict) {
            Ok(script) => script,
            Err(refusal) => return self.refuse(socket, number, refusal).await,
        };
        if generate == Some(Value::Bool(false)) {
            script = Script { items: Some(Vec::new()), ..Script::new() };
        }
        self.pause(socket, script.pauses.before_headers).await?;
        if script.wire.cut_before_headers {
            return Err(Gone);
        }
        if let Some(reply) = script.reply {
            return self.refuse(socket, number, reply).await;
        }
        let state = Arc::clone(&self.state);
        state.log.answered(number, 200, None);
        let account = Some(self.account.clone());
        let (turn, items) = turn::met(&state, &asked, account, false, &script);
        let beats = Story::tell(&state, &turn, &script, &items);
        let memory = play::memory(&asked.json["input"], &beats);
        let _until_done_or_dropped = state.running.enter();
        for step in play::steps(&script.wire, beats) {
            match step {
                Step::Say(json) => say(socket, json).await?,
                Step::Pause(pause) => self.pause(socket, pause).await?,
                Step::Cut => return Err(Gone),
                Step::Silence => loop {
                    self.listen(socket).await?;
                },
            }
        }
        self.memory = memory;
        Ok(())
    }

    async fn refuse(
        &self,
        socket: &mut WebSocket<HttpStream>,
        number: u64,
        refusal: Refusal,
    ) -> Result<(), Gone> {
        let (status, message) = (refusal.status(), refusal.into_message().to_string());
        self.state.log.answered(number, status, Some(message.clone()));
        say(socket, message).await
    }

    /// The turn as it would have come over HTTP. Headers that it has for itself stand in its
    /// metadata.
    fn asked(&self, body: Value, encoded_len: usize) -> Asked {
        let mut headers = self.headers.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let metadata = body["client_metadata"].as_object().into_iter().flatten();
        for (name, value) in metadata {
            let name = name.strip_prefix("ws_request_header_").map(|name| name.replace('_', "-"));
            let name = name.and_then(|name| name.parse::<HeaderName>().ok());
            let value = value.as_str().and_then(|value| value.parse().ok());
            if let (Some(name), Some(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        Asked {
            method: Method::GET,
            uri: self.uri.clone(),
            headers,
            body: body.to_string().into(),
            encoded_len,
            wire_len: self.received.take(),
            json: body,
        }
    }

    async fn pause(
        &mut self,
        socket: &mut WebSocket<HttpStream>,
        pause: Duration,
    ) -> Result<(), Gone> {
        if pause.is_zero() {
            return Ok(());
        }
        let until = tokio::time::Instant::now() + pause;
        while let Ok(heard) = tokio::time::timeout_at(until, self.listen(socket)).await {
            heard?;
        }
        Ok(())
    }

    /// Lets a message wait, and notices a client that leaves.
    async fn listen(&mut self, socket: &mut WebSocket<HttpStream>) -> Result<(), Gone> {
        self.waiting.push_back(message(socket).await?);
        Ok(())
    }
}

async fn message(socket: &mut WebSocket<HttpStream>) -> Result<Bytes, Gone> {
    loop {
        let frame = socket.next_frame().await.map_err(|_| Gone)?;
        match frame.opcode() {
            OpCode::Text | OpCode::Binary => return Ok(frame.into_payload()),
            OpCode::Close => return Err(Gone),
            OpCode::Ping | OpCode::Pong | OpCode::Continuation => {}
        }
    }
}

async fn say(socket: &mut WebSocket<HttpStream>, json: String) -> Result<(), Gone> {
    socket.send(Frame::text(json)).await.map_err(|_| Gone)
}

fn life_is_over() -> Refusal {
    Refusal::engine(
        400,
        "Responses websocket connection limit reached (60 minutes). Create a new websocket \
         connection to continue.",
        None,
        Some("websocket_connection_limit_reached"),
    )
}

fn unknown_message() -> Refusal {
    let error = json!({
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Invalid value for 'type': expected 'response.create'.",
        "param": "type",
    });
    Refusal::json(400, &json!({ "error": error }))
}
