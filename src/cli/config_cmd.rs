//! `codexway config`: the settings in force, and where each came from.

use std::path::PathBuf;

use anyhow::Context;

use super::{ConfigCommand, Environment, Failure, FileArg, account::block_on, demo::Demo};
use crate::{
    api::App,
    config::{self, Settings, Sources, Store},
};

pub(super) fn run(
    command: ConfigCommand,
    file: &FileArg,
    environment: &Environment,
) -> Result<(), Failure> {
    let sources = environment.sources(file, None);
    match command {
        ConfigCommand::Show { json: false } => out!("{}", config::load(&sources)?.show()),
        ConfigCommand::Show { json: true } => outln!("{:#}", config::load(&sources)?.show_json()),
        ConfigCommand::Check => {
            check(config::load(&sources)?.settings, environment)?;
            outln!("the settings are sound");
        }
        ConfigCommand::Path => outln!("{}", path(&sources)?.display()),
    }
    Ok(())
}

/// Makes of the settings what would serve them: they may name a file that is not there, or what
/// nothing can be connected to.
fn check(mut settings: Settings, environment: &Environment) -> Result<(), Failure> {
    settings.state.store = Store::Off; // A running server may hold the file.
    block_on(async {
        let (settings, _demo) = Demo::beside(settings).await?;
        App::new(settings, environment.surroundings()).map_err(anyhow::Error::from)?;
        Ok(())
    })
}

/// The file that is read, whatever is in it, or else the one that would be.
fn path(sources: &Sources) -> Result<PathBuf, Failure> {
    if let Some(file) = &sources.file {
        return Ok(file.clone());
    }
    let mut there = config::watched(sources).into_iter().filter(|file| file.exists());
    match (there.next(), there.next()) {
        (Some(file), None) => return Ok(file),
        (Some(first), Some(second)) => return Err(config::Error::TwoFiles { first, second }.into()),
        (None, _) => {}
    }
    let folder = sources.config_dir.as_deref();
    let folder = folder.context("there is no folder for settings; name a file with `--config`")?;
    Ok(config::default_file(folder))
}
