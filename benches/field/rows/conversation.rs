//! What an agent's conversation sends upstream, and how long it takes over a thin line.
//!
//! Here the backend is the simulator, which keeps the backend's rules; a line of our own stands
//! between, counts, and can be made thin.

use std::time::{Duration, Instant};

use codexway::simulator::{Options, Script, Simulator};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    line::Line,
    report::row,
    stage::{self, Stage},
};

const TURNS: usize = 30;

/// One agent, thirty turns, each with all that went before; over each transport.
pub(crate) async fn conversation(stage: &Stage) {
    let plain = hold(stage, "http", "off").await;
    let zstd = hold(stage, "http", "zstd").await;
    let websocket = hold(stage, "websocket", "zstd").await;
    let bytes = |held: &Held| format!("{} KB", held.bytes / 1000);
    let part = |part: f64| format!("1/{:.1}", 1.0 / part);
    let of_plain = |held: &Held| part(held.bytes as f64 / plain.bytes as f64);
    let in_time = |held: &Held| part(held.time.as_secs_f64() / plain.time.as_secs_f64());
    let seconds = |held: &Held| format!("{:.1} s", held.time.as_secs_f64());
    let upstream = format!("bytes upstream over a conversation of {TURNS} turns");
    let time = "its time over a line of 10 Mbit/s up and 40 ms";
    let name = |what: &str, transport: &str| format!("{what}, {transport}");
    row(&name(&upstream, "HTTP"), "", &bytes(&plain), "1", "");
    row(&name(&upstream, "HTTP and zstd"), "", &bytes(&zstd), &of_plain(&zstd), "≤ 1/4");
    row(&name(time, "HTTP"), "", &seconds(&plain), "1", "");
    row(&name(time, "HTTP and zstd"), "", &seconds(&zstd), &in_time(&zstd), "");
    let (sent, ratio, took, faster) = match websocket.is_websocket {
        true => (bytes(&websocket), of_plain(&websocket), seconds(&websocket), in_time(&websocket)),
        false => ["–"; 4].map(str::to_owned).into(),
    };
    row(&name(&upstream, "WebSocket"), "", &sent, &ratio, "≤ 1/20");
    row(&name(time, "WebSocket"), "", &took, &faster, "≤ 1/3");
    for (held, way) in [(&plain, "HTTP"), (&websocket, "WebSocket")] {
        let share = format!("{:.1} %", 100.0 * held.cached as f64 / held.cacheable as f64);
        row(
            &name("part of what was sent before that the cache knew", way),
            "",
            &share,
            "",
            "≥ 95 %",
        );
    }
}

struct Held {
    bytes: u64,
    time: Duration,
    /// Whether the last turn went that way.
    is_websocket: bool,
    /// Of all prompts, the tokens that the prompt before began with.
    cacheable: u64,
    /// Those of them that cost less.
    cached: u64,
}

async fn hold(stage: &Stage, transport: &str, compression: &str) -> Held {
    let simulator = Simulator::start(Options::default()).await.expect("a simulator");
    let login = stage.home().join(format!("{transport}-{compression}"));
    std::fs::create_dir_all(&login).expect("a folder");
    std::fs::write(login.join("auth.json"), simulator.auth_json()).expect("a login");
    let backend = simulator.auth_url();
    let backend = backend.trim_start_matches("http://").parse().expect("an address");
    let line = Line::to(backend).await;
    let codexway = stage.codexway_before(
        &format!("http://{}", line.address),
        &[
            ("CODEXWAY__UPSTREAMS__CODEX__TRANSPORT", transport),
            ("CODEXWAY__UPSTREAMS__CODEX__COMPRESSION", compression),
            ("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", login.to_str().expect("a path of text")),
        ],
    );
    simulator.script(Script::text("lighthouse"));
    stage::first_turn(&stage::responses(codexway.address, &stage::small_responses())).await;

    let (sent, began) = (line.sent(), Instant::now());
    let mut input = vec![said("make the tests pass")];
    let mut is_websocket = false;
    let (mut cacheable, mut cached, mut before) = (0, 0, 0);
    for n in 0..TURNS {
        simulator.script(turn(n));
        let answer = ask(codexway.address, &input).await;
        is_websocket = answer.transport.contains("websocket");
        let usage = &answer.body["usage"];
        cacheable += before;
        cached += usage["input_tokens_details"]["cached_tokens"].as_u64().unwrap_or_default();
        before = usage["input_tokens"].as_u64().unwrap_or_default();
        for item in answer.body["output"].as_array().into_iter().flatten().cloned() {
            let call = item["call_id"].as_str().map(str::to_owned);
            input.push(item);
            if let Some(id) = call {
                input.push(
                    json!({"type": "function_call_output", "call_id": id, "output": file(n)}),
                );
            }
        }
    }
    let (bytes, time) = (line.sent() - sent, began.elapsed());
    Held { bytes, time, is_websocket, cacheable, cached }
}

/// What the model does in its `n`th turn.
fn turn(n: usize) -> Script {
    let arguments = json!({"path": format!("src/part_{n}.rs"), "from": 1, "to": 120}).to_string();
    Script::new().reasoning("Looking at the next file.").tool_call("read_file", &arguments)
}

/// One turn of the agent.
async fn ask(address: std::net::SocketAddr, input: &[Value]) -> Answer {
    let path = json!({"type": "object", "properties": {"path": {"type": "string", "description": "where the file is"}, "from": {"type": "integer"}, "to": {"type": "integer"}}});
    let tool = |name: &str| json!({"type": "function", "name": name, "description": "one of the things that can be done with the files of a project", "parameters": path});
    let tools = ["read_file", "write_file", "list_files", "search", "run"].map(tool);
    let body = json!({
        "model": "gpt-5.5", "stream": false, "store": false,
        "include": ["reasoning.encrypted_content"],
        "instructions": include_str!("../../../ARCHITECTURE.md"),
        "tools": tools,
        "input": input,
    });
    let target = stage::responses(address, &body.to_string());
    Client::connect(&target).await.whole(&target).await
}

fn said(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

/// A part of a real program, another one each time.
fn file(n: usize) -> String {
    const SOURCES: [&str; 6] = [
        include_str!("../../../src/api/relay.rs"),
        include_str!("../../../src/upstream/connect.rs"),
        include_str!("../../../src/server/mod.rs"),
        include_str!("../../../src/models/mod.rs"),
        include_str!("../../../src/auth/document.rs"),
        include_str!("../../../src/cli/serve.rs"),
    ];
    let lines = SOURCES[n % SOURCES.len()].lines().skip(n / SOURCES.len() * 50);
    lines.take(120).map(|line| format!("{line}\n")).collect()
}
