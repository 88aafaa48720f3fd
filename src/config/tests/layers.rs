use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;

#[test]
fn later_sources_win_and_are_named() {
    let file = "[server]\nmax_turns = 1\nprofile = 'codex'\nlisten = '127.0.0.1:1'\n";
    let user = User::toml(file)
        .variable("CODEXWAY__SERVER__MAX_TURNS", "2")
        .variable("CODEXWAY__SERVER__LISTEN", "127.0.0.1:2")
        .flag("server.listen", "--listen", "127.0.0.1:3");
    let server = user.settings().server;
    assert_eq!((server.listen.port(), server.max_turns), (3, 2));
    assert_eq!(user.origin("server.listen"), "--listen");
    assert_eq!(user.origin("server.max_turns"), "CODEXWAY__SERVER__MAX_TURNS");
    assert_eq!(user.origin("server.profile"), "config.toml");
    assert_eq!(user.origin("server.keepalive"), "default");
    let empty = User::toml("profiles.codex.aliases = {}");
    assert_eq!(empty.origin("profiles.codex.aliases"), "config.toml");
}

#[test]
fn yaml_is_read_like_toml_and_null_changes_nothing() {
    let user = User::yaml(
        "server:\n  max_turns: 7\n  keepalive:\nprofiles:\n  codex:\n    aliases:\n      gpt-4o: gpt-5.5\n      GPT-4.1: gpt-5.5\n    reasoning: {summary: none}\nstate:\n  store: off\n",
    );
    let settings = user.settings();
    assert_eq!(settings.server.max_turns, 7);
    assert_eq!(settings.server.keepalive.as_secs(), 15);
    assert_eq!(settings.state.store, Store::Off);
    let profile = &settings.profiles["codex"];
    assert_eq!(profile.aliases.keys().collect::<Vec<_>>(), ["GPT-4.1", "gpt-4o"]);
    assert_eq!((&*profile.reasoning.summary, &*profile.reasoning.effort), ("none", "auto"));
    assert_eq!(User::yaml("# nothing yet\n").settings(), Settings::default());
}

#[test]
fn the_file_of_the_platform_is_optional_and_may_be_yaml() {
    for name in ["config.toml", "config.yaml", "config.yml"] {
        let mut user = User::new();
        user.sources.config_dir = Some(user.folder.path().to_owned());
        assert_eq!(user.loaded().file, None);
        let text =
            if name == "config.toml" { "state.store = 'disk'" } else { "state: {store: disk}" };
        let path = user.put(&format!("codexway/{name}"), text);
        assert_eq!(user.settings().state.store, Store::Disk);
        assert_eq!(user.loaded().file, Some(path));
    }
    let user = User::new();
    assert_eq!(default_file(user.folder.path()), user.folder.path().join("codexway/config.toml"));
}

#[test]
fn a_named_file_replaces_that_of_the_platform() {
    let mut user = User::toml("");
    user.put("codexway/config.toml", "server.max_turns = 9");
    user.sources.config_dir = Some(user.folder.path().to_owned());
    assert_eq!(user.settings().server.max_turns, 256);
}

#[test]
fn sections_that_the_user_adds_start_from_ours() {
    let settings = User::toml(
        "[accounts.work]\nsource = 'own'\n[profiles.fast]\nmodel = 'gpt-5.5-mini'\nupstream = 'lab'\n[profiles.'v1.2']\n[upstreams.lab]\nbase_url = 'http://lab:1/'\n[upstreams.key]\nkind = 'openai'\n[upstreams.codex]\nkind = 'demo'\n",
    )
    .settings();
    let ours = Settings::default();
    assert_eq!(
        settings.accounts["work"],
        Account { source: "own".to_owned(), ..ours.accounts["default"].clone() }
    );
    assert_eq!(settings.profiles["v1.2"], ours.profiles["codex"]);
    assert_eq!(settings.profiles["fast"].verbosity, "auto");
    assert_eq!(settings.upstreams["key"], ours.upstreams["openai"]);
    assert_eq!(settings.upstreams["codex"], ours.upstreams["demo"]);
    let lab = Upstream { base_url: "http://lab:1".to_owned(), ..ours.upstreams["codex"].clone() };
    assert_eq!(settings.upstreams["lab"], lab);
}

#[test]
fn variables_hold_lists_and_tables_as_toml_or_json() {
    let with = |value| {
        let user = User::variables(&[("CODEXWAY__PROFILES__CODEX__ALIASES", value)]);
        serde_json::to_value(user.profile().aliases).unwrap()
    };
    assert_eq!(with(r#"{ "mock.model" = "gpt-5.5" }"#), json!({"mock.model": "gpt-5.5"}));
    assert_eq!(with(r#"{"Mock": "gpt-5.5"}"#), json!({"Mock": "gpt-5.5"}));

    let keys = |value| User::variables(&[("CODEXWAY__SERVER__KEYS", value)]).settings().server.keys;
    assert_eq!(keys(r#"["a", "b"]"#).len(), 2);
    assert_eq!(keys("just-one")[0].key.expose_secret(), "just-one");
    assert_eq!(keys(""), []);

    let parameters = r#"{ stop = "reject" }"#;
    let profile =
        User::variables(&[("CODEXWAY__PROFILES__CODEX__PARAMETERS", parameters)]).profile();
    assert_eq!(profile.parameters, Parameters::Table([("stop".to_owned(), Policy::Reject)].into()));
    let strict = User::variables(&[("CODEXWAY__PROFILES__CODEX__PARAMETERS", "strict")]).profile();
    assert_eq!(strict.parameters, Parameters::Strict);
}

#[test]
fn variables_reach_single_names_of_tables() {
    let profile = User::variables(&[
        ("CODEXWAY__PROFILES__CODEX__ALIASES__MOCK-MODEL", "gpt-5.5"),
        ("CODEXWAY__PROFILES__CODEX__ALIASES__gpt-4.1__Mini", "5"),
        ("CODEXWAY__PROFILES__CODEX__PARAMETERS__STOP", "drop"),
        ("CODEXWAY__PROFILES__CODEX__REASONING__EFFORT", "high"),
    ])
    .profile();
    let aliases = json!({"mock-model": "gpt-5.5", "gpt-4.1__Mini": "5"});
    assert_eq!(serde_json::to_value(profile.aliases).unwrap(), aliases);
    assert_eq!(profile.parameters, Parameters::Table([("stop".to_owned(), Policy::Drop)].into()));
    assert_eq!(profile.reasoning.effort, "high");
}

#[test]
fn variables_find_names_whatever_their_case() {
    let user = User::toml("[profiles.Fast]\naliases = { GPT-4o = 'a' }")
        .variable("CODEXWAY__PROFILES__FAST__ALIASES__GPT-4O", "b")
        .variable("codexway__server__Max_Turns", "3")
        .variable("CODEXWAY__PROFILES__NEW-ONE__MODEL", "5.50");
    let settings = user.settings();
    assert_eq!(settings.profiles["Fast"].aliases["GPT-4o"], "b");
    assert_eq!(settings.profiles["new-one"].model, "5.50");
    assert_eq!(settings.server.max_turns, 3);
}

#[test]
fn variables_hold_numbers_and_booleans() {
    let user = User::variables(&[
        ("CODEXWAY__PROFILES__CODEX__MODEL", "5"),
        ("CODEXWAY__PROFILES__CODEX__BYPASS_TOOL_CALL_REACTOR", "false"),
        ("CODEXWAY__PROFILES__CODEX__CODEX_PASSTHROUGH", "true"),
        ("CODEXWAY__SERVER__MAX_BODY", "1024"),
    ]);
    let profile = user.profile();
    assert_eq!(profile.model, "5");
    assert!(!profile.bypass_tool_call_reactor);
    assert_eq!(profile.codex_passthrough, Passthrough::True);
    assert_eq!(user.settings().server.max_body, 1024);
}

#[test]
fn variables_with_single_underscores_are_not_ours() {
    let user = User::variables(&[("CODEXWAY_CONFIG", "x"), ("CODEXWAY_SERVER__LISTEN", "x")]);
    assert_eq!(user.settings(), Settings::default());
}

#[test]
fn openai_api_base_url_replaces_only_the_default() {
    let url = |user: &User| user.settings().upstreams["openai"].base_url.clone();
    let variable = |user: User| user.variable("OPENAI_API_BASE_URL", "http://all:1/v1/");
    let user = variable(User::new());
    assert_eq!(
        (url(&user), user.origin("upstreams.openai.base_url")),
        ("http://all:1/v1".to_owned(), "OPENAI_API_BASE_URL".to_owned())
    );
    let file = "upstreams.openai.base_url = 'http://file:1'";
    assert_eq!(url(&variable(User::toml(file))), "http://file:1");
    let ours = User::variables(&[("CODEXWAY__UPSTREAMS__OPENAI__BASE_URL", "http://ours:1")]);
    assert_eq!(url(&variable(ours)), "http://ours:1");
    assert_eq!(url(&User::variables(&[("OPENAI_API_BASE_URL", "")])), "https://api.openai.com/v1");
}

#[test]
fn flags_reach_names_that_hold_a_dot() {
    let user = User::toml("[profiles.'v1.2']").flag("profiles.\"v1.2\".model", "--model", "a");
    assert_eq!(user.settings().profiles["v1.2"].model, "a");
    assert_eq!(user.origin("profiles.\"v1.2\".model"), "--model");
}
