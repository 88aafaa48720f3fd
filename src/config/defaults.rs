//! What holds where nobody said otherwise: `config/default.toml`.

use config::{FileFormat, Format, Value, ValueKind};

use super::{UpstreamKind, shape::Tree};

/// Every setting with its default and a sentence on it, as TOML.
pub fn default_toml() -> &'static str {
    include_str!("../../config/default.toml")
}

pub(super) const ORIGIN: &str = "default";

pub(super) fn tree() -> Tree {
    FileFormat::Toml
        .parse(Some(&ORIGIN.to_owned()), default_toml())
        .expect("default.toml is compiled in, and a test reads it")
}

/// The defaults under what the user says: each account, upstream and profile that `user` adds
/// starts from ours, an upstream from that of its kind.
pub(super) fn below(user: &Tree) -> Tree {
    let defaults = tree();
    let mut all = defaults.clone();
    for section in ["accounts", "upstreams", "profiles"] {
        for (name, value) in table(user, section).into_iter().flatten() {
            let template = match section {
                "accounts" => "default",
                "profiles" => "codex",
                _ => kind(name, value),
            };
            let template = table(&defaults, section).and_then(|table| table.get(template));
            let section = all.get_mut(section).map(|value| &mut value.kind);
            if let (Some(ValueKind::Table(section)), Some(template)) = (section, template) {
                section.insert(name.clone(), template.clone());
            }
        }
    }
    all
}

/// Upstreams of `default.toml` are called by their kind; others are `codex` unless they say.
fn kind<'a>(name: &'a str, upstream: &'a Value) -> &'a str {
    let said = match &upstream.kind {
        ValueKind::Table(upstream) => upstream.get("kind").map(|value| &value.kind),
        _ => None,
    };
    match said {
        Some(ValueKind::String(kind)) => kind,
        _ if UpstreamKind::parse(name).is_some() => name,
        _ => UpstreamKind::Codex.as_str(),
    }
}

pub(super) fn table<'a>(tree: &'a Tree, name: &str) -> Option<&'a Tree> {
    match &tree.get(name)?.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

/// Lays `above` over `below`: tables are joined, everything else is replaced.
pub(super) fn merge(below: &mut Tree, above: Tree) {
    for (name, value) in above {
        let origin = value.origin().map(str::to_owned);
        let joined = match (below.remove(&name).map(|value| value.kind), value.kind) {
            (Some(ValueKind::Table(mut below)), ValueKind::Table(above)) => {
                merge(&mut below, above);
                ValueKind::Table(below)
            }
            (_, kind) => kind,
        };
        below.insert(name, Value::new(origin.as_ref(), joined));
    }
}
