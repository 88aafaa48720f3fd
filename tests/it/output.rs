use serde_json::json;

use crate::support::binary::{Running, codexway, logging, signal, start, text};

/// Posts a turn to the server, and stops it; how it ended.
async fn one_turn(mut server: Running, url: &str) -> Option<i32> {
    let body = json!({"model": "gpt-5.5", "input": "Say exactly pong"});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(format!("{url}/v1/responses")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    drop((answer, client));
    signal(&server.0, "-TERM");
    server.0.wait().unwrap().code()
}

/// As `codexway demo 2>&1 | head -1` does.
#[tokio::test]
async fn a_server_whose_log_is_read_no_more_serves_on() {
    let home = tempfile::tempdir().unwrap();
    let (mut server, info) = start(&home, &["demo"]);
    drop(server.0.stderr.take());
    assert_eq!(one_turn(server, info["url"].as_str().unwrap()).await, Some(0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_log_is_on_a_full_disk_serves() {
    let home = tempfile::tempdir().unwrap();
    let mut command = codexway(&home);
    command.arg("demo");
    let (server, info) = logging(&home, command, "/dev/full");
    assert_eq!(one_turn(server, info["url"].as_str().unwrap()).await, Some(0));
}

/// The commands that print most, on settings of their own.
const PRINTING: [&[&str]; 5] =
    [&["config", "show"], &["config", "path"], &["completions", "bash"], &["man"], &["connect"]];

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    for args in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = codexway(&home).args(args).stdout(writer).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
        assert!(!told.contains("error") && !told.contains("panicked"), "{args:?}: {told}");
    }
    // What went wrong is still told.
    let (_, writer) = std::io::pipe().unwrap();
    let output = codexway(&home).arg("status").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    for args in PRINTING {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = codexway(&home).args(args).stdout(full).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {told}");
        let last = told.lines().last().unwrap();
        assert!(last.starts_with("error: not all of it could be printed: "), "{args:?}: {told}");
    }
}
