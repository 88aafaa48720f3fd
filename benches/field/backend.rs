//! The backend: bytes that were made before, over plain sockets, so that it is never what is
//! measured.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::events;

const CATALOG: &[u8] = include_bytes!("../../src/models/builtin.json");

/// What every turn is answered with.
#[derive(Clone)]
pub(crate) enum Manner {
    /// All of it at once.
    Whole(Bytes),
    /// So many deltas, each with the moment it was sent in it, `every` so often.
    Paced { deltas: usize, every: Duration },
    /// The first content, and the rest when it is told to: see [`Backend::release`].
    Held,
    /// The first content, and then so many bytes of deltas.
    Large(u64),
}

/// Cheap to clone; serves until the process ends.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    began: Instant,
    manner: Mutex<Manner>,
    /// Bytes of deltas that some socket has taken.
    sent: AtomicU64,
    released: watch::Sender<()>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            began: Instant::now(),
            manner: Mutex::new(Manner::Held),
            sent: AtomicU64::new(0),
            released: watch::channel(()).0,
        });
        let serving = Arc::clone(&shared);
        #[expect(clippy::disallowed_methods, reason = "it serves until the process ends")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&serving);
                // A client that goes away in the midst of an answer is what some rows are about.
                tokio::spawn(async move { shared.serve(stream).await });
            }
        });
        Self { address, shared }
    }

    pub(crate) fn answers(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// Lets all go on that are held.
    pub(crate) fn release(&self) {
        self.shared.released.send_replace(());
    }

    /// Since the backend was started; the clock that paced deltas tell the time of.
    pub(crate) fn now(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// How many bytes of large answers have been taken.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Relaxed)
    }
}

impl Shared {
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut read = Vec::with_capacity(16 * 1024);
        loop {
            let is_turn = self.request(&mut stream, &mut read).await?;
            let manner = self.manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match is_turn {
                true => self.answer(&mut stream, manner).await.ok()?,
                false => catalog(&mut stream).await.ok()?,
            }
        }
    }

    /// Reads a request to its end; whether it asks for a turn.
    async fn request(&self, stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<bool> {
        let mut head = None;
        loop {
            if let Some((end, is_turn)) = head
                && read.len() >= end
            {
                read.drain(..end);
                return Some(is_turn);
            }
            if stream.read_buf(read).await.ok()? == 0 {
                return None;
            }
            if head.is_none()
                && let Some(at) = memmem::find(read, b"\r\n\r\n")
            {
                let text = String::from_utf8_lossy(&read[..at]).to_ascii_lowercase();
                let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length = length.map_or(0, |length| length.trim().parse().expect("a length"));
                head = Some((at + 4 + length, text.starts_with("post ")));
            }
        }
    }

    async fn answer(&self, stream: &mut TcpStream, manner: Manner) -> std::io::Result<()> {
        if let Manner::Whole(answer) = &manner {
            return stream.write_all(answer).await;
        }
        // Subscribed before the client can know that it is held.
        let mut released = self.released.subscribe();
        stream.write_all(&[events::HEAD, &events::beginning()].concat()).await?;
        match manner {
            Manner::Whole(_) => {}
            Manner::Held => {
                let _ = released.changed().await;
            }
            Manner::Paced { deltas, every } => self.paced(stream, deltas, every).await?,
            Manner::Large(bytes) => {
                let deltas = events::delta(&"large ".repeat(100)).repeat(20);
                let mut left = bytes;
                while left > 0 {
                    stream.write_all(&deltas).await?;
                    self.sent.fetch_add(deltas.len() as u64, Relaxed);
                    left = left.saturating_sub(deltas.len() as u64);
                }
            }
        }
        stream.write_all(&events::ending()).await
    }

    async fn paced(
        &self,
        stream: &mut TcpStream,
        deltas: usize,
        every: Duration,
    ) -> std::io::Result<()> {
        let stamp = std::str::from_utf8(events::STAMP).expect("it is text").trim_matches('"');
        let mut delta = events::delta(stamp).to_vec();
        let at = memmem::find(&delta, events::STAMP).expect("it was put there") + 2;
        // So that not all the streams that began together speak together.
        tokio::time::sleep(every.mul_f64(fastrand::f64())).await;
        let mut ticks = tokio::time::interval(every);
        for _ in 0..deltas {
            ticks.tick().await;
            let now = format!("{:016}", self.began.elapsed().as_nanos());
            delta[at..at + now.len()].copy_from_slice(now.as_bytes());
            stream.write_all(&delta).await?;
        }
        Ok(())
    }
}

async fn catalog(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        CATALOG.len()
    );
    stream.write_all(&[head.as_bytes(), CATALOG].concat()).await
}
