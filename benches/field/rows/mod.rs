//! What is measured: a file a question.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    backend::Manner,
    client::{Client, Seen, Target},
    events,
    process::Process,
    stage::{self, Stage},
};

mod conversation;
mod latency;
mod memory;
mod soak;
mod start;
mod streams;

pub(crate) use conversation::conversation;
pub(crate) use latency::{large, latency};
pub(crate) use memory::{memory, slow_readers};
pub(crate) use soak::soak;
pub(crate) use start::start;
pub(crate) use streams::{paced, saturated};

/// The two that are compared, warm.
struct Pair {
    pass: Process,
    codexway: Process,
}

impl Pair {
    async fn start(stage: &Stage) -> Self {
        stage.backend.answers(Manner::Whole(events::answer(8)));
        let (pass, codexway) = (stage.pass_through(), stage.codexway(&[]));
        stage::first_turn(&stage::through(pass.address, &stage::small_chat())).await;
        stage::first_turn(&stage::chat(codexway.address, &stage::small_chat())).await;
        Self { pass, codexway }
    }
}

/// Clients of one target that keep their connections.
struct Crowd {
    target: Target,
    clients: Vec<Client>,
}

/// What a crowd saw in the time that it was given.
struct Block {
    turns: Vec<Seen>,
    /// What the process in between took.
    cpu: Duration,
}

impl Crowd {
    async fn gather(target: Target, n: usize) -> Self {
        let mut clients = Vec::with_capacity(n);
        for _ in 0..n {
            clients.push(Client::connect(&target).await);
        }
        Self { target, clients }
    }

    /// Each asks again as soon as it is answered, for `time`. `process` is what to look at.
    async fn ask(&mut self, time: Duration, process: Option<&Process>) -> Block {
        let cpu = || process.map_or(Duration::ZERO, Process::cpu);
        let before = cpu();
        let until = Instant::now() + time;
        let target = &self.target;
        let asking: FuturesUnordered<_> = self
            .clients
            .iter_mut()
            .map(|client| async move {
                let mut turns = Vec::new();
                while Instant::now() < until {
                    turns.push(client.turn(target).await);
                }
                turns
            })
            .collect();
        let turns = asking.collect::<Vec<_>>().await.into_iter().flatten().collect();
        Block { turns, cpu: cpu().saturating_sub(before) }
    }
}

impl Block {
    /// The median of the times to the first content, in microseconds.
    fn content(&self) -> f64 {
        super::report::median(
            self.turns.iter().map(|seen| super::report::micros(seen.content)).collect(),
        )
    }

    /// In microseconds.
    fn cpu_per_turn(&self) -> f64 {
        super::report::micros(self.cpu) / self.turns.len() as f64
    }
}
