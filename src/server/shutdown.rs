//! Ctrl-C and SIGTERM as one future.

use std::io;

/// Resolves at the first signal to stop.
///
/// # Errors
/// When the signals cannot be listened for.
#[cfg(unix)]
pub fn signalled() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves at Ctrl-C.
///
/// # Errors
/// When it cannot be listened for.
#[cfg(not(unix))]
pub fn signalled() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
