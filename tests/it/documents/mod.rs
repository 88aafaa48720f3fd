//! That the documentation is true: every message has its remedy, and every command runs.

use std::{
    fs,
    path::{Path, PathBuf},
};

mod commands;
mod messages;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
