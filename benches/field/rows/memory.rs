//! What open streams hold, and those that nobody reads.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::{
    backend::Manner,
    client::{Client, Target},
    events,
    process::Process,
    report::row,
    stage::{self, Stage},
};

/// How long it takes until what is there is all there will be.
const SETTLED: Duration = Duration::from_millis(700);

/// Memory at rest, and of streams that say something and then nothing for long.
pub(crate) async fn memory(stage: &Stage) {
    let (pass, codexway) = (stage.pass_through(), stage.codexway(&[]));
    sleep(SETTLED).await;
    let mb = |process: &Process| format!("{:.1} MB", process.memory() as f64 / 1e3);
    row("idle RSS", &mb(&pass), &mb(&codexway), "", "≤ 8 MB");
    for &n in stage.scale.open {
        let body = stage::small_chat();
        let pass = stage.pass_through();
        let of_pass = held(stage, &pass, &stage::through(pass.address, &body), n).await;
        let codexway = stage.codexway(&[]);
        let of_codexway = held(stage, &codexway, &stage::chat(codexway.address, &body), n).await;
        let kb = |kb: f64| format!("{kb:.1} KB");
        let ratio = format!("{:.2}", of_codexway / of_pass);
        let goal = if n > 1000 { "≤ 40 KB" } else { "≤ 49 KB" };
        let what = format!("memory per open stream, {n} of them, none lost");
        row(&what, &kb(of_pass), &kb(of_codexway), &ratio, goal);
    }
}

/// Holds `n` streams open, then has them end; in KB for each.
async fn held(stage: &Stage, process: &Process, target: &Target, n: usize) -> f64 {
    stage.backend.answers(Manner::Whole(events::answer(8)));
    stage::first_turn(target).await;
    stage.backend.answers(Manner::Held);
    let before = process.memory();
    let open = |_| async {
        let mut client = Client::connect(target).await;
        let seen = client.begin(target).await;
        (client, seen)
    };
    let mut streams: Vec<_> = stream::iter(0..n).map(open).buffer_unordered(64).collect().await;
    sleep(SETTLED).await;
    let grown = process.memory().saturating_sub(before);
    stage.backend.release();
    // All are read to their end: one that is lost breaks off, and its client with it.
    for (client, seen) in &mut streams {
        let before = seen.events;
        client.finish(seen, None).await;
        assert!(seen.events > before, "a stream ended without its end");
    }
    grown as f64 / n as f64
}

/// Clients that read the beginning of an answer of 20 MB, and then nothing.
pub(crate) async fn slow_readers(stage: &Stage) {
    const CLIENTS: usize = 50;
    const ANSWER: u64 = 20_000_000;
    let mut told = Vec::new();
    let body = stage::small_chat();
    for is_codexway in [false, true] {
        let process = if is_codexway { stage.codexway(&[]) } else { stage.pass_through() };
        let target = match is_codexway {
            true => stage::chat(process.address, &body),
            false => stage::through(process.address, &body),
        };
        stage.backend.answers(Manner::Whole(events::answer(8)));
        stage::first_turn(&target).await;
        stage.backend.answers(Manner::Large(ANSWER));
        let (memory, sent) = (process.memory(), stage.backend.sent());
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let mut client = Client::connect(&target).await;
            client.begin(&target).await;
            clients.push(client);
        }
        until_still(stage).await;
        let sent = stage.backend.sent() - sent;
        assert!(sent < ANSWER * CLIENTS as u64, "nothing holds the backend back");
        let grown = process.memory().saturating_sub(memory) as f64 / 1e3;
        told.push(format!("{grown:.1} MB (of {} taken from the backend)", sent / 1_000_000));
    }
    row("memory for 50 readers who stop in an answer of 20 MB", &told[0], &told[1], "", "bounded");
}

/// Waits until the backend gets rid of nothing more.
async fn until_still(stage: &Stage) {
    let give_up = Instant::now() + Duration::from_secs(30);
    let mut before = u64::MAX;
    while before != stage.backend.sent() && Instant::now() < give_up {
        before = stage.backend.sent();
        sleep(SETTLED).await;
    }
}
