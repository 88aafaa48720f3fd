//! The whole program as its users have it: a process of its own, measured from outside.
//!
//! Three are asked in turns within one run, on the same core: the backend without anything between,
//! a bare pass-through, and codexway. What counts is the ratio to the pass-through; see
//! `docs/performance.md`.
#![expect(clippy::disallowed_macros, reason = "it may end where nobody reads what it prints")]

use std::path::PathBuf;

#[path = "../support/passthrough.rs"]
mod passthrough;

mod backend;
mod client;
mod events;
mod line;
mod process;
mod report;
mod rows;
mod stage;

use tokio::net::TcpListener;

use stage::{Scale, Stage};

const FULL: Scale = Scale { rounds: 7, block: 1000, open: &[1000, 5000] };
const QUICK: Scale = Scale { rounds: 3, block: 400, open: &[1000] };

const USAGE: &str =
    "cargo bench --bench field -- [--quick] [--row NAME]… [--binary FILE] | --soak TURNS

rows: latency, saturated, paced, large, memory, slow-readers, start, conversation";

/// What was asked for.
struct Args {
    scale: Scale,
    /// Empty for all.
    rows: Vec<String>,
    binary: PathBuf,
    soak: Option<u64>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, upstream, address] = &args[..]
        && first == stage::PASS_THROUGH
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        return runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::bind(address).await.expect("the address");
            passthrough::serve(listener, upstream.clone()).await;
        });
    }
    let Some(args) = read(args) else {
        eprintln!("{USAGE}");
        return;
    };
    // One thread for the backend and for all clients: it has a core to itself.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(args));
}

async fn run(args: Args) {
    let stage = Stage::set(args.binary, args.scale).await;
    if let Some(turns) = args.soak {
        return rows::soak(&stage, turns).await;
    }
    let wants = |row: &str| args.rows.is_empty() || args.rows.iter().any(|wanted| wanted == row);
    report::header();
    if wants("latency") {
        rows::latency(&stage).await;
    }
    if wants("saturated") {
        rows::saturated(&stage).await;
    }
    if wants("paced") {
        rows::paced(&stage).await;
    }
    if wants("large") {
        rows::large(&stage).await;
    }
    if wants("memory") {
        rows::memory(&stage).await;
    }
    if wants("slow-readers") {
        rows::slow_readers(&stage).await;
    }
    if wants("start") {
        rows::start(&stage).await;
    }
    if wants("conversation") {
        rows::conversation(&stage).await;
    }
}

/// `None` where the arguments make no sense, or nothing was asked for as a bench.
fn read(args: Vec<String>) -> Option<Args> {
    let mut read = Args {
        scale: FULL,
        rows: Vec::new(),
        binary: env!("CARGO_BIN_EXE_codexway").into(),
        soak: None,
    };
    let mut is_bench = false;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => is_bench = true, // From cargo.
            "--quick" => read.scale = QUICK,
            "--row" => read.rows.push(args.next()?),
            "--binary" => read.binary = args.next()?.into(),
            "--soak" => read.soak = Some(args.next()?.parse().ok()?),
            _ => return None,
        }
    }
    is_bench.then_some(read)
}
