//! Going on with changed settings while serving.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use crate::{api::App, config::Settings, server};

/// How often the file is looked at. Watching it instead would miss what editors, symbolic links
/// and container mounts do to files.
const PAUSE: Duration = Duration::from_secs(1);

/// What a file looked like: when it was changed, and how long it was.
type Look = Vec<Option<(SystemTime, u64)>>;

/// Follows the settings: loads them again when one of `files` has changed, and on SIGHUP. Never
/// resolves.
///
/// # Errors
/// When the signal cannot be listened for.
pub(super) fn follow(
    app: App,
    files: Vec<PathBuf>,
    load: impl Fn() -> Result<Settings, String>,
) -> io::Result<impl Future<Output = ()>> {
    let mut hangup = server::Hangup::new()?;
    Ok(async move {
        let mut seen = look(&files);
        loop {
            let asked = tokio::select! {
                () = hangup.came() => true,
                () = tokio::time::sleep(PAUSE) => false,
            };
            let now = look(&files);
            if asked || now != seen {
                seen = now;
                reload(&app, &load);
            }
        }
    })
}

fn look(files: &[PathBuf]) -> Look {
    let look = |file: &PathBuf| {
        let data = fs::metadata(file).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    files.iter().map(look).collect()
}

fn reload(app: &App, load: &impl Fn() -> Result<Settings, String>) {
    let reloaded = load().and_then(|settings| {
        app.reload(settings).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    });
    match reloaded {
        Ok(()) => tracing::info!("the settings were loaded again"),
        Err(error) => {
            tracing::error!("the changed settings are refused, the old ones stay: {error}");
        }
    }
}
