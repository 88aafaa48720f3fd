//! The form of every setting, in the order of `default.toml`.

use std::time::Duration;

use super::{
    AccountKind, Compression, Instructions, LoginStore, Parameters, Passthrough, Policy,
    PromptMode, Protocol, Reasoning, ReasoningFormat, Store, ToolSchemaMode, ToolTextFormat,
    Transport, UnlistedModels, UpstreamKind,
    shape::{
        Names, Secret,
        Shape::{self, Choice, Flag, List, Map, Or, Table, Whole},
        Text,
    },
    units::{parse_duration, parse_size},
};

pub(super) static ROOT: Shape = Table(&[
    ("server", Table(SERVER)),
    ("state", Table(STATE)),
    ("accounts", Map(SECTION_NAME, &Table(ACCOUNT))),
    ("upstreams", Map(SECTION_NAME, &Table(UPSTREAM))),
    ("profiles", Map(SECTION_NAME, &Table(PROFILE))),
]);

const SERVER: &[(&str, Shape)] = &[
    ("listen", ADDRESS),
    ("profile", FILLED),
    ("keys", List(&Or(&SECRET, &Table(KEY)))),
    ("allowed_hosts", List(&FILLED)),
    ("allowed_origins", List(&FILLED)),
    ("max_body", SIZE),
    ("max_turns", Whole),
    ("keepalive", PAUSE),
    ("idle_timeout", PAUSE),
    ("shutdown_grace", DURATION),
];

const KEY: &[(&str, Shape)] = &[
    ("name", FILLED),
    ("key", SECRET),
    ("key_env", FILLED),
    ("key_file", FILLED),
    ("profile", FILLED),
];

const STATE: &[(&str, Shape)] =
    &[("store", Choice(Store::WORDS)), ("ttl", DURATION), ("max_bytes", SIZE)];

const ACCOUNT: &[(&str, Shape)] = &[
    ("kind", Choice(AccountKind::WORDS)),
    ("source", SOURCE),
    ("store", Choice(LoginStore::WORDS)),
    ("key_env", ANY),
    ("key_file", ANY),
];

const UPSTREAM: &[(&str, Shape)] = &[
    ("kind", Choice(UpstreamKind::WORDS)),
    ("base_url", URL),
    ("auth_url", URL),
    ("transport", Choice(Transport::WORDS)),
    ("compression", Choice(Compression::WORDS)),
    ("originator", HEADER),
    ("user_agent", HEADER),
    ("version", HEADER),
    ("headers", Map(HEADER_NAME, &EXTRA_HEADER)),
    ("program", FILLED),
    ("config", Map(FILLED_NAME, &PROGRAM_SETTING)),
    ("env", List(&FILLED)),
    ("max_processes", Whole),
];

const PROFILE: &[(&str, Shape)] = &[
    ("upstream", FILLED),
    ("account", FILLED),
    ("model", ANY),
    ("aliases", Map(FILLED_NAME, &FILLED)),
    ("unlisted_models", Choice(UnlistedModels::WORDS)),
    ("instructions", Choice(Instructions::WORDS)),
    ("reasoning", Table(REASONING)),
    ("verbosity", Choice(&["auto", "low", "medium", "high"])),
    ("service_tier", FILLED),
    ("parameters", Or(&Choice(Parameters::WORDS), &Map(FILLED_NAME, &Choice(Policy::WORDS)))),
    ("protocol", Choice(Protocol::WORDS)),
    ("codex_passthrough", Choice(Passthrough::WORDS)),
    ("prompt_mode", Choice(PromptMode::WORDS)),
    ("base_prompt", ANY),
    ("tool_schema_mode", Choice(ToolSchemaMode::WORDS)),
    ("tool_text_format", Choice(ToolTextFormat::WORDS)),
    ("bypass_tool_call_reactor", Flag),
    ("include_environment_context", Flag),
];

const REASONING: &[(&str, Shape)] = &[
    ("effort", Choice(Reasoning::EFFORTS)),
    ("summary", Choice(Reasoning::SUMMARIES)),
    ("format", Choice(ReasoningFormat::WORDS)),
];

const ANY: Shape = text("text", |_| true);
const FILLED: Shape = text("text that is not empty", filled);
const ADDRESS: Shape = text("an address and port such as \"127.0.0.1:7531\"", |text| {
    text.parse::<std::net::SocketAddr>().is_ok()
});
const SIZE: Shape =
    text("a size such as \"64MiB\"", |text| parse_size(text).is_some_and(|size| size > 0));
const DURATION: Shape =
    text("a duration of up to 365 days such as \"15s\"", |text| duration(text).is_some());
const PAUSE: Shape = text("a duration above zero and up to 365 days such as \"15s\"", |text| {
    duration(text).is_some_and(|pause| !pause.is_zero())
});
const URL: Shape = text("an http or https URL such as \"https://api.example.com/v1\"", is_url);
const SOURCE: Shape = text("`auto`, `own` or a folder such as \"~/.codex\"", |text| {
    matches!(text, "auto" | "own") || text.starts_with(['~', '.']) || text.contains(['/', '\\'])
});
const HEADER: Shape =
    text("text that can stand in a header", |text| filled(text) && sendable(text));
const EXTRA_HEADER: Shape = Shape::Text(Text {
    expected: "text that can stand in a header",
    valid: sendable,
    secret: Secret::ByName,
});
const PROGRAM_SETTING: Shape =
    Shape::Text(Text { expected: "text", valid: |_| true, secret: Secret::ByName });
const SECRET: Shape =
    Shape::Text(Text { expected: "text that is not empty", valid: filled, secret: Secret::Always });

const FILLED_NAME: Names = Names { expected: "filled in", valid: filled };
/// Names of sections stand in paths, headers and file names.
const SECTION_NAME: Names =
    Names { expected: "made of letters, digits, `-`, `_` and `.`", valid: is_section_name };
const HEADER_NAME: Names = Names {
    expected: "the name of a header",
    valid: |name| {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        !name.is_empty() && name.chars().all(token)
    },
};

const fn text(expected: &'static str, valid: fn(&str) -> bool) -> Shape {
    Shape::Text(Text { expected, valid, secret: Secret::Never })
}

/// Whether an account, an upstream or a profile may be called so.
pub fn is_section_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

/// A moment that lies much further ahead cannot be reckoned with.
fn duration(text: &str) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    parse_duration(text).filter(|duration| *duration <= LONGEST)
}

fn filled(text: &str) -> bool {
    !text.trim().is_empty()
}

fn sendable(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~' | '\t'))
}

/// A user name or query would end up in logs, or in the middle of the URL we build.
fn is_url(text: &str) -> bool {
    let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    after.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with(['/', ':'])
            && rest.chars().all(|c| c.is_ascii_graphic() && !"@?#\"<>\\^`{|}".contains(c))
    })
}
