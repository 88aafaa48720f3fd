use std::{
    fs,
    io::{self, ErrorKind},
    sync::atomic::AtomicBool,
};

use futures_util::FutureExt as _;
use pretty_assertions::assert_eq;
use redb::{Builder, StorageBackend, backends::FileBackend};

use super::*;

#[tokio::test]
async fn all_is_there_again_when_the_file_is_opened_again() {
    let place = Place::new();
    let store = place.open(AMPLE).unwrap();
    put(&store, record("a").large(70_000)).await;
    put(&store, record("b").after("a")).await;
    put(&store, record("x")).await;
    store.delete(ME, "a").await.unwrap();
    store.delete(ME, "x").await.unwrap();
    store.put_conversation(ME, conversation("c")).await.unwrap();
    let items = ["i", "j", "k"].map(|id| item(id, "text")).to_vec();
    store.add_items(ME, "c", items).await.unwrap();
    store.delete_item(ME, "c", "j").await.unwrap();
    drop(store);
    let store = place.open(AMPLE).unwrap();
    assert_eq!(chain(&store, "b").await.unwrap(), ["a", "b"]);
    assert_eq!(those_there(&store, "abx").await, "b");
    assert_eq!(item_text(&store, "b_in").await, Some("question".into()));
    assert_eq!(item_text(&store, "a_in").await, None);
    assert!(store.conversation(ME, "c").await.unwrap().is_some());
    store.add_items(ME, "c", vec![item("l", "text")]).await.unwrap();
    assert_eq!(item_ids(&store, "c").await.unwrap(), ["i", "k", "l"]);
    // The last that built on `a` takes it along, here too.
    store.delete(ME, "b").await.unwrap();
    put(&store, record("d").after("a")).await;
    assert_eq!(chain(&store, "d").await, None);
}

#[tokio::test]
async fn limits_hold_when_the_file_is_opened_again() {
    let place = Place::new();
    let store = place.open(room_for(6)).unwrap();
    for id in ["a", "b", "c", "d", "e"] {
        put(&store, record(id)).await;
    }
    assert!(has(&store, "a").await);
    put(&store, record("f")).await; // Takes the note of that look along.
    drop(store);
    let store = place.open(room_for(3)).unwrap();
    drop(store);
    let store = place.open(room_for(6)).unwrap();
    assert_eq!(those_there(&store, "abcdef").await, "aef");
    place.wall.advance(DAY / 2);
    put(&store, record("g")).await;
    drop(store);
    place.wall.advance(DAY / 2);
    let store = place.open(room_for(6)).unwrap();
    assert_eq!(those_there(&store, "aefg").await, "g");
}

#[tokio::test]
async fn a_clock_that_went_back_while_nobody_looked_loses_nothing_and_keeps_nothing_for_ever() {
    let place = Place::new();
    put(&place.open(AMPLE).unwrap(), record("a")).await;
    place.wall.set(0);
    let store = place.open(AMPLE).unwrap();
    assert!(has(&store, "a").await);
    put(&store, record("b")).await;
    place.wall.advance(DAY);
    assert_eq!(those_there(&store, "ab").await, "");
}

#[tokio::test]
async fn a_response_that_ran_when_its_process_ended_is_stranded_until_it_is_put_again() {
    let place = Place::new();
    let store = place.open(AMPLE).unwrap();
    put(&store, record("a").running()).await;
    put(&store, record("b").running()).await;
    put(&store, record("c")).await;
    assert!(store.stranded(ME).await.unwrap().is_empty());
    drop(store);
    let store = place.open(AMPLE).unwrap();
    put(&store, record("d").running()).await;
    assert!(store.stranded("codex/other").await.unwrap().is_empty());
    let mut stranded = store.stranded(ME).await.unwrap();
    stranded.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(stranded.iter().map(|record| &*record.id).collect::<Vec<_>>(), ["a", "b"]);
    put(&store, Record { running: false, ..(*stranded[0]).clone() }).await;
    drop(store);
    let store = place.open(AMPLE).unwrap();
    let mut stranded: Vec<_> =
        store.stranded(ME).await.unwrap().iter().map(|record| record.id.clone()).collect();
    stranded.sort();
    assert_eq!(stranded, ["b", "d"]);
    // Nobody will end them, so they do not live for ever.
    place.wall.advance(DAY);
    put(&store, record("e")).await;
    assert!(store.stranded(ME).await.unwrap().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = Place::new();
    drop(place.open(AMPLE).unwrap());
    assert_eq!(mode(place.file().parent().unwrap()), 0o700);
    assert_eq!(mode(&place.file()), 0o600);
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o644)).unwrap();
    drop(place.open(AMPLE).unwrap());
    assert_eq!(mode(&place.file()), 0o600);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let place = Place::new();
    let target = place.folder.path().join("target");
    fs::create_dir(place.file().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&target, place.file()).unwrap();
    let error = place.open(AMPLE).unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
    assert!(!target.exists());
    drop(open(&target, AMPLE, &place.wall, Disk::engine()).unwrap());
    let error = place.open(AMPLE).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
}

#[test]
fn what_is_no_file_is_refused_by_name() {
    let place = Place::new();
    fs::create_dir_all(place.file()).unwrap();
    let error = place.open(AMPLE).unwrap_err().to_string();
    assert!(
        error.contains(&*place.file().to_string_lossy()) && error.contains("regular"),
        "{error}"
    );
    let below = place.folder.path().join("file/store.redb");
    fs::write(place.folder.path().join("file"), "text").unwrap();
    let error = open(&below, AMPLE, &place.wall, Disk::engine()).unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
}

#[tokio::test]
async fn two_do_not_open_one_file() {
    let place = Place::new();
    let first = place.open(AMPLE).unwrap();
    put(&first, record("a")).await;
    assert_eq!(place.open(AMPLE).unwrap_err(), Error::Locked { file: place.file() });
    put(&first, record("b")).await;
    drop(first);
    assert_eq!(those_there(&place.open(AMPLE).unwrap(), "ab").await, "ab");
}

#[tokio::test]
async fn a_change_is_made_even_if_its_caller_leaves() {
    let place = Place::new();
    let store = place.open(AMPLE).unwrap();
    assert!(store.put(ME, record("a")).now_or_never().is_none());
    put(&store, record("b").after("a")).await;
    assert_eq!(chain(&store, "b").await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn space_is_used_again() {
    let limits = Limits { max_bytes: 1_000_000, ..AMPLE };
    let place = Place::new();
    let store = place.open(limits).unwrap();
    let mut largest = 0;
    for n in 0..500_usize {
        put(&store, record(&n.to_string()).large(n.wrapping_mul(7919) % 80_000)).await;
        largest = largest.max(fs::metadata(place.file()).unwrap().len());
    }
    assert!(largest < 4 * limits.max_bytes as u64, "{largest}");
    drop(store);
    let store = place.open(limits).unwrap();
    assert!(has(&store, "499").await && !has(&store, "0").await);
}

#[tokio::test]
async fn a_file_gets_smaller_when_little_is_left_in_it() {
    let place = Place::new();
    let store = place.open(AMPLE).unwrap();
    for n in 0..10 {
        put(&store, record(&n.to_string()).large(700_000)).await;
    }
    let full = fs::metadata(place.file()).unwrap().len();
    drop(store);
    drop(place.open(room_for(2)).unwrap());
    let empty = fs::metadata(place.file()).unwrap().len();
    assert!(empty < full / 5, "{empty} of {full}");
}

/// A disk that a test can stop.
#[derive(Clone, Debug, Default)]
struct Faults {
    is_full: Arc<AtomicBool>,
    is_unreadable: Arc<AtomicBool>,
    /// While somebody holds it, nothing gets to the disk.
    flush: Arc<std::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Backend(FileBackend, Faults);

impl Faults {
    fn engine(&self) -> Engine {
        let faults = self.clone();
        Arc::new(move |file| {
            let backend = Backend(FileBackend::new(file)?, faults.clone());
            Builder::new().set_cache_size(0).create_with_backend(backend)
        })
    }

    fn check(&self) -> io::Result<()> {
        let is_full = self.is_full.load(Ordering::Relaxed);
        if is_full { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.1.is_unreadable.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.1.check()?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let _flush = self.1.flush.lock().unwrap();
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.1.check()?;
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}

/// A store with a response `a` that its database does not hold in memory, and one that runs.
async fn opened_cold(place: &Place, faults: &Faults) -> Store {
    let store = place.open(AMPLE).unwrap();
    put(&store, record("a").large(50_000)).await;
    put(&store, record("c").large(50_000)).await;
    drop(store);
    let store = place.open_with(AMPLE, faults.engine()).unwrap();
    put(&store, record("r").running()).await;
    store
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_works_again_when_it_is_not() {
    let place = Place::new();
    let faults = Faults::default();
    let store = opened_cold(&place, &faults).await;
    faults.is_full.store(true, Ordering::Relaxed);
    let full = Error::Full { file: place.file() };
    assert_eq!(store.put(ME, record("b")).await.unwrap_err(), full);
    assert_eq!(store.delete(ME, "a").await.unwrap_err(), full);
    assert_eq!(store.record(ME, "a").await.unwrap_err(), full);
    faults.is_full.store(false, Ordering::Relaxed);
    // A reader finds it well again, and so does a writer.
    assert_eq!(those_there(&store, "abr").await, "ar");
    put(&store, record("b").after("a")).await;
    assert_eq!(chain(&store, "b").await.unwrap(), ["a", "b"]);
    assert!(store.stranded(ME).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_disk_that_could_not_be_read_for_a_moment_is_read_again() {
    let place = Place::new();
    let faults = Faults::default();
    let store = opened_cold(&place, &faults).await;
    faults.is_unreadable.store(true, Ordering::Relaxed);
    let error = store.record(ME, "a").await.unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
    faults.is_unreadable.store(false, Ordering::Relaxed);
    assert!(has(&store, "a").await);
    put(&store, record("b").after("a")).await;
    assert_eq!(chain(&store, "b").await.unwrap(), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[expect(clippy::await_holding_lock, reason = "what is awaited must not need it")]
async fn who_reads_does_not_wait_for_a_disk_that_writes() {
    let place = Place::new();
    let faults = Faults::default();
    let store = place.open_with(AMPLE, faults.engine()).unwrap();
    put(&store, record("a")).await;
    let disk = faults.flush.lock().unwrap();
    let mut writing = std::pin::pin!(store.put(ME, record("b")));
    assert!((&mut writing).now_or_never().is_none());
    assert_eq!(those_there(&store, "ab").await, "a");
    drop(disk);
    writing.await.unwrap();
    assert_eq!(those_there(&store, "ab").await, "ab");
}
