//! What the backend accepts, turn by turn: `codexway doctor --probe`.

use std::{process::Stdio, time::Duration};

use codexway::simulator::{Options, Script};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::World;
use crate::support::binary::{Running, signal, text};

/// Those that the simulator lists for the plan `plus`, best first.
const MODELS: [&str; 9] = [
    "gpt-6.1-sol",
    "gpt-6-astra",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.6-sol",
    "gpt-6.1-terra",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
];
const WAYS: [[&str; 2]; 4] =
    [["classic", "http"], ["classic", "websocket"], ["lite", "http"], ["lite", "websocket"]];

impl World {
    /// Exit code, and what `doctor --probe --yes --json` prints of the probe.
    fn probed(&self) -> (i32, Value) {
        let output = self.command().args(["doctor", "--probe", "--yes", "--json"]).output();
        let output = output.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["ok"], Value::Bool(output.status.success()), "{report:#}");
        (output.status.code().unwrap(), report["probe"].clone())
    }
}

/// What was found, in the order in which it is asked for: outcome, and status and code if any.
fn outcomes(probe: &Value) -> Vec<String> {
    let turns = probe["turns"].as_array().unwrap();
    assert_eq!(turns.len(), MODELS.len() * WAYS.len());
    let cells = MODELS.iter().flat_map(|model| WAYS.map(|[shape, way]| [*model, shape, way]));
    for (turn, [model, shape, way]) in turns.iter().zip(cells) {
        assert_eq!([&turn["model"], &turn["shape"], &turn["transport"]], [model, shape, way]);
    }
    let outcome = |turn: &Value| {
        let [outcome, code] = ["outcome", "code"].map(|name| turn[name].as_str());
        let status = turn["status"].as_u64().map(|status| status.to_string());
        let parts = [outcome, status.as_deref(), code];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    turns.iter().map(outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_model_is_asked_in_both_shapes_over_both_transports() {
    let world = World::new().await;
    let (code, probe) = world.probed();
    let found = outcomes(&probe);
    let expected: Vec<String> = MODELS
        .iter()
        .flat_map(|model| WAYS.map(|[shape, _]| (*model, shape)))
        .map(|cell| match cell {
            ("gpt-5.5", "lite") => "refused 400 unsupported_value",
            _ => "accepted",
        })
        .map(str::to_owned)
        .collect();
    assert_eq!((code, found), (0, expected));
    assert_eq!(probe["stopped"], Value::Null);
    let turns = world.simulator.turns();
    assert_eq!(turns.len(), 1 + 36);
    for (turn, [shape, way]) in turns[1..].iter().zip(WAYS.iter().cycle()) {
        let (body, is_lite) = (turn.json(), *shape == "lite");
        assert_eq!(turn.method == "GET", *way == "websocket");
        assert_eq!(body["input"][0]["type"] == "additional_tools", is_lite);
        assert_eq!(body["reasoning"]["effort"], "low");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_table_with_what_was_said_of_refusals_under_it() {
    let world = World::with(Options { originator_gate: true, ..Options::default() }).await;
    let output = world.command().args(["doctor", "--probe", "--yes"]).output().unwrap();
    let (told, aside) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}");
    let table = "
MODEL          SHAPE    HTTP                             WEBSOCKET
gpt-6.1-sol    classic  accepted                         accepted
gpt-6.1-sol    lite     accepted                         accepted
";
    let row = "
gpt-5.5        lite     refused (400 unsupported_value)  refused (400 unsupported_value)

refused (400 unsupported_value): This model is not supported when using X-OpenAI-Internal-Codex-Responses-Lite.
  gpt-5.5 lite http
  gpt-5.5 lite websocket

refused (404 model_not_found): Model not found gpt-5.6-luna (the backend offers it to other client versions or identities only: see `version`, `originator` and `user_agent` under `[upstreams]`)
  gpt-5.6-luna classic http
  gpt-5.6-luna classic websocket
  gpt-5.6-luna lite http
  gpt-5.6-luna lite websocket
";
    assert!(told.contains(table) && told.ends_with(row), "{told}");
    let n_turns = "36 tiny turns: 9 models, in two shapes, over two transports; they spend a little of the plan\n";
    let first = "turn 1 of 36: `gpt-6.1-sol`, classic, http\n";
    let last = "turn 36 of 36: `gpt-5.5`, lite, websocket\n";
    assert!(aside.contains(&format!("{n_turns}{first}")) && aside.ends_with(last), "{aside}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_spent_unasked() {
    let world = World::new().await;
    let output = world.command().args(["doctor", "--probe"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!((output.status.code(), world.simulator.requests().len()), (Some(2), 0));
    assert!(text(&output.stderr).contains("hint: if that is fine, add `--yes`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_upstream_is_not_probed() {
    let world = World::new().await;
    let mut command = world.command();
    command.env("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai");
    let output = command.args(["doctor", "--probe", "--yes"]).output().unwrap();
    assert_eq!((output.status.code(), world.simulator.requests().len()), (Some(2), 0));
    assert!(text(&output.stderr).contains("asks the ChatGPT backend alone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_used_up_on_the_way_ends_it() {
    let world = World::new().await;
    // The first one is the doctor's own.
    for _ in 0..3 {
        world.simulator.script(Script::text("ok"));
    }
    world.simulator.script(Script::usage_limit_reached(3000));
    let (code, probe) = world.probed();
    let mut expected = vec!["not_tried".to_owned(); 36];
    expected[..2].fill("accepted".to_owned());
    expected[2] = "refused 429 usage_limit_reached".to_owned();
    assert_eq!((code, outcomes(&probe)), (1, expected));
    assert_eq!(probe["stopped"], "the plan is used up");
    assert_eq!(world.simulator.turns().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_dies_on_the_way_ends_it() {
    let world = World::new().await;
    world.simulator.script_always(Some(Script::unauthorized("token_expired")));
    let (code, probe) = world.probed();
    let mut expected = vec!["not_tried".to_owned(); 36];
    expected[0] = "refused 401 upstream_auth_failed".to_owned();
    assert_eq!((code, outcomes(&probe)), (1, expected));
    assert_eq!(probe["stopped"], "the login does not work");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_login_no_turn_is_asked_for() {
    let world = World::new().await;
    std::fs::remove_dir_all(world.home.path().join(".codex")).unwrap();
    let nothing = json!({"stopped": "somebody has to log in first", "turns": []});
    assert_eq!(world.probed(), (3, nothing));
    assert_eq!(world.simulator.turns().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_web_socket_can_be_opened_one_is_tried_and_http_goes_on() {
    let world = World::new().await;
    world.simulator.script_upgrades_always(Some(Script::new().cut_before_headers()));
    let (code, probe) = world.probed();
    let found = outcomes(&probe);
    let over_http: Vec<&String> = found.iter().step_by(2).collect();
    let over_sockets: Vec<&String> = found.iter().skip(1).step_by(2).collect();
    assert_eq!((code, over_sockets[0].as_str()), (0, "failed 502 upstream_error"));
    assert!(over_sockets[1..].iter().all(|outcome| *outcome == "not_tried"), "{found:?}");
    assert!(over_http[..17].iter().all(|outcome| *outcome == "accepted"), "{found:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_it_with_what_was_found_so_far() {
    let world = World::new().await;
    for _ in 0..2 {
        world.simulator.script(Script::text("ok"));
    }
    world.simulator.script(Script::text("ok").stall());
    let mut command = world.command();
    command.args(["doctor", "--probe", "--yes", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut child = Running(child);
    while world.simulator.turns().len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    signal(&child.0, "-INT");
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.0.stdout.take().unwrap(), &mut told).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(1));
    let report: Value = serde_json::from_str(&told).unwrap();
    let mut expected = vec!["not_tried".to_owned(); 36];
    expected[0] = "accepted".to_owned();
    assert_eq!(outcomes(&report["probe"]), expected);
    assert_eq!(report["probe"]["stopped"], "stopped by hand");
}
