#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
};

use pretty_assertions::assert_eq;

use super::*;

const FILE: &str = "CODEXWAY_TEST_STORE";
const SIGKILL: i32 = 9;

/// As much as makes room for the next again and again.
const SMALL: Limits = Limits { max_bytes: 1_000_000, max_age: DAY };

/// What the test below starts and kills: it tells of each change when that is safe.
#[tokio::test]
#[ignore = "it runs until it is killed; the next test starts it"]
async fn writer() {
    let file = PathBuf::from(std::env::var(FILE).unwrap());
    let store = Store::open(&file, SMALL).unwrap();
    let run = std::process::id();
    store.put_conversation(ME, conversation("c")).await.unwrap();
    println!();
    for n in 0.. {
        let id = format!("{run}-{n}");
        let said = Some(("c", vec![item(&id, "text")]));
        store.finish(ME, record(&id).large(n * 997 % 60_000), said).await.unwrap();
        println!("kept {id}");
        if n >= 3 {
            let gone = format!("{run}-{}", n - 3);
            store.delete(ME, &gone).await.unwrap();
            println!("gone {gone}");
        }
    }
}

#[tokio::test]
async fn what_was_said_to_be_kept_survives_a_kill() {
    let place = Place::new();
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "state::store::tests::crash::writer", "--ignored", "--nocapture"])
            .env(FILE, place.file())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        let mut read = |lines: &mut dyn Iterator<Item = String>| {
            for line in lines {
                match line.split_once(' ') {
                    Some(("kept", id)) => kept.push(id.to_owned()),
                    Some(("gone", id)) => gone.push(id.to_owned()),
                    _ => {}
                }
            }
        };
        read(&mut lines.by_ref().take(10 + round * 7));
        child.kill().unwrap();
        // By now it is in the middle of another change, and perhaps has told of some more.
        read(&mut lines);
        assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL));
        assert!(kept.len() > 3);

        let store = Store::open(&place.file(), SMALL).unwrap();
        let items = item_ids(&store, "c").await.unwrap();
        for id in &kept {
            assert!(items.contains(id), "{id} is not in the conversation");
        }
        // One older than these may have been deleted without a word.
        for id in kept.iter().rev().take(3) {
            assert!(has(&store, id).await, "{id} is lost");
        }
        for id in &gone {
            assert!(!has(&store, id).await, "{id} is back");
        }
    }
}
