use std::fs;

use pretty_assertions::assert_eq;
use redb::{Database, TableDefinition};

use super::{
    super::disk::{FORMAT_ROW, META, row},
    *,
};

/// Of the database.
const PAGE: usize = 4096;

/// A file that was closed in order, with a few responses in it.
async fn filled() -> Place {
    let place = Place::new();
    let store = place.open(AMPLE).unwrap();
    for id in ["a", "b", "c", "d"] {
        put(&store, record(id).large(3000)).await;
    }
    drop(store);
    place
}

/// Opens what is damaged, and expects the one error and the file as it was.
fn is_refused(place: &Place, damaged: &[u8]) -> String {
    fs::write(place.file(), damaged).unwrap();
    let error = place.open(AMPLE).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(&*place.file().to_string_lossy()), "{message}");
    assert!(message.contains("move it away"), "{message}");
    assert!(fs::read(place.file()).unwrap() == damaged, "the file was changed");
    message
}

#[tokio::test]
async fn what_was_never_a_store_is_refused_and_left_alone() {
    let place = filled().await;
    assert!(is_refused(&place, b"").contains("it is empty"));
    is_refused(&place, b"x");
    is_refused(&place, &b"dear diary\n".repeat(1000));
    is_refused(&place, &[0; 65536]);
    let other = place.folder.path().join("other");
    let database = Database::create(&other).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<&str, &str>::new("units")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    is_refused(&place, &fs::read(other).unwrap());
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_refused_and_left_alone() {
    let place = filled().await;
    let whole = fs::read(place.file()).unwrap();
    for length in [1, 100, 4095, 4096, 8192, whole.len() / 2, whole.len() - 1] {
        is_refused(&place, &whole[..length]);
    }
}

#[tokio::test]
async fn books_with_a_changed_byte_are_refused_and_left_alone() {
    let place = filled().await;
    let whole = fs::read(place.file()).unwrap();
    let known = b"\"standing\":\"kept\"";
    let at: Vec<usize> = memchr::memmem::find_iter(&whole, known).collect();
    assert!(at.len() >= 4);
    let mut damaged = whole;
    for at in at {
        damaged[at + known.len() - 2] ^= 1;
    }
    is_refused(&place, &damaged);
}

/// Whatever happens to the file, what is told is what was kept, or an error.
#[tokio::test]
async fn whatever_is_damaged_nothing_false_is_told() {
    let place = filled().await;
    let whole = fs::read(place.file()).unwrap();
    let pages: Vec<usize> =
        (0..whole.len()).step_by(PAGE).filter(|at| whole[*at..][..PAGE] != [0; PAGE]).collect();
    let expected = format!("{:?}", record("a").large(3000));
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut refused, mut told) = (0, 0);
    for round in 0..90 {
        let mut damaged = whole.clone();
        let page = pages[random(pages.len())];
        let at = page + random(PAGE);
        match round % 3 {
            0 => damaged[at] ^= 1 << random(8),
            1 => damaged[random(PAGE)] ^= 1 << random(8),
            _ => damaged[page..][..PAGE].fill(0x5a),
        }
        fs::write(place.file(), damaged).unwrap();
        let store = match place.open(AMPLE) {
            Ok(store) => store,
            Err(Error::Damaged { .. } | Error::Version { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        match store.record(ME, "a").await {
            Ok(found) => assert_eq!(format!("{:?}", found.unwrap()), expected),
            Err(Error::Damaged { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        match store.put(ME, record("e").after("a")).await {
            Ok(()) => told += 1,
            Err(Error::Damaged { .. } | Error::Unusable { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 10 && told > 10, "{refused} refused, {told} told");
}

#[tokio::test]
async fn a_file_of_another_version_is_refused_by_its_number() {
    let place = filled().await;
    let database = Database::create(place.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let later = row(FORMAT_ROW, &2);
    transaction.open_table(META).unwrap().insert(FORMAT_ROW, &*later).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let before = fs::read(place.file()).unwrap();
    let error = place.open(AMPLE).unwrap_err();
    assert_eq!(error, Error::Version { file: place.file(), found: 2 });
    assert!(fs::read(place.file()).unwrap() == before);
}
