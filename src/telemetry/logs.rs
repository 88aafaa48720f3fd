//! Where log lines go, and which.

use tracing_subscriber::EnvFilter;

/// Starts logging to stderr. `filter` is the text of `RUST_LOG`, `None` for the usual: one line a
/// turn, and what somebody should know.
pub fn init(filter: Option<&str>, color: bool) {
    const USUAL: &str = "warn,codexway=info";
    let filter = filter.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(USUAL));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(color);
    // A line that cannot be written is dropped: to say so on the same stderr would panic.
    let logs = logs.log_internal_errors(false);
    // A second call (two servers in one test process) keeps the first one's choice.
    let _ = logs.with_writer(std::io::stderr).with_target(false).try_init();
}
