use std::fs;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::{NOWHERE, clients, home, name, put};
use crate::support::binary::{codexway, listening, run, text};

const KEY: &str = "cw-very-secret";

fn with_keys(home: &tempfile::TempDir) {
    let settings = format!("[server]\nkeys = [{{ name = \"laptop\", key = \"{KEY}\" }}]\n");
    put(home, ".config/codexway/config.toml", &settings);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_local_key_is_named_and_not_shown_unless_asked_for() {
    let home = home();
    with_keys(&home);
    for client in clients(&home) {
        for args in [&["--json"][..], &[]] {
            let output = run(&home, &[&["connect", name(&client)], args].concat());
            assert_eq!(output.status.code(), Some(0));
            let all = text(&output.stdout) + &text(&output.stderr);
            assert!(!all.contains(KEY), "{}: {all}", name(&client));
            assert!(all.contains("local key: laptop"), "{}: {all}", name(&client));
        }
    }
    let output = run(&home, &["connect", "openai", "--show-key"]);
    assert!(text(&output.stdout).contains(&format!("OPENAI_API_KEY='{KEY}'")));
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn a_key_is_written_into_a_file_that_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    with_keys(&home);
    let mode =
        |file: &str| fs::metadata(home.path().join(file)).unwrap().permissions().mode() & 0o777;
    put(&home, ".pi/agent/models.json", "{}");
    let was = mode(".pi/agent/models.json");
    for (client, file) in [
        ("pi", ".pi/agent/models.json"),
        ("codex", ".codex/codexway.config.toml"),
        ("llm", ".config/io.datasette.llm/extra-openai-models.yaml"),
    ] {
        let output = run(&home, &["connect", client, "--write", "--url", NOWHERE]);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && !all.contains(KEY), "{all}");
        let written = fs::read_to_string(home.path().join(file)).unwrap();
        assert!(written.contains(KEY), "{written}");
        assert_eq!(mode(file), 0o600, "{file}");
    }
    // Zed reads its key from elsewhere.
    run(&home, &["connect", "zed", "--write", "--url", NOWHERE]);
    let written = fs::read_to_string(home.path().join(".config/zed/settings.json")).unwrap();
    assert!(!written.contains(KEY), "{written}");
    run(&home, &["connect", "pi", "--undo"]);
    assert_eq!(mode(".pi/agent/models.json"), was);
}

#[test]
fn the_key_that_a_server_made_is_found_and_opens_it() {
    let home = home();
    let mut command = codexway(&home);
    command.args(["demo", "--key-file", "key"]);
    let (_server, info) = listening(&home, command);
    let url = info["url"].as_str().unwrap();
    let wrong = run(&home, &["connect", "pi", "--url", url]);
    let told = text(&wrong.stderr);
    assert!(told.contains("the server does not tell its models: 401"), "{told}");
    let args = ["connect", "pi", "--url", url, "--key-file", "key", "--show-key", "--json"];
    let output = run(&home, &args);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let key = fs::read_to_string(home.path().join("key")).unwrap();
    assert!(shown["settings"].as_str().unwrap().contains(key.trim()), "{shown}");
    assert!(!text(&output.stderr).contains("warning"), "{}", text(&output.stderr));
}
