use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{
    super::units::{parse_duration, parse_size},
    *,
};

#[test]
fn sizes_have_units() {
    let sizes = ["64MiB", "512KiB", "1 GiB", "2MB", "7", "7b"].map(parse_size);
    assert_eq!(sizes, [64 << 20, 512 << 10, 1 << 30, 2_000_000, 7, 7].map(Some));
    let wrong = ["", "MiB", "-1", "1.5MiB", "1 parsec", "99999999999GiB"].map(parse_size);
    assert_eq!(wrong, [None; 6]);
}

#[test]
fn durations_have_units() {
    let durations = ["500ms", "15s", "5m", "12h", "30d", "1h30m", "0s"].map(parse_duration);
    let millis = [500, 15_000, 300_000, 43_200_000, 2_592_000_000, 5_400_000, 0];
    assert_eq!(durations, millis.map(|millis| Some(Duration::from_millis(millis))));
    let wrong = ["", "15", "s", "-1s", "1.5s", "1h30", "99999999999999999999d"].map(parse_duration);
    assert_eq!(wrong, [None; 7]);
}

#[test]
fn keys_are_text_or_tables_and_are_read_from_where_they_are() {
    let mut user = User::toml(
        "[server]\nkeys = ['one', { name = 'laptop', key = 'two', profile = 'codex' }, { key_env = 'THREE' }, { key_file = 'four.txt' }, { key_file = '~/four.txt' }]",
    );
    user = user.variable("THREE", "three");
    user.put("four.txt", "four\n");
    let home = user.folder.path().display().to_string();
    let keys = user.variable("HOME", &home).settings().server.keys;
    let seen: Vec<_> =
        keys.iter().map(|key| (key.name.as_str(), key.key.expose_secret())).collect();
    let expected = [
        ("key-1", "one"),
        ("laptop", "two"),
        ("key-3", "three"),
        ("key-4", "four"),
        ("key-5", "four"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(keys[1].profile.as_deref(), Some("codex"));
}

#[test]
fn the_prompt_may_be_set_by_either_name() {
    let mode = |text| User::toml(text).profile().prompt();
    assert_eq!(mode(""), PromptMode::CustomOnly);
    assert_eq!(mode("profiles.codex.instructions = 'merge'"), PromptMode::MergeCustom);
    assert_eq!(mode("profiles.codex.prompt_mode = 'codex_default'"), PromptMode::CodexDefault);
}

#[test]
fn every_word_of_a_choice_is_understood() {
    for word in ToolTextFormat::WORDS {
        assert_eq!(ToolTextFormat::parse(word).unwrap().as_str(), *word);
    }
    let file = |word| format!("profiles.codex.codex_passthrough = {word}");
    let passthrough = |word| User::toml(&file(word)).profile().codex_passthrough;
    let expected = [Passthrough::True, Passthrough::False, Passthrough::Auto];
    assert_eq!(["true", "false", "'auto'"].map(passthrough), expected);
}

#[test]
fn secrets_are_never_shown() {
    let user = User::toml(
        "[server]\nkeys = ['sesame', { name = 'laptop', key = 'sesame' }]\n[upstreams.codex.headers]\nAuthorization = 'sesame'\nX-Api-Key = 'sesame'\nX-Pass = 'sesame'\nX-Credential = 'sesame'\nX-Session = 'sesame'\nCookie = 'sesame'\nX-Plain = 'plain'\n[upstreams.codex-exec.config]\n'providers.x.bearer_token' = 'sesame'\nmodel_provider = 'x'\n",
    );
    let loaded = user.loaded();
    let shown = loaded.show();
    assert!(
        shown.contains("server.keys = [\"***\", { name = \"laptop\", key = \"***\" }]"),
        "{shown}"
    );
    assert!(shown.contains("upstreams.codex.headers.X-Api-Key = \"***\""), "{shown}");
    assert!(shown.contains("upstreams.codex-exec.config.model_provider = \"x\""), "{shown}");
    assert!(shown.contains("upstreams.codex.headers.X-Plain = \"plain\""), "{shown}");
    for text in [shown, loaded.show_json().to_string(), format!("{loaded:?}")] {
        assert!(!text.contains("sesame"), "{text}");
    }
}

#[test]
fn the_settings_shown_are_toml_that_means_the_same() {
    let user = User::toml(
        "[profiles.'a.b']\naliases = { 'gpt \"4\"' = 'gpt-5.5' }\nparameters = { stop = 'drop' }\ncodex_passthrough = true\n[state]\nmax_bytes = 5\n",
    );
    let loaded = user.loaded();
    let again = User::toml(&loaded.show());
    assert_eq!(again.settings(), loaded.settings);

    let shown = User::new().loaded().show();
    assert!(shown.starts_with("server.listen = \"127.0.0.1:7531\""), "{shown}");
    assert!(shown.lines().all(|line| line.ends_with("  # default")), "{shown}");
    let first = json!({"key": "server.listen", "value": "127.0.0.1:7531", "origin": "default"});
    assert_eq!(loaded.show_json()[0], first);
}
