//! The commands: the only floor that knows every other, and the process around it.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{api::SetupError, auth, config, telemetry, upstream};

#[macro_use]
mod print;

mod account;
mod config_cmd;
mod connect;
mod consent;
mod demo;
mod doctor;
mod environment;
mod files;
mod health;
mod local_key;
mod login;
mod logout;
mod man;
mod models;
mod open;
mod reload;
mod serve;
mod service;
mod status;
mod terminal;

use environment::Environment;

/// Your own ChatGPT plan, or API key, as an OpenAI-compatible endpoint on localhost.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

impl Cli {
    /// What was typed, and what variables say beside it. Anything else ends the process.
    #[must_use]
    pub fn of_process() -> Self {
        let typed = environment::without_empty_variables(Self::command()).get_matches();
        Self::from_arg_matches(&typed).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until Ctrl-C or SIGTERM
    Serve(ServeArgs),
    /// Serve with a built-in simulator as upstream: no account, no network
    Demo(ServeArgs),
    /// Log an account in
    Login(login::LoginArgs),
    /// End an account's login, here and at the server
    Logout(logout::LogoutArgs),
    /// Show the accounts, what their plans have left, and the running server
    Status(status::StatusArgs),
    /// List what can be asked for
    Models(models::ModelsArgs),
    /// Show how to point a client here, or do it
    Connect(connect::ConnectArgs),
    /// Check everything that a turn needs, and run one
    Doctor(doctor::DoctorArgs),
    /// Show the settings in force, check them, or say where they are
    Config {
        #[command(subcommand)]
        command: Option<ConfigCommand>,
        #[command(flatten)]
        file: FileArg,
    },
    /// Ask a running server whether it is ready
    Health(health::HealthArgs),
    /// Run in the background: a systemd user unit, or a launch agent
    Service(service::ServiceArgs),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, or write one for each command into a folder
    #[command(hide = true)]
    Man {
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Whether the command itself tells whoever runs it all that a log would say.
    fn quiet(&self) -> bool {
        matches!(
            self,
            Self::Login(_)
                | Self::Logout(_)
                | Self::Status(_)
                | Self::Models(_)
                | Self::Connect(_)
                | Self::Doctor(_)
                | Self::Service(_)
        )
    }
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Every setting, its value and where it came from; secrets are masked
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Whether the settings are sound
    Check,
    /// Where the settings file is, or would be
    Path,
}

#[derive(Clone, Debug, Default, Args)]
struct FileArg {
    /// The settings file, instead of the usual one
    #[arg(long, value_name = "FILE", env = "CODEXWAY_CONFIG", global = true)]
    config: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
struct ServeArgs {
    #[command(flatten)]
    start: StartArgs,
    /// Write {"port","pid","url"} to this file once the server listens
    #[arg(long, value_name = "FILE")]
    server_info: Option<PathBuf>,
}

/// How a server is started, by hand or as a service.
#[derive(Clone, Debug, Default, Args)]
struct StartArgs {
    #[command(flatten)]
    file: FileArg,
    /// The profile that serves what names none
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Where no key is set, want the one in this file; it is made, and shown once, if it is not there
    #[arg(long, value_name = "FILE", env = "CODEXWAY_KEY_FILE")]
    key_file: Option<PathBuf>,
}

/// The exit codes of what did not succeed.
#[derive(Clone, Copy, Debug)]
enum Code {
    Failed = 1,
    Usage = 2,
    LoginNeeded = 3,
}

/// Why a command did not succeed, as its exit code tells it.
#[derive(Debug)]
enum Failure {
    /// 1
    Failed(anyhow::Error),
    /// 2: wrong usage, or settings that cannot be read or are not to be served.
    Usage(String),
    /// 3: somebody has to log in first.
    LoginNeeded(String),
    /// Any of them, where everything has been said on stdout.
    Told(Code),
}

impl From<auth::Error> for Failure {
    fn from(error: auth::Error) -> Self {
        if error.needs_login() {
            Self::LoginNeeded(error.to_string())
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<auth::login::Error> for Failure {
    fn from(error: auth::login::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Settings may be sound by themselves, and name what cannot be served.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let of_settings = match error.downcast_ref::<SetupError>() {
            Some(SetupError::Connect { .. } | SetupError::BasePrompt { .. }) => true,
            Some(SetupError::Store(_)) => false,
            None => error.is::<upstream::ConnectError>(),
        };
        match of_settings {
            true => Self::Usage(format!("{error:#}")),
            false => Self::Failed(error),
        }
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Runs a command; what went wrong is told on stderr.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let environment = Environment::of_process();
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    let filter = environment.var("RUST_LOG").or(command.quiet().then_some("error"));
    telemetry::init(filter, environment.colors());
    let done = match command {
        Command::Serve(args) => serve::run(&args, &environment),
        Command::Demo(args) => demo::run(&args, &environment),
        Command::Login(args) => login::run(&args, &environment),
        Command::Logout(args) => logout::run(&args, &environment),
        Command::Status(args) => status::run(&args, &environment),
        Command::Models(args) => models::run(&args, &environment),
        Command::Connect(args) => connect::run(&args, &environment),
        Command::Doctor(args) => doctor::run(&args, &environment),
        Command::Config { command, file } => config_cmd::run(
            command.unwrap_or(ConfigCommand::Show { json: false }),
            &file,
            &environment,
        ),
        Command::Health(args) => health::run(&args, &environment),
        Command::Service(args) => service::run(&args, &environment),
        Command::Completions { shell } => {
            let mut script = Vec::new(); // `generate` panics where it cannot write.
            clap_complete::generate(shell, &mut Cli::command(), "codexway", &mut script);
            out!("{}", String::from_utf8_lossy(&script));
            Ok(())
        }
        Command::Man { dir } => man::run(dir.as_deref()),
    };
    let code = match done {
        Ok(()) => None,
        Err(Failure::Failed(error)) => {
            errln!("error: {error:#}");
            Some(Code::Failed)
        }
        Err(Failure::Usage(error)) => {
            errln!("error: {error}");
            Some(Code::Usage)
        }
        Err(Failure::LoginNeeded(error)) => {
            errln!("error: {error}");
            Some(Code::LoginNeeded)
        }
        Err(Failure::Told(code)) => Some(code),
    };
    let code = match print::lost() {
        None => code,
        Some(error) => {
            errln!("error: not all of it could be printed: {error}");
            Some(Code::Failed)
        }
    };
    code.map_or(ExitCode::SUCCESS, |code| ExitCode::from(code as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
