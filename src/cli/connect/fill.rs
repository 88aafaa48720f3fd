//! The words in a client's texts that depend on the server: `{url}`, `{model}`, `{context}`,
//! `{key}`, and `{key?}`, whose line is left out where no key is wanted.

use crate::api::Address;

/// What clients that insist on a key are given where the server wants none.
const ANY_KEY: &str = "local";

/// The text with all words filled in, quoted as strings in `language` are.
pub(super) fn fill(text: &str, language: &str, words: &Address) -> String {
    let quoted = |value: &str| match language {
        "sh" => value.replace('\'', r"'\''"),
        "text" => value.to_owned(),
        // All the others write a string as JSON does, between double quotes.
        _ => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    };
    let wanted = |line: &&str| words.key.is_some() || !line.contains("{key?}");
    let lines: Vec<&str> = text.lines().filter(wanted).collect();
    let key = quoted(words.key.as_deref().unwrap_or(ANY_KEY));
    let pairs = [
        ("{url}", quoted(&words.url)),
        ("{model}", quoted(&words.model)),
        ("{context}", words.context.to_string()),
        ("{key}", key.clone()),
        ("{key?}", key),
    ];
    let mut filled = String::new();
    for line in lines {
        let mut rest = line;
        // In one go: what is filled in is not looked through again.
        while let Some((at, word, value)) = next(rest, &pairs) {
            filled.push_str(&rest[..at]);
            filled.push_str(value);
            rest = &rest[at + word.len()..];
        }
        filled.push_str(rest);
        filled.push('\n');
    }
    filled
}

fn next<'a>(
    text: &str,
    pairs: &'a [(&'static str, String)],
) -> Option<(usize, &'static str, &'a str)> {
    let found = |(word, value): &'a (&'static str, String)| {
        text.find(word).map(|at| (at, *word, value.as_str()))
    };
    pairs.iter().filter_map(found).min_by_key(|(at, _, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_the_language_wants_and_not_looked_through_again() {
        let words = Address {
            url: "http://h".to_owned(),
            model: "{key}".to_owned(),
            context: 7,
            key: Some("a'b\"c".to_owned()),
        };
        assert_eq!(fill("{url} {model} {context}", "sh", &words), "http://h {key} 7\n");
        assert_eq!(fill("'{key}'", "sh", &words), "'a'\\''b\"c'\n");
        assert_eq!(fill("\"{key?}\"", "toml", &words), "\"a'b\\\"c\"\n");
        let open = Address { key: None, ..words };
        assert_eq!(fill("a\nb = \"{key?}\"\nc {key}", "toml", &open), "a\nc local\n");
    }
}
