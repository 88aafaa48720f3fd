//! `codexway man`: manual pages, for whoever packs the program.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use super::{Cli, Failure};

/// Writes a page for each command into `dir`, or that of codexway itself to stdout.
pub(super) fn run(dir: Option<&Path>) -> Result<(), Failure> {
    let command = Cli::command();
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        let written = clap_mangen::generate_to(command, dir);
        return Ok(written.with_context(|| format!("write into {}", dir.display()))?);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("write the page")?;
    out!("{}", String::from_utf8_lossy(&page));
    Ok(())
}
