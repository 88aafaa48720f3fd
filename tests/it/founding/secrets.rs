use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use base64::Engine as _;
use codexway::simulator::{Options, Script, Simulator, TokenScript};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    ask,
    binary::{Running, codexway, logging},
    with,
};

const LOCAL_KEY: &str = "local-key-of-ada-7c1f";
const WRONG_KEY: &str = "sk-a-key-of-somewhere-else-93b1";
const HEADER: &str = "header-that-nobody-may-see-52aa";

/// A home with a login, an API key and a local key in it, everything that was said there, and
/// every secret that there ever was.
struct World {
    home: TempDir,
    simulator: Simulator,
    api_key: String,
    secrets: Vec<String>,
    said: Vec<(String, String)>,
}

impl World {
    async fn new() -> Self {
        let options = Options { device_approved_at_poll: Some(1), ..Options::default() };
        let simulator = Simulator::start(options).await.unwrap();
        let api_key = simulator.api_key();
        let home = tempfile::tempdir().unwrap();
        let file = format!(
            "[server]\nkeys = [{{ name = \"ada\", key = \"{LOCAL_KEY}\" }}]\n\
             [upstreams.codex]\nbase_url = \"{}\"\nauth_url = \"{}\"\nheaders = {{ X-Api-Key = \"{HEADER}\" }}\n\
             [accounts.platform]\nkind = \"api-key\"\n\
             [profiles.platform]\nupstream = \"openai\"\naccount = \"platform\"\n",
            simulator.base_url(),
            simulator.auth_url(),
        );
        fs::write(home.path().join("my.toml"), file).unwrap();
        let secrets = [LOCAL_KEY, WRONG_KEY, HEADER, &api_key].map(str::to_owned).to_vec();
        Self { home, simulator, api_key, secrets, said: Vec::new() }
    }

    fn command(&self) -> Command {
        let mut command = codexway(&self.home);
        command
            .env("RUST_LOG", "trace")
            .env("CODEXWAY_CONFIG", self.home.path().join("my.toml"))
            .env("OPENAI_API_KEY", &self.api_key)
            .env("OPENAI_API_BASE_URL", self.simulator.platform_url())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end and takes down all that it says.
    fn run(&mut self, args: &[&str]) -> i32 {
        let output = self.command().args(args).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        self.said.push((args.join(" "), String::from_utf8_lossy(&said).into_owned()));
        output.status.code().unwrap()
    }

    fn auth_file(&self) -> PathBuf {
        self.home.path().join(".local/share/codexway/accounts/default/auth.json")
    }

    /// Starts the server and a client of it.
    fn serve(&self, log: &str) -> (Running, Client) {
        let _ = fs::remove_file(self.home.path().join("info.json"));
        let (server, info) = logging(&self.home, self.command(), log);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = info["url"].as_str().unwrap().to_owned();
        (server, Client { url, said: Vec::new(), client })
    }

    /// Takes note of the tokens of the login: whole, and what is in them.
    fn note_tokens(&mut self) -> [String; 3] {
        let file: Value = serde_json::from_slice(&fs::read(self.auth_file()).unwrap()).unwrap();
        let tokens = ["access_token", "refresh_token", "id_token"]
            .map(|name| file["tokens"][name].as_str().unwrap().to_owned());
        for token in &tokens {
            self.note(token);
        }
        tokens
    }

    fn note(&mut self, token: &str) {
        let parts = token.split('.').filter(|part| part.len() > 20);
        // The first part of a token is the same in all of them, and says nothing.
        let parts = parts.filter(|part| !token.starts_with("eyJ") || !token.starts_with(part));
        let parts: Vec<String> = parts.map(str::to_owned).collect();
        let decoded = parts.iter().filter_map(|part| {
            let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
            String::from_utf8(bytes).ok().filter(|text| text.starts_with('{'))
        });
        let decoded: Vec<String> = decoded.collect();
        let again = base64::prelude::BASE64_STANDARD.encode(token);
        self.secrets.extend(parts.into_iter().chain(decoded).chain([token.to_owned(), again]));
    }

    #[track_caller]
    fn nothing_was_shown(&self) {
        assert!(self.secrets.len() > 20 && self.secrets.iter().all(|secret| secret.len() > 12));
        for (what, text) in &self.said {
            for secret in &self.secrets {
                let shown: String = secret.chars().take(6).collect();
                assert!(!text.contains(secret), "`{what}` shows {shown}…, a secret:\n{text}");
            }
        }
    }
}

/// A client of the running server.
struct Client {
    url: String,
    said: Vec<(String, String)>,
    client: reqwest::Client,
}

impl Client {
    async fn send(&mut self, request: reqwest::RequestBuilder, key: &str) -> u16 {
        let response = request.bearer_auth(key).send().await.unwrap();
        let status = response.status().as_u16();
        let what = format!("{} {status}", response.url().path());
        let headers = format!("{:?}\n", response.headers());
        let body = response.text().await.unwrap_or_default();
        self.said.push((what, headers + &body));
        status
    }

    async fn get(&mut self, path: &str) -> u16 {
        let request = self.client.get(format!("{}{path}", self.url));
        self.send(request, LOCAL_KEY).await
    }

    /// One turn in each dialect, whole and streamed, with the script for each.
    async fn turns(&mut self, world: &World, script: Option<Script>, prefix: &str) -> Vec<u16> {
        let mut statuses = Vec::new();
        for stream in [false, true] {
            let more = json!({"stream": stream, "model": format!("{prefix}gpt-5.5")});
            let response = json!({"input": "Say exactly pong"});
            for (path, body) in
                [("/v1/chat/completions", ask("Say exactly pong")), ("/v1/responses", response)]
            {
                if let Some(script) = &script {
                    world.simulator.script(script.clone());
                }
                let request = self.client.post(format!("{}{path}", self.url));
                let request = request.json(&with(body, more.clone()));
                statuses.push(self.send(request, LOCAL_KEY).await);
            }
        }
        statuses
    }
}

/// Whatever becomes of logins and turns: not in logs of any level, errors, answers, or what any
/// command prints.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_shown_anywhere() {
    let mut world = World::new().await;
    assert_eq!(world.run(&["login", "--device", "--yes"]), 0, "{:?}", world.said);
    let first = world.note_tokens();
    // A refresh that fails, with an answer that repeats the token.
    world.simulator.expire_access_tokens();
    let echo = json!({"error": {"message": first[1], "code": "server_error"}}).to_string();
    world.simulator.token_script(TokenScript::status(503, &echo));
    let (server, mut client) = world.serve("first.log");
    assert_eq!(client.turns(&world, None, "").await, [503; 4]);
    drop(server);
    world.said.append(&mut client.said);

    let (server, mut client) = world.serve("second.log");
    assert_eq!(client.turns(&world, None, "").await, [200; 4]);
    assert_eq!(client.turns(&world, None, "platform:").await, [200; 4]);
    for path in ["/v1/models", "/usage", "/ready", "/health", "/metrics", "/v1/nothing"] {
        client.get(path).await;
    }
    let wrong = client.client.get(format!("{}/v1/models", client.url));
    assert_eq!(client.send(wrong, WRONG_KEY).await, 401);

    let second = world.note_tokens();
    assert!(first.iter().zip(&second).all(|(first, second)| first != second));

    // Refusals and failures that repeat what they were sent.
    let access = &second[0];
    for status in [400, 401, 403, 404, 429, 500] {
        for body in [
            json!({"detail": format!("bad token Bearer {access}, bad key {}", world.api_key)}),
            json!({"error": {"message": format!("the token '{access}' is bad"), "code": "bad"}}),
        ] {
            let script = Script::new().status(status, &[], &body.to_string());
            client.turns(&world, Some(script.clone()), "").await;
            client.turns(&world, Some(script), "platform:").await;
            world.note_tokens(); // A 401 is followed by a refresh.
        }
    }
    let told = format!("the request of {access} failed");
    for script in [
        Script::new().failed("server_error", &told),
        Script::new().failed("invalid_prompt", &told),
        Script::text("half").failed_after_text("server_error", &told),
        Script::new().error_event_only("server_error", &told),
    ] {
        client.turns(&world, Some(script), "").await;
    }
    // The login is over, then it is damaged.
    world.simulator.revoke_all();
    client.turns(&world, None, "").await;
    for damaged in [
        "{\"tokens\": {\"access_token\": \"opaque-token-of-ada-11f0\"",
        r#"{"tokens":{"access_token":"opaque-token-of-ada-11f0","refresh_token":"refresh-of-ada-22e1"}}"#,
    ] {
        fs::write(world.auth_file(), damaged).unwrap();
        client.turns(&world, None, "").await;
        world.run(&["status"]);
    }
    world.secrets.extend(["opaque-token-of-ada-11f0", "refresh-of-ada-22e1"].map(str::to_owned));

    for args in [
        &["status"][..],
        &["status", "--json"],
        &["config", "show"],
        &["config", "show", "--json"],
        &["config", "check"],
        &["models"],
        &["models", "--json"],
        &["logout"],
    ] {
        world.run(args);
    }
    drop(server);
    world.said.append(&mut client.said);
    for name in ["first.log", "second.log"] {
        let log = fs::read_to_string(world.home.path().join(name)).unwrap();
        assert!(log.contains("TRACE") && log.contains("turn failed"), "{log}");
        world.said.push((name.to_owned(), log));
    }
    world.nothing_was_shown();
    // It was all in use: the test would see it.
    let authorizations: String = world
        .simulator
        .requests()
        .iter()
        .map(|asked| asked.header("authorization").to_owned())
        .collect();
    for used in [access, &first[0], &world.api_key] {
        assert!(authorizations.contains(used));
    }
    let headers = world.simulator.turns();
    assert!(headers.iter().any(|turn| turn.header("x-api-key") == HEADER));
}
