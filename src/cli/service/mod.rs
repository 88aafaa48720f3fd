//! `codexway service`: codexway in the background, from login to logout, kept up by the system.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};

use super::{Environment, Failure, StartArgs, files, serve};

mod launchd;
mod mark;
mod plan;
mod status;
mod systemd;

use mark::Whose;
use plan::Plan;

#[derive(Debug, Args)]
pub(super) struct ServiceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run in the background from now on: now, and whenever you log in
    Install(StartArgs),
    /// Stop running in the background, and remove what `install` wrote
    Uninstall,
    /// Show whether it is installed and runs, since when, and where
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What runs programs in the background for a user.
trait Manager {
    fn name(&self) -> &'static str;

    /// The file that tells it of us.
    fn file(&self) -> &Path;

    /// What that file says.
    fn text(&self, plan: &Plan) -> String;

    /// A line that it does not read.
    fn comment(&self, text: &str) -> String;

    /// Has it read the file, and run what it says: now, and whenever the user logs in.
    fn start(&self) -> Result<(), Trouble>;

    /// Has it stop that, and not start it again.
    fn stop(&self) -> Result<(), Trouble>;

    /// Tells it that the file is gone.
    fn forget(&self) -> Result<(), Trouble>;

    fn state(&self) -> Result<State, Trouble>;

    /// What a person types to have it start.
    fn by_hand(&self) -> String;

    /// What else is good to know of one that was started.
    fn notes(&self) -> Vec<String>;
}

/// What the manager knows of us.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    /// Whether it starts when the user logs in.
    enabled: bool,
    running: bool,
    pid: Option<u32>,
    since: Option<jiff::Timestamp>,
}

/// Why a manager did not do what it was asked to.
#[derive(Debug)]
enum Trouble {
    /// Nobody can be asked: there is none, or none for this user.
    Absent(String),
    /// It was asked, and this is what it said.
    Failed(anyhow::Error),
}

pub(super) fn run(args: &ServiceArgs, environment: &Environment) -> Result<(), Failure> {
    let manager = manager(environment)?;
    match &args.command {
        Command::Install(args) => install(args, environment, &*manager),
        Command::Uninstall => uninstall(environment, &*manager),
        Command::Status { json } => status::run(*json, environment, &*manager),
    }
}

/// The one of this system.
fn manager(environment: &Environment) -> Result<Box<dyn Manager>, Failure> {
    if cfg!(target_os = "linux") {
        let folder = environment.config_dir.as_deref();
        let folder = folder.context("there is no home folder to put a unit into")?;
        return Ok(Box::new(systemd::Systemd::new(folder)));
    }
    if cfg!(target_os = "macos") {
        let home = environment.home.as_deref();
        let home = home.context("there is no home folder to put an agent into")?;
        return Ok(Box::new(launchd::Launchd::new(home)));
    }
    Err(Failure::Failed(anyhow!(
        "a service can be installed where there is systemd or launchd; hint: have this system run `codexway serve` when you log in"
    )))
}

/// The file in which the running service says where it is.
fn server_info(environment: &Environment) -> PathBuf {
    environment.data_dir.join("service.json")
}

fn install(
    args: &StartArgs,
    environment: &Environment,
    manager: &dyn Manager,
) -> Result<(), Failure> {
    // What would not start is told here, where somebody reads it.
    let settings = serve::settings(args, environment)?;
    let plan = Plan::new(args, &server_info(environment), &settings, environment)?;
    files::private_folder(&environment.data_dir)
        .with_context(|| format!("make {}", environment.data_dir.display()))?;

    put(manager, &plan)?;
    let left_out = plan::left_out(environment);
    if !left_out.is_empty() {
        errln!(
            "warning: {} set here, and the service will not have {}; hint: what is a setting belongs into the file of `codexway config path`",
            listed(&left_out),
            if left_out.len() == 1 { "it" } else { "them" }
        );
    }
    match manager.start() {
        Ok(()) => {
            errln!("codexway runs in the background now, and whenever you log in");
            errln!("hint: `codexway service status` shows how it does");
            manager.notes().iter().for_each(|note| errln!("hint: {note}"));
            Ok(())
        }
        Err(Trouble::Absent(why)) => {
            errln!("it is not started, because no {} answers here: {why}", manager.name());
            errln!("hint: where one does, run `{}`", manager.by_hand());
            Ok(())
        }
        Err(Trouble::Failed(error)) => Err(Failure::Failed(
            error.context(format!("the service is written, but {} failed", manager.name())),
        )),
    }
}

/// Writes the manager's file; one that somebody else has written or changed is put by.
fn put(manager: &dyn Manager, plan: &Plan) -> anyhow::Result<()> {
    let file = manager.file();
    let new = mark::marked(&manager.text(plan), |text| manager.comment(text));
    if let Some(old) = read(file)?
        && old != new
        && mark::whose(&old) != Whose::Ours
    {
        let kept = files::put_by(file, "before-codexway")?;
        errln!("{} was there already, and is kept as {}", file.display(), kept.display());
    }
    files::replace(file, &new, false).with_context(|| format!("write {}", file.display()))?;
    errln!("wrote {}", file.display());
    Ok(())
}

fn uninstall(environment: &Environment, manager: &dyn Manager) -> Result<(), Failure> {
    let file = manager.file();
    let Some(text) = read(file)? else {
        errln!("no service of codexway's is installed");
        return Ok(());
    };
    let whose = mark::whose(&text);
    if whose == Whose::Others {
        return Err(Failure::Failed(anyhow!(
            "{} was not written by `codexway service install`, and is left as it is",
            file.display()
        )));
    }
    match manager.stop() {
        Ok(()) => {}
        Err(Trouble::Absent(why)) => {
            errln!("no {} answers here, so nothing is stopped: {why}", manager.name());
        }
        Err(Trouble::Failed(error)) => {
            let told = format!("the service is left as it is, because {} failed", manager.name());
            return Err(Failure::Failed(error.context(told)));
        }
    }
    if whose == Whose::OursChanged {
        let kept = files::put_by(file, "with-changes")?;
        errln!("it had been changed; what it was is kept as {}", kept.display());
    }
    for file in [file, &server_info(environment)] {
        match fs::remove_file(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => {
                removed.with_context(|| format!("remove {}", file.display()))?;
                errln!("removed {}", file.display());
            }
        }
    }
    match manager.forget() {
        Err(Trouble::Failed(error)) => Err(Failure::Failed(error)),
        Ok(()) | Err(Trouble::Absent(_)) => Ok(()),
    }
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| format!("read {}", file.display())),
    }
}

/// `A is`, `A and B are`, `A, B and C are`
fn listed(names: &[String]) -> String {
    match names {
        [name] => format!("{name} is"),
        [names @ .., last] => format!("{} and {last} are", names.join(", ")),
        [] => String::new(),
    }
}

/// Runs a program, and reads what it prints; what it says where it fails is the error.
fn ask(command: &mut std::process::Command) -> Result<String, Trouble> {
    let what = format!("{:?}", command.get_program()).replace('"', "");
    let output =
        command.env("LC_ALL", "C").env("TZ", "UTC").output().map_err(|error| {
            match error.kind() {
                ErrorKind::NotFound => Trouble::Absent(format!("there is no `{what}`")),
                _ => Trouble::Failed(anyhow!(error).context(format!("run `{what}`"))),
            }
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = match said.trim() {
        "" => format!("it ended with {}", output.status),
        said => said.to_owned(),
    };
    let typed: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    Err(Trouble::Failed(anyhow!("`{what} {}`: {said}", typed.join(" "))))
}
