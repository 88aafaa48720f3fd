use std::{fs, path::Path, process::Command, time::Duration};

use codexway::{
    api::{App, Surroundings},
    config::{self, Sources},
    simulator::{Options, Simulator},
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::support::{TestServer, ask, with};

const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/codex_exec/codex");

/// codexway in front of the fake program, and the folder in which that leaves what it was told.
async fn server() -> (TestServer, TempDir) {
    server_with(&[]).await
}

async fn server_with(more: &[(&'static str, String)]) -> (TestServer, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut vars = vec![
        ("CODEXWAY__PROFILES__CODEX__UPSTREAM", "codex-exec".to_owned()),
        ("CODEXWAY__UPSTREAMS__CODEX-EXEC__PROGRAM", FAKE.to_owned()),
        ("CODEXWAY__UPSTREAMS__CODEX-EXEC__ENV", r#"["FAKE_FOLDER"]"#.to_owned()),
        ("FAKE_FOLDER", folder.path().to_str().unwrap().to_owned()),
        ("PATH", std::env::var("PATH").unwrap()),
        ("MY_SECRET", "sesame".to_owned()),
    ];
    vars.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    vars.extend_from_slice(more);
    let simulator = Simulator::start(Options::default()).await.unwrap();
    (TestServer::before(simulator, &vars, "{}").await, folder)
}

fn left(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn streamed(text: &str) -> Value {
    with(ask(text), json!({"stream": true}))
}

#[tokio::test]
async fn the_program_answers_whole_and_streamed_and_the_answer_says_so() {
    let (server, _folder) = server().await;
    let answer = server.chat(&ask("hi")).await.ok();
    assert_eq!(answer.header("x-codexway-upstream"), Some("codex-exec"));
    let told = answer.json();
    assert_eq!(told["choices"][0]["message"]["content"], "hello");
    assert_eq!(told["choices"][0]["finish_reason"], "stop");
    assert_eq!(told["usage"]["prompt_tokens"], 100);
    assert_eq!(told["usage"]["prompt_tokens_details"]["cached_tokens"], 64);
    assert_eq!(told["usage"]["completion_tokens_details"]["reasoning_tokens"], 5);

    let frames = server.chat(&streamed("slowly")).await.ok().frames();
    let said: Vec<Value> = frames
        .iter()
        .filter(|frame| !frame.is_done())
        .map(|frame| frame.json()["choices"][0]["delta"]["content"].clone())
        .filter(|delta| delta.as_str().is_some_and(|delta| !delta.is_empty()))
        .collect();
    assert_eq!(said, ["he", "ll", "o"], "it is told as the program tells it");
    assert!(frames.last().unwrap().is_done());

    let body = json!({"model": "gpt-5.5", "input": "hi", "stream": true});
    let frames = server.responses(&body).await.ok().frames();
    let events: Vec<&str> = frames.iter().filter_map(|frame| frame.event.as_deref()).collect();
    assert_eq!(
        events,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let last = frames[events.len() - 1].json();
    assert_eq!(last["response"]["output"][0]["content"][0]["text"], "hello");
    assert_eq!(last["response"]["usage"]["total_tokens"], 109);
}

#[tokio::test]
async fn reasoning_is_shown_and_what_the_agent_does_for_itself_is_not() {
    let (server, _folder) = server().await;
    let told = server.chat(&ask("thoughtfully")).await.ok().json();
    let message = &told["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "**Thinking**");
    assert_eq!(message["content"], "hello");
    let body = json!({"model": "gpt-5.5", "input": "thoughtfully"});
    let told = server.responses(&body).await.ok().json();
    assert_eq!(crate::support::kinds(&told["output"]), ["reasoning", "message"]);
}

#[tokio::test]
async fn the_program_is_called_to_answer_and_for_nothing_else() {
    let (server, folder) = server().await;
    let body = with(
        json!({"model": "gpt-5.5", "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "what is the secret of the sphinx"},
        ]}),
        json!({"reasoning_effort": "high", "verbosity": "low"}),
    );
    server.chat(&body).await.ok();
    let arguments = left(&folder, "arguments");
    for argument in [
        "--sandbox=read-only",
        "--ephemeral",
        "--ignore-user-config",
        "features.shell_tool=false",
        "--model=gpt-5.5",
        "model_reasoning_effort=\"high\"",
        "model_verbosity=\"low\"",
    ] {
        assert!(arguments.lines().any(|line| line == argument), "{argument}: {arguments}");
    }
    assert!(!arguments.contains("sphinx"), "everybody can see arguments");
    let prompt = left(&folder, "prompt");
    assert!(
        prompt.ends_with(
            "\n----- instructions -----\nBe brief.\n\n----- user -----\nwhat is the secret of the sphinx"
        ),
        "{prompt}"
    );
    assert_eq!(left(&folder, "found"), "", "it works in an empty folder");
    assert!(!Path::new(left(&folder, "cwd").trim()).exists(), "which is gone afterwards");
    let variables = left(&folder, "variables");
    assert!(variables.contains("PATH=") && !variables.contains("sesame"), "{variables}");
}

#[tokio::test]
async fn a_prompt_may_be_larger_than_any_pipe() {
    let (server, folder) = server().await;
    let long = "long ".repeat(400_000);
    server.chat(&ask(&long)).await.ok();
    assert_eq!(left(&folder, "prompt").len(), long.len());
}

#[tokio::test]
async fn the_login_is_that_of_the_folder_which_the_account_borrows() {
    let (server, folder) = server().await;
    server.chat(&ask("hi")).await.ok();
    let home = format!("CODEX_HOME={}\n", server.account.path().display());
    assert!(left(&folder, "variables").contains(&home));
}

#[tokio::test]
async fn what_the_program_cannot_be_told_is_refused() {
    let (server, folder) = server().await;
    let tool = json!({"type": "function", "function": {"name": "f"}});
    let image = json!([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]);
    for (more, code, param) in [
        (json!({"tools": [tool]}), "unsupported_parameter", "tools"),
        (
            json!({"response_format": {"type": "json_object"}}),
            "unsupported_parameter",
            "response_format",
        ),
        (
            json!({"messages": [{"role": "user", "content": image}]}),
            "unsupported_value",
            "messages",
        ),
    ] {
        let error = server.chat(&with(ask("hi"), more)).await.refused(400, code, param);
        assert!(error["message"].as_str().unwrap().contains("codex-exec"), "{error}");
    }
    let format = json!({"format": {"type": "json_schema", "name": "a", "schema": {}}});
    let body = json!({"model": "gpt-5.5", "input": "hi", "text": format});
    server.responses(&body).await.refused(400, "unsupported_parameter", "text.format");
    assert!(!folder.path().join("prompt").exists(), "it was not even started");
}

#[tokio::test]
async fn fields_that_the_program_does_not_know_are_named() {
    let (server, _folder) = server().await;
    let more = json!({"temperature": 0.5, "stop": "x"});
    let answer = server.chat(&with(ask("hi"), more)).await.ok();
    assert_eq!(answer.header("x-codexway-dropped"), Some("temperature"));
    assert_eq!(answer.header("x-codexway-emulated"), Some("stop"));
}

/// Resolves when nobody holds the program's pipe open any more.
fn gone(folder: &TempDir) -> oneshot::Receiver<()> {
    let pipe = folder.path().join("alive");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (told, gone) = oneshot::channel();
    std::thread::spawn(move || {
        // Opening waits for a writer, reading for the end of the last.
        fs::read(pipe).unwrap();
        let _ = told.send(());
    });
    gone
}

async fn soon<T>(happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), happens).await.unwrap()
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_program_and_all_that_it_started() {
    let (server, folder) = server().await;
    let gone = gone(&folder);
    let url = format!("{}/v1/chat/completions", server.url);
    let mut response = server.client.post(url).json(&streamed("forever")).send().await.unwrap();
    response.chunk().await.unwrap().unwrap();
    drop(response);
    soon(gone).await.unwrap();
}

#[tokio::test]
async fn a_silent_program_fails_the_turn_and_is_ended() {
    let idle = ("CODEXWAY__SERVER__IDLE_TIMEOUT", "300ms".to_owned());
    let (server, folder) = server_with(&[idle]).await;
    let gone = gone(&folder);
    server.chat(&ask("silently")).await.refused(504, "timeout", Value::Null);
    soon(gone).await.unwrap();
}

#[tokio::test]
async fn a_missing_program_says_how_to_get_it() {
    for program in ["codex-that-is-nowhere", "/nowhere/codex"] {
        let missing = ("CODEXWAY__UPSTREAMS__CODEX-EXEC__PROGRAM", program.to_owned());
        let (server, _folder) = server_with(&[missing]).await;
        let answer = server.chat(&streamed("hi")).await;
        let error = answer.refused(502, "upstream_program_failed", Value::Null);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(program) && message.contains("npm install"), "{message}");
        assert_eq!(server.get("/ready").await.status, 503);
    }
}

#[tokio::test]
async fn a_program_that_fails_is_told_in_its_own_words() {
    let (server, _folder) = server().await;
    let error = server.chat(&ask("limited")).await.refused(429, "usage_limit_reached", Value::Null);
    assert!(error["message"].as_str().unwrap().contains("11:06 AM"), "{error}");
    let error = server.chat(&ask("refused")).await;
    error.refused(400, "unsupported_value", "reasoning_effort");

    let loud = server.chat(&streamed("loudly")).await;
    let error = loud.refused(502, "upstream_program_failed", Value::Null);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("status 2") && message.contains("cannot read ***"), "{message}");
    assert!(message.len() < 5000, "it says the end of what was said, not all of it");

    server.chat(&ask("oddly")).await.refused(502, "upstream_error", Value::Null);
    let short = server.chat(&streamed("short")).await.ok();
    assert!(!short.body.contains("[DONE]") && short.body.contains("upstream_program_failed"));
}

#[tokio::test]
async fn more_turns_than_processes_wait_for_each_other() {
    let one = ("CODEXWAY__UPSTREAMS__CODEX-EXEC__MAX_PROCESSES", "1".to_owned());
    let (server, _folder) = server_with(&[one]).await;
    let told = server.chat(&with(ask("in-turn"), json!({"n": 3}))).await.ok().json();
    let said: Vec<&str> = told["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| choice["message"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["hello"; 3]);
}

#[tokio::test]
async fn the_program_lists_its_models() {
    let (server, _folder) = server().await;
    let list = server.get("/v1/models").await.ok().json();
    assert_eq!(list["data"][0]["id"], "gpt-fake");
    assert_eq!(list["data"][0]["reasoning_efforts"], json!(["low"]));
    let answer = server.chat(&with(ask("hi"), json!({"model": "gpt-fake"}))).await.ok();
    assert_eq!(answer.json()["model"], "gpt-fake");
}

#[test]
fn an_account_that_is_a_key_does_not_fit_the_program() {
    let env = [
        ("CODEXWAY__PROFILES__CODEX__UPSTREAM", "codex-exec"),
        ("CODEXWAY__ACCOUNTS__DEFAULT__KIND", "api-key"),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let settings = config::load(&Sources { env, ..Sources::default() }).unwrap().settings;
    let error = App::new(settings, Surroundings::default()).err().unwrap();
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("a login of its own"), "{source}");
}
