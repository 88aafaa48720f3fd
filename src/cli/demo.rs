//! `codexway demo`: the whole product, with the simulator as upstream.

use std::time::Duration;

use anyhow::Context;

use super::{Environment, Failure, ServeArgs, serve};
use crate::{
    config::{Settings, Store, UpstreamKind},
    simulator::{Options, Simulator},
};

/// Between two deltas, so that people see an answer arrive.
const PACE: Duration = Duration::from_millis(5);

pub(super) fn run(args: &ServeArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = serve::settings(&args.start, environment)?;
    serve::block_on(async {
        let options = Options { pace: Some(PACE), ..Options::default() };
        let simulator = Simulator::start(options).await.context("start the simulator")?;
        let account = tempfile::tempdir().context("make a folder for the simulated account")?;
        std::fs::write(account.path().join("auth.json"), simulator.auth_json())
            .context("write the simulated account")?;
        let folder = account.path().to_str().context("a folder whose name is no text")?;
        let adapt = |settings| Ok(pointed_at(settings, &simulator, folder));
        let settings = pointed_at(settings, &simulator, folder);
        serve::serve(settings, adapt, args, environment, "codexway demo").await
    })
}

/// Lets every profile run at the simulator, whatever its own upstream and account are: nothing of
/// the user's leaves the machine, and nothing of theirs is touched.
fn pointed_at(mut settings: Settings, simulator: &Simulator, folder: &str) -> Settings {
    for upstream in settings.upstreams.values_mut() {
        upstream.kind = UpstreamKind::Demo;
        upstream.base_url = simulator.base_url();
        upstream.auth_url = simulator.auth_url();
    }
    if settings.state.store == Store::Disk {
        settings.state.store = Store::Memory; // It has nothing to do with the user's own turns.
    }
    for account in settings.accounts.values_mut() {
        folder.clone_into(&mut account.source);
    }
    settings
}
