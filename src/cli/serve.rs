//! `codexway serve`: settings → app → server.

use std::{io::Write, net::SocketAddr, path::Path};

use anyhow::Context;
use tokio::net::TcpListener;

use super::{Environment, Failure, ServeArgs};
use crate::{
    api::{self, App},
    config::Settings,
    server,
};

pub(super) fn run(args: &ServeArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = environment.load(args)?.settings;
    refuse_open(&settings)?;
    block_on(serve(settings, args, environment, "codexway"))
}

/// Whoever reaches the port may spend the plan, so beyond this machine only key holders are let in.
pub(super) fn refuse_open(settings: &Settings) -> Result<(), Failure> {
    let listen = settings.server.listen;
    if listen.ip().is_loopback() || !settings.server.keys.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "`{listen}` can be reached from other machines, and no local key is set; hint: make one with `openssl rand -hex 32` and give it as `CODEXWAY__SERVER__KEYS`, or as `keys` under `[server]`"
    )))
}

/// Runs the server's future to its end.
pub(super) fn block_on(serving: impl Future<Output = anyhow::Result<()>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("start the runtime")?;
    Ok(runtime.block_on(serving)?)
}

/// Serves with these settings until told to stop.
pub(super) async fn serve(
    settings: Settings,
    args: &ServeArgs,
    environment: &Environment,
    what: &str,
) -> anyhow::Result<()> {
    let shutdown = server::signalled().context("listen for signals")?;
    let listen = settings.server.listen;
    let grace = settings.server.shutdown_grace;
    let app = App::new(settings, |account| environment.places(account))?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
    let address = listener.local_addr().context("read the address listened on")?;
    eprintln!("{what} serves http://{address}/v1; stop it with Ctrl-C");
    if let Some(file) = &args.server_info {
        write_info(file, address).with_context(|| format!("write {}", file.display()))?;
    }
    let ended = server::run(listener, api::router(app), shutdown, grace).await?;
    if !ended {
        eprintln!("stopped with turns still running: {}s had passed", grace.as_secs());
    }
    Ok(())
}

/// Tells scripts where the server is, all at once: a reader never sees half of it.
fn write_info(file: &Path, address: SocketAddr) -> std::io::Result<()> {
    let info = serde_json::json!({
        "port": address.port(),
        "pid": std::process::id(),
        "url": format!("http://{address}"),
    });
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut temporary = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    writeln!(temporary, "{info}")?;
    temporary.persist(file)?;
    Ok(())
}
