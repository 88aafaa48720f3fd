//! Pointing clients here: what is printed, what is written, and what is taken back.

use std::{fs, path::PathBuf, process::Output};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::binary::{codexway, run, start, text};

mod docs;
mod keys;
mod refusals;

const URL: &str = "http://127.0.0.1:7531";
/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// `codexway connect ARGS`, which succeeds.
fn connect(home: &TempDir, args: &[&str]) -> Output {
    let output = run(home, &[&["connect"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    output
}

/// The same with `--json`.
fn told(home: &TempDir, args: &[&str]) -> Value {
    serde_json::from_slice(&connect(home, &[args, &["--json"]].concat()).stdout).unwrap()
}

/// Every client, as the list tells of it.
fn clients(home: &TempDir) -> Vec<Value> {
    told(home, &[]).as_array().unwrap().clone()
}

fn name(client: &Value) -> &str {
    client["client"].as_str().unwrap()
}

/// What is in a file of the home, as JSON whatever its format.
fn read(home: &TempDir, file: &str) -> Value {
    parsed(file, &fs::read_to_string(home.path().join(file)).unwrap())
}

fn parsed(file: &str, text: &str) -> Value {
    match file.rsplit('.').next().unwrap() {
        "toml" => toml_edit::de::from_str(text).unwrap(),
        "json" => jsonc_parser::cst::CstRootNode::parse(text, &Default::default())
            .unwrap()
            .to_serde_value()
            .unwrap(),
        _ => json(&yaml_rust2::YamlLoader::load_from_str(text).unwrap()[0]),
    }
}

fn json(yaml: &yaml_rust2::Yaml) -> Value {
    use yaml_rust2::Yaml;
    match yaml {
        Yaml::Array(items) => items.iter().map(json).collect(),
        Yaml::Hash(fields) => {
            let field =
                |(key, value): (&Yaml, &Yaml)| (key.as_str().unwrap().to_owned(), json(value));
            Value::Object(fields.iter().map(field).collect())
        }
        Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(flag) => json!(flag),
        other => panic!("{other:?}"),
    }
}

/// Every file in the home, with what is in it.
fn files(home: &TempDir) -> Vec<(PathBuf, String)> {
    fn collect(folder: &std::path::Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    collect(home.path(), &mut found);
    found.sort();
    found
}

fn put(home: &TempDir, file: &str, text: &str) {
    let path = home.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn without_a_client_all_are_listed_with_where_their_settings_are() {
    let home = home();
    let listed = text(&connect(&home, &[]).stdout);
    for line in ["NAME ", "codex  ", "opencode  ", "~/.config/opencode/opencode.json", "by hand"] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    assert_eq!(listed.lines().count(), clients(&home).len() + 1);
}

#[test]
fn what_is_printed_are_the_settings_alone_and_nothing_is_written() {
    let home = home();
    let (_server, info) = start(&home, &["demo"]);
    let url = info["url"].as_str().unwrap();
    let before = files(&home);
    let output = connect(&home, &["codex", "--url", &format!("{url}/v1/")]);
    let settings = parsed("config.toml", &text(&output.stdout));
    let provider = &settings["model_providers"]["codexway"];
    assert_eq!(provider["base_url"], format!("{url}/v1"));
    assert_eq!(provider["experimental_bearer_token"], Value::Null);
    let aside = text(&output.stderr);
    for part in ["~/.codex/codexway.config.toml", "codex --profile codexway", "--write"] {
        assert!(aside.contains(part), "{part}: {aside}");
    }
    assert!(!aside.contains("warning"), "{aside}");
    assert_eq!(files(&home), before);
}

#[tokio::test]
async fn the_model_is_one_that_the_running_server_has() {
    let home = home();
    let (_server, info) = start(&home, &["demo"]);
    let url = info["url"].as_str().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let models = client.get(format!("{url}/v1/models")).send().await.unwrap();
    let models: Value = models.json().await.unwrap();
    let entries = models["data"].as_array().unwrap();
    let shown = told(&home, &["opencode", "--url", url]);
    assert_eq!((&shown["model"], &shown["running"]), (&entries[0]["id"], &json!(true)));
    let other = &entries[entries.len() - 1];
    let id = other["id"].as_str().unwrap();
    let shown = told(&home, &["opencode", "--url", url, "--model", id]);
    let settings = parsed("o.json", shown["settings"].as_str().unwrap());
    let context = &settings["provider"]["codexway"]["models"][id]["limit"]["context"];
    assert_eq!((context, context.is_u64()), (&other["context_window"], true));
    assert_eq!(shown["run"], format!("opencode -m codexway/{id}"));
}

#[test]
fn without_a_server_the_settings_are_those_of_the_usual_place_and_it_is_said() {
    let home = home();
    let output = codexway(&home)
        .args(["connect", "openai"])
        .env("CODEXWAY__SERVER__LISTEN", "0.0.0.0:9")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        format!("export OPENAI_BASE_URL='{NOWHERE}/v1'\nexport OPENAI_API_KEY='local'\n")
    );
    let aside = text(&output.stderr);
    assert!(
        aside.contains(&format!("no codexway answers at {NOWHERE}; hint: `codexway`")),
        "{aside}"
    );
}

#[test]
fn every_file_that_is_written_can_be_read_and_is_taken_back() {
    for client in clients(&home()) {
        if client["file"].is_null() {
            continue;
        }
        let home = home();
        let name = name(&client);
        let shown = told(&home, &[name, "--url", NOWHERE]);
        let written = told(&home, &[name, "--url", NOWHERE, "--write"]);
        let file = written["file"].as_str().unwrap();
        assert_eq!((&written["changed"], &written["backup"]), (&json!(true), &Value::Null));
        let read = parsed(file, &fs::read_to_string(file).unwrap());
        let printed = parsed(file, shown["settings"].as_str().unwrap());
        assert_eq!(read, printed, "{name}");
        let all = read.to_string();
        for part in [NOWHERE, shown["model"].as_str().unwrap(), "codexway"] {
            assert!(all.contains(part) || file.contains(part), "{name}: {part} in {all}");
        }
        let before = files(&home);
        let again = told(&home, &[name, "--url", NOWHERE, "--write"]);
        assert_eq!((&again["changed"], files(&home)), (&json!(false), before), "{name}");
        let moved = told(&home, &[name, "--url", "http://127.0.0.1:10", "--write"]);
        assert_eq!(moved["changed"], true, "{name}");
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains("127.0.0.1:10") && !text.contains(NOWHERE), "{name}: {text}");
        let undone = told(&home, &[name, "--undo"]);
        assert_eq!((&undone["restored"], &undone["kept"]), (&json!(false), &Value::Null));
        assert_eq!(files(&home), [], "{name}");
    }
}

/// Files as people have them, and what must still be in them.
const FULL: [(&str, &str, &str); 6] = [
    (
        "codex",
        ".codex/codexway.config.toml",
        "# mine\nmodel_reasoning_effort = \"high\" # why\n\n[z.a]\nb = [1,   2]\n\n[model_providers.other]\nname = 'o'\n# end\n",
    ),
    (
        "opencode",
        ".config/opencode/opencode.json",
        "{\n\t\"theme\": \"dark\", // mine\n\t\"model\": \"anthropic/x\",\n\t\"provider\": {\n\t\t\"other\": {\"options\":  {}},\n\t},\n\t/* last */ \"a\": [1,2]\n}\n",
    ),
    (
        "zed",
        ".config/zed/settings.json",
        "// Zed settings\n{\n  \"vim_mode\": true,\n  \"language_models\": {\n    \"openai\": {\"api_url\":   \"x\"}\n  }\n}",
    ),
    ("pi", ".pi/agent/models.json", "{\n \"z\":1,\n \"providers\":{}\n}"),
    (
        "continue",
        ".continue/assistants/codexway.yaml",
        "# mine\nname: me\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: claude # why\n    provider: anthropic\n    model: x\n\n# the rules\nrules:\n  - \"be kind\"\n",
    ),
    (
        "llm",
        ".config/io.datasette.llm/extra-openai-models.yaml",
        "# mine\n- model_id: other\n  model_name: o\n  api_base: \"http://localhost:1\"",
    ),
];

#[cfg(not(target_os = "macos"))]
#[test]
fn what_the_user_has_written_stays_and_comes_back_byte_for_byte() {
    for (name, file, original) in FULL {
        let home = home();
        put(&home, file, original);
        let written = told(&home, &[name, "--url", NOWHERE, "--write"]);
        let backup = PathBuf::from(written["backup"].as_str().unwrap());
        assert_eq!(fs::read_to_string(&backup).unwrap(), original, "{name}");
        let now = fs::read_to_string(home.path().join(file)).unwrap();
        for line in original.lines().map(|line| line.trim().trim_end_matches(['}', ','])) {
            assert!(now.contains(line), "{name}: `{line}` is not in\n{now}");
        }
        assert!(now.contains(NOWHERE), "{name}: {now}");
        kept(&parsed(file, original), &read(&home, file), name);
        let again = told(&home, &[name, "--url", NOWHERE, "--write"]);
        assert_eq!((&again["changed"], &again["backup"]), (&json!(false), &written["backup"]));
        let undone = told(&home, &[name, "--undo"]);
        assert_eq!((&undone["restored"], &undone["kept"]), (&json!(true), &Value::Null));
        assert_eq!(files(&home), [(home.path().join(file), original.to_owned())], "{name}");
    }
}

/// Asserts that every value of `before` is in `after` at its place.
fn kept(before: &Value, after: &Value, place: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                kept(value, after.get(key).unwrap_or(&Value::Null), &format!("{place}.{key}"));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before, &after[..before.len()], "{place}");
        }
        _ => assert_eq!(before, after, "{place}"),
    }
}

#[test]
fn what_was_changed_since_is_kept_aside_and_told() {
    let home = home();
    put(&home, ".pi/agent/models.json", "{}\n");
    connect(&home, &["pi", "--write"]);
    let changed = fs::read_to_string(home.path().join(".pi/agent/models.json")).unwrap() + "\n";
    put(&home, ".pi/agent/models.json", &changed);
    // Writing again does not make it forget that.
    connect(&home, &["pi", "--write", "--url", NOWHERE]);
    let output = connect(&home, &["pi", "--undo"]);
    assert_eq!(text(&output.stdout), "~/.pi/agent/models.json is as it was\n");
    let kept = "~/.pi/agent/models.json.with-codexway";
    assert!(text(&output.stderr).contains(kept), "{}", text(&output.stderr));
    let folder = home.path().join(".pi/agent");
    assert_eq!(fs::read_to_string(folder.join("models.json")).unwrap(), "{}\n");
    let aside = fs::read_to_string(folder.join("models.json.with-codexway")).unwrap();
    assert!(aside.contains(NOWHERE) && aside.ends_with("\n\n"), "{aside}");
}

#[test]
fn a_variable_says_where_the_file_is() {
    let home = home();
    let elsewhere = home.path().join("elsewhere");
    let output = codexway(&home)
        .args(["connect", "codex", "--write"])
        .env("CODEX_HOME", &elsewhere)
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "wrote ~/elsewhere/codexway.config.toml\n");
    assert!(elsewhere.join("codexway.config.toml").exists());
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let home = home();
    put(&home, "dotfiles/pi.json", "{\"a\": 1}\n");
    let link = home.path().join(".pi/agent/models.json");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(home.path().join("dotfiles/pi.json"), &link).unwrap();
    connect(&home, &["pi", "--write"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(read(&home, "dotfiles/pi.json")["providers"]["codexway"].is_object());
    connect(&home, &["pi", "--undo"]);
    assert_eq!(fs::read_to_string(&link).unwrap(), "{\"a\": 1}\n");
}
