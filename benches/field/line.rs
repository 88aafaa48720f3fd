//! The line to the backend: what goes up is counted, at ten megabits a second, and everything
//! takes its time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// Bytes a second, upwards.
const UP: f64 = 10e6 / 8.0;

/// Of a byte that does not have to wait, one way.
const DELAY: Duration = Duration::from_millis(20);

/// How much may be on its way: what is sent faster has to wait.
const ON_THE_WAY: usize = 64;

pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    up: Arc<AtomicU64>,
}

impl Line {
    pub(crate) async fn to(backend: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let up = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&up);
        #[expect(clippy::disallowed_methods, reason = "it serves until the process ends")]
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(backend).await.expect("the backend");
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let ((from, to), (back, home)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(from, home, Some(UP), Arc::clone(&counted)));
                tokio::spawn(carry(back, to, None, Arc::default()));
            }
        });
        Self { address, up }
    }

    /// How many bytes have gone up.
    pub(crate) fn sent(&self) -> u64 {
        self.up.load(Relaxed)
    }
}

/// Brings what is read from one side to the other, each piece when it would have arrived.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    rate: Option<f64>,
    counted: Arc<AtomicU64>,
) {
    let (pieces, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let send = async move {
        let mut piece = [0; 8 * 1024];
        let mut free = Instant::now();
        while let Ok(n @ 1..) = from.read(&mut piece).await {
            counted.fetch_add(n as u64, Relaxed);
            let takes =
                rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(n as f64 / rate));
            free = free.max(Instant::now()) + takes;
            if pieces.send((free + DELAY, piece[..n].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let arrive = async move {
        while let Some((at, piece)) = arriving.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(send, arrive);
}
