use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How wide a line may be before a value is spread over several.
const WIDTH: usize = 160;
/// How much of a text is shown, in characters.
const HEAD: usize = 60;

/// JSON over as few lines as fit, indented.
pub(super) fn pretty(json: &Value) -> String {
    let mut out = String::new();
    write(json, 0, &mut out);
    out
}

fn write(json: &Value, indent: usize, out: &mut String) {
    let line = spaced(json);
    let members: Vec<(String, &Value)> = match json {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (format!("{}: ", json!(name)), value)).collect()
        }
        Value::Array(items) => items.iter().map(|item| (String::new(), item)).collect(),
        _ => Vec::new(),
    };
    if members.is_empty() || indent + line.chars().count() <= WIDTH {
        out.push_str(&line);
        return;
    }
    let (open, close) = if json.is_object() { ('{', '}') } else { ('[', ']') };
    out.push(open);
    for (index, (name, value)) in members.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(name);
        write(value, indent + 2, out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}

/// One line, with room to breathe between members.
fn spaced(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", json!(name), spaced(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

/// The same value with every long text, and every large object deep inside, as its head, its size
/// and a hash: little to read, and no change goes unseen.
pub(super) fn abbreviated(json: &Value, depth: usize) -> Value {
    /// Where the parts of messages and the schemas of tools begin.
    const DEEP: usize = 3;
    let short = match json {
        Value::String(text) if text.chars().count() > 2 * HEAD => return cut(text, "chars"),
        Value::Array(items) => items.iter().map(|item| abbreviated(item, depth + 1)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), abbreviated(value, depth + 1)))
            .collect(),
        plain => plain.clone(),
    };
    if depth >= DEEP && short.is_object() && short.to_string().len() > WIDTH {
        return cut(&json.to_string(), "of JSON");
    }
    short
}

fn cut(text: &str, unit: &str) -> Value {
    let head: String = text.chars().take(HEAD).collect();
    let hash: String =
        Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Value::String(format!("{head}… ⟨{} {unit}, {hash}⟩", text.chars().count()))
}

/// What of an object is not as it was in `before`: `…` counts the members that are, and `gone` names
/// those that are missing.
pub(super) fn news(json: &Value, before: &Value) -> Value {
    let (Value::Object(members), Value::Object(old)) = (json, before) else { return json.clone() };
    let (same, new): (Vec<_>, Vec<_>) =
        members.iter().partition(|(name, value)| old.get(*name) == Some(*value));
    if same.len() < 2 {
        return json.clone();
    }
    let mut told = Map::new();
    told.insert("…".to_owned(), same.len().into());
    told.extend(new.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    let gone: Vec<&String> = old.keys().filter(|name| !members.contains_key(*name)).collect();
    if !gone.is_empty() {
        told.insert("gone".to_owned(), gone.into_iter().cloned().collect());
    }
    told.into()
}
