use pretty_assertions::assert_eq;

use super::*;

/// What a user with this file is told, without the file's name.
#[track_caller]
fn refused(toml: &str) -> String {
    let told = User::toml(toml).told();
    told.strip_prefix("config.toml: ").unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_name() {
    let cases = [
        ("server.lisen = 'x'", "unknown key `server.lisen`; did you mean `listen`?"),
        ("[sever]\nlisten = 'x'", "unknown key `sever`; did you mean `server`?"),
        ("listen = 'x'", "unknown key `listen`; did you mean `server.listen`?"),
        ("[server]\nttl = '1d'", "unknown key `server.ttl`; did you mean `state.ttl`?"),
        ("[server]\nmax-body = 1", "unknown key `server.max-body`; did you mean `max_body`?"),
        (
            "[profiles.codex]\nreasoning.efort = 'low'",
            "unknown key `profiles.codex.reasoning.efort`; did you mean `effort`?",
        ),
        ("[profiles.codex]\nxyzzy = 1", "unknown key `profiles.codex.xyzzy`"),
        ("server.keys = [{ kee = 'x' }]", "unknown key `server.keys[0].kee`; did you mean `key`?"),
    ];
    for (toml, told) in cases {
        assert_eq!(refused(toml), told);
    }
    let user = User::variables(&[("CODEXWAY__SERVER__LISEN", "x")]);
    assert_eq!(
        user.told(),
        "CODEXWAY__SERVER__LISEN: unknown key `server.lisen`; did you mean `listen`?"
    );
}

#[test]
fn values_of_the_wrong_form_are_refused_with_what_is_right() {
    let cases = [
        ("server.max_turns = 'many'", "`server.max_turns` must be a whole number, not \"many\""),
        ("server.max_turns = '256'", "`server.max_turns` must be a whole number, not \"256\""),
        ("server.max_turns = 0", "`server.max_turns` must be at least 1, not 0"),
        ("server.max_turns = 1.5", "`server.max_turns` must be a whole number, not 1.5"),
        (
            "server.listen = 7531",
            "`server.listen` must be an address and port such as \"127.0.0.1:7531\", not 7531",
        ),
        (
            "server.listen = 'localhost'",
            "`server.listen` must be an address and port such as \"127.0.0.1:7531\", not \"localhost\"",
        ),
        (
            "server.keepalive = 15",
            "`server.keepalive` must be a duration above zero and up to 365 days such as \"15s\", not 15",
        ),
        (
            "server.keepalive = '9300000000000000000s'",
            "`server.keepalive` must be a duration above zero and up to 365 days such as \"15s\", not \"9300000000000000000s\"",
        ),
        (
            "state.ttl = '366d'",
            "`state.ttl` must be a duration of up to 365 days such as \"15s\", not \"366d\"",
        ),
        (
            "server.max_body = '64 parsecs'",
            "`server.max_body` must be a size such as \"64MiB\", not \"64 parsecs\"",
        ),
        ("server.allowed_hosts = 'a'", "`server.allowed_hosts` must be a list, not \"a\""),
        ("server.keys = 'sesame'", "`server.keys` must be a list"),
        ("server.keys = ['']", "`server.keys[0]` must be text that is not empty, or a table"),
        ("server = 1", "`server` must be a table, not 1"),
        ("profiles.codex.model = 5.5", "`profiles.codex.model` must be text, not 5.5"),
        ("profiles.codex.model = ['a']", "`profiles.codex.model` must be text, not a list"),
        (
            "profiles.codex.verbosity = 'loud'",
            "`profiles.codex.verbosity` must be `auto`, `low`, `medium` or `high`, not \"loud\"",
        ),
        (
            "profiles.codex.reasoning.summary = 'detail'",
            "`profiles.codex.reasoning.summary` must be `auto`, `concise`, `detailed` or `none`, not \"detail\"; did you mean `detailed`?",
        ),
        (
            "profiles.codex.parameters = 'strct'",
            "`profiles.codex.parameters` must be `lenient` or `strict`, or a table, not \"strct\"; did you mean `strict`?",
        ),
        (
            "profiles.codex.parameters.stop = 'cut'",
            "`profiles.codex.parameters.stop` must be `forward`, `emulate`, `drop` or `reject`, not \"cut\"",
        ),
        (
            "profiles.codex.bypass_tool_call_reactor = 'no'",
            "`profiles.codex.bypass_tool_call_reactor` must be true or false, not \"no\"",
        ),
        (
            "accounts.default.source = 'onw'",
            "`accounts.default.source` must be `auto`, `own` or a folder such as \"~/.codex\", not \"onw\"",
        ),
        (
            "upstreams.x.kind = 'codx'",
            "`upstreams.x.kind` must be `codex`, `openai`, `codex-exec` or `demo`, not \"codx\"; did you mean `codex`?",
        ),
        (
            "upstreams.codex.originator = \"a\\nb\"",
            "`upstreams.codex.originator` must be text that can stand in a header, not \"a\\nb\"",
        ),
        (
            "upstreams.codex.headers.'a b' = 'x'",
            "the name in `upstreams.codex.headers.\"a b\"` must be the name of a header",
        ),
        (
            "upstreams.codex.headers.a = 'sésame'",
            "`upstreams.codex.headers.a` must be text that can stand in a header",
        ),
        (
            "profiles.'a/b' = {}",
            "the name in `profiles.\"a/b\"` must be made of letters, digits, `-`, `_` and `.`",
        ),
    ];
    for (toml, told) in cases {
        assert_eq!(refused(toml), told);
    }
    let user = User::variables(&[("CODEXWAY__SERVER__MAX_TURNS", "many")]);
    assert_eq!(
        user.told(),
        "CODEXWAY__SERVER__MAX_TURNS: `server.max_turns` must be a whole number, not \"many\""
    );
    let user = User::new().flag("server.listen", "--listen", "x");
    assert_eq!(
        user.told(),
        "--listen: `server.listen` must be an address and port such as \"127.0.0.1:7531\", not \"x\""
    );
}

#[test]
fn upstreams_are_reached_over_http() {
    for url in [
        "",
        "ftp://a",
        "chatgpt.com",
        "https://",
        "http:///x",
        "https://a b",
        "https://me:pw@a",
        "https://a?b",
    ] {
        let told = refused(&format!("upstreams.codex.base_url = '{url}'"));
        assert_eq!(
            told,
            format!(
                "`upstreams.codex.base_url` must be an http or https URL such as \"https://api.example.com/v1\", not {url:?}"
            )
        );
    }
    for url in ["http://127.0.0.1:1", "https://a/b/", "http://[::1]:8080/x"] {
        User::toml(&format!("upstreams.codex.base_url = '{url}'")).settings();
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let user = User::toml("[server]\nlisen = 'x'\nmax_turns = 'many'\n")
        .variable("CODEXWAY__STATE__STORE", "ram");
    assert_eq!(
        user.told(),
        "config.toml: unknown key `server.lisen`; did you mean `listen`?\n\
         config.toml: `server.max_turns` must be a whole number, not \"many\"\n\
         CODEXWAY__STATE__STORE: `state.store` must be `off`, `memory` or `disk`, not \"ram\""
    );
}

#[test]
fn names_must_lead_somewhere() {
    let cases = [
        (
            "server.profile = 'codx'",
            "`server.profile` names the profile `codx`, which does not exist; did you mean `codex`?",
        ),
        (
            "profiles.codex.upstream = 'x'",
            "`profiles.codex.upstream` names the upstream `x`, which does not exist; known are `codex`, `codex-exec`, `demo` or `openai`",
        ),
        (
            "profiles.codex.account = 'defult'",
            "`profiles.codex.account` names the account `defult`, which does not exist; did you mean `default`?",
        ),
        (
            "server.keys = [{ key = 'a', profile = 'codx' }]",
            "`server.keys[0].profile` names the profile `codx`, which does not exist; did you mean `codex`?",
        ),
        (
            "[profiles.codex]\ninstructions = 'merge'\nprompt_mode = 'custom_only'",
            "`profiles.codex.prompt_mode` contradicts `instructions` beside it; keep one of them",
        ),
    ];
    for (toml, told) in cases {
        assert_eq!(refused(toml), told);
    }
}

#[test]
fn keys_must_be_said_once_and_be_there() {
    let cases = [
        ("[{ name = 'a' }]", "`server.keys[0]` needs one of `key`, `key_env` and `key_file`"),
        (
            "['a', { key = 'a', key_env = 'A' }]",
            "`server.keys[1]` needs one of `key`, `key_env` and `key_file`",
        ),
        ("[{ key_env = 'NOT_SET' }]", "`server.keys[0].key_env` names NOT_SET, which is not set"),
    ];
    for (keys, told) in cases {
        assert_eq!(refused(&format!("server.keys = {keys}")), told);
    }
    let user = User::toml("server.keys = [{ key_env = 'BLANK' }, { key_file = 'gone' }]");
    let told = user.variable("BLANK", " ").told();
    assert!(told.starts_with("config.toml: `server.keys[0].key_env` names BLANK, which is empty\nconfig.toml: `server.keys[1].key_file`: gone: "), "{told}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let mut user = User::new();
    user.sources.file = Some("nowhere/config.toml".into());
    assert_eq!(user.told(), "cannot read nowhere/config.toml: there is no such file");

    let mut user = User::new();
    user.sources.config_dir = Some(user.folder.path().to_owned());
    user.put("codexway/config.toml", "");
    user.put("codexway/config.yml", "");
    assert_eq!(
        user.told(),
        "both codexway/config.toml and codexway/config.yml exist; keep one of them"
    );
}

#[test]
fn syntax_errors_have_a_place_and_no_excerpt() {
    let told = User::toml("[server]\nkeys = ['sesame\n").told();
    assert!(told.starts_with("config.toml: line 2, column "), "{told}");
    assert!(!told.contains("sesame") && !told.contains('\n'), "{told}");

    let told = User::toml("[server]\nmax_turns = 1\nmax_turns = 2\n").told();
    assert_eq!(told, "config.toml: line 3, column 1: duplicate key");

    let told = User::yaml("server:\n  listen: [\n").told();
    assert!(told.starts_with("config.yaml: line 3, column 1: "), "{told}");

    let user = User::variables(&[("CODEXWAY__SERVER__KEYS", "['sesame")]);
    assert_eq!(
        user.told(),
        "CODEXWAY__SERVER__KEYS: `server.keys` can be read neither as TOML nor as JSON"
    );
}

#[test]
fn the_keys_of_another_proxy_are_refused_with_ours() {
    let user = User::yaml(
        "backends:\n  openai_codex:\n    extra:\n      openai_codex_path: ~/.codex\n      codex:\n        default_capabilities: {prompt_mode: custom_only}\n        websocket: {enabled: true}\n        streaming: {max_retries: 2}\n  openai:\n    api_url: http://a\nport: 80\n",
    );
    assert_eq!(
        user.told(),
        "config.yaml: unknown key `backends.openai.api_url`; here it is `upstreams.openai.base_url`\n\
         config.yaml: unknown key `backends.openai_codex.extra.codex.default_capabilities.prompt_mode`; here it is `profiles.codex.prompt_mode`\n\
         config.yaml: unknown key `backends.openai_codex.extra.codex.streaming.max_retries`; here such settings are in `upstreams` and `profiles`, if any\n\
         config.yaml: unknown key `backends.openai_codex.extra.codex.websocket.enabled`; here it is `upstreams.codex.transport`\n\
         config.yaml: unknown key `backends.openai_codex.extra.openai_codex_path`; here it is `accounts.default.source`\n\
         config.yaml: unknown key `port`; here it is `server.listen`"
    );
}

#[test]
fn the_variables_of_another_proxy_are_told_with_ours() {
    let set = |names: &[&str]| {
        let env: Vec<(String, String)> =
            names.iter().map(|name| ((*name).to_owned(), "sesame".to_owned())).collect();
        foreign_variables(&env)
    };
    assert_eq!(
        set(&[
            "OPENAI_CODEX_PROMPT_TEMPLATE",
            "OPENAI_CODEX_PROMPT_PREPEND",
            "OPENAI_CODEX_DEFAULT_CAPABILITIES",
            "OPENAI_CODEX_STREAMING_MAX_RETRIES",
            "OPENAI_CODEX_PATH",
            "OPENAI_API_KEY",
        ]),
        [
            "`OPENAI_CODEX_DEFAULT_CAPABILITIES` is not read; here it is `profiles.codex`",
            "`OPENAI_CODEX_PROMPT_PREPEND` is not read; here it is `profiles.codex.prompt_mode`",
            "`OPENAI_CODEX_PROMPT_TEMPLATE` is not read; here it is `profiles.codex.base_prompt`",
            "`OPENAI_CODEX_STREAMING_MAX_RETRIES` is not read; it has no counterpart here",
        ]
    );
    assert!(
        foreign_variables(&[("OPENAI_CODEX_RENDERER_DEFAULT".to_owned(), String::new())])
            .is_empty()
    );
}
