//! Local keys, read from where the user keeps them.

use std::path::{Path, PathBuf};

use config::{Value, ValueKind};

use super::{Sources, error::Fault, shape::Tree};

/// `tree` with each of `server.keys` as the name, key and profile it stands for.
pub(super) fn read(
    mut tree: Tree,
    sources: &Sources,
    file: Option<&Path>,
    faults: &mut Vec<Fault>,
) -> Tree {
    let keys = match tree.get_mut("server").map(|server| &mut server.kind) {
        Some(ValueKind::Table(server)) => server.get_mut("keys").map(|keys| &mut keys.kind),
        _ => None,
    };
    let Some(ValueKind::Array(keys)) = keys else { return tree };
    for (index, key) in keys.iter_mut().enumerate() {
        let place = format!("server.keys[{index}]");
        let origin = key.origin().unwrap_or_default().to_owned();
        let mut fields = match std::mem::take(&mut key.kind) {
            ValueKind::Table(fields) => fields,
            text => Tree::from([("key".to_owned(), Value::new(Some(&origin), text))]),
        };
        match secret(&mut fields, &place, &origin, sources, file) {
            Ok(secret) => fields.insert("key".to_owned(), Value::new(Some(&origin), secret)),
            Err(message) => {
                faults.push(Fault::new(&origin, &place, message));
                continue;
            }
        };
        fields
            .entry("name".to_owned())
            .or_insert_with(|| Value::new(None, format!("key-{}", index + 1)));
        key.kind = ValueKind::Table(fields);
    }
    tree
}

fn secret(
    fields: &mut Tree,
    place: &str,
    origin: &str,
    sources: &Sources,
    file: Option<&Path>,
) -> Result<String, String> {
    let mut take = |name| fields.remove(name).map(|value: Value| value.kind.to_string());
    let variable = |name: &str| {
        sources.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let (said, text) = match (take("key"), take("key_env"), take("key_file")) {
        (Some(key), None, None) => return Ok(key),
        (None, Some(name), None) => {
            let missing = || format!("`{place}.key_env` names {name}, which is not set");
            (format!("`{place}.key_env` names {name}"), variable(&name).ok_or_else(missing)?)
        }
        (None, None, Some(name)) => {
            let home = variable("HOME").or_else(|| variable("USERPROFILE"));
            let base = file.filter(|file| file.to_str() == Some(origin)).and_then(Path::parent);
            let path = resolve(&name, home.as_deref(), base);
            let unreadable = |error| format!("`{place}.key_file`: {}: {error}", path.display());
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            (format!("`{place}.key_file` names {}", path.display()), text)
        }
        _ => return Err(format!("`{place}` needs one of `key`, `key_env` and `key_file`")),
    };
    let text = text.trim();
    if text.is_empty() { Err(format!("{said}, which is empty")) } else { Ok(text.to_owned()) }
}

/// A path in a settings file starts from that file's folder.
fn resolve(path: &str, home: Option<&str>, base: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => base.unwrap_or_else(|| Path::new("")).join(path),
    }
}
