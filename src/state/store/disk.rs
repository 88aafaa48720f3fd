//! The file: four tables of a `redb` database.
//!
//! redb, and not SQLite: what is wanted here is a map that survives a kill in mid-write and gives
//! back the space of what is removed, and nothing has to be queried. redb is that in Rust alone,
//! where SQLite would bring a C library of megabytes and a language. Every commit is a new root
//! behind one fsync, so a reader keeps the tree it began with and never waits for a writer.
//!
//! What redb does not do is look at a page's checksum when it reads it, and it may panic over a
//! page that is no longer one. So every row has a checksum of its own, a clean file is read once
//! without a right to write before it is opened, and a panic in here is an error.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{
    Builder, Database, DatabaseError, ReadOnlyTable, ReadableDatabase, ReadableTable as _,
    ReadableTableMetadata as _, TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Error,
    age::Age,
    content::Content,
    file,
    rows::{Change, Rows},
};

/// Of the rows; another one is refused.
const FORMAT: u64 = 1;

pub(super) type Table = TableDefinition<'static, u64, &'static [u8]>;

pub(super) const META: Table = TableDefinition::new("codexway");
const UNITS: Table = TableDefinition::new("units");
const PARTS: Table = TableDefinition::new("parts");
const TEXTS: Table = TableDefinition::new("texts");

/// The rows of [`META`]. The first is what a later version reads to know that it can read this.
pub(super) const FORMAT_ROW: u64 = 0;
const AGE_ROW: u64 = 1;

/// The operating system caches the file as well.
const CACHE: usize = 4 * 1024 * 1024;

/// When it is opened, a file is made smaller if it is this many times what is in it, and this
/// large. While it is written it is two to three times as large: redb keeps a text in a block of
/// a power of two, and what one commit frees the next but one may use.
const SLACK: u64 = 6;
const SMALL: u64 = 8 * 1024 * 1024;

/// How a file becomes a database; tests have one that runs out of space.
pub(super) type Engine = Arc<dyn Fn(File) -> Result<Database, DatabaseError> + Send + Sync>;

/// The hand that writes. There is one.
pub(super) struct Disk {
    file: PathBuf,
    engine: Engine,
    /// Gone after a failure, since redb uses nothing again that has failed, and dropped then,
    /// which lets the lock go. It is opened again when it is wanted.
    database: Option<Database>,
}

/// The texts as they were after one commit. It stands in no writer's way, and none in its.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) file: Arc<Path>,
    texts: Arc<ReadOnlyTable<u64, &'static [u8]>>,
}

impl Disk {
    pub(super) fn engine() -> Engine {
        Arc::new(|file| Builder::new().set_cache_size(CACHE).create_file(file))
    }

    /// Opens the file, or makes it, and reads the books in it. The texts are not read.
    pub(super) fn open(file: &Path, engine: Engine) -> Result<(Self, Rows), Error> {
        if !file::exists(file)? {
            file::create(file, |new| begin(file, new))?;
        }
        let mut disk = Self { file: file.to_owned(), engine, database: None };
        let rows = disk.reopen()?;
        Ok((disk, rows))
    }

    /// Whether it can be written to, as far as can be told without writing.
    pub(super) fn is_sound(&self) -> bool {
        self.database.as_ref().is_some_and(|database| database.begin_write().is_ok())
    }

    /// Opens the file once more, and reads the books in it.
    pub(super) fn reopen(&mut self) -> Result<Rows, Error> {
        self.database = None; // First, for its lock.
        let opened = file::open(&self.file)?;
        let (database, rows) = contained(&self.file, || {
            if let Some(database) = read_only(&self.file)? {
                rows(&self.file, &database)?;
            }
            let database =
                (self.engine)(opened).map_err(|error| Error::database(&self.file, error))?;
            let rows = rows(&self.file, &database)?;
            Ok((database, rows))
        })?;
        self.database = Some(database);
        Ok(rows)
    }

    /// Makes the file smaller if that is worth it.
    pub(super) fn trim(&mut self, bytes: usize) -> Result<(), Error> {
        let length =
            std::fs::metadata(&self.file).map_err(|error| Error::io(&self.file, &error))?.len();
        if length < SMALL.max((bytes as u64).saturating_mul(SLACK)) {
            return Ok(());
        }
        self.run(|database| database.compact().map(drop).map_err(redb::Error::from))
    }

    /// Saves a change, and is back when it will survive whatever happens.
    pub(super) fn commit(&mut self, change: &Change) -> Result<Snapshot, Error> {
        self.run(|database| {
            let transaction = database.begin_write()?;
            write(&transaction, change)?;
            Ok(transaction.commit()?)
        })?;
        self.snapshot()
    }

    pub(super) fn snapshot(&mut self) -> Result<Snapshot, Error> {
        let file = Arc::from(self.file.as_path());
        let texts = self.run(|database| Ok(database.begin_read()?.open_table(TEXTS)?))?;
        Ok(Snapshot { file, texts: Arc::new(texts) })
    }

    /// Lends out the database, and has it back only if nothing has gone wrong.
    fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Database) -> Result<T, redb::Error>,
    ) -> Result<T, Error> {
        let mut database =
            self.database.take().ok_or_else(|| Error::unusable(&self.file, "it is closed"))?;
        let (database, done) = contained(&self.file, || {
            let done = work(&mut database).map_err(|error| Error::database(&self.file, error))?;
            Ok((database, done))
        })?;
        self.database = Some(database);
        Ok(done)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Closing looks at pages too, and what it stumbles over is told when they are read again.
        let database = self.database.take();
        let _ = contained(&self.file, || {
            drop(database);
            Ok(())
        });
    }
}

impl Snapshot {
    pub(super) fn read(&self, number: u64) -> Result<Content, Error> {
        contained(&self.file, || {
            let found =
                self.texts.get(number).map_err(|error| Error::database(&self.file, error))?;
            let row = found.ok_or_else(|| Error::damaged(&self.file, "a text is missing"))?;
            parse(&self.file, number, row.value())
        })
    }
}

/// Runs `work`, whose panics are about what it found in the file.
fn contained<T>(file: &Path, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Nothing that has been in a panic is used again: a database is dropped in here, and a snapshot
    // only reads.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::damaged(file, "it makes no sense to the database")))
}

/// The file without the right to change it, so that a damaged one is left as it is. A file that
/// was not closed has to be repaired first, which looks at every page.
fn read_only(file: &Path) -> Result<Option<redb::ReadOnlyDatabase>, Error> {
    match Builder::new().set_cache_size(CACHE).open_read_only(file) {
        Ok(database) => Ok(Some(database)),
        Err(DatabaseError::RepairAborted) => Ok(None),
        Err(error) => Err(Error::database(file, error)),
    }
}

/// Writes an empty store.
fn begin(file: &Path, new: File) -> Result<(), Error> {
    let fill = || {
        let database = Builder::new().set_cache_size(CACHE).create_file(new)?;
        let transaction = database.begin_write()?;
        let empty = Change { age: Age::default(), units: vec![], gone: vec![], parts: vec![] };
        write(&transaction, &empty)?;
        transaction.open_table(META)?.insert(FORMAT_ROW, &*row(FORMAT_ROW, &FORMAT))?;
        Ok(transaction.commit()?)
    };
    fill().map_err(|error: redb::Error| Error::database(file, error))
}

fn write(transaction: &WriteTransaction, change: &Change) -> Result<(), redb::Error> {
    let mut meta = transaction.open_table(META)?;
    let mut units = transaction.open_table(UNITS)?;
    let mut parts = transaction.open_table(PARTS)?;
    let mut texts = transaction.open_table(TEXTS)?;
    meta.insert(AGE_ROW, &*row(AGE_ROW, &change.age))?;
    for number in &change.gone {
        parts.remove(number)?;
        texts.remove(number)?;
    }
    for (number, unit) in &change.units {
        match unit {
            Some(unit) => units.insert(number, &*row(*number, unit))?,
            None => units.remove(number)?,
        };
    }
    for (number, part, text) in &change.parts {
        parts.insert(number, &*row(*number, part))?;
        texts.insert(number, &*row(*number, text))?;
    }
    Ok(())
}

/// Everything but the texts.
fn rows(file: &Path, database: &impl ReadableDatabase) -> Result<Rows, Error> {
    let failed = |error: redb::Error| Error::database(file, error);
    let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
    let open = |table| transaction.open_table(table).map_err(|error| failed(error.into()));
    let meta = open(META)?;
    let found: u64 = entry(file, &meta, FORMAT_ROW)?;
    if found != FORMAT {
        return Err(Error::Version { file: file.to_owned(), found });
    }
    let (age, units, parts) = (entry(file, &meta, AGE_ROW)?, open(UNITS)?, open(PARTS)?);
    Ok(Rows { age, units: entries(file, &units)?, parts: entries(file, &parts)? })
}

fn entry<T: DeserializeOwned>(
    file: &Path,
    table: &ReadOnlyTable<u64, &'static [u8]>,
    key: u64,
) -> Result<T, Error> {
    let found = table.get(key).map_err(|error| Error::database(file, error))?;
    let row = found.ok_or_else(|| Error::damaged(file, "it is not a store of codexway"))?;
    parse(file, key, row.value())
}

fn entries<T: DeserializeOwned>(
    file: &Path,
    table: &ReadOnlyTable<u64, &'static [u8]>,
) -> Result<Vec<(u64, T)>, Error> {
    let read = || {
        let mut rows = Vec::new();
        for row in table.iter()? {
            let (key, row) = row?;
            rows.push((key.value(), parse(file, key.value(), row.value())));
        }
        Ok((rows, table.len()?))
    };
    let (rows, length) = read().map_err(|error: redb::Error| Error::database(file, error))?;
    if rows.len() as u64 != length {
        return Err(Error::damaged(file, "entries are missing"));
    }
    rows.into_iter().map(|(key, row)| Ok((key, row?))).collect()
}

/// A checksum over the key and the JSON, then the JSON.
pub(super) fn row(key: u64, value: &impl Serialize) -> Vec<u8> {
    let mut row = vec![0; 4];
    serde_json::to_writer(&mut row, value).expect("plain data is written to memory");
    let sum = checksum(key, &row[4..]);
    row[..4].copy_from_slice(&sum);
    row
}

fn parse<T: for<'a> Deserialize<'a>>(file: &Path, key: u64, row: &[u8]) -> Result<T, Error> {
    match row.split_at_checked(4) {
        Some((sum, json)) if sum == checksum(key, json) => serde_json::from_slice(json)
            .map_err(|_| Error::damaged(file, "an entry cannot be read")),
        _ => Err(Error::damaged(file, "a checksum is wrong")),
    }
}

fn checksum(key: u64, json: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(&key.to_le_bytes());
    crc.update(json);
    crc.sum().to_le_bytes()
}
