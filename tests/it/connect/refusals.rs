use std::fs;

use pretty_assertions::assert_eq;

use super::{clients, files, home, name, put};
use crate::support::binary::{run, text};

/// Exit code and stderr of a command that prints nothing on stdout.
fn refused(home: &tempfile::TempDir, args: &[&str]) -> (Option<i32>, String) {
    let output = run(home, &[&["connect"], args].concat());
    assert_eq!(text(&output.stdout), "", "{args:?}");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_client_that_nobody_knows_is_told_with_the_names_most_like_it() {
    let home = home();
    for (wanted, meant) in
        [("opncode", "`opencode`"), ("codex-cli", "`codex`"), ("langhcain", "`langchain`")]
    {
        for more in [&["--write"][..], &["--undo"], &[]] {
            let (code, told) = refused(&home, &[&[wanted], more].concat());
            assert_eq!(code, Some(2), "{told}");
            assert!(told.contains(&format!("no client `{wanted}`; hint: {meant}")), "{told}");
        }
    }
}

#[test]
fn names_are_known_in_other_spellings() {
    let home = home();
    for alias in ["Roo Code", "open_webui", "AISDK"] {
        assert_eq!(run(&home, &["connect", alias]).status.code(), Some(0), "{alias}");
    }
}

#[test]
fn a_model_that_is_not_there_is_told_with_the_names_most_like_it() {
    let (code, told) = refused(&home(), &["codex", "--model", "gpt-55"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("no model `gpt-55`; hint: `gpt-5.5`"), "{told}");
}

#[test]
fn what_only_a_person_can_do_is_not_written_and_the_reason_is_told() {
    let home = home();
    for client in clients(&home) {
        let Some(why) = client["by_hand"].as_str() else { continue };
        let (code, told) = refused(&home, &[name(&client), "--write"]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(why), "{told}");
        let (code, told) = refused(&home, &[name(&client), "--undo"]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("nothing to undo"), "{told}");
    }
    assert_eq!(files(&home), []);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_file_that_cannot_be_read_is_left_as_it_is() {
    for (client, file, broken) in [
        ("codex", ".codex/codexway.config.toml", "model = \n"),
        ("codex", ".codex/codexway.config.toml", "model_providers = 1\n"),
        ("opencode", ".config/opencode/opencode.json", "{\"provider\": {\n"),
        ("opencode", ".config/opencode/opencode.json", "{\"provider\": []}\n"),
        ("zed", ".config/zed/settings.json", "{\"language_models\": true}"),
        ("continue", ".continue/assistants/codexway.yaml", "models: [\n"),
        ("continue", ".continue/assistants/codexway.yaml", "models: [{name: a}]\n"),
        ("aider", ".aider.codexway.yml", "model: another\n"),
        ("llm", ".config/io.datasette.llm/extra-openai-models.yaml", "a: 1\n"),
    ] {
        let home = home();
        put(&home, file, broken);
        let (code, told) = refused(&home, &[client, "--write"]);
        assert_eq!(code, Some(1), "{client}: {told}");
        for part in [file, "is left as it is", "hint: without `--write`"] {
            assert!(told.contains(part), "{client}: {told}");
        }
        assert_eq!(files(&home), [(home.path().join(file), broken.to_owned())], "{client}");
    }
}

#[test]
fn a_file_that_its_owner_has_made_read_only_is_left_as_it_is() {
    let home = home();
    put(&home, ".pi/agent/models.json", "{}");
    let file = home.path().join(".pi/agent/models.json");
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    let (code, told) = refused(&home, &["pi", "--write"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("models.json is read-only, and is left as it is"), "{told}");
    assert_eq!(files(&home), [(file, "{}".to_owned())]);
}

#[test]
fn an_address_that_is_none_is_wrong_usage() {
    let (code, told) = refused(&home(), &["pi", "--url", "localhost:7531"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("http://127.0.0.1:7531"), "{told}");
}
