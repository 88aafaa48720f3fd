//! From nothing to the first served request, and how large the program is.

use std::process::Command;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    backend::Manner,
    events,
    process::Process,
    report::{compared, micros, row},
    stage::{self, Stage},
};

/// Each start is a new process; the two take turns.
pub(crate) async fn start(stage: &Stage) {
    stage.backend.answers(Manner::Whole(events::answer(8)));
    let (mut served, mut turns) = (Vec::new(), Vec::new());
    for _ in 0..3 * stage.scale.rounds {
        served.push((answered(stage.pass_through()).await, answered(stage.codexway(&[])).await));
        let body = stage::small_chat();
        let pass = stage.pass_through();
        stage::first_turn(&stage::through(pass.address, &body)).await;
        let pass = micros(pass.began.elapsed());
        let codexway = stage.codexway(&[]);
        stage::first_turn(&stage::chat(codexway.address, &body)).await;
        turns.push((pass, micros(codexway.began.elapsed())));
    }
    compared("start to first served request", &served, "≤ 5 ms");
    compared("start to first turn, catalogue and login included", &turns, "");
    let size = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let program = std::fs::metadata(&stage.program).expect("the program").len();
    row("stripped binary", "", &size(program), "", "≤ 10 MB");
    let asked = Command::new(&stage.program).arg("--version").output();
    assert!(asked.is_ok_and(|output| output.status.success()), "the program runs");
}

/// How long it took until a request was answered, in microseconds.
async fn answered(process: Process) -> f64 {
    let mut stream = loop {
        match TcpStream::connect(process.address).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let request = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("a server that listens");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    micros(process.began.elapsed())
}
