//! Many turns at once, while the upstream fails, tokens end, settings change and clients leave.
//!
//! What happens is drawn from a seed, which is printed: `CODEXWAY_CHAOS_SEED` draws the same again
//! (not the same interleaving), `CODEXWAY_CHAOS_SECONDS` goes on for longer.

use std::{
    env,
    time::{Duration, Instant},
};

use codexway::simulator::{Script, TokenScript};
use fastrand::Rng;
use futures_util::future::join_all;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Answer, TestServer, ask, frames, is_alone, with};

/// Turns at a time.
const CLIENTS: usize = 12;

/// A token that is refused sooner than a minute after it was fetched is not replaced at once.
const TOKEN_LIFE: Duration = Duration::from_secs(65);

/// How turns ended, as their clients saw it.
#[derive(Debug, Default)]
struct Seen {
    ok: u64,
    error: u64,
    /// The client left in the middle.
    left: u64,
}

/// How turns ended, as the product counted it.
#[derive(Debug, Default)]
struct Counted {
    ok: u64,
    error: u64,
    cancelled: u64,
    retries: u64,
    running: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_ends_well_or_honestly_and_is_counted_once() {
    if !is_alone("chaos::every_turn_ends_well_or_honestly_and_is_counted_once") {
        return;
    }
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("CODEXWAY_CHAOS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let life = Duration::from_secs(number("CODEXWAY_CHAOS_SECONDS").unwrap_or(4));
    eprintln!("CODEXWAY_CHAOS_SEED={seed}");
    let server = TestServer::start().await;
    let mut draw = Rng::with_seed(seed);
    let until = Instant::now() + life;
    let clients = (0..CLIENTS).map(|_| client(&server, draw.fork(), until));
    let (seen, n_faults) = tokio::join!(join_all(clients), trouble(&server, draw.fork(), until));
    let seen = seen.into_iter().fold(Seen::default(), |sum, seen| Seen {
        ok: sum.ok + seen.ok,
        error: sum.error + seen.error,
        left: sum.left + seen.left,
    });
    // Those whose clients have left may take a moment to notice.
    let counted = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let counted = counted(&server).await;
            if counted.running == 0 {
                return counted;
            }
        }
    });
    let counted = counted.await.unwrap();
    server.simulator.until_running(0).await;
    let sent = server.turns().len() as u64;
    eprintln!("{n_faults} faults; {seen:?}; {counted:?}; {sent} sent upstream");
    assert!(seen.ok > 0 && seen.error > 0 && seen.left > 0 && counted.retries > 0);
    // A turn whose client left had ended by then or had not; every other is what its client saw.
    assert_eq!(counted.ok + counted.error + counted.cancelled, seen.ok + seen.error + seen.left);
    assert!(counted.cancelled <= seen.left && counted.ok >= seen.ok && counted.error >= seen.error);
    assert_eq!(sent, seen.ok + seen.error + seen.left + counted.retries);

    server.simulator.script_always(None);
    server.simulator.forget();
    let answered = async { while server.chat(&ask("hi")).await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), answered).await.expect("the login lives");
}

/// Runs turns of every kind, one after another.
async fn client(server: &TestServer, mut draw: Rng, until: Instant) -> Seen {
    let mut seen = Seen::default();
    while Instant::now() < until {
        let stream = json!({"stream": draw.bool()});
        let (path, body) = if draw.bool() {
            ("/v1/chat/completions", with(ask("Count to 20"), stream))
        } else {
            let body = json!({"model": "gpt-5.5", "input": "Count to 20"});
            ("/v1/responses", with(body, stream))
        };
        if body["stream"] == true && draw.u8(..10) == 0 {
            let request = server.client.post(format!("{}{path}", server.url)).json(&body);
            let mut response = request.send().await.unwrap();
            match response.status().as_u16() {
                200 => {
                    response.chunk().await.unwrap();
                    seen.left += 1;
                }
                _ => seen.error += 1,
            }
            continue;
        }
        match is_answer(&server.post(path, &body).await) {
            true => seen.ok += 1,
            false => seen.error += 1,
        }
    }
    seen
}

/// Whether the client has its answer; anything but an answer or an honest error panics.
fn is_answer(answer: &Answer) -> bool {
    assert!(!answer.broke, "a connection broke: {}", answer.body);
    if answer.status != 200 {
        let (status, error) = answer.error();
        assert!(status >= 400 && error["message"].is_string(), "{error}");
        return false;
    }
    if answer.header("content-type") == Some("application/json") {
        return true;
    }
    let frames = frames(&answer.body);
    let events: Vec<_> = frames.iter().filter(|frame| !frame.is_done()).collect();
    let last = events.last().expect("a stream says something").json();
    let failed = last["error"].is_object() || last["type"] == "response.failed";
    let ended = last["choices"][0]["finish_reason"].is_string()
        || matches!(last["type"].as_str(), Some("response.completed" | "response.incomplete"));
    assert!(failed != ended, "a silent end: {last}");
    ended
}

/// Makes things go wrong, now this, now that; how often.
async fn trouble(server: &TestServer, mut draw: Rng, until: Instant) -> usize {
    let mut n_faults = 0;
    let mut tokens_ended: Option<Instant> = None;
    while Instant::now() < until {
        let words = || Script::text("one two three four");
        let script = match draw.u8(..18) {
            0 => Script::overloaded_503(),
            1 => Script::overloaded_in_stream(),
            2 => Script::usage_limit_reached(60),
            3 => Script::context_length_exceeded(),
            4 => Script::cloudflare_challenge(),
            5 => words().cut_before_headers(),
            6 => words().cut_after(2),
            7 => words().cut_after(6),
            8 => words().cut_in_mid_event(),
            9 => words().ends_without_terminal_event(),
            10 => words().failed_after_text("server_error", "no"),
            11 => words().split_every(3).crlf().comments(),
            12 => words().delay_between(Duration::from_millis(10)),
            13 | 14 if tokens_ended.is_none_or(|at| at.elapsed() > TOKEN_LIFE) => {
                tokens_ended = Some(Instant::now());
                if draw.bool() {
                    server.simulator.token_script(TokenScript::status(503, "busy"));
                }
                server.simulator.expire_access_tokens();
                words()
            }
            15 => {
                let keepalive = format!("{}s", draw.u8(5..20));
                server.reload(&[("CODEXWAY__SERVER__KEEPALIVE", keepalive)]);
                words()
            }
            16 => {
                let turns = draw.u8(CLIENTS as u8..100).to_string();
                server.reload(&[("CODEXWAY__SERVER__MAX_TURNS", turns)]);
                words()
            }
            _ => words().incomplete("max_output_tokens"),
        };
        server.simulator.script(script);
        n_faults += 1;
        tokio::time::sleep(Duration::from_millis(draw.u64(5..40))).await;
    }
    n_faults
}

async fn counted(server: &TestServer) -> Counted {
    let told = server.get("/metrics").await.ok();
    let sum = |name: &str, label: &str| {
        let of_it = |line: &&str| line.starts_with(name) && line.contains(label);
        let values = told.body.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    };
    Counted {
        ok: sum("codexway_turns_total", r#"outcome="ok""#),
        error: sum("codexway_turns_total", r#"outcome="error""#),
        cancelled: sum("codexway_turns_total", r#"outcome="cancelled""#),
        retries: sum("codexway_retries_total", ""),
        running: sum("codexway_turns_running", ""),
    }
}
