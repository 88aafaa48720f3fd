use proptest::{collection::vec, prelude::*, sample::Index};

use super::check;
use crate::{golden::files, harness};

/// Files of that kind in which some bytes are others, and which may end early.
fn damaged(kept: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec((any::<Index>(), any::<u8>()), 0..6), any::<Index>()).prop_map(
        move |(which, changes, end)| {
            let mut file = which.get(&kept).clone();
            for (at, byte) in changes {
                let at = at.index(file.len());
                file[at] = byte;
            }
            file.truncate(end.index(3 * file.len()).min(file.len()));
            file
        },
    )
}

fn read(files: Vec<std::path::PathBuf>) -> Vec<Vec<u8>> {
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn any_settings_are_understood_or_refused_and_keys_are_not_shown() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/config/chat-clients.toml").into();
    let mut kept = read(vec![examples]);
    kept.push(
        b"[server]\nkeys = [\"sk-of-a-property-1\", { key = \"sk-of-a-property-2\" }]\n".to_vec(),
    );
    kept.push(b"server:\n  keys: [sk-of-a-property-1]\n  listen: 127.0.0.1:0\n".to_vec());
    check(100, &damaged(kept), |bytes| harness::config(&bytes));
}

#[test]
fn any_login_is_understood_or_refused_and_its_tokens_are_not_told() {
    check(200, &damaged(read(files("auth", "json"))), |bytes| harness::auth_json(&bytes));
}
