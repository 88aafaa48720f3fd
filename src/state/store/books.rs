//! The books and the texts together, and who may touch them when.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Mutex as AsyncMutex, task::spawn_blocking};
use tracing::warn;

use super::{
    Error, Limits,
    age::Clock,
    content::Content,
    disk::{Disk, Engine, Snapshot},
    draft::Draft,
    ledger::Ledger,
    rows::Rows,
};

/// One writer at a time, from the room it makes to the entry; readers take the books for as long
/// as it takes to look something up, and never while a disk works.
pub(super) struct Books {
    open: Mutex<Open>,
    disk: Option<OnDisk>,
    clock: Clock,
}

struct Open {
    ledger: Ledger,
    texts: Texts,
}

enum Texts {
    Memory(HashMap<u64, Content>),
    /// As they are according to the ledger beside it.
    Disk(Snapshot),
}

struct OnDisk {
    writer: Arc<AsyncMutex<Disk>>,
    file: Arc<Path>,
}

impl Books {
    pub(super) fn memory(limits: Limits, clock: Clock) -> Self {
        let open = Open { ledger: Ledger::new(limits), texts: Texts::Memory(HashMap::new()) };
        Self { open: Mutex::new(open), disk: None, clock }
    }

    /// Opens a file, and lets go what has become too old or too much for it.
    pub(super) fn open(
        file: &Path,
        limits: Limits,
        clock: Clock,
        engine: Engine,
    ) -> Result<Self, Error> {
        let (mut disk, rows) = Disk::open(file, engine)?;
        let mut ledger = load(file, limits, rows)?;
        ledger.tick(&clock);
        ledger.expire();
        ledger.make_room(0, 0, &[])?;
        let change = ledger.take_unsaved();
        if !change.is_empty() {
            disk.commit(&change)?;
        }
        disk.trim(ledger.bytes)?;
        let open = Open { ledger, texts: Texts::Disk(disk.snapshot()?) };
        let disk = OnDisk { writer: Arc::new(AsyncMutex::new(disk)), file: file.into() };
        Ok(Self { open: Mutex::new(open), disk: Some(disk), clock })
    }

    /// The texts of the parts that `find` names, or `None` if it names none.
    pub(super) async fn read(
        self: &Arc<Self>,
        find: impl Fn(&mut Ledger) -> Option<Vec<u64>>,
    ) -> Result<Option<Vec<Content>>, Error> {
        let Some(disk) = &self.disk else {
            let mut open = self.books();
            open.ledger.tick(&self.clock);
            return Ok(find(&mut open.ledger).and_then(|parts| open.texts.get(&parts)));
        };
        match self.read_disk(disk, &find).await {
            Err(Error::Unusable { .. } | Error::Full { .. }) => {}
            done => return done,
        }
        // Whatever has failed, a commit perhaps, has closed the file for its readers too.
        let mut writer = Arc::clone(&disk.writer).lock_owned().await;
        let books = Arc::clone(self);
        blocking(&disk.file, move || books.heal(&mut writer)).await?;
        self.read_disk(disk, &find).await
    }

    async fn read_disk(
        &self,
        disk: &OnDisk,
        find: impl Fn(&mut Ledger) -> Option<Vec<u64>>,
    ) -> Result<Option<Vec<Content>>, Error> {
        let (parts, snapshot) = {
            let mut open = self.books();
            open.ledger.tick(&self.clock);
            let Some(parts) = find(&mut open.ledger) else { return Ok(None) };
            let Texts::Disk(snapshot) = &open.texts else { return Ok(None) };
            (parts, snapshot.clone())
        };
        let read = move || parts.into_iter().map(|part| snapshot.read(part)).collect();
        blocking(&disk.file, read).await.map(Some)
    }

    /// Changes the books, and keeps what `plan` has drafted; back when that is safe.
    ///
    /// On a disk the work goes on to its end even if the caller leaves, or the ledger would not
    /// know what is in the file. The next writer waits for that, which is the point of the lock.
    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        plan: impl FnOnce(&mut Ledger) -> Result<(Draft, T), Error> + Send + 'static,
    ) -> Result<T, Error> {
        let Some(disk) = &self.disk else { return self.write_memory(plan) };
        let mut writer = Arc::clone(&disk.writer).lock_owned().await;
        let books = Arc::clone(self);
        blocking(&disk.file, move || books.write_disk(&mut writer, plan)).await
    }

    fn write_memory<T>(
        &self,
        plan: impl FnOnce(&mut Ledger) -> Result<(Draft, T), Error>,
    ) -> Result<T, Error> {
        let mut open = self.books();
        let Open { ledger, texts } = &mut *open;
        ledger.tick(&self.clock);
        ledger.expire();
        let (mut draft, value) = match plan(ledger) {
            Ok((draft, value)) => (draft, Ok(value)),
            Err(error) => (Draft::default(), Err(error)),
        };
        let change = ledger.change(&mut draft);
        if let Texts::Memory(texts) = texts {
            for part in &change.gone {
                texts.remove(part);
            }
            texts.extend(change.parts.into_iter().map(|(number, _, content)| (number, content)));
        }
        ledger.keep(draft);
        value
    }

    fn write_disk<T>(
        &self,
        disk: &mut Disk,
        plan: impl FnOnce(&mut Ledger) -> Result<(Draft, T), Error>,
    ) -> Result<T, Error> {
        self.heal(disk)?;
        let (change, draft, value) = {
            let ledger = &mut self.books().ledger;
            ledger.tick(&self.clock);
            ledger.expire();
            let (mut draft, value) = plan(ledger)?;
            (ledger.change(&mut draft), draft, value)
        };
        if change.is_empty() {
            return Ok(value);
        }
        let snapshot = match disk.commit(&change) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // What the ledger took for done is as it was in the file.
                self.heal(disk).unwrap_or_else(|again| warn!("{again}"));
                return Err(error);
            }
        };
        let mut open = self.books();
        open.ledger.keep(draft);
        open.texts = Texts::Disk(snapshot);
        Ok(value)
    }

    /// Opens the file again if something has gone wrong with it, and the books with it.
    fn heal(&self, disk: &mut Disk) -> Result<(), Error> {
        if disk.is_sound() {
            return Ok(());
        }
        let rows = disk.reopen()?;
        let snapshot = disk.snapshot()?;
        let mut open = self.books();
        let mut ledger = load(&snapshot.file, open.ledger.limits, rows)?;
        ledger.resume(&open.ledger);
        *open = Open { ledger, texts: Texts::Disk(snapshot) };
        Ok(())
    }

    /// How many bytes and units there are, in books that agree with themselves.
    #[cfg(test)]
    pub(super) fn audit(&self) -> (usize, usize) {
        let ledger = &self.books().ledger;
        ledger.check();
        (ledger.bytes, ledger.units.len())
    }

    fn books(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Texts {
    fn get(&self, parts: &[u64]) -> Option<Vec<Content>> {
        match self {
            Self::Memory(texts) => parts.iter().map(|part| texts.get(part).cloned()).collect(),
            Self::Disk(_) => None,
        }
    }
}

fn load(file: &Path, limits: Limits, rows: Rows) -> Result<Ledger, Error> {
    Ledger::load(limits, rows).map_err(|why| Error::damaged(file, why))
}

/// Runs `work` where it may wait for a disk.
async fn blocking<T: Send + 'static>(
    file: &Path,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.unwrap_or_else(|stopped| {
        Err(if stopped.is_panic() {
            Error::damaged(file, "it makes no sense to the database")
        } else {
            Error::unusable(file, "codexway is stopping")
        })
    })
}
