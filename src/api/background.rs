//! Turns that go on without their client.
//!
//! The one kind of turn that has a task of its own: its client may leave and come back for it, so
//! there is nobody whose leaving could end it. The server waits for them as for all: they hold what
//! tells them that it stops.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::{
    App, Dialect, Error,
    app::Account,
    ops,
    prepare::Prepared,
    relay::{Company, fail, fault, side_by_side, step},
    stored::whole,
    turn::streamed,
};
use crate::{
    protocol::{Object, raw},
    state::Record,
    telemetry::TurnLog,
    upstream::Hold,
};

/// How many bytes of events of turns that have ended are held for who comes back late.
const MAX_ENDED: usize = 64 * 1024 * 1024;

/// The background turns of an account: those that run, and the latest that have ended.
#[derive(Default)]
pub(super) struct Background(Mutex<Turns>);

#[derive(Default)]
struct Turns {
    by_id: HashMap<String, Arc<Running>>,
    /// Those that have ended with the size of their events, oldest first.
    ended: VecDeque<(String, usize)>,
}

/// A background turn.
pub(super) struct Running {
    /// Each event as it is written to a client; its place is its sequence number.
    events: Mutex<Vec<Bytes>>,
    stage: watch::Sender<Stage>,
    cancel: Notify,
}

/// How far a background turn has come; every change of it, and every event, wakes who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Queued,
    InProgress,
    /// What it came to has been kept.
    Ended,
}

/// Why a turn has not begun, and its log, which has yet to say so.
pub(super) struct NotBegun {
    pub(super) error: Error,
    pub(super) log: TurnLog,
}

/// Begins a turn and answers at once: with the response as it is queued, or with its events.
///
/// # Errors
/// When it cannot be kept here, so that nobody could come back for it.
pub(super) async fn run<D: Dialect>(
    app: &App,
    mut prepared: Box<Prepared<D>>,
    company: Company,
) -> Result<Response, NotBegun> {
    let served = Arc::clone(&prepared.served);
    let queued = prepared.dialect.queued(&prepared.turn.request.model);
    let (Some(shelf), Some((record, events))) = (&served.state.shelf, queued) else {
        let error = Error::unsupported(
            "background",
            "Background responses cannot be had: nothing is kept here (`state.store` is \"off\").",
        );
        return Err(NotBegun { error, log: company.log });
    };
    let object = whole(&record, None, false);
    let running = Arc::new(Running::queued(events));
    let listed = Listed::new(&served.background, record.id.clone(), &running);
    let (shelf, keepalive) = (shelf.clone(), app.server().keepalive);
    let streams = prepared.dialect.streams();
    let begin = async move {
        if let Err(error) = shelf.put(record).await {
            listed.strike();
            return Err(NotBegun { error: error.into(), log: company.log });
        }
        let turn = to_its_end(prepared, company, listed, keepalive);
        #[expect(clippy::disallowed_methods, reason = "the server waits for it, `cancel` ends it")]
        tokio::spawn(turn);
        Ok(())
    };
    // What is kept as running has to run, even if the client leaves while it is being kept.
    #[expect(clippy::disallowed_methods, reason = "the server waits for it")]
    let begun = tokio::spawn(begin).await;
    match begun {
        Ok(begun) => begun?,
        Err(panicked) => resume_unwind(panicked.into_panic()),
    }
    Ok(match streams {
        true => streamed(Body::from_stream(follow(running, 0, keepalive))),
        false => ops::json(&object),
    })
}

/// Runs a turn until it is over, or somebody wants it ended.
async fn to_its_end<D: Dialect>(
    mut prepared: Box<Prepared<D>>,
    mut company: Company,
    listed: Listed,
    keepalive: Duration,
) {
    let running = &listed.running;
    let mut out = BytesMut::new();
    let well = tokio::select! {
        well = go_on(&mut prepared, &mut company, running, keepalive, &mut out) => well,
        () = running.cancel.notified() => {
            prepared.dialect.cancel(&mut out);
            company.log.failed(499, None, "the turn was cancelled");
            false
        }
    };
    company.keeper.ended(&mut prepared.dialect, well).await;
    running.push(&mut out);
}

/// Marks as failed the background responses of a process that ended while it ran them.
pub(super) async fn bury(account: &Account) {
    let Some(shelf) = &account.state.shelf else { return };
    let stranded = match shelf.stranded().await {
        Ok(stranded) => stranded,
        Err(error) => {
            tracing::error!("background responses cannot be looked for: {error}");
            return;
        }
    };
    for record in stranded {
        let mut object: Object<'_> = serde_json::from_str(record.object.get()).unwrap_or_default();
        object.set("status", raw("failed"));
        object.set(
            "error",
            raw(&serde_json::json!({
                "code": "server_error",
                "message": "codexway was stopped while this response was being made.",
            })),
        );
        let object = raw(&object);
        if let Err(error) = shelf.put(Record { object, running: false, ..(*record).clone() }).await
        {
            tracing::error!(response.id = record.id, "a response cannot be marked: {error}");
        }
    }
}

/// Runs the turn until everything has been said; whether it ended well. What is said last stays in
/// `out`, since it has to be kept before anybody hears it.
async fn go_on<D: Dialect>(
    prepared: &mut Prepared<D>,
    company: &mut Company,
    running: &Running,
    keepalive: Duration,
    out: &mut BytesMut,
) -> bool {
    let start =
        AssertUnwindSafe(prepared.start(Hold::Whole(keepalive), &mut company.log)).catch_unwind();
    match start.await.unwrap_or_else(|panic| Err(fault(&*panic))) {
        Ok(started) => {
            let mut events = side_by_side(started.events);
            running.stage.send_replace(Stage::InProgress);
            loop {
                let said = events.next().await;
                if let Some(well) = step(&mut prepared.dialect, said, out, company) {
                    return well;
                }
                running.push(out);
            }
        }
        Err(error) => {
            fail(&mut prepared.dialect, &D::told(error), out, &mut company.log);
            false
        }
    }
}

/// The events from that number on, those to come as they come.
pub(super) fn follow(
    running: Arc<Running>,
    from: usize,
    keepalive: Duration,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    async_stream::stream! {
        let mut changes = running.stage.subscribe();
        let mut at = from;
        loop {
            let ended = *changes.borrow_and_update() == Stage::Ended;
            let (next, events) = running.after(at);
            at = next;
            if !events.is_empty() {
                yield Ok(events);
            } else if ended {
                break;
            } else if timeout(keepalive, changes.changed()).await.is_err() {
                yield Ok(Bytes::from_static(b": keepalive\n\n"));
            }
        }
    }
}

impl Running {
    fn queued(events: Vec<Bytes>) -> Self {
        let (stage, cancel) = (watch::Sender::new(Stage::Queued), Notify::new());
        Self { events: Mutex::new(events), stage, cancel }
    }

    fn events(&self) -> MutexGuard<'_, Vec<Bytes>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, out: &mut BytesMut) {
        if !out.is_empty() {
            self.events().push(out.split().freeze());
            self.stage.send_modify(|_| {});
        }
    }

    /// The events from `at` on that there are, and the number of the first that there is not.
    fn after(&self, at: usize) -> (usize, Bytes) {
        let events = self.events();
        let new = events.get(at..).unwrap_or_default();
        (events.len().max(at), new.concat().into())
    }

    pub(super) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Ends the turn; resolves when what it came to has been kept.
    pub(super) async fn cancel(&self) {
        self.cancel.notify_one();
        self.ended().await;
    }

    async fn ended(&self) {
        // The sender lives as long as `self`, so this cannot fail before the stage is reached.
        let _ = self.stage.subscribe().wait_for(|stage| *stage == Stage::Ended).await;
    }
}

/// A turn in the list of its account. It has ended when this is dropped, so that nobody waits for a
/// turn that panics.
struct Listed {
    background: Arc<Background>,
    id: String,
    running: Arc<Running>,
}

impl Listed {
    fn new(background: &Arc<Background>, id: String, running: &Arc<Running>) -> Self {
        background.begin(&id, running);
        Self { background: Arc::clone(background), id, running: Arc::clone(running) }
    }

    /// Takes it from the list, since it has not begun and nobody has heard of it.
    fn strike(self) {
        let (background, id) = (Arc::clone(&self.background), self.id.clone());
        drop(self);
        background.forget(&id);
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.background.end(&self.id, &self.running);
        // Who waits for this may forget the turn at once, so it comes last.
        self.running.stage.send_replace(Stage::Ended);
    }
}

impl Background {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: &str, running: &Arc<Running>) {
        self.turns().by_id.insert(id.to_owned(), Arc::clone(running));
    }

    fn end(&self, id: &str, running: &Running) {
        let size = running.events().iter().map(Bytes::len).sum();
        let mut turns = self.turns();
        turns.ended.push_back((id.to_owned(), size));
        let mut held: usize = turns.ended.iter().map(|(_, size)| size).sum();
        while held > MAX_ENDED
            && let Some((id, size)) = turns.ended.pop_front()
        {
            turns.by_id.remove(&id);
            held -= size;
        }
    }

    /// The turn of that id, while it runs or its events are still held.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Running>> {
        self.turns().by_id.get(id).cloned()
    }

    /// Forgets the events of a turn that has ended.
    pub(super) fn forget(&self, id: &str) {
        let mut turns = self.turns();
        turns.by_id.remove(id);
        turns.ended.retain(|(ended, _)| ended != id);
    }
}

#[cfg(test)]
mod tests;
