//! How the program is called, and what it is let to see.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    auth::{Places, expand},
    config,
    protocol::Request,
    upstream::Error,
};

/// Variables without which the program does not find itself, its login, or the way out.
const KEPT: [&str; 33] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "CODEX_HOME",
    "CODEX_CA_CERTIFICATE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    // The login may be in the desktop's keyring.
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    // Windows.
    "SystemRoot",
    "SystemDrive",
    "ComSpec",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
];

/// The agent is to answer and to do nothing: no shell, no files, no web, no helpers, and none of the
/// texts that tell it how to use them. What a version of the program does not know it ignores.
const ONLY_ANSWER: [&str; 23] = [
    "features.shell_tool=false",
    "features.unified_exec=false",
    "features.shell_snapshot=false",
    "features.code_mode_host=false",
    "features.view_image=false",
    "features.image_generation=false",
    "features.apps=false",
    "features.plugins=false",
    "features.hooks=false",
    "features.goals=false",
    "features.sleep_tool=false",
    "features.skill_search=false",
    "features.tool_suggest=false",
    "features.multi_agent=false",
    "agents.enabled=false",
    "tools.experimental_request_user_input.enabled=false",
    "web_search=\"disabled\"",
    "skills.include_instructions=false",
    "include_permissions_instructions=false",
    "include_apps_instructions=false",
    "include_collaboration_mode_instructions=false",
    "include_environment_context=false",
    // Without a network it is to say so, not to wait for one.
    "features.unbounded_connection_retries=false",
];

/// The program and what goes with every call of it.
pub(super) struct Program {
    /// As the settings have it.
    name: String,
    /// What `name` may stand for, in the order in which to look.
    places: Vec<PathBuf>,
    variables: Vec<(String, OsString)>,
    /// `name=value` for `-c`.
    config: Vec<String>,
}

impl Program {
    /// `home` is the folder of the login to use, where that is not the program's own choice.
    pub(super) fn new(upstream: &config::Upstream, places: &Places, home: Option<&Path>) -> Self {
        let known = &places.variables;
        let names = KEPT.into_iter().chain(upstream.env.iter().map(String::as_str));
        let mut variables: Vec<(String, OsString)> =
            names.filter_map(|name| Some((name.to_owned(), known.get(name)?.into()))).collect();
        if let Some(home) = home {
            variables.retain(|(name, _)| name != "CODEX_HOME");
            variables.push(("CODEX_HOME".to_owned(), home.into()));
        }
        Self {
            name: upstream.program.clone(),
            places: candidates(&upstream.program, places),
            variables,
            config: upstream.config.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        }
    }

    /// Where the program is.
    ///
    /// # Errors
    /// When it is nowhere.
    pub(super) fn find(&self) -> Result<&Path, Error> {
        let found = self.places.iter().find(|path| path.is_file());
        found.map(PathBuf::as_path).ok_or_else(|| {
            Error::Program(format!(
                "there is no program `{}` here; install the official one with `npm install -g @openai/codex` and log in with `codex login`, or say where it is: `program` of the upstream",
                self.name
            ))
        })
    }

    /// The arguments of a call that answers `request`.
    pub(super) fn exec(&self, request: &Request) -> Vec<String> {
        let plain = [
            "exec",
            "--json",
            "--color=never",
            "--sandbox=read-only",
            // Neither the user's settings, servers of tools among them, nor traces of the turn.
            "--ignore-user-config",
            "--ignore-rules",
            "--ephemeral",
            "--skip-git-repo-check",
        ];
        let summary = request.reasoning.summary.as_deref().unwrap_or("none");
        let asked = [
            ("model_reasoning_effort", request.reasoning.effort.as_deref()),
            ("model_reasoning_summary", Some(summary)),
            ("model_verbosity", request.text.verbosity.as_deref()),
            ("service_tier", request.service_tier.as_deref()),
        ];
        let asked =
            asked.into_iter().filter_map(|(name, value)| Some(format!("{name}={:?}", value?)));
        let settings = ONLY_ANSWER.map(str::to_owned).into_iter().chain(asked);
        let mut arguments: Vec<String> = plain.map(str::to_owned).into();
        arguments.extend(
            settings.chain(self.config.clone()).flat_map(|setting| ["-c".to_owned(), setting]),
        );
        arguments.push(format!("--model={}", request.model));
        arguments.push("-".to_owned()); // The prompt is on the standard input.
        arguments
    }

    /// The arguments of a call that prints the catalogue of models.
    pub(super) fn models(&self) -> Vec<String> {
        let call = ["debug", "models"].map(str::to_owned);
        let settings = self.config.iter().flat_map(|setting| ["-c".to_owned(), setting.clone()]);
        call.into_iter().chain(settings).collect()
    }

    /// A call with these arguments, in `folder`.
    ///
    /// # Errors
    /// When the program is nowhere.
    pub(super) fn command(&self, arguments: &[String], folder: &TempDir) -> Result<Command, Error> {
        let mut command = Command::new(self.find()?);
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // The program of npm is a script that runs the real one, which must not outlive it.
        #[cfg(unix)]
        command.process_group(0);
        Ok(command)
    }
}

/// A name without a folder is looked for in `$PATH`.
fn candidates(name: &str, places: &Places) -> Vec<PathBuf> {
    let path = expand(Path::new(name), places);
    if path.components().count() > 1 {
        return vec![path];
    }
    let endings: &[&str] = if cfg!(windows) { &["", ".exe", ".cmd"] } else { &[""] };
    let folders = places.variables.get("PATH").unwrap_or_default();
    std::env::split_paths(folders)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{name}{ending}"))))
        .collect()
}
