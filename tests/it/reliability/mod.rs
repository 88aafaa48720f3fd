//! Every fault, in every dialect: what its client is told, and what is left afterwards.
//!
//! The table that comes of it is in `docs/reliability.md`; `CODEXWAY_WRITE_DOCS=1` writes it there.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use futures_util::{StreamExt, stream};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, ask, with};

mod faults;

use faults::{Fault, Remedy};

const MODES: [&str; 4] = ["chat", "chat, streamed", "responses", "responses, streamed"];
/// How many faults are tried side by side.
const AT_ONCE: usize = 8;
/// How long an answer may take before it counts as none: far longer than any that is told here.
const HANG: Duration = Duration::from_secs(60);

/// What a fault comes to.
struct Row {
    fault: &'static str,
    /// In the order of [`MODES`].
    told: [String; 4],
    /// How often each turn was sent, and its login refreshed.
    tries: String,
    after: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_and_nothing_is_lost() {
    let rows: Vec<Row> = stream::iter(faults::all()).map(suffer).buffered(AT_ONCE).collect().await;
    for row in &rows {
        for told in row.told.iter().chain([&row.after]) {
            for never in ["hang", "broken", "silent", "lost"] {
                assert!(!told.contains(never), "{}: {told}", row.fault);
            }
        }
    }
    let table = table(&rows);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    let text = fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once("<!-- faults -->\n").unwrap();
    let (written, tail) = rest.split_once("<!-- /faults -->").unwrap();
    if std::env::var_os("CODEXWAY_WRITE_DOCS").is_some() {
        fs::write(file, format!("{head}<!-- faults -->\n{table}<!-- /faults -->{tail}")).unwrap();
    } else {
        assert_eq!(written, table, "see the top of tests/it/reliability/mod.rs");
    }
}

async fn suffer(fault: Fault) -> Row {
    let [first, second, third, fourth] = MODES.map(|mode| suffer_in(&fault, mode));
    let seen: [Seen; 4] = tokio::join!(first, second, third, fourth).into();
    // Where all four agree it is said once.
    let joined = |of: fn(&Seen) -> &String| {
        let mut all: Vec<String> = seen.iter().map(|seen| of(seen).clone()).collect();
        all.dedup();
        all.join(" / ")
    };
    let (tries, after) = (joined(|seen| &seen.tries), joined(|seen| &seen.after));
    Row { fault: fault.name, told: seen.map(|seen| seen.told), tries, after }
}

/// What a fault comes to in one dialect.
struct Seen {
    told: String,
    tries: String,
    after: String,
}

async fn suffer_in(fault: &Fault, mode: &str) -> Seen {
    let server = TestServer::with((fault.setup)()).await;
    (fault.arm)(&server);
    let told = match tokio::time::timeout(HANG, turn(&server, mode)).await {
        Ok(answer) => summary(&answer),
        Err(_) => "hang".to_owned(),
    };
    let tries = match (server.turns().len(), server.simulator.refreshes()) {
        (n_tries, 0) => n_tries.to_string(),
        (n_tries, n_refreshes) => format!("{n_tries}, {n_refreshes} refresh"),
    };
    Seen { told, tries, after: after(&server, fault).await }
}

async fn turn(server: &TestServer, mode: &str) -> Answer {
    let stream = json!({"stream": mode.ends_with("streamed")});
    if mode.starts_with("chat") {
        server.chat(&with(ask("hi"), stream)).await
    } else {
        server.responses(&with(json!({"model": "gpt-5.5", "input": "hi"}), stream)).await
    }
}

/// What the client makes of an answer.
fn summary(answer: &Answer) -> String {
    if answer.broke {
        return "broken connection".to_owned();
    }
    let status = answer.status.as_u16();
    if answer.status != 200 {
        let (_, error) = answer.error();
        return match error["code"].as_str() {
            Some(code) => format!("{status} `{code}`"),
            None => format!("{status}"),
        };
    }
    if answer.header("content-type") == Some("application/json") {
        return ended(&answer.json());
    }
    let ends: Vec<String> = answer
        .frames()
        .iter()
        .filter(|frame| !frame.is_done())
        .map(|frame| frame.json())
        .filter_map(|event| {
            let code = event["error"]["code"].as_str();
            let failed = event["response"]["error"]["code"].as_str();
            if let Some(code) = code.or(failed) {
                return Some(format!("words, then `{code}`"));
            }
            let terminal = matches!(
                event["type"].as_str(),
                Some("response.completed" | "response.incomplete")
            );
            let finished = event["choices"][0]["finish_reason"].is_string();
            (terminal || finished)
                .then(|| ended(if terminal { &event["response"] } else { &event }))
        })
        .collect();
    match ends.as_slice() {
        [] => "silent end".to_owned(),
        [end] => end.clone(),
        several => several.join(" and "),
    }
}

/// How an answer that is there says it ended.
fn ended(answer: &Value) -> String {
    let reason = answer["choices"][0]["finish_reason"].as_str();
    let incomplete = answer["incomplete_details"]["reason"].as_str();
    let unfinished = reason.filter(|reason| *reason != "stop").or(incomplete);
    unfinished.map_or_else(|| "answer".to_owned(), |why| format!("answer, `{why}`"))
}

/// What is left when the fault is over: whether the next turn runs, and whether the login lives.
async fn after(server: &TestServer, fault: &Fault) -> String {
    if !(fault.setup)().vars.iter().all(|(name, _)| name.contains("IDLE")) {
        return "-".to_owned(); // It is not over.
    }
    server.simulator.script_always(None);
    let mut after = "next turn answered";
    if let Some(Remedy { when, act }) = fault.remedy {
        assert_ne!(turn(server, "chat").await.status, 200, "{}", fault.name);
        act(server);
        after = when;
    }
    // After a refresh that failed there is a pause before the next one.
    let answered = async { while turn(server, "chat").await.status != 200 {} };
    if tokio::time::timeout(HANG, answered).await.is_err() {
        return "next turn lost".to_owned();
    }
    if can_refresh(server).await { after.to_owned() } else { "login lost".to_owned() }
}

/// Whether the refresh token on the disk is still worth another login.
async fn can_refresh(server: &TestServer) -> bool {
    let login: Value = serde_json::from_slice(&fs::read(server.auth_file()).unwrap()).unwrap();
    let ask = json!({
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "grant_type": "refresh_token",
        "refresh_token": login["tokens"]["refresh_token"],
    });
    let url = format!("{}/oauth/token", server.simulator.auth_url());
    server.client.post(url).json(&ask).send().await.unwrap().status() == 200
}

fn table(rows: &[Row]) -> String {
    let mut table = format!("| fault | {} | sent | afterwards |\n", MODES.join(" | "));
    table.push_str(&"|---".repeat(MODES.len() + 3));
    table.push_str("|\n");
    for Row { fault, told, tries, after } in rows {
        writeln!(table, "| {fault} | {} | {tries} | {after} |", told.join(" | ")).unwrap();
    }
    table
}
