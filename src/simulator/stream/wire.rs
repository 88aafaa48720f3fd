//! Events as bytes: one write an event, unless the script wants it otherwise.

use std::io::Write as _;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::OnTheWay;
use super::story::Beat;
use crate::simulator::script::Wire;
use crate::simulator::server::Cut;

pub(super) enum Step {
    Write(Vec<u8>),
    Pause(Duration),
    Cut,
    Silence,
}

/// Stream bytes that the script wrote itself.
pub(super) fn raw(wire: &Wire, bytes: &[u8]) -> Vec<Step> {
    let mut steps = vec![Step::Write(bytes.to_vec())];
    cut(wire, &mut steps, 0);
    split(wire, steps)
}

pub(super) fn steps(wire: &Wire, beats: Vec<Beat>) -> Vec<Step> {
    let first_delta = beats
        .iter()
        .filter_map(|beat| match beat {
            Beat::Event { name, .. } => Some(name),
            Beat::Pause(_) | Beat::Silence => None,
        })
        .position(|name| name.ends_with(".delta"))
        .unwrap_or_default();
    let mut steps: Vec<_> = beats
        .into_iter()
        .map(|beat| match beat {
            Beat::Event { name, json } => Step::Write(frame(wire, &name, &json)),
            Beat::Pause(pause) => Step::Pause(pause),
            Beat::Silence => Step::Silence,
        })
        .collect();
    if wire.bom
        && let Some(Step::Write(first)) = steps.first_mut()
    {
        first.splice(..0, *b"\xef\xbb\xbf");
    }
    if wire.done_marker {
        let eol = eol(wire);
        steps.push(Step::Write(format!("data: [DONE]{eol}{eol}").into_bytes()));
    }
    cut(wire, &mut steps, first_delta);
    split(wire, steps)
}

fn eol(wire: &Wire) -> &'static str {
    if wire.crlf { "\r\n" } else { "\n" }
}

fn frame(wire: &Wire, name: &str, json: &Value) -> Vec<u8> {
    let eol = eol(wire);
    let comment = if wire.comments { format!(": still here{eol}{eol}") } else { String::new() };
    let data = match wire.multi_line_data {
        true => format!("{json:#}").lines().map(|line| format!("data: {line}{eol}")).collect(),
        false => format!("data: {json}{eol}"),
    };
    format!("{comment}event: {name}{eol}{data}{eol}").into_bytes()
}

/// Ends the steps where the connection is cut.
fn cut(wire: &Wire, steps: &mut Vec<Step>, first_delta: usize) {
    let whole = match (wire.cut_after, wire.cut_in_mid_event) {
        (None, false) => return,
        (Some(events), _) => events,
        (None, true) => first_delta,
    };
    let mut writes = 0;
    let end = steps.iter().position(|step| {
        writes += usize::from(matches!(step, Step::Write(_)));
        writes > whole
    });
    if let Some(end) = end {
        steps.truncate(end + 1);
        match steps.pop() {
            Some(Step::Write(mut event)) if wire.cut_in_mid_event => {
                event.truncate(event.len() / 2);
                steps.push(Step::Write(event));
            }
            _ => {}
        }
    }
    steps.push(Step::Cut);
}

/// Cuts what is written without a pause into pieces of the same size.
fn split(wire: &Wire, steps: Vec<Step>) -> Vec<Step> {
    let Some(size) = wire.split_every.filter(|&size| size > 0) else {
        return compressed(wire, steps);
    };
    let mut pieces = Vec::new();
    let mut run = Vec::new();
    let flush = |run: &mut Vec<u8>, pieces: &mut Vec<Step>| {
        pieces.extend(run.chunks(size).map(|piece| Step::Write(piece.to_vec())));
        run.clear();
    };
    for step in compressed(wire, steps) {
        match step {
            Step::Write(bytes) => run.extend(bytes),
            other => {
                flush(&mut run, &mut pieces);
                pieces.push(other);
            }
        }
    }
    flush(&mut run, &mut pieces);
    pieces
}

fn compressed(wire: &Wire, steps: Vec<Step>) -> Vec<Step> {
    if !wire.gzip {
        return steps;
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut out: Vec<_> = steps
        .into_iter()
        .map(|step| match step {
            Step::Write(bytes) => {
                // Writing into memory cannot fail.
                let _ = gzip.write_all(&bytes).and_then(|()| gzip.flush());
                Step::Write(std::mem::take(gzip.get_mut()))
            }
            other => other,
        })
        .collect();
    if !out.iter().any(|step| matches!(step, Step::Cut | Step::Silence)) {
        out.extend(gzip.finish().ok().map(Step::Write));
    }
    out
}

pub(super) fn play(steps: Vec<Step>, on_the_way: OnTheWay) -> Body {
    Body::from_stream(async_stream::stream! {
        let _until_done_or_dropped = on_the_way;
        for step in steps {
            match step {
                Step::Write(bytes) => {
                    yield Ok(Bytes::from(bytes));
                    // The server flushes when there is nothing more to take, so that each piece
                    // is a write of its own and nothing is lost when the next step is a cut.
                    tokio::task::yield_now().await;
                }
                Step::Pause(pause) => tokio::time::sleep(pause).await,
                Step::Cut => yield Err(Cut),
                Step::Silence => std::future::pending().await,
            }
        }
    })
}
