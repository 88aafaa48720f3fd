//! The process around the program, read once: no floor below reads it again.

use std::{
    ffi::{OsStr, OsString},
    io::IsTerminal,
    path::PathBuf,
};

use clap::{Arg, Command, builder::Resettable};
use etcetera::{AppStrategy, AppStrategyArgs, BaseStrategy};

use super::{FileArg, StartArgs, connect};
use crate::{
    api::Surroundings,
    auth::Places,
    config::{self, Sources},
};

/// Lets no flag be taken from a variable that is set to nothing: here as everywhere it is not set.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let unset = |arg: Arg| match arg.get_env() {
        Some(name) if is_empty(name) => arg.env(Resettable::Reset),
        _ => arg,
    };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

/// Variables and folders of the process.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    vars: Vec<(String, String)>,
    pub(super) home: Option<PathBuf>,
    /// The platform's folder for settings.
    pub(super) config_dir: Option<PathBuf>,
    /// Our folder for what the program keeps.
    pub(super) data_dir: PathBuf,
}

impl Environment {
    pub(super) fn of_process() -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let app = etcetera::choose_app_strategy(AppStrategyArgs {
            top_level_domain: "org".to_owned(),
            author: "codexway".to_owned(),
            app_name: "codexway".to_owned(),
        });
        let base = etcetera::choose_base_strategy().ok();
        Self {
            vars: std::env::vars_os().filter_map(text).collect(),
            home: etcetera::home_dir().ok(),
            config_dir: base.map(|base| base.config_dir()),
            data_dir: app.map_or_else(|_| PathBuf::from(".codexway"), |app| app.data_dir()),
        }
    }

    /// A variable that is set to something.
    pub(super) fn var(&self, name: &str) -> Option<&str> {
        let found = self.vars.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The names of those that are set to something.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.vars.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }

    pub(super) fn colors(&self) -> bool {
        self.colors_on(&std::io::stderr())
    }

    pub(super) fn colors_on(&self, stream: &impl IsTerminal) -> bool {
        self.var("NO_COLOR").is_none() && stream.is_terminal()
    }

    /// Whether somebody sits in front of this machine, who could see a window of ours.
    pub(super) fn has_desktop(&self) -> bool {
        let windowed = ["DISPLAY", "WAYLAND_DISPLAY"];
        !cfg!(all(unix, not(target_os = "macos")))
            || windowed.iter().any(|name| self.var(name).is_some())
    }

    /// The names of the accounts that have a folder of ours.
    pub(super) fn known_accounts(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.data_dir.join("accounts")).into_iter().flatten();
        let mut names: Vec<String> =
            folders.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Where the settings come from.
    pub(super) fn sources(&self, file: &FileArg, start: Option<&StartArgs>) -> Sources {
        let mut flags = Vec::new();
        let mut flag = |key: &str, name: &str, value: Option<&String>| {
            flags.extend(value.map(|value| {
                (key.to_owned(), name.to_owned(), serde_json::Value::from(value.clone()))
            }));
        };
        if let Some(start) = start {
            flag("server.profile", "--profile", start.profile.as_ref());
            flag("server.listen", "--listen", start.listen.as_ref());
        }
        Sources {
            file: file.config.clone(),
            config_dir: self.config_dir.clone(),
            env: self.vars.clone(),
            flags,
        }
    }

    pub(super) fn load(&self, start: &StartArgs) -> Result<config::Loaded, config::Error> {
        config::load(&self.sources(&start.file, Some(start)))
    }

    /// What there is to say of variables that are settings of another proxy.
    pub(super) fn foreign_variables(&self) -> Vec<String> {
        config::foreign_variables(&self.vars)
    }

    /// The files that the settings may be in.
    pub(super) fn watched(&self, start: &StartArgs) -> Vec<PathBuf> {
        config::watched(&self.sources(&start.file, Some(start)))
    }

    /// Where on this machine things are.
    pub(super) fn surroundings(&self) -> Surroundings {
        let (places, guides) = (self.clone(), self.clone());
        Surroundings {
            places: Box::new(move |account| places.places(account)),
            state_file: self.data_dir.join("responses.redb"),
            guides: Box::new(move |address| connect::guides(address, &guides)),
        }
    }

    /// Where the `auth.json` of the account called `name` may be.
    pub(super) fn places(&self, name: &str) -> Places {
        let var = |name: &str| self.var(name).map(PathBuf::from);
        Places {
            account: name.to_owned(),
            own: self.data_dir.join("accounts").join(name),
            openai_codex_path: var("OPENAI_CODEX_PATH"),
            codex_home: var("CODEX_HOME"),
            home: self.home.clone(),
            variables: self.vars.iter().cloned().collect(),
        }
    }
}
