//! What everybody is told before the first login, and that they have been.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Environment, Failure, files, terminal};

const TEXT: &str = "\
Before the first login, please read this:

  codexway is an unofficial client of the ChatGPT Codex backend. OpenAI neither makes nor approves
  it, and may change or close what it relies on at any time.
  Log in with your own account, and use it yourself: no sharing, no reselling, no getting around
  the limits of a plan.
  Whether OpenAI's terms allow this for your account is for you to judge. You do it at your own
  risk, which goes as far as losing the account.
  The documented alternative is the OpenAI platform with an API key: `codexway login --api-key`.
";

/// Raised when the text says something new, so that it is shown again.
const VERSION: u64 = 1;

/// A yes, and the file that does not tell of it yet.
pub(super) struct Agreed(Option<PathBuf>);

/// Makes sure that the text has been read: now, before, or elsewhere, as `--yes` says.
pub(super) fn obtain(environment: &Environment, yes: bool) -> Result<Agreed, Failure> {
    let file = environment.data_dir.join("consent.json");
    if given(&file) {
        return Ok(Agreed(None));
    }
    if !yes {
        if !terminal::someone_is_there() {
            return Err(Failure::Usage(format!(
                "nobody has agreed yet to what a login means, and there is no terminal to ask on\n\n{TEXT}\nhint: if you agree, run the command again with `--yes`"
            )));
        }
        errln!("{TEXT}");
        if !terminal::confirms("Do you agree?")? {
            return Err(anyhow!("not agreed, so nothing was done").into());
        }
    }
    Ok(Agreed(Some(file)))
}

impl Agreed {
    /// Has nobody asked again.
    pub(super) fn remember(self) -> Result<(), Failure> {
        if let Some(file) = self.0 {
            write(&file).with_context(|| format!("write `{}`", file.display()))?;
        }
        Ok(())
    }
}

fn given(file: &Path) -> bool {
    let said: Value = fs::read(file)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    said["version"].as_u64() >= Some(VERSION)
}

fn write(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    // It is the first thing that makes the folder in which all is kept.
    files::private_folder(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(new, "{}", json!({ "version": VERSION, "agreed_at": Timestamp::now().to_string() }))?;
    new.persist(file)?;
    Ok(())
}
