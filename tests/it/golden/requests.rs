use std::fs;

use serde_json::Value;

use super::{compare, files, show, stem};
use crate::support::{Answer, TestServer};

/// Requests as real agents sent them, their words replaced by filler. Each passes the strict
/// simulator, and what was sent for it stands beside it.
#[tokio::test]
async fn the_requests_of_real_agents_pass_and_go_upstream_as_written_down() {
    let aliases = r#"{ "mock-model" = "gpt-5.5", "gpt-5.4" = "gpt-5.5" }"#;
    let server = TestServer::with_vars(&[("CODEXWAY__PROFILES__CODEX__ALIASES", aliases)]).await;
    let files = files("agents", "json");
    assert!(files.len() >= 100, "{} fixtures", files.len());
    let mut texts = Vec::new();
    let mut faults = Vec::new();
    for file in files {
        let name = stem(&file);
        let fixture: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let answer = send(&server, &fixture).await;
        faults.extend(fault(&answer, &fixture, &server).map(|fault| format!("{name}: {fault}")));
        texts.push((name, sent(&answer, &server)));
        server.simulator.forget();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    compare("agents", &texts);
}

async fn send(server: &TestServer, fixture: &Value) -> Answer {
    let mut request =
        server.client.post(format!("{}{}", server.url, fixture["path"].as_str().unwrap()));
    for (name, value) in fixture["headers"].as_object().unwrap() {
        if name != "authorization" && name != "content-length" {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    server.send(request.json(&fixture["body"])).await
}

/// What is wrong with the answer, or with a request that made the backend strict unasked.
fn fault(answer: &Answer, fixture: &Value, server: &TestServer) -> Option<String> {
    if answer.status != 200 || answer.broke || answer.body.contains(r#""status":"failed""#) {
        return Some(format!("{} {}", answer.status, answer.body));
    }
    if fixture["body"]["stream"] == true && !answer.body.ends_with("data: [DONE]\n\n") {
        return Some("the stream does not end".to_owned());
    }
    let strict = server.turns().pop()?.strict_absent;
    let is_chat = fixture["path"] == "/v1/chat/completions";
    (is_chat && !strict.is_empty()).then(|| format!("silently strict: {strict:?}"))
}

fn sent(answer: &Answer, server: &TestServer) -> String {
    let mut text = String::new();
    for name in ["x-codexway-dropped", "x-codexway-emulated"] {
        if let Some(fields) = answer.header(name) {
            text.push_str(&format!("{name}: {fields}\n"));
        }
    }
    for turn in server.turns() {
        text.push_str(&show::pretty(&show::abbreviated(&turn.json(), 0)));
        text.push('\n');
    }
    text
}
