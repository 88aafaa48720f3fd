//! `codexway serve`: settings → app → server.

use std::{io::Write, net::SocketAddr, path::Path, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;

use super::{Environment, Failure, ServeArgs};
use crate::{
    api::{self, App},
    config::{
        Passthrough, PromptMode, Protocol, Settings, Store, ToolSchemaMode, ToolTextFormat,
        Transport,
    },
    server,
};

/// How long a refresh that is under way may take after the last turn.
const SETTLE: Duration = Duration::from_secs(35);

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
    let shutdown = server::signalled(1).context("listen for signals")?;
    let impatience = server::signalled(2).context("listen for signals")?;
    let listen = settings.server.listen;
    let grace = settings.server.shutdown_grace;
    for setting in without_effect(&settings) {
        tracing::warn!("`{setting}` has no effect in this version");
    }
    let app = App::new(settings, |account| environment.places(account))?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
    let address = listener.local_addr().context("read the address listened on")?;
    eprintln!("{what} serves http://{address}/v1; stop it with Ctrl-C");
    if let Some(file) = &args.server_info {
        write_info(file, address).with_context(|| format!("write {}", file.display()))?;
    }
    let ended = tokio::select! {
        ended = server::run(listener, api::router(app.clone()), shutdown, grace) => ended?,
        () = impatience => {
            eprintln!("stopped at once");
            return Ok(());
        }
    };
    // The server spends a refresh token as it answers, so what it answers has to be kept.
    let _ = tokio::time::timeout(SETTLE, app.settle()).await;
    if !ended {
        eprintln!("stopped with turns still running: {}s had passed", grace.as_secs());
    }
    Ok(())
}

/// Settings that the user has changed and that nothing acts on yet.
fn without_effect(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    if settings.state.store == Store::Disk {
        found.push("state.store = \"disk\"".to_owned());
    }
    for (name, upstream) in &settings.upstreams {
        if upstream.transport == Transport::Websocket {
            found.push(format!("upstreams.{name}.transport = \"websocket\""));
        }
    }
    for (name, profile) in &settings.profiles {
        let changed = [
            (profile.prompt() != PromptMode::CustomOnly, "prompt_mode"),
            (profile.protocol != Protocol::Auto, "protocol"),
            (profile.codex_passthrough != Passthrough::Auto, "codex_passthrough"),
            (profile.tool_schema_mode != ToolSchemaMode::CustomOnly, "tool_schema_mode"),
            (profile.tool_text_format != ToolTextFormat::None, "tool_text_format"),
            (!profile.bypass_tool_call_reactor, "bypass_tool_call_reactor"),
            (profile.include_environment_context, "include_environment_context"),
        ];
        let changed = changed.into_iter().filter(|(changed, _)| *changed);
        found.extend(changed.map(|(_, setting)| format!("profiles.{name}.{setting}")));
    }
    found
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
