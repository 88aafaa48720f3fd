//! `codexway serve`: settings → app → server.

use std::{io::Write, net::SocketAddr, path::Path, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;

use super::{Environment, Failure, ServeArgs, StartArgs, demo::Demo, local_key, reload};
use crate::{
    api::{self, App},
    config::Settings,
    server::{self, Limits},
};

/// How long a refresh that is under way may take after the last turn.
pub(super) const SETTLE: Duration = Duration::from_secs(35);

pub(super) fn run(args: &ServeArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = settings(&args.start, environment)?;
    block_on(async {
        let (settings, demo) = Demo::beside(settings).await?;
        let adapt = |settings| match &demo {
            Some(demo) => Ok(demo.where_it_is_named(settings)),
            None if Demo::is_wanted(&settings) => {
                Err("the simulator is started with codexway: start that again".to_owned())
            }
            None => Ok(settings),
        };
        serve(settings, adapt, args, environment, "codexway").await
    })
}

/// The settings to serve with.
pub(super) fn settings(args: &StartArgs, environment: &Environment) -> Result<Settings, Failure> {
    let mut settings = environment.load(args)?.settings;
    local_key::add(&mut settings, args)?;
    closed(settings.server.listen, &settings).map_err(Failure::Usage)?;
    Ok(settings)
}

/// Whoever reaches the port may spend the plan, so beyond this machine only key holders are let in.
fn closed(listen: SocketAddr, settings: &Settings) -> Result<(), String> {
    if listen.ip().is_loopback() || !settings.server.keys.is_empty() {
        return Ok(());
    }
    Err(format!(
        "`{listen}` can be reached from other machines, and no local key is set; hint: `--key-file FILE` makes one; or give one as `CODEXWAY__SERVER__KEYS`, or as `keys` under `[server]`"
    ))
}

/// Runs the server's future to its end.
pub(super) fn block_on(serving: impl Future<Output = anyhow::Result<()>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("start the runtime")?;
    Ok(runtime.block_on(serving)?)
}

/// Serves until told to stop: with these settings, and with others when their file changes, which
/// are adapted first.
pub(super) async fn serve(
    settings: Settings,
    adapt: impl Fn(Settings) -> Result<Settings, String>,
    args: &ServeArgs,
    environment: &Environment,
    what: &str,
) -> anyhow::Result<()> {
    let shutdown = server::signalled(1).context("listen for signals")?;
    let impatience = server::signalled(2).context("listen for signals")?;
    let despair = server::signalled(3).context("listen for signals")?;
    let listen = settings.server.listen;
    for told in environment.foreign_variables() {
        tracing::warn!("{told}");
    }
    let app = App::new(settings, environment.surroundings())?;
    app.revive().await;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
    let address = listener.local_addr().context("read the address listened on")?;
    errln!(
        "{what} serves http://{address}/v1, and a page that shows how it does at http://{address}/; stop it with Ctrl-C"
    );
    if let Some(file) = &args.server_info {
        write_info(file, address).with_context(|| format!("write {}", file.display()))?;
    }
    let load = || {
        let start = &args.start;
        let mut settings = environment.load(start).map_err(|error| error.to_string())?.settings;
        local_key::add(&mut settings, start).map_err(|error| format!("{error:#}"))?;
        closed(listen, &settings)?;
        if settings.server.listen != listen {
            tracing::warn!(
                "a change of `server.listen` has an effect when codexway is started again"
            );
        }
        adapt(settings)
    };
    let following = reload::follow(app.clone(), environment.watched(&args.start), load)
        .context("listen for signals")?;
    let warm = async {
        app.warm_up().await;
        std::future::pending().await
    };
    let shutdown = async {
        shutdown.await;
        app.shutdown_grace()
    };
    let (limits, router) = (Limits::of_process(), api::router(app.clone()));
    let serving = server::run(limits, listener, router, shutdown);
    let ended = tokio::select! {
        // In this order: two signals that come before the first is counted would count as one.
        biased;
        () = impatience => None,
        ended = serving => Some(ended),
        () = warm => unreachable!("it never ends"),
        () = following => unreachable!("it never ends"),
    };
    match ended {
        None => errln!("stopped at once"),
        Some(false) => {
            let grace = app.shutdown_grace().as_secs();
            errln!("stopped with turns still running: {grace}s had passed");
        }
        Some(true) => {}
    }
    // The server spends a refresh token as it answers, so what it answers has to be kept, however
    // impatient somebody is.
    tokio::select! {
        _ = tokio::time::timeout(SETTLE, app.settle()) => {}
        () = despair => errln!("stopped in the middle of a refresh: the login may be lost"),
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
