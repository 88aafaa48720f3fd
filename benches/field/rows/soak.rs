//! Many turns, one after another: what is taken must be given back.

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    backend::Manner,
    client::Client,
    events,
    stage::{self, Stage},
};

/// Runs so many short turns in both dialects, and prints what the process holds after each tenth.
///
/// What is kept between turns is held to 8 MiB, so that it is full long before the end.
pub(crate) async fn soak(stage: &Stage, turns: u64) {
    const CLIENTS: u64 = 32;
    stage.backend.answers(Manner::Whole(events::answer(2)));
    let codexway = stage.codexway(&[("CODEXWAY__STATE__MAX_BYTES", "8MiB")]);
    let address = codexway.address;
    let targets = [
        stage::chat(address, &stage::small_chat()),
        stage::responses(address, &stage::small_responses()),
    ];
    stage::first_turn(&targets[0]).await;
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        let target = &targets[n as usize % targets.len()];
        clients.push((Client::connect(target).await, target));
    }
    println!("| turns | RSS | open files |");
    println!("|---|---|---|");
    let mut run = 0;
    for tenth in 0..=10 {
        let goal = turns * tenth / 10;
        let each = (goal - run).div_ceil(CLIENTS);
        let running: FuturesUnordered<_> = clients
            .iter_mut()
            .map(|(client, target)| async move {
                for _ in 0..each {
                    client.turn(target).await;
                }
            })
            .collect();
        running.collect::<Vec<_>>().await;
        run += each * CLIENTS;
        let (memory, files) = (codexway.memory() as f64 / 1e3, codexway.open_files());
        println!("| {run} | {memory:.1} MB | {files} |");
    }
}
