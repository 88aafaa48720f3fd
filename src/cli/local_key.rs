//! A local key of codexway's own making, for where nobody has made one: a container's first run.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::Path,
};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretString;
use uuid::Uuid;

use super::{StartArgs, files};
use crate::config::{Key, Settings};

/// Adds the key of `--key-file` to settings that have none of their own.
///
/// # Errors
/// When it can be neither read nor made.
pub(super) fn add(settings: &mut Settings, args: &StartArgs) -> anyhow::Result<()> {
    if let Some(file) = args.key_file.as_deref().filter(|_| settings.server.keys.is_empty()) {
        let key = read_or_make(file).with_context(|| {
            format!("the local key in `{}` can be neither read nor made", file.display())
        })?;
        settings.server.keys.push(Key { name: "local".to_owned(), key, profile: None });
    }
    Ok(())
}

fn read_or_make(file: &Path) -> anyhow::Result<SecretString> {
    if let Some(key) = read(file)? {
        return Ok(key);
    }
    let key = make();
    if write(file, &key)? {
        // The one time that it is shown: whoever starts the server is to have it.
        errln!("made a local key, and kept it in `{}`: {key}", file.display());
    }
    read(file)?.context("it has gone again")
}

/// The key that a server has kept in the file of its `--key-file`, if one has.
///
/// # Errors
/// When it cannot be read, or is empty.
pub(super) fn read(file: &Path) -> anyhow::Result<Option<SecretString>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "the file is empty");
    Ok(Some(text.into()))
}

/// 244 random bits, in letters that need no quoting.
fn make() -> String {
    let bytes = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    format!("cw-{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Writes the key, whole or not at all; `false` where another process was first, whose key it is.
fn write(file: &Path, key: &str) -> io::Result<bool> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    files::private_folder(folder)?;
    // Its mode is 0600 from the beginning.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(new, "{key}")?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}
