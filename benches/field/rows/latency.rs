//! How long a turn takes, and what it costs.

use std::time::Duration;

use serde_json::json;

use super::{Crowd, Pair};
use crate::{
    report::compared,
    stage::{self, Stage},
};

/// First content of turns of eight deltas, by one client and by 64, and what such a turn costs.
pub(crate) async fn latency(stage: &Stage) {
    let pair = Pair::start(stage).await;
    let body = stage::small_chat();
    for n in [1, 64] {
        let mut direct = Crowd::gather(stage.direct(&body), n).await;
        let mut pass = Crowd::gather(stage::through(pair.pass.address, &body), n).await;
        let mut codexway = Crowd::gather(stage::chat(pair.codexway.address, &body), n).await;
        let time = Duration::from_millis(stage.scale.block);
        let (mut added, mut cost) = (Vec::new(), Vec::new());
        for _ in 0..stage.scale.rounds {
            let floor = direct.ask(time / 2, None).await.content();
            let pass = pass.ask(time, Some(&pair.pass)).await;
            let codexway = codexway.ask(time, Some(&pair.codexway)).await;
            added.push((pass.content() - floor, codexway.content() - floor));
            cost.push((pass.cpu_per_turn(), codexway.cpu_per_turn()));
        }
        let streams = if n == 1 { "1 stream".to_owned() } else { format!("{n} streams") };
        let goal = if n == 1 { "≤ 1.25" } else { "" };
        compared(&format!("added time to first content, {streams}, median"), &added, goal);
        let goal = if n == 1 { "" } else { "≤ 1.6" };
        compared(&format!("CPU per streamed request of 8 deltas, {streams}"), &cost, goal);
    }
}

/// What a conversation of a megabyte costs.
pub(crate) async fn large(stage: &Stage) {
    let pair = Pair::start(stage).await;
    let body = megabyte();
    let mut pass = Crowd::gather(stage::through(pair.pass.address, &body), 1).await;
    let mut codexway = Crowd::gather(stage::chat(pair.codexway.address, &body), 1).await;
    let time = Duration::from_millis(stage.scale.block);
    let mut cost = Vec::new();
    for _ in 0..stage.scale.rounds {
        let pass = pass.ask(time, Some(&pair.pass)).await.cpu_per_turn();
        cost.push((pass, codexway.ask(time, Some(&pair.codexway)).await.cpu_per_turn()));
    }
    compared("CPU of a 1 MB chat request", &cost, "≤ 4");
}

/// An agent's conversation: it calls a tool, and reads what a file holds.
fn megabyte() -> String {
    let source = include_str!("../../../src/api/relay.rs");
    let file: String = source.chars().take(4000).collect();
    let mut messages = vec![json!({"role": "system", "content": "You write programs."})];
    let mut bytes = 0;
    for n in 0.. {
        if bytes > 1_000_000 {
            break;
        }
        let id = format!("call_{n}");
        let call = json!({"id": id, "type": "function", "function": {"name": "read", "arguments": format!("{{\"path\":\"src/{n}.rs\"}}")}});
        for message in [
            json!({"role": "user", "content": format!("and what of file {n}?")}),
            json!({"role": "assistant", "content": null, "tool_calls": [call]}),
            json!({"role": "tool", "tool_call_id": id, "content": file}),
        ] {
            bytes += message.to_string().len();
            messages.push(message);
        }
    }
    let read = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    json!({
        "model": "gpt-5.5", "stream": true, "messages": messages,
        "tools": [{"type": "function", "function": {"name": "read", "parameters": read}}],
    })
    .to_string()
}
