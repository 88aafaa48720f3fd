use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support::TestServer;

/// Requests as real agents sent them, their words replaced by filler. What each of them becomes
/// is accepted by the strict simulator, and every function tool says whether it is strict.
#[tokio::test]
async fn the_requests_of_real_agents_all_pass() {
    let aliases = r#"{ "mock-model" = "gpt-5.5", "gpt-5.4" = "gpt-5.5" }"#;
    let server = TestServer::with_vars(&[("CODEXWAY__PROFILES__CODEX__ALIASES", aliases)]).await;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agents");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 100, "{} fixtures", files.len());
    let mut faults = Vec::new();
    for file in files {
        let fixture: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let mut request =
            server.client.post(format!("{}{}", server.url, fixture["path"].as_str().unwrap()));
        for (name, value) in fixture["headers"].as_object().unwrap() {
            if name != "authorization" && name != "content-length" {
                request = request.header(name, value.as_str().unwrap());
            }
        }
        let answer = server.send(request.json(&fixture["body"])).await;
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if answer.status != 200 || answer.broke || answer.body.contains(r#""status":"failed""#) {
            faults.push(format!("{name}: {} {}", answer.status, answer.body));
        } else if fixture["body"]["stream"] == true && !answer.body.ends_with("data: [DONE]\n\n") {
            faults.push(format!("{name}: the stream does not end"));
        }
        if let Some(turn) = server.turns().pop().filter(|_| name.contains("chat"))
            && !turn.strict_absent.is_empty()
        {
            faults.push(format!("{name}: silently strict: {:?}", turn.strict_absent));
        }
        server.simulator.forget();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
