//! Each fault is told apart from every other, with what to do about it.

use std::{fs, net::TcpListener, process::Command, time::Duration};

use codexway::simulator::{Options, Script, Simulator, TokenScript};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::binary::{codexway, listening, text};

mod probe;

struct World {
    home: TempDir,
    simulator: Simulator,
}

impl World {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let world = Self { home: tempfile::tempdir().unwrap(), simulator };
        world.login(&world.simulator.auth_json());
        world
    }

    fn login(&self, auth_json: &str) {
        let folder = self.home.path().join(".codex");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("auth.json"), auth_json).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = codexway(&self.home);
        command
            .env("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", self.simulator.base_url())
            .env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", self.simulator.auth_url())
            .env("CODEXWAY__SERVER__LISTEN", "127.0.0.1:0"); // any that is free
        command
    }

    /// Exit code, and the report.
    fn examined(&self, vars: &[(&str, &str)]) -> (i32, Value) {
        let output = self.command().envs(vars.iter().copied()).args(["doctor", "--json"]).output();
        let output = output.unwrap();
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        (output.status.code().unwrap(), report)
    }

    /// Asserts what is not well, by the checks' names and a part of what each saw or advises.
    #[track_caller]
    fn finds(&self, vars: &[(&str, &str)], code: i32, expected: &[(&str, &str)]) {
        let (seen, report) = self.examined(vars);
        let ill: Vec<&Value> =
            checks(&report).iter().filter(|check| check["ok"] == false).collect();
        let names: Vec<&str> = ill.iter().map(|check| check["name"].as_str().unwrap()).collect();
        let wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
        assert_eq!((seen, names), (code, wanted), "{report:#}");
        for (check, (_, part)) in ill.iter().zip(expected) {
            let [saw, hint] = ["saw", "hint"].map(|key| check[key].as_str().unwrap());
            assert!(format!("{saw}\n{hint}").contains(part), "{part} in {check}");
            assert!(!saw.is_empty() && !hint.is_empty(), "{check}");
        }
        assert_eq!(report["ok"], expected.is_empty());
    }
}

fn checks(report: &Value) -> &Vec<Value> {
    report["checks"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_every_check_says_what_it_saw_and_one_turn_is_run() {
    let world = World::new().await;
    let (code, report) = world.examined(&[]);
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
    let names: Vec<&str> =
        checks(&report).iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["config", "port", "clock", "credentials", "catalogue", "turn"]);
    for check in checks(&report) {
        assert!(check["saw"].as_str().is_some_and(|saw| !saw.is_empty()), "{check}");
        assert_eq!(check["hint"], Value::Null);
    }
    assert_eq!(world.simulator.turns().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_turn_is_one_that_the_profile_takes() {
    let world = World::new().await;
    for protocol in ["openai-chat", "openai-responses"] {
        world.finds(&[("CODEXWAY__PROFILES__CODEX__PROTOCOL", protocol)], 0, &[]);
    }
    world.finds(&[("CODEXWAY__PROFILES__CODEX__PARAMETERS", r#"{ store = "reject" }"#)], 0, &[]);
    assert_eq!(world.simulator.turns().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_line_a_check_and_are_told_what_is_waited_for() {
    let world = World::new().await;
    world.simulator.script(Script::cloudflare_challenge());
    let output = world.command().arg("doctor").output().unwrap();
    let (told, aside) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("ok      credentials the plan is `plus`\n"), "{told}");
    assert!(told.contains("FAILED  turn        ") && told.contains("    hint: "), "{told}");
    assert_eq!(aside, "asking for the account\nrunning one turn\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_needs_a_login_and_nothing_more_is_tried() {
    let world = World::new().await;
    world.login(&world.simulator.auth_json_expiring(Duration::ZERO));
    world.simulator.expire_refresh_tokens();
    let expected = [("credentials", "codexway login"), ("catalogue", "log in"), ("turn", "log in")];
    world.finds(&[], 3, &expected);
    assert_eq!(world.simulator.turns().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_login_one_is_asked_for() {
    let world = World::new().await;
    fs::remove_dir_all(world.home.path().join(".codex")).unwrap();
    let expected = [("credentials", "codexway login"), ("catalogue", "log in"), ("turn", "log in")];
    world.finds(&[], 3, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_port_is_told() {
    let world = World::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let vars = [("CODEXWAY__SERVER__LISTEN", &*address)];
    world.finds(&vars, 1, &[("port", "is used by another program")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_is_found_and_a_key_that_it_does_not_take_is_told() {
    let world = World::new().await;
    let mut command = codexway(&world.home);
    command.arg("demo").env("CODEXWAY__SERVER__KEYS", r#"["right"]"#);
    let (_server, info) = listening(&world.home, command);
    let listen = info["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let listen = ("CODEXWAY__SERVER__LISTEN", listen);
    world.finds(&[listen, ("CODEXWAY__SERVER__KEYS", r#"["right"]"#)], 0, &[]);
    let wrong = ("CODEXWAY__SERVER__KEYS", r#"["wrong"]"#);
    world.finds(&[listen, wrong], 1, &[("port", "does not take the local key")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_the_wrong_path_is_told_what_it_asks_for_and_how_to_mend_it() {
    let world = World::new().await;
    let mut command = codexway(&world.home);
    command.arg("demo");
    let (_server, info) = listening(&world.home, command);
    let url = info["url"].as_str().unwrap();
    let listen = ("CODEXWAY__SERVER__LISTEN", url.strip_prefix("http://").unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/favicon.ico", "/nothing/here"] {
        assert_eq!(client.get(format!("{url}{path}")).send().await.unwrap().status(), 404);
    }
    world.finds(&[listen], 0, &[]);
    for path in ["/v1/v1/chat/completions", "/v1/v1/models", "/api/chat"] {
        assert_eq!(client.get(format!("{url}{path}")).send().await.unwrap().status(), 404);
    }
    let saw = "`/v1/v1/…` was asked for (2×), `/api/chat` was asked for (1×)\n\
               the client's base URL has one `/v1` too many: take it away; this is how Ollama is asked";
    world.finds(&[listen], 1, &[("clients", saw)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_clock_is_told_by_how_much() {
    let world = World::with(Options { clock_ahead: 3900, ..Options::default() }).await;
    world.finds(&[], 1, &[("clock", "1 h 5 min behind")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_cloudflare_s_is_told_from_a_refusal() {
    let world = World::new().await;
    world.simulator.script(Script::cloudflare_challenge());
    world.finds(&[], 1, &[("turn", "Cloudflare")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_codex_is_told() {
    let world = World::new().await;
    let without = r#"{"error":{"type":"usage_not_included","message":"…"}}"#;
    world.simulator.usage_script(TokenScript::status(403, without));
    world.simulator.script(Script::usage_not_included());
    let expected = [("credentials", "does not include Codex"), ("turn", "plan")];
    world.finds(&[], 1, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_of_the_platform_is_told() {
    let world = World::new().await;
    let vars = [
        ("CODEXWAY__PROFILES__CODEX__UPSTREAM", "openai"),
        ("CODEXWAY__ACCOUNTS__DEFAULT__KIND", "api-key"),
        ("CODEXWAY__UPSTREAMS__OPENAI__BASE_URL", &*world.simulator.platform_url()),
        ("OPENAI_API_KEY", "sk-wrong"),
    ];
    let (code, report) = world.examined(&vars);
    assert!(!report.to_string().contains("sk-wrong"), "{report:#}");
    assert_eq!(code, 1);
    world.finds(&vars, 1, &[("catalogue", "key"), ("turn", "key")]);
}

/// The upstream of the profile says that a key is wanted, so `kind` need not.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_platform_is_found_where_turns_find_it() {
    let world = World::new().await;
    fs::remove_dir_all(world.home.path().join(".codex")).unwrap();
    let platform = world.simulator.platform_url();
    let vars = [
        ("CODEXWAY__PROFILES__WORK", r#"{ upstream = "openai" }"#),
        ("CODEXWAY__SERVER__PROFILE", "work"),
        ("CODEXWAY__UPSTREAMS__OPENAI__BASE_URL", &*platform),
    ];
    let status = |vars: &[(&str, &str)]| {
        let output = world.command().envs(vars.iter().copied()).args(["status", "--json"]).output();
        let output = output.unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let account = &told["accounts"][0];
        let [kind, state, problem] = ["kind", "state", "problem"].map(|key| account[key].clone());
        (output.status.code().unwrap(), json!([kind, state]), problem)
    };
    let ill = [("credentials", "--api-key"), ("catalogue", "log in"), ("turn", "log in")];
    world.finds(&vars, 3, &ill);

    let key = world.simulator.api_key();
    let in_environment = [&vars[..], &[("OPENAI_API_KEY", &*key)]].concat();
    world.finds(&in_environment, 0, &[]);
    assert_eq!(status(&in_environment), (0, json!(["api-key", "ready"]), Value::Null));

    // As `codexway login --api-key` keeps it.
    let own = world.home.path().join(".local/share/codexway/accounts/default");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("auth.json"), json!({ "OPENAI_API_KEY": key }).to_string()).unwrap();
    world.finds(&vars, 0, &[]);
    assert_eq!(status(&vars), (0, json!(["api-key", "ready"]), Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_backend_that_leads_nowhere_is_told() {
    let world = World::new().await;
    let base = format!("{}/elsewhere", world.simulator.base_url());
    let (code, report) = world.examined(&[("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", &base)]);
    assert_eq!(code, 1);
    let turn = checks(&report).iter().find(|check| check["name"] == "turn").unwrap();
    assert!(turn.to_string().contains("base_url"), "{turn}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_told_and_nothing_else_is_looked_at() {
    let world = World::new().await;
    world.finds(&[("CODEXWAY__SERVER__LISEN", "x")], 2, &[("config", "lisen")]);
    let none = ("CODEXWAY_CONFIG", "none.toml");
    world.finds(&[none], 2, &[("config", "there is no such file")]);
    assert_eq!(world.simulator.requests().len(), 0);
}
