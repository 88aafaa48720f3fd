//! What a service runs, and what of the machine it needs, whoever runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;

use crate::{
    cli::{Environment, StartArgs, account::Account, serve},
    config::{AccountKind, Settings, UpstreamKind},
};

/// Variables that say where things are: a service that did not have them would look elsewhere.
const CARRIED: [&str; 6] = [
    "CODEX_HOME",
    "OPENAI_CODEX_PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// Variables that matter and are not carried: they may hold secrets, and every program of the user
/// can read what a service is given.
const LEFT_OUT: [&str; 11] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "OPENAI_API_BASE_URL",
    "OPENAI_API_KEY",
    "RUST_LOG",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Beyond what a stop may take: to be killed in the midst of it would lose what it is for.
const MARGIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Plan {
    /// The program and what it is given; all paths are absolute.
    pub(super) command: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
    /// The folders that it writes to.
    pub(super) writable: Vec<String>,
    /// How long it may take to stop.
    pub(super) stop: Duration,
}

impl Plan {
    /// # Errors
    /// When the running program cannot be found, or a path is no text.
    pub(super) fn new(
        args: &StartArgs,
        server_info: &Path,
        settings: &Settings,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("find the program that runs")?;
        anyhow::ensure!(program.exists(), "the program that runs is no longer on the disk");
        let mut command = vec![absolute(&program)?, "serve".to_owned()];
        let words = [("--profile", &args.profile), ("--listen", &args.listen)];
        let paths = [
            ("--config", args.file.config.as_deref()),
            ("--key-file", args.key_file.as_deref()),
            ("--server-info", Some(server_info)),
        ];
        for (flag, word) in words {
            command.extend(word.iter().flat_map(|word| [flag.to_owned(), word.clone()]));
        }
        for (flag, path) in paths {
            if let Some(path) = path {
                command.extend([flag.to_owned(), absolute(path)?]);
            }
        }
        let grace = settings.server.shutdown_grace;
        Ok(Self {
            command,
            variables: carried(settings, environment),
            writable: writable(args, settings, environment)?,
            stop: grace + serve::SETTLE + MARGIN,
        })
    }
}

/// The names of variables that are set here and that the service will not have.
pub(super) fn left_out(environment: &Environment) -> Vec<String> {
    let matters = |name: &&str| name.starts_with("CODEXWAY__") || LEFT_OUT.contains(name);
    let mut names: Vec<String> =
        environment.variables().filter(matters).map(str::to_owned).collect();
    names.sort();
    names
}

fn carried(settings: &Settings, environment: &Environment) -> Vec<(String, String)> {
    // The official program is looked for in the path of whoever installs, which may know more.
    let runs_programs = settings.profiles.values().any(|profile| {
        let upstream = settings.upstreams.get(&profile.upstream);
        upstream.is_some_and(|upstream| upstream.kind == UpstreamKind::CodexExec)
    });
    let names = CARRIED.into_iter().chain(runs_programs.then_some("PATH"));
    names.filter_map(|name| Some((name.to_owned(), environment.var(name)?.to_owned()))).collect()
}

/// Our own folder; those that logins may be borrowed from, which are renewed in their place; and
/// that of temporary files.
fn writable(
    args: &StartArgs,
    settings: &Settings,
    environment: &Environment,
) -> anyhow::Result<Vec<String>> {
    let mut folders = vec![environment.data_dir.clone(), PathBuf::from("/tmp")];
    folders.extend(parent(args.key_file.as_deref()));
    folders.extend(environment.home.as_ref().map(|home| home.join(".codex")));
    let variables = ["CODEX_HOME", "OPENAI_CODEX_PATH"];
    folders.extend(variables.iter().filter_map(|name| environment.var(name).map(PathBuf::from)));
    let accounts =
        settings.accounts.iter().filter(|(_, account)| account.kind == AccountKind::Codex);
    for (name, _) in accounts {
        let Ok(account) = Account::named(name, settings, environment) else { continue };
        let file = account.source().folder().file();
        // Where `auth.json` is a link, what it names is what is written.
        folders.extend(parent(fs::canonicalize(&file).ok().as_deref()));
        folders.extend(parent(Some(&file)));
    }
    let own = environment.data_dir.clone();
    let mut texts = Vec::new();
    for folder in folders.iter().filter(|folder| **folder == own || !folder.starts_with(&own)) {
        let text = absolute(folder)?;
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(texts)
}

fn parent(file: Option<&Path>) -> Option<PathBuf> {
    std::path::absolute(file?).ok()?.parent().map(Path::to_owned)
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("find {}", path.display()))?;
    let text = path.to_str().map(str::to_owned);
    text.with_context(|| format!("{} has a name that is no text", path.display()))
}
