use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::lock;
use super::server::Asked;

/// How a turn came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Http,
    WebSocket,
}

/// One request as it came, and what was answered.
#[derive(Clone)]
pub struct Recorded {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query without its `?`; empty if there was none.
    pub query: String,
    /// The headers, secrets and all: they stay in memory and are masked in `Debug`.
    pub headers: HeaderMap,
    /// The body with `content-encoding: zstd` undone.
    pub body: Bytes,
    /// How many bytes the body had on the wire; over a WebSocket, before its frame was compressed.
    pub encoded_len: usize,
    /// How many bytes had come over the connection since the request before it: heads, frames
    /// and all. The sum is what clients have sent.
    pub wire_len: u64,
    /// How a turn came.
    pub transport: Transport,
    /// The message that a turn over a WebSocket was; its `body` has in front of it what the
    /// connection remembers.
    pub message: Option<Bytes>,
    /// What was answered; 0 while nothing was.
    pub status: u16,
    /// The body of an answer that was not a stream.
    pub said: Option<String>,
    /// Function tools without an explicit `strict`, whose schemas the backend makes strict.
    pub strict_absent: Vec<String>,
    /// When the request had come in whole.
    pub at: Instant,
    number: u64,
}

impl Recorded {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether a model was asked something.
    pub(super) fn is_turn(&self) -> bool {
        match self.transport {
            Transport::Http => self.method == "POST" && self.path.ends_with("/responses"),
            Transport::WebSocket => true,
        }
    }

    /// A header's text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut headers = self.headers.clone();
        for name in ["authorization", "cookie", "chatgpt-account-id"] {
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        f.debug_struct("Recorded")
            .field("request", &format_args!("{} {}", self.method, self.path))
            .field("query", &self.query)
            .field("headers", &headers)
            // Token requests carry their secrets in the body.
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("status", &self.status)
            .field("said", &self.said)
            .finish_non_exhaustive()
    }
}

/// How many bytes of bodies are kept; a long demo forgets its oldest requests.
const KEPT: usize = 256 << 20;

#[derive(Default)]
pub(super) struct Log {
    kept: Mutex<Kept>,
    next: AtomicU64,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Recorded>,
    bytes: usize,
}

impl Log {
    /// Notes a request and returns the number under which [`Log::answered`] finds it again.
    pub(super) fn note(&self, asked: &Asked) -> u64 {
        self.add(asked, Transport::Http, None)
    }

    /// The same for a turn that came as a message over a WebSocket.
    pub(super) fn note_message(&self, asked: &Asked, message: Bytes) -> u64 {
        self.add(asked, Transport::WebSocket, Some(message))
    }

    fn add(&self, asked: &Asked, transport: Transport, message: Option<Bytes>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut kept = lock(&self.kept);
        kept.bytes += asked.body.len();
        kept.entries.push_back(Recorded {
            method: asked.method.to_string(),
            path: asked.uri.path().to_owned(),
            query: asked.uri.query().unwrap_or_default().to_owned(),
            headers: asked.headers.clone(),
            body: asked.body.clone(),
            encoded_len: asked.encoded_len,
            wire_len: asked.wire_len,
            transport,
            message,
            status: 0,
            said: None,
            strict_absent: strict_absent(&asked.json),
            at: Instant::now(),
            number,
        });
        while kept.bytes > KEPT
            && let Some(oldest) = kept.entries.pop_front()
        {
            kept.bytes -= oldest.body.len();
        }
        number
    }

    pub(super) fn answered(&self, number: u64, status: u16, said: Option<String>) {
        let mut kept = lock(&self.kept);
        if let Some(entry) = kept.entries.iter_mut().rev().find(|entry| entry.number == number) {
            entry.status = status;
            entry.said = said;
        }
    }

    pub(super) fn all(&self) -> Vec<Recorded> {
        lock(&self.kept).entries.iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        *lock(&self.kept) = Kept::default();
    }
}

fn strict_absent(body: &Value) -> Vec<String> {
    fn look(tools: &Value, found: &mut Vec<String>) {
        for tool in tools.as_array().into_iter().flatten() {
            if tool["type"] == "function" && tool.get("strict").is_none() {
                found.push(tool["name"].as_str().unwrap_or_default().to_owned());
            }
            look(&tool["tools"], found);
        }
    }
    let mut found = Vec::new();
    look(&body["tools"], &mut found);
    for item in body["input"].as_array().into_iter().flatten() {
        look(&item["tools"], &mut found);
    }
    found
}
