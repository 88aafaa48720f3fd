//! Ctrl-C and SIGTERM as one future.

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
