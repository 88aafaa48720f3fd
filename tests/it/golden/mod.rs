//! Golden files: what is sent upstream for each request in `tests/fixtures/agents`, and what clients
//! are told of each stream in `tests/fixtures/upstream`. Each stands beside what it is made of.
//!
//! A changed translation fails here; `INSTA_UPDATE=always cargo nextest run -E 'test(golden)'`
//! writes it down, and the diff is then read like code.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// What real agents send, as it goes upstream.
mod requests;
/// JSON written to be read.
mod show;
/// What the upstream streams, as it comes to clients of both dialects.
mod streams;
/// That a stream adds up to what would have been told whole.
pub(crate) mod sums;

/// The files of a folder under `tests/fixtures` with that extension, in order.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// A file's name without its extension.
fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Compares each text with the snapshot of its name in the folder. All differences are shown, and
/// so is a snapshot that nothing is compared with.
#[track_caller]
fn compare(folder: &str, texts: &[(String, String)]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(folder),
    );
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut faults = BTreeSet::new();
    for (name, text) in texts {
        let compare = || settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
        if catch_unwind(AssertUnwindSafe(compare)).is_err() {
            faults.insert(format!("{name} has changed"));
        }
    }
    let known: BTreeSet<&String> = texts.iter().map(|(name, _)| name).collect();
    let left = files(folder, "snap").iter().map(|file| stem(file)).collect::<Vec<_>>();
    let orphans = left.iter().filter(|name| !known.contains(name));
    faults.extend(orphans.map(|name| format!("{name}.snap belongs to nothing")));
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "tests/fixtures/{folder}:\n{}", faults.join("\n"));
}
