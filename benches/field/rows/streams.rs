//! What an event costs.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{Crowd, Pair};
use crate::{
    backend::Manner,
    client::Client,
    events,
    process::Process,
    report::{compared, median, micros},
    stage::{self, Stage},
};

/// Where the backend sends as fast as it is read.
pub(crate) async fn saturated(stage: &Stage) {
    const DELTAS: usize = 2000;
    const STREAMS: usize = 8;
    let pair = Pair::start(stage).await;
    stage.backend.answers(Manner::Whole(events::answer(DELTAS)));
    let (chat, responses) = (stage::small_chat(), stage::small_responses());
    let address = pair.codexway.address;
    let mut pass = Crowd::gather(stage::through(pair.pass.address, &chat), STREAMS).await;
    let mut by_dialect = [
        ("chat", "≤ 1.2", Crowd::gather(stage::chat(address, &chat), STREAMS).await, Vec::new()),
        (
            "responses",
            "≤ 0.5",
            Crowd::gather(stage::responses(address, &responses), STREAMS).await,
            Vec::new(),
        ),
    ];
    let time = Duration::from_millis(stage.scale.block);
    for _ in 0..stage.scale.rounds {
        let floor = pass.ask(time, Some(&pair.pass)).await.cpu_per_turn() / DELTAS as f64;
        for (_, _, crowd, costs) in &mut by_dialect {
            let block = crowd.ask(time, Some(&pair.codexway)).await;
            assert!(block.turns.iter().all(|seen| seen.events >= DELTAS as u64), "events lost");
            costs.push((floor, block.cpu_per_turn() / DELTAS as f64));
        }
    }
    for (dialect, goal, _, costs) in &by_dialect {
        compared(&format!("CPU per event, {dialect}, saturated"), costs, goal);
    }
}

/// Where each event comes alone, as a model's do.
pub(crate) async fn paced(stage: &Stage) {
    const STREAMS: usize = 64;
    const EVERY: Duration = Duration::from_millis(20);
    let pair = Pair::start(stage).await;
    let deltas = (2 * stage.scale.block / EVERY.as_millis() as u64) as usize;
    stage.backend.answers(Manner::Paced { deltas, every: EVERY });
    let body = stage::small_chat();
    let direct = stage.direct(&body);
    let pass = stage::through(pair.pass.address, &body);
    let chat = stage::chat(pair.codexway.address, &body);
    let mut crowds = Vec::new();
    for (target, process) in
        [(direct, None), (pass, Some(&pair.pass)), (chat, Some(&pair.codexway))]
    {
        crowds.push((Crowd::gather(target, STREAMS).await, process));
    }
    let (mut added, mut cost) = (Vec::new(), Vec::new());
    for _ in 0..stage.scale.rounds {
        let mut told = Vec::new();
        for (crowd, process) in &mut crowds {
            told.push(follow(stage, crowd, *process, deltas as u64).await);
        }
        let [direct, pass, codexway] = told[..] else { unreachable!("there are three") };
        added.push((pass.delay - direct.delay, codexway.delay - direct.delay));
        cost.push((pass.cpu, codexway.cpu));
    }
    compared("CPU per event, 64 paced streams", &cost, "≤ 1.15");
    compared("added latency per event, paced, median", &added, "≤ 1.3");
}

/// In microseconds.
#[derive(Clone, Copy)]
struct Followed {
    /// The median from the backend's writing to the client's reading.
    delay: f64,
    cpu: f64,
}

async fn follow(
    stage: &Stage,
    crowd: &mut Crowd,
    process: Option<&Process>,
    deltas: u64,
) -> Followed {
    let cpu = || process.map_or(Duration::ZERO, Process::cpu);
    let clock = || stage.backend.now();
    let target = &crowd.target;
    let n = crowd.clients.len() as u64;
    let before = cpu();
    let following: FuturesUnordered<_> = crowd
        .clients
        .iter_mut()
        .map(|client: &mut Client| async move {
            let mut seen = client.begin(target).await;
            client.finish(&mut seen, Some(&clock)).await;
            assert!(seen.events > deltas, "events lost");
            seen.delays
        })
        .collect();
    let delays: Vec<_> = following.collect::<Vec<_>>().await.concat();
    let cpu = micros(cpu().saturating_sub(before)) / (deltas * n) as f64;
    Followed { delay: median(delays.into_iter().map(micros).collect()), cpu }
}
