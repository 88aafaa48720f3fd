//! Writing into files that are not ours alone: whole or not at all, with what was there put by.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// The SHA-256 of a text, in hexadecimal digits.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies a file, with its permissions, to a name beside it that is free.
pub(super) fn put_by(file: &Path, word: &str) -> anyhow::Result<PathBuf> {
    let name = |n: usize| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{word}"));
        if n > 0 {
            name.push(format!(".{n}"));
        }
        PathBuf::from(name)
    };
    let free = (0..).map(name).find(|copy| !copy.exists()).unwrap_or_else(|| name(0));
    fs::copy(file, &free)
        .with_context(|| format!("copy {} to {}", file.display(), free.display()))?;
    Ok(free)
}

/// Replaces a file whole, keeping its permissions; what holds a secret is its owner's alone.
pub(super) fn replace(file: &Path, text: &str, secret: bool) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Its mode is 0600 from the beginning.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    if !secret {
        match fs::metadata(file) {
            Ok(old) => new.as_file().set_permissions(old.permissions())?,
            Err(_) => open_to_read(new.as_file())?,
        }
    }
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a folder, and those above it, for its owner's eyes alone.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.create(folder)
}

/// As files of settings usually are.
#[cfg(unix)]
fn open_to_read(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_read(_file: &fs::File) -> io::Result<()> {
    Ok(())
}
