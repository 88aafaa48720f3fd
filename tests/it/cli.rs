use std::{
    fs,
    time::{Duration, Instant},
};

use codexway::simulator::{Options, Simulator};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::binary::{codexway, listening, run, start, text};
#[cfg(unix)]
use crate::support::binary::{logging, signal, succeeding};

#[tokio::test]
async fn the_demo_answers_and_stops_when_told() {
    let home = tempfile::tempdir().unwrap();
    for stop in ["-INT", "-TERM"] {
        let _ = fs::remove_file(home.path().join("info.json"));
        let (mut child, info) = start(&home, &["demo"]);
        assert_eq!(info["pid"], child.0.id());
        let url = info["url"].as_str().unwrap();
        assert_eq!(url, format!("http://127.0.0.1:{}", info["port"]));
        let body = json!({"model": "gpt-5.5", "messages": [{"role": "user", "content": "Say exactly pong"}]});
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer =
            client.post(format!("{url}/v1/chat/completions")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["choices"][0]["message"]["content"], "pong");
        drop(client);
        let ready = run(&home, &["health", "--url", url]);
        assert_eq!((ready.status.code(), &*text(&ready.stdout)), (Some(0), "ready\n"));
        signal(&child.0, stop);
        assert_eq!(child.0.wait().unwrap().code(), Some(0));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_does_not_wait_for_running_turns() {
    let home = tempfile::tempdir().unwrap();
    let (mut child, info) = start(&home, &["demo"]);
    let words = "word ".repeat(20_000);
    let body = json!({"model": "gpt-5.5", "stream": true, "input": format!("Say exactly {words}")});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/responses", info["url"].as_str().unwrap());
    let mut response = client.post(url).json(&body).send().await.unwrap();
    response.chunk().await.unwrap().unwrap();
    signal(&child.0, "-TERM");
    // It has heard the first one when it takes no more connections.
    let address = info["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    while std::net::TcpStream::connect(&address).is_ok() {
        response.chunk().await.unwrap().unwrap();
    }
    assert!(child.0.try_wait().unwrap().is_none());
    signal(&child.0, "-TERM");
    let began = Instant::now();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[cfg(unix)]
#[tokio::test]
async fn a_restart_loses_neither_the_turn_that_runs_nor_those_that_wait() {
    let home = tempfile::tempdir().unwrap();
    let (mut first, info) = start(&home, &["demo"]);
    let url = format!("{}/v1/responses", info["url"].as_str().unwrap());
    let body = |said: &str| json!({"model": "gpt-5.5", "stream": true, "input": format!("Say exactly {said}")});
    let client = || reqwest::Client::builder().no_proxy().build().unwrap();
    let words = "word ".repeat(600);
    let mut running = client().post(&url).json(&body(&words)).send().await.unwrap();
    let mut said = running.chunk().await.unwrap().unwrap().to_vec();
    signal(&first.0, "-TERM");
    let address = info["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    while std::net::TcpStream::connect(&address).is_ok() {
        said.extend(running.chunk().await.unwrap().unwrap());
    }
    // Who comes now does what SDKs do: tries again.
    let (waiting, asked) = (client(), body("pong"));
    let waiting = tokio::spawn(async move {
        loop {
            match waiting.post(&url).json(&asked).send().await {
                Ok(answer) => return answer.text().await.unwrap(),
                Err(error) => assert!(error.is_connect(), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(first.0.try_wait().unwrap().is_none(), "its turn is still running");
    let elsewhere = tempfile::tempdir().unwrap();
    let _second = succeeding(&elsewhere, &["demo"], &address);
    assert!(waiting.await.unwrap().contains("response.completed"));
    while let Some(chunk) = running.chunk().await.unwrap() {
        said.extend(chunk);
    }
    assert!(text(&said).contains("response.completed"));
    drop(running);
    assert_eq!(first.0.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn the_official_client_s_login_is_found_where_it_usually_is() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".codex");
    let elsewhere = home.path().join("elsewhere");
    for folder in [&folder, &elsewhere] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("auth.json"), simulator.auth_json()).unwrap();
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({"model": "gpt-5.5", "input": "Say exactly pong"});
    for variable in ["NONE", "CODEX_HOME", "OPENAI_CODEX_PATH"] {
        let _ = fs::remove_file(home.path().join("info.json"));
        let mut command = codexway(&home);
        command
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url())
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url());
        if variable != "NONE" {
            command.env(variable, &elsewhere);
            let _ = fs::remove_dir_all(&folder);
        }
        let (_child, info) = listening(&home, command);
        let url = format!("{}/v1/responses", info["url"].as_str().unwrap());
        let answer = client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{variable}: {}", answer.text().await.unwrap());
    }
}

#[test]
fn serving_without_a_login_starts_and_is_not_ready() {
    let home = tempfile::tempdir().unwrap();
    let (_child, info) = start(&home, &[]);
    let health = run(&home, &["health", "--url", info["url"].as_str().unwrap()]);
    assert_eq!(health.status.code(), Some(1));
    assert!(text(&health.stderr).contains("codexway login"), "{}", text(&health.stderr));
}

/// As in a container on another port, whose health check is `codexway health`.
#[test]
fn health_is_asked_where_the_settings_say_that_the_server_is() {
    let home = tempfile::tempdir().unwrap();
    let (_child, info) = start(&home, &["demo"]);
    let url = info["url"].as_str().unwrap();
    let ready = |command: &mut std::process::Command| {
        let output = command.output().unwrap();
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(0), "ready\n"), "{told}");
    };
    let everywhere = format!("0.0.0.0:{}", info["port"]);
    ready(codexway(&home).arg("health").env("CODEXWAY__SERVER__LISTEN", everywhere));
    let listen = url.strip_prefix("http://").unwrap();
    fs::write(home.path().join("my.toml"), format!("[server]\nlisten = \"{listen}\"\n")).unwrap();
    ready(codexway(&home).args(["health", "--config", "my.toml"]));
    ready(codexway(&home).args(["health", "--url", &format!("{url}/v1")]));

    assert_eq!(run(&home, &["health", "--url", "nowhere"]).status.code(), Some(2));
    assert_eq!(run(&home, &["health", "--config", "none.toml"]).status.code(), Some(2));
}

#[test]
fn a_port_that_is_taken_is_told() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&home, &["serve", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.starts_with(&format!("error: listen on {address}: ")), "{told}");
}

#[test]
fn wrong_settings_are_told_with_their_place_and_exit_code_2() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("my.toml");
    fs::write(&file, "[server]\nlisen = \"127.0.0.1:1\"\n").unwrap();
    for args in [
        ["config", "check", "--config", "my.toml"],
        ["serve", "--config", "my.toml", "--profile=codex"],
    ] {
        let output = run(&home, &args);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(2), ""), "{told}");
        for part in ["my.toml", "lisen", "listen"] {
            assert!(told.contains(part), "{told}");
        }
    }
    assert_eq!(run(&home, &["serve", "--frobnicate"]).status.code(), Some(2));
    assert_eq!(run(&home, &["config", "check", "--config", "none.toml"]).status.code(), Some(2));
}

#[test]
fn settings_that_cannot_be_served_are_not_sound() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("my.toml");
    let checked = |settings: &str| {
        fs::write(&file, settings).unwrap();
        let output = run(&home, &["config", "check", "--config", "my.toml"]);
        (output.status.code(), text(&output.stderr))
    };
    let (code, told) = checked("[profiles.codex]\nbase_prompt = \"none.txt\"\n");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("read `base_prompt` of the profile `codex`: none.txt"), "{told}");
    fs::write(home.path().join("none.txt"), "Be kind.").unwrap();
    assert_eq!(checked("[profiles.codex]\nbase_prompt = \"none.txt\"\n").0, Some(0));
    assert_eq!(checked("[profiles.codex]\nupstream = \"demo\"\n").0, Some(0));
}

/// As `CODEXWAY_CONFIG= codexway` does, and many a Compose file.
#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["config", "check"][..], &["connect", "opencode"], &["serve", "--listen", "x"]] {
        let mut command = codexway(&home);
        command.env("CODEXWAY_CONFIG", "").env("CODEXWAY_KEY_FILE", "").args(args);
        let told = text(&command.output().unwrap().stderr);
        assert!(!told.contains("a value is required"), "{args:?}: {told}");
    }
    // What is typed is meant.
    assert_eq!(run(&home, &["config", "check", "--config", ""]).status.code(), Some(2));
}

/// A service is not started again for them, as it is for what may pass.
#[test]
fn settings_that_cannot_be_served_end_it_with_exit_code_2() {
    let home = tempfile::tempdir().unwrap();
    let exec = [
        ("CODEXWAY__PROFILES__CODEX__UPSTREAM", "codex-exec"),
        ("CODEXWAY__ACCOUNTS__DEFAULT__KIND", "api-key"),
    ];
    let prompt = [("CODEXWAY__PROFILES__CODEX__BASE_PROMPT", "none.md")];
    for (vars, part) in [(&prompt[..], "none.md"), (&exec, "codex-exec")] {
        let mut command = codexway(&home);
        command.args(["serve", "--listen", "127.0.0.1:0"]).envs(vars.iter().copied());
        let output = command.output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.starts_with("error: ") && told.contains(part), "{told}");
    }
}

#[test]
fn the_settings_in_force_are_shown_with_where_they_came_from() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("my.toml"), "[server]\nkeys = [\"sk-secret\"]\n").unwrap();
    let output = codexway(&home)
        .args(["config", "show", "--config", "my.toml"])
        .env("CODEXWAY__SERVER__MAX_TURNS", "7")
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let line = |key: &str| {
        shown
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_else(|| panic!("{key} in {shown}"))
    };
    assert!(
        line("server.max_turns").contains('7')
            && line("server.max_turns").contains("CODEXWAY__SERVER__MAX_TURNS")
    );
    assert!(line("server.keys").contains("my.toml"));
    assert!(line("server.listen").contains("default"));
    assert!(!shown.contains("sk-secret"), "{shown}");
    let path = run(&home, &["config", "path"]);
    assert!(text(&path.stdout).trim_end().ends_with("codexway/config.toml"));
}

/// It is asked for where something is wrong with the file.
#[test]
fn the_path_of_the_settings_is_told_whatever_is_in_them() {
    let home = tempfile::tempdir().unwrap();
    let told = |args: &[&str]| {
        let output = run(&home, args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let folder = home.path().join(".config/codexway");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.yaml");
    for wrong in ["server: [", "server: {lisen: x}"] {
        fs::write(&file, wrong).unwrap();
        assert_eq!(told(&["config", "path"]), format!("{}\n", file.display()));
    }
    assert_eq!(told(&["config", "path", "--config", "none.toml"]), "none.toml\n");

    fs::write(folder.join("config.toml"), "").unwrap();
    assert_eq!(run(&home, &["config", "path"]).status.code(), Some(2));
}

#[test]
fn nothing_but_loopback_is_listened_on_without_a_key() {
    let home = tempfile::tempdir().unwrap();
    for command in ["serve", "demo"] {
        let output = run(&home, &[command, "--listen", "0.0.0.0:0"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("CODEXWAY__SERVER__KEYS") && told.contains("--key-file"), "{told}");
    }
}

/// As a container does at its first run, and at every one after it.
#[cfg(unix)]
#[tokio::test]
async fn a_key_is_made_where_there_is_none_and_shown_once() {
    use std::os::unix::fs::PermissionsExt;

    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("volume/key");
    let mut shown = Vec::new();
    for log in ["first.log", "second.log"] {
        let _ = fs::remove_file(home.path().join("info.json"));
        let mut command = codexway(&home);
        command.arg("demo").env("CODEXWAY_KEY_FILE", &file);
        let (_running, info) = logging(&home, command, log);
        let key = fs::read_to_string(&file).unwrap().trim().to_owned();
        assert!(key.starts_with("cw-") && key.len() > 40, "{key}");
        let url = format!("http://127.0.0.1:{}/v1/models", info["port"]);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
        assert_eq!(client.get(&url).bearer_auth(&key).send().await.unwrap().status(), 200);
        shown.push(fs::read_to_string(home.path().join(log)).unwrap().matches(&key).count());
    }
    assert_eq!(shown, [1, 0]);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

/// Waits until the server answers a request for `model` with that status.
async fn until_served(url: &str, model: &str, status: u16) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = client.get(format!("{url}/v1/models/{model}")).send().await.unwrap();
        if answer.status() == status {
            return;
        }
        assert!(Instant::now() < until, "{model} is still {}", answer.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn changed_settings_are_followed_and_wrong_ones_are_not() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("my.toml");
    let aliases = |names: &[&str]| {
        let aliases: Vec<String> =
            names.iter().map(|name| format!("{name} = \"gpt-5.5\"")).collect();
        format!("[profiles.codex.aliases]\n{}\n", aliases.join("\n"))
    };
    fs::write(&file, aliases(&["first"])).unwrap();
    let (mut child, info) = start(&home, &["demo", "--config", "my.toml"]);
    let url = info["url"].as_str().unwrap();
    until_served(url, "first", 200).await;
    fs::write(&file, aliases(&["first", "second"])).unwrap();
    until_served(url, "second", 200).await;

    fs::write(&file, "[profiles.codex]\naliasses = {}\n").unwrap();
    signal(&child.0, "-HUP");
    let log = child.0.stderr.take().unwrap();
    let told = tokio::task::spawn_blocking(move || {
        use std::io::BufRead;
        let lines = std::io::BufReader::new(log).lines();
        lines.map(Result::unwrap).find(|line| line.contains("aliasses")).unwrap()
    });
    assert!(told.await.unwrap().contains("the old ones stay"));
    until_served(url, "second", 200).await;
}

#[tokio::test]
async fn what_is_kept_on_disk_outlives_the_process() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".codex")).unwrap();
    fs::write(home.path().join(".codex/auth.json"), simulator.auth_json()).unwrap();
    let start = || {
        let _ = fs::remove_file(home.path().join("info.json"));
        let mut command = codexway(&home);
        command
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url())
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url())
            .env("CODEXWAY__STATE__STORE", "disk");
        let (child, info) = listening(&home, command);
        (child, info["url"].as_str().unwrap().to_owned())
    };
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |url: String, body: Value| {
        let request = client.post(format!("{url}/v1/responses")).json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let (child, url) = start();
    let first = ask(url.clone(), json!({"model": "gpt-5.5", "input": "Say exactly one"})).await;
    simulator.script(codexway::simulator::Script::text("never").stall());
    let body = json!({"model": "gpt-5.5", "input": "hi", "background": true});
    let running = ask(url, body).await;
    let turns = || {
        let requests = simulator.requests();
        requests.iter().filter(|request| request.path.ends_with("/responses")).count()
    };
    while turns() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(child); // Killed.

    let (_child, url) = start();
    let get = |id: &Value| {
        let request = client.get(format!("{url}/v1/responses/{}", id.as_str().unwrap()));
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(get(&first["id"]).await, first);
    assert_eq!(get(&running["id"]).await["status"], "failed");
    let body = json!({"model": "gpt-5.5", "input": "Say exactly two", "previous_response_id": first["id"]});
    assert_eq!(ask(url.clone(), body).await["status"], "completed");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = home.path().join(".local/share/codexway/responses.redb");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
