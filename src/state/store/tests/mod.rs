//! The same stories in memory and on a disk; then what only a disk can tell.
#![expect(clippy::disallowed_macros, reason = "a test may panic")]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Conversation, Error, Limits, Record, Store,
    age::Clock,
    books::Books,
    content::Content,
    disk::{Disk, Engine},
};
use crate::protocol::{Item, raw};

mod agree;
mod conversations;
mod crash;
mod damage;
mod disk;
mod limits;
mod responses;

const ME: &str = "codex/default";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AMPLE: Limits = Limits { max_bytes: 1 << 30, max_age: DAY };

/// The clock on the wall, which only a test moves.
#[derive(Clone)]
struct Wall(Arc<AtomicU64>);

impl Wall {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000)))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }

    fn set(&self, seconds: u64) -> u64 {
        self.0.swap(seconds, Ordering::Relaxed)
    }

    fn clock(&self) -> Clock {
        let Self(seconds) = self.clone();
        Box::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed)))
    }
}

/// A file that can be opened again.
struct Place {
    folder: TempDir,
    wall: Wall,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), wall: Wall::new() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("inner/store.redb")
    }

    fn open(&self, limits: Limits) -> Result<Store, Error> {
        self.open_with(limits, Disk::engine())
    }

    fn open_with(&self, limits: Limits, engine: Engine) -> Result<Store, Error> {
        open(&self.file(), limits, &self.wall, engine)
    }
}

fn open(file: &Path, limits: Limits, wall: &Wall, engine: Engine) -> Result<Store, Error> {
    Ok(Store(Arc::new(Books::open(file, limits, wall.clock(), engine)?)))
}

/// Tells a story twice, to a store in memory and to one on a disk.
async fn everywhere(limits: Limits, story: impl AsyncFn(&Store, &Wall)) {
    eprintln!("in memory");
    let wall = Wall::new();
    story(&Store(Arc::new(Books::memory(limits, wall.clock()))), &wall).await;
    eprintln!("on a disk");
    let place = Place::new();
    story(&place.open(limits).unwrap(), &place.wall).await;
}

/// A response with an item `ID_in` and an item `ID_out`.
fn record(id: &str) -> Record {
    Record {
        id: id.to_owned(),
        object: raw(&json!({"id": id, "object": "response"})),
        input: vec![item(&format!("{id}_in"), "question")],
        output: vec![item(&format!("{id}_out"), "answer")],
        previous: None,
        running: false,
    }
}

impl Record {
    fn after(self, previous: &str) -> Self {
        Self { previous: Some(previous.to_owned()), ..self }
    }

    fn running(self) -> Self {
        Self { running: true, ..self }
    }

    /// With so many bytes more.
    fn large(mut self, bytes: usize) -> Self {
        self.output.push(item(&format!("{}_large", self.id), &"x".repeat(bytes)));
        self
    }

    fn cost(&self) -> usize {
        Content::Response(Arc::new(self.clone())).bytes()
    }
}

fn item(id: &str, text: &str) -> Item {
    Item::new(&json!({"id": id, "type": "message", "content": text}))
}

fn conversation(id: &str) -> Conversation {
    Conversation { id: id.to_owned(), created_at: 1_800_000_000, metadata: raw(&json!({})) }
}

/// Room for so many records of [`record`], with ids of one letter.
fn room_for(records: usize) -> Limits {
    Limits { max_bytes: record("a").cost() * records, ..AMPLE }
}

async fn put(store: &Store, record: Record) {
    store.put(ME, record).await.unwrap();
}

async fn has(store: &Store, id: &str) -> bool {
    store.record(ME, id).await.unwrap().is_some()
}

/// Which of the ids are there. Looking for one uses it.
async fn those_there(store: &Store, ids: &str) -> String {
    let mut there = String::new();
    for id in ids.chars() {
        if has(store, &id.to_string()).await {
            there.push(id);
        }
    }
    there
}

/// The ids of a chain in their order.
async fn chain(store: &Store, id: &str) -> Option<Vec<String>> {
    let chain = store.chain(ME, id).await.unwrap()?;
    Some(chain.iter().map(|record| record.id.clone()).collect())
}

async fn item_text(store: &Store, id: &str) -> Option<Value> {
    let item = store.item(ME, id).await.unwrap()?;
    Some(serde_json::from_str::<Value>(item.json().get()).unwrap()["content"].clone())
}

async fn item_ids(store: &Store, conversation: &str) -> Option<Vec<String>> {
    let items = store.items(ME, conversation).await.unwrap()?;
    Some(items.iter().map(|item| item.head().id.unwrap().into_owned()).collect())
}
