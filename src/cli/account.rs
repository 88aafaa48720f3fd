//! An account as the commands see it: its settings, its folders and whom it talks to.

use anyhow::{Context, anyhow};

use super::{Environment, Failure, demo};
use crate::{
    auth::{self, Backend, LogIn, OAuth, Own, Places, Source, TokenManager},
    config::{self, Settings, UpstreamKind},
};

/// The account of commands that name none.
pub(super) const DEFAULT: &str = "default";

pub(super) struct Account<'a> {
    pub(super) name: &'a str,
    /// `None` for one that only `codexway login --account` knows of.
    pub(super) settings: Option<&'a config::Account>,
    /// Whether its turns run at the platform, which wants an API key whatever the settings call it.
    pub(super) at_platform: bool,
    /// The ChatGPT backend that it belongs to.
    upstream: config::Upstream,
    pub(super) places: Places,
}

impl<'a> Account<'a> {
    /// # Errors
    /// When no account could have that name.
    pub(super) fn named(
        name: &'a str,
        settings: &'a Settings,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        // The simulator's has a name that nobody can give it.
        if !config::is_section_name(name) && !settings.accounts.contains_key(name) {
            return Err(Failure::Usage(format!(
                "`{name}` cannot be the name of an account; hint: use letters, digits, `-`, `_` and `.`"
            )));
        }
        Ok(Self {
            name,
            settings: settings.accounts.get(name),
            at_platform: is_at_platform(name, settings),
            upstream: upstream_of(name, settings),
            places: environment.places(name),
        })
    }

    /// Where its ChatGPT login is looked for.
    pub(super) fn source(&self) -> Source {
        auth::find(self.settings.map_or("own", |settings| &settings.source), &self.places)
    }

    /// Whether it is the simulator's, whose login is nobody's.
    pub(super) fn is_simulated(&self) -> bool {
        self.name == demo::ACCOUNT
    }

    /// Its folder of ours.
    pub(super) fn own(&self) -> Own {
        Own::of(&self.places)
    }

    /// Whom it logs in at.
    pub(super) fn oauth(&self) -> anyhow::Result<OAuth> {
        let auth_url = self.upstream.auth_url.clone();
        Ok(OAuth {
            client: auth::Client::new(&auth_url),
            auth_url,
            originator: self.upstream.originator.clone(),
            user_agent: self.user_agent(),
        })
    }

    pub(super) fn backend(&self) -> anyhow::Result<Backend> {
        let base_url = self.upstream.base_url.clone();
        Ok(Backend {
            client: auth::Client::new(&base_url),
            base_url,
            originator: self.upstream.originator.clone(),
            user_agent: self.user_agent(),
        })
    }

    pub(super) fn tokens(&self) -> anyhow::Result<TokenManager> {
        Ok(TokenManager::fleeting(self.source(), self.oauth()?))
    }

    /// A failure that names this account in what it says to type, and not another.
    pub(super) fn told(&self, failure: Failure) -> Failure {
        let log_in = LogIn::to(self.name);
        match failure {
            Failure::Failed(error) if !log_in.is_plain() => {
                Failure::Failed(anyhow!(log_in.named_in(&format!("{error:#}"))))
            }
            other => other,
        }
    }

    fn user_agent(&self) -> String {
        self.upstream.user_agent.replace("{version}", env!("CARGO_PKG_VERSION"))
    }
}

/// The profile that serves what names none decides; where that uses another account, all others do.
fn is_at_platform(name: &str, settings: &Settings) -> bool {
    let uses = |profile: &&config::Profile| profile.account == name;
    let is_platform = |profile: &config::Profile| {
        let upstream = settings.upstreams.get(&profile.upstream);
        upstream.is_some_and(|upstream| upstream.kind == UpstreamKind::Openai)
    };
    match settings.profiles.get(&settings.server.profile).filter(uses) {
        Some(profile) => is_platform(profile),
        None => {
            let mut profiles = settings.profiles.values().filter(uses).peekable();
            profiles.peek().is_some() && profiles.all(is_platform)
        }
    }
}

/// The first ChatGPT backend that a profile uses the account with, else the one that is there.
fn upstream_of(name: &str, settings: &Settings) -> config::Upstream {
    let chatgpt = |upstream: &&config::Upstream| upstream.kind == UpstreamKind::Codex;
    let profiles = settings.profiles.values().filter(|profile| profile.account == name);
    profiles
        .filter_map(|profile| settings.upstreams.get(&profile.upstream))
        .find(|upstream| chatgpt(upstream) || name == demo::ACCOUNT)
        .or_else(|| settings.upstreams.get("codex").filter(chatgpt))
        .or_else(|| settings.upstreams.values().find(chatgpt))
        .cloned()
        .unwrap_or_else(|| Settings::default().upstreams["codex"].clone())
}

/// Runs a command's future to its end.
pub(super) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("start the runtime")?.block_on(work)
}
