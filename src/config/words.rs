//! How names and keys are written, and which was meant.

pub(super) fn did_you_mean(name: &str) -> String {
    format!("; did you mean `{name}`?")
}

/// The known name that was probably meant: a slip of the keys away, else alike from the start.
pub(super) fn nearest<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let name = plain(name);
    let slips = |known: &&str| strsim::damerau_levenshtein(&name, &plain(known));
    let likeness = |known: &&str| strsim::jaro_winkler(&name, &plain(known));
    let closest = known.clone().into_iter().min_by_key(slips);
    let alike = known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    closest
        .filter(|known| slips(known) <= name.len() / 3)
        .or_else(|| alike.filter(|known| likeness(known) > 0.8))
}

/// `a`, `b` or `c`
pub(super) fn list(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The dotted key of `name` below `key`, quoted where TOML asks for it.
pub(super) fn join(key: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = match name {
        "" => quote(name),
        name if name.chars().all(bare) => name.to_owned(),
        name => quote(name),
    };
    if key.is_empty() { name } else { format!("{key}.{name}") }
}

/// A text as TOML and JSON both write it.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
