//! Settings that name other settings, or speak of the same thing.

use config::{Value, ValueKind};

use super::{
    Instructions, PromptMode,
    defaults::{ORIGIN, table},
    error::Fault,
    shape::{Tree, sorted},
    words::{did_you_mean, join, list, nearest},
};

/// Adds what is wrong with the names in a tree whose every value has the right form.
pub(super) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    let mut refer = |key: String, value: Option<&Value>, section: &str| {
        let Some(value) = value else { return };
        let known: Vec<_> =
            table(tree, section).into_iter().flat_map(sorted).map(|(name, _)| &**name).collect();
        let name = value.kind.to_string();
        if known.contains(&name.as_str()) {
            return;
        }
        let hint = nearest(&name, known.iter().copied()).map(did_you_mean);
        let hint = hint.unwrap_or_else(|| format!("; known are {}", list(&known)));
        let one = section.trim_end_matches('s');
        let message = format!("`{key}` names the {one} `{name}`, which does not exist{hint}");
        faults.push(Fault::new(value.origin().unwrap_or(ORIGIN), &key, message));
    };

    let server = table(tree, "server");
    refer("server.profile".to_owned(), server.and_then(|server| server.get("profile")), "profiles");
    if let Some(ValueKind::Array(keys)) = server.and_then(|s| s.get("keys")).map(|keys| &keys.kind)
    {
        for (index, key) in keys.iter().enumerate() {
            if let ValueKind::Table(fields) = &key.kind {
                refer(format!("server.keys[{index}].profile"), fields.get("profile"), "profiles");
            }
        }
    }
    let profiles = || table(tree, "profiles").into_iter().flat_map(sorted);
    for (name, profile) in profiles() {
        let ValueKind::Table(fields) = &profile.kind else { continue };
        let key = join("profiles", name);
        refer(join(&key, "upstream"), fields.get("upstream"), "upstreams");
        refer(join(&key, "account"), fields.get("account"), "accounts");
    }
    for (name, profile) in profiles() {
        if let ValueKind::Table(fields) = &profile.kind {
            check_prompt(&join("profiles", name), fields, faults);
        }
    }
}

/// `prompt_mode` is the long form of `instructions`: who writes both must mean the same.
fn check_prompt(profile: &str, fields: &Tree, faults: &mut Vec<Fault>) {
    let (Some(short), Some(long)) = (fields.get("instructions"), fields.get("prompt_mode")) else {
        return;
    };
    let meant = Instructions::parse(&short.kind.to_string()).map(PromptMode::from);
    if short.origin() == Some(ORIGIN) || meant == PromptMode::parse(&long.kind.to_string()) {
        return;
    }
    let key = join(profile, "prompt_mode");
    let message = format!("`{key}` contradicts `instructions` beside it; keep one of them");
    faults.push(Fault::new(long.origin().unwrap_or(ORIGIN), &key, message));
}
