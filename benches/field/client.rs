//! Who asks: a connection that writes a request made before and reads the answer as it comes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::events::{FIRST, STAMP};

/// As much as anything that is looked for is long.
const CARRIED: usize = 32;

/// Which request is sent to whom.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Head and body.
    pub(crate) request: Vec<u8>,
}

impl Target {
    pub(crate) fn new(address: SocketAddr, path: &str, body: &str) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self { address, request: [head.as_bytes(), body.as_bytes()].concat() }
    }
}

/// A connection that is kept from one turn to the next.
pub(crate) struct Client {
    stream: TcpStream,
    /// What was read, behind the end of what was read before that.
    buffer: Vec<u8>,
    carried: usize,
}

/// What is told of a turn.
#[derive(Default)]
pub(crate) struct Seen {
    /// From the request to the first content.
    pub(crate) content: Duration,
    /// How many events came.
    pub(crate) events: u64,
    /// What the deltas say of when they were sent, and when they came, by the backend's clock.
    pub(crate) delays: Vec<Duration>,
}

/// An answer in one piece.
pub(crate) struct Answer {
    /// The upstream, and the way to it.
    pub(crate) transport: String,
    pub(crate) body: serde_json::Value,
}

impl Client {
    pub(crate) async fn connect(target: &Target) -> Self {
        let stream = TcpStream::connect(target.address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Self { stream, buffer: vec![0; 64 * 1024], carried: 0 }
    }

    /// One turn to its end.
    pub(crate) async fn turn(&mut self, target: &Target) -> Seen {
        let mut seen = self.begin(target).await;
        self.finish(&mut seen, None).await;
        seen
    }

    /// One turn to its first content, and what came with it.
    pub(crate) async fn begin(&mut self, target: &Target) -> Seen {
        self.carried = 0;
        let began = Instant::now();
        self.stream.write_all(&target.request).await.expect("a server that listens");
        let mut seen = Seen::default();
        let mut is_first = true;
        loop {
            let read = self.read().await;
            if std::mem::take(&mut is_first) && !self.buffer[..read].starts_with(b"HTTP/1.1 200") {
                panic!("not served: {}", String::from_utf8_lossy(&self.buffer[..read]));
            }
            self.count(read, &mut seen);
            if memmem::find(&self.buffer[..read], FIRST).is_some() {
                seen.content = began.elapsed();
                self.carry(read);
                return seen;
            }
            self.carry(read);
        }
    }

    /// The rest of the turn that was begun; `clock` tells the time where deltas tell it.
    pub(crate) async fn finish(&mut self, seen: &mut Seen, clock: Option<&dyn Fn() -> Duration>) {
        while !self.buffer[..self.carried].ends_with(b"\r\n0\r\n\r\n") {
            let read = self.read().await;
            self.count(read, seen);
            if let Some(clock) = clock {
                self.stamps(read, clock(), &mut seen.delays);
            }
            self.carry(read);
        }
    }

    /// One turn that is answered at once, and not as a stream.
    pub(crate) async fn whole(mut self, target: &Target) -> Answer {
        let asked = std::str::from_utf8(&target.request).expect("a request is text");
        let asked = asked.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        self.stream.write_all(asked.as_bytes()).await.expect("a server that listens");
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8(answer).expect("an answer of text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let upstream = head.lines().find_map(|line| line.strip_prefix("x-codexway-upstream:"));
        let transport = upstream.unwrap_or_default().trim().to_owned();
        let body = serde_json::from_str(body).unwrap_or_else(|_| panic!("not served: {answer}"));
        Answer { transport, body }
    }

    /// The end of what is in the buffer now.
    async fn read(&mut self) -> usize {
        let n = self.stream.read(&mut self.buffer[self.carried..]).await.expect("an answer");
        assert!(n > 0, "the answer broke off");
        self.carried + n
    }

    fn count(&self, read: usize, seen: &mut Seen) {
        let new = self.carried.saturating_sub(1);
        seen.events += memmem::find_iter(&self.buffer[new..read], b"\n\n").count() as u64;
    }

    fn stamps(&self, read: usize, now: Duration, delays: &mut Vec<Duration>) {
        for at in memmem::find_iter(&self.buffer[..read], b"\"t0") {
            let end = at + STAMP.len();
            if end <= self.carried || end > read {
                continue; // It was seen before, or will be.
            }
            let digits = std::str::from_utf8(&self.buffer[at + 2..end - 1]).unwrap_or_default();
            if let Ok(sent) = digits.parse().map(Duration::from_nanos) {
                delays.push(now.saturating_sub(sent));
            }
        }
    }

    fn carry(&mut self, read: usize) {
        let from = read.saturating_sub(CARRIED);
        self.buffer.copy_within(from..read, 0);
        self.carried = read - from;
    }
}
