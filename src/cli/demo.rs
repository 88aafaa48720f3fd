//! The simulator as upstream: `codexway demo`, and profiles that name it.

use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use super::{Environment, Failure, ServeArgs, serve};
use crate::{
    config::{Settings, Store, Upstream, UpstreamKind},
    simulator::{Options, Simulator},
};

/// Between two deltas, so that people see an answer arrive.
const PACE: Duration = Duration::from_millis(5);

/// The account of profiles that run at the simulator; no account of a file can be called so.
pub(super) const ACCOUNT: &str = "(demo)";

pub(super) fn run(args: &ServeArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = serve::settings(&args.start, environment)?;
    serve::block_on(async {
        let demo = Demo::start().await?;
        let adapt = |settings| Ok(demo.in_place_of_all(settings));
        let settings = demo.in_place_of_all(settings);
        serve::serve(settings, adapt, args, environment, "codexway demo").await
    })
}

/// A running simulator, and the folder with the login of its account.
pub(super) struct Demo {
    simulator: Simulator,
    account: TempDir,
}

impl Demo {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let options = Options { pace: Some(PACE), ..Options::default() };
        let simulator = Simulator::start(options).await.context("start the simulator")?;
        let account = tempfile::tempdir().context("make a folder for the simulated account")?;
        std::fs::write(account.path().join("auth.json"), simulator.auth_json())
            .context("write the simulated account")?;
        account.path().to_str().context("a folder whose name is no text")?;
        Ok(Self { simulator, account })
    }

    /// The settings as they are served: profiles that name the simulator run at one that is there
    /// as long as what comes with them.
    pub(super) async fn beside(settings: Settings) -> anyhow::Result<(Settings, Option<Self>)> {
        if !Self::is_wanted(&settings) {
            return Ok((settings, None));
        }
        let demo = Self::start().await?;
        Ok((demo.where_it_is_named(settings), Some(demo)))
    }

    /// Whether a profile of these runs at the simulator.
    pub(super) fn is_wanted(settings: &Settings) -> bool {
        let mut upstreams = settings.profiles.values().map(|profile| &profile.upstream);
        upstreams.any(|name| settings.upstreams[name].kind == UpstreamKind::Demo)
    }

    /// Lets those profiles run at this one that name it; the others stay what they are.
    pub(super) fn where_it_is_named(&self, mut settings: Settings) -> Settings {
        let is_demo = |kind: UpstreamKind| kind == UpstreamKind::Demo;
        let upstreams = &settings.upstreams;
        for profile in settings.profiles.values_mut() {
            if is_demo(upstreams[&profile.upstream].kind) {
                ACCOUNT.clone_into(&mut profile.account);
            }
        }
        for upstream in settings.upstreams.values_mut().filter(|upstream| is_demo(upstream.kind)) {
            self.stand_in(upstream);
        }
        // It is like any other account, but for where its login is.
        let usual = Settings::default().accounts.into_values().next();
        if let Some(mut account) = usual {
            account.source = self.folder();
            settings.accounts.insert(ACCOUNT.to_owned(), account);
        }
        settings
    }

    /// Lets every profile run at this one, whatever its own upstream and account are: nothing of
    /// the user's leaves the machine, and nothing of theirs is touched.
    fn in_place_of_all(&self, mut settings: Settings) -> Settings {
        for upstream in settings.upstreams.values_mut() {
            upstream.kind = UpstreamKind::Demo;
            self.stand_in(upstream);
        }
        if settings.state.store == Store::Disk {
            settings.state.store = Store::Memory; // It has nothing to do with the user's own turns.
        }
        for account in settings.accounts.values_mut() {
            account.source = self.folder();
        }
        settings
    }

    fn stand_in(&self, upstream: &mut Upstream) {
        upstream.base_url = self.simulator.base_url();
        upstream.auth_url = self.simulator.auth_url();
    }

    /// Where the login of its account is.
    fn folder(&self) -> String {
        self.account.path().display().to_string()
    }
}
