//! Signals: Ctrl-C and SIGTERM as one future, and SIGHUP.

use std::io;

/// Resolves when the process has been told to stop `times` times.
///
/// # Errors
/// When the signals cannot be listened for.
#[cfg(unix)]
pub fn signalled(times: u32) -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
    })
}

/// Resolves when Ctrl-C has been pressed `times` times.
///
/// # Errors
/// When it cannot be listened for.
#[cfg(not(unix))]
pub fn signalled(times: u32) -> io::Result<impl Future<Output = ()>> {
    Ok(async move {
        for _ in 0..times {
            let _ = tokio::signal::ctrl_c().await;
        }
    })
}

/// Listens for SIGHUP, by which programs are asked to look at their settings again.
#[derive(Debug)]
pub struct Hangup {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangup {
    /// # Errors
    /// When it cannot be listened for.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
        })
    }

    /// Resolves each time it comes; where there is no such signal, never.
    pub async fn came(&mut self) {
        #[cfg(unix)]
        let _ = self.signal.recv().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}
