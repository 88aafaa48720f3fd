//! Keys that do not exist here: what was meant, or what they are called here.

use config::{Value, ValueKind};

use super::{
    error::Fault,
    schema::ROOT,
    shape::{Shape, sorted},
    words::{did_you_mean, join, nearest},
};

/// Adds the fault of a key that `fields` does not hold.
pub(super) fn unknown(
    fields: &[(&str, Shape)],
    name: &str,
    value: &Value,
    key: &str,
    origin: &str,
    faults: &mut Vec<Fault>,
) {
    // Settings of other proxies nest deeply: each leaf has a name of its own here.
    if let (true, ValueKind::Table(table)) = (key.starts_with("backends"), &value.kind)
        && !table.is_empty()
    {
        for (name, value) in sorted(table) {
            unknown(fields, name, value, &join(key, name), origin, faults);
        }
        return;
    }
    let hint = match (counterpart(key), nearest(name, fields.iter().map(|(name, _)| *name))) {
        (Some(ours), _) => ours,
        (None, Some(near)) => did_you_mean(near),
        (None, None) => elsewhere(name).map(|key| did_you_mean(&key)).unwrap_or_default(),
    };
    let origin = value.origin().unwrap_or(origin);
    faults.push(Fault::new(origin, key, format!("unknown key `{key}`{hint}")));
}

/// What another proxy's key is called here, by the innermost of its names that we know.
fn counterpart(key: &str) -> Option<String> {
    let renamed = |name: &str| {
        RENAMED.iter().find(|(old, _)| *old == name).map(|(_, ours)| (*ours).to_owned())
    };
    let here = |ours: String| format!("; here it is `{ours}`");
    let mut names = key.rsplit('.');
    if !key.starts_with("backends") {
        return names.next().and_then(renamed).map(here);
    }
    // Which of our kinds it is is said of accounts too, so that word is told apart here.
    let kind = |name: &str| (name == "type").then(|| "upstreams.codex.kind".to_owned());
    let ours = |name| kind(name).or_else(|| renamed(name)).or_else(|| elsewhere(name));
    let Some(ours) = names.find_map(ours) else {
        return Some("; here such settings are in `upstreams` and `profiles`, if any".to_owned());
    };
    let platform = key.starts_with("backends.openai.");
    Some(here(if platform { ours.replace("upstreams.codex.", "upstreams.openai.") } else { ours }))
}

const RENAMED: &[(&str, &str)] = &[
    ("agent_capabilities", "profiles"),
    ("api_base_url", "upstreams.codex.base_url"),
    ("api_key", "accounts.default.key_env"),
    ("api_keys", "server.keys"),
    ("api_url", "upstreams.codex.base_url"),
    ("codex_path", "accounts.default.source"),
    ("cors_origins", "server.allowed_origins"),
    ("default_backend", "server.profile"),
    ("default_model", "profiles.codex.model"),
    ("early_session_verbosity_bump", "profiles.codex.verbosity"),
    ("extra_headers", "upstreams.codex.headers"),
    ("fallback_tool_text_format", "profiles.codex.tool_text_format"),
    ("host", "server.listen"),
    ("managed_oauth", "accounts"),
    ("model_aliases", "profiles.codex.aliases"),
    ("openai_api_base_url", "upstreams.codex.base_url"),
    ("openai_codex_path", "accounts.default.source"),
    ("port", "server.listen"),
    ("prompt", "profiles.codex.prompt_mode"),
    ("reasoning_effort", "profiles.codex.reasoning.effort"),
    ("reasoning_summary", "profiles.codex.reasoning.summary"),
    ("renderer", "profiles.codex.tool_text_format"),
    ("text_verbosity", "profiles.codex.verbosity"),
    ("timeout", "server.idle_timeout"),
    ("tool_schema", "profiles.codex.tool_schema_mode"),
    ("websocket", "upstreams.codex.transport"),
];

/// What there is to say of variables in `env` that are settings of another proxy: each with the
/// key that takes its place. They are no fault, because that proxy may run here too.
#[must_use]
pub fn foreign_variables(env: &[(String, String)]) -> Vec<String> {
    const PREFIX: &str = "OPENAI_CODEX_";
    let ours = |name: &str| {
        let taken = FOREIGN.iter().find(|(beginning, _)| name.starts_with(beginning));
        taken.map_or("it has no counterpart here".to_owned(), |(_, key)| {
            format!("here it is `{key}`")
        })
    };
    let foreign = |(variable, text): &(String, String)| {
        let name = variable.strip_prefix(PREFIX)?;
        let is_set = name != "PATH" && !text.trim().is_empty();
        is_set.then(|| format!("`{variable}` is not read; {}", ours(name)))
    };
    let mut found: Vec<String> = env.iter().filter_map(foreign).collect();
    found.sort_unstable();
    found
}

/// By how their names go on; the first that fits.
const FOREIGN: &[(&str, &str)] = &[
    ("DEFAULT_CAPABILITIES", "profiles.codex"),
    ("AGENT_CAPABILITIES", "profiles"),
    ("PROMPT_TEMPLATE", "profiles.codex.base_prompt"),
    ("PROMPT_", "profiles.codex.prompt_mode"),
    ("TOOL_SCHEMA_", "profiles.codex.tool_schema_mode"),
    ("RENDERER_", "profiles.codex.tool_text_format"),
    ("WEBSOCKET_", "upstreams.codex.transport"),
    ("MANAGED_OAUTH_", "accounts"),
];

/// The key of the setting called `name`, wherever it is.
fn elsewhere(name: &str) -> Option<String> {
    fn search(shape: &Shape, key: &str, name: &str) -> Option<String> {
        let Shape::Table(fields) = shape else { return None };
        fields.iter().find_map(|(field, shape)| match (field, shape) {
            (field, _) if *field == name => Some(join(key, field)),
            (&"accounts", Shape::Map(_, section)) => search(section, "accounts.default", name),
            (field, Shape::Map(_, section)) => search(section, &format!("{field}.codex"), name),
            (field, shape) => search(shape, &join(key, field), name),
        })
    }
    search(&ROOT, "", name)
}
