//! The file of a store as the file system sees it: who may read it, and that it is no link.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
};

use tracing::debug;

use super::Error;

/// Whether there is a file of that name; a link, or a folder, is neither a file nor nothing.
pub(super) fn exists(file: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(file) {
        Ok(metadata) => check_kind(file, &metadata).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(file, &error)),
    }
}

/// Opens a file that is there, to be read and written, and takes it away from everybody else.
pub(super) fn open(file: &Path) -> Result<File, Error> {
    let failed = |error: io::Error| Error::io(file, &error);
    exists(file)?;
    let opened = OpenOptions::new().read(true).write(true).open(file).map_err(failed)?;
    let (named, behind) =
        (fs::symlink_metadata(file).map_err(failed)?, opened.metadata().map_err(failed)?);
    check_kind(file, &named)?;
    if !is_same(&named, &behind) {
        return Err(Error::unusable(file, "it was replaced while it was being opened"));
    }
    if behind.len() == 0 {
        // The database would take it for a new one and write over it.
        return Err(Error::damaged(file, "it is empty"));
    }
    restrict(&opened, &behind)
        .unwrap_or_else(|error| debug!(%error, "`{}` keeps its mode", file.display()));
    Ok(opened)
}

/// Makes a file that `fill` has filled, whole or not at all, unless there is one by then.
pub(super) fn create(
    file: &Path,
    fill: impl FnOnce(File) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |error: io::Error| Error::io(file, &error);
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    make_folder(folder).map_err(failed)?;
    let new = tempfile::Builder::new().prefix(".store-").tempfile_in(folder).map_err(failed)?; // mode 0600
    fill(new.reopen().map_err(failed)?)?;
    new.as_file().sync_all().map_err(failed)?;
    match new.persist_noclobber(file) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => {
            return Err(failed(error.error));
        }
        Ok(_) | Err(_) => {}
    }
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(())
}

fn check_kind(file: &Path, metadata: &Metadata) -> Result<(), Error> {
    if metadata.is_symlink() {
        return Err(Error::unusable(file, "it is a symbolic link, which is not followed"));
    }
    if !metadata.is_file() {
        return Err(Error::unusable(file, "it is not a regular file"));
    }
    Ok(())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn restrict(file: &File, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_file: &File, _metadata: &Metadata) -> io::Result<()> {
    Ok(())
}
