//! `docs/troubleshooting.md` has every message that the code can say.
//!
//! A message is a text of four words and more in `src`, of which the longest piece without a value
//! in it has to be found on the page. What is no error stands in `NOT_ERRORS`.

use std::{fs, path::Path};

use super::{path, read};

/// Whose texts are not about anything that went wrong.
const NOT_ERRORS_IN: [(&str, &str); 9] = [
    ("src/simulator", "the backend's words, played"),
    ("src/shaping/toolbox.rs", "told to models"),
    ("src/telemetry/metrics.rs", "what counters count"),
    ("src/api/page/assets.rs", "headers"),
    ("src/api/page/hint.rs", "remedies themselves, shown beside what they are for"),
    ("src/cli/service/launchd.rs", "the text of an agent, and what launchd says"),
    ("src/cli/service/systemd.rs", "the text of a unit, and what systemd says"),
    ("src/auth/login/pages.rs", "pages in a browser, whose reasons come from elsewhere"),
    ("src/cli/consent.rs", "the text to agree to, and the questions about it"),
];

/// Texts that are not about anything that went wrong, by their beginnings.
const NOT_ERRORS: [(&str, &[&str]); 7] = [
    ("headers", &["authorization, content-type", "x-request-id, x-codexway", "openid profile"]),
    ("told to models", &["This is a conversation.", "Keeps a note."]),
    (
        "what upstreams say, recognised",
        &[
            "Instructions are not valid",
            "hit your usage limit",
            "usage limit has been reached",
            "429 Too Many",
            "TOML parse error at",
        ],
    ),
    (
        "what a command does or has done",
        &[
            "API key of the OpenAI platform (",
            "EFFORTS (* BY DEFAULT)",
            "`…` answered, with",
            "`…` has no login to end",
            "`…` is logged out, here and",
            "a login page opens",
            "asking for the",
            "borrowed from another program, in",
            "codexway runs in the background",
            "codexway's own login, in",
            "hint: `codexway connect",
            "hint: `codexway service",
            "it had been changed;",
            "it is kept in",
            "it is not started",
            "installed: …, which",
            "less than 1 min",
            "logged in as",
            "made a local key",
            "open this page",
            "personal access token (",
            "the API key is kept",
            "the personal access token works",
            "server:    it does not answer yet",
            "the settings are sound",
            "waiting for the",
            "what was there is in",
            "… is as it was",
            "… is gone, as it was",
            "… serves http",
            "… stands for the key",
            "… tiny turns",
            "… was there already",
            "…: this belongs into",
        ],
    ),
    (
        "what the doctor finds well",
        &[
            "it is not known to be wrong",
            "none asked for a path",
            "the defaults; no file",
            "… is free; no codexway",
        ],
    ),
    (
        "told in the log in passing",
        &[
            "a connection",
            "ended a write of",
            "refreshed the login in",
            "removed `…`, which a killed",
            "stopping; running turns",
            "the login was written to",
            "the settings were loaded again",
        ],
    ),
    (
        "part of a message that is there, or of a file",
        &[
            "# codexway: ",
            "'…'. Supported values are: '",
            ", not a ",
            "an account without an address",
            "it came too slowly",
            "it has no pipes",
            "the platform has less to give",
        ],
    ),
];

#[test]
fn every_message_has_a_place_among_the_remedies() {
    let page = [read("docs/troubleshooting.md"), read("docs/configuration.md")].concat();
    let page = plain(&page);
    let mut missing = Vec::new();
    let mut n_messages = 0;
    for (file, text) in messages() {
        n_messages += 1;
        let piece = piece(&text);
        if !page.contains(&piece) {
            missing.push(format!("{file}: {piece}"));
        }
    }
    assert!(n_messages > 250, "{n_messages}");
    let missing = missing.join("\n");
    assert!(missing.is_empty(), "no remedy in docs/troubleshooting.md for\n{missing}");
}

#[test]
fn every_code_has_a_place_among_the_remedies() {
    let page = read("docs/troubleshooting.md");
    for file in sources(&path("src/api")) {
        let text = fs::read_to_string(&file).unwrap();
        for rest in text.split(".code(\"").skip(1) {
            let (code, _) = rest.split_once('"').unwrap();
            assert!(page.contains(&format!("`{code}`")), "{}: {code}", file.display());
        }
    }
}

#[test]
fn what_is_no_error_is_still_there() {
    let said: Vec<String> = all().into_iter().map(|(_, text)| text).collect();
    for beginning in NOT_ERRORS.iter().flat_map(|(_, beginnings)| *beginnings) {
        assert!(said.iter().any(|text| text.starts_with(beginning)), "{beginning}");
    }
}

fn messages() -> Vec<(String, String)> {
    let is_error = |text: &str| {
        !NOT_ERRORS.iter().any(|(_, texts)| texts.iter().any(|known| text.starts_with(known)))
    };
    all().into_iter().filter(|(_, text)| is_error(text)).collect()
}

/// Every text of `src` that is a sentence or a part of one, with `…` for the values in it.
fn all() -> Vec<(String, String)> {
    let root = path("");
    let mut all = Vec::new();
    for file in sources(&path("src")) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let skipped = NOT_ERRORS_IN.iter().any(|(beginning, _)| name.starts_with(beginning));
        if skipped || name.contains("/tests/") || name.ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let text = ["#[cfg(test)]", "#[cfg(all(test"]
            .iter()
            .fold(&*text, |text, tests| text.split_once(tests).map_or(text, |(text, _)| text));
        let texts = literals(text).into_iter().map(|text| without_values(&text));
        let sentences =
            texts.filter(|text| text.split_whitespace().filter(|w| *w != "…").count() >= 4);
        all.extend(sentences.map(|text| (name.clone(), text)));
    }
    all
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The longest piece of a message that is always the same, as [`plain`] has it.
fn piece(text: &str) -> String {
    let text = text.replace("; ", "…").replace("hint: ", "…").replace('\n', "…");
    let pieces = text.split('…').map(|piece| piece.trim_matches([' ', '.', ':', ',', ';', '`']));
    plain(pieces.max_by_key(|piece| piece.len()).unwrap_or_default())
}

/// On one line, whatever the case.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn without_values(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        plain.push_str(before);
        plain.push('…');
        rest = after;
    }
    plain + rest
}

/// The texts in a Rust file, but for those that nobody is told: reasons of lints, and what
/// `expect` would say of the impossible.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut before = String::new();
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            let (text, after) = raw.split_once("\"#").unwrap();
            found.push(text.to_owned());
            rest = after;
        } else if let Some(after) = rest.strip_prefix("'\"'") {
            rest = after;
        } else if rest.starts_with("'\\") {
            // What is escaped may be an apostrophe too.
            let end = rest[3..].find('\'').unwrap();
            rest = &rest[3 + end + 1..];
        } else if c == '"' {
            let (text, after) = literal(&rest[1..]);
            let unsaid = ["reason =", ".expect("].iter().any(|end| before.trim().ends_with(end));
            if !unsaid {
                found.push(text);
            }
            rest = after;
        } else {
            before.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}

/// The text up to the quotation mark that ends it, and what comes after that.
fn literal(source: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = source.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &source[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, '\n')) => {
                    let rest = chars.as_str();
                    let blanks = rest.len() - rest.trim_start().len();
                    chars.by_ref().take(blanks).for_each(drop);
                }
                Some((_, c)) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    panic!("a text does not end: {text}")
}

#[test]
fn texts_are_read_as_they_are_written() {
    let source = r##"
        // "no text"
        let a = "one\
                 two"; let b = '"'; let c = r#"raw "x""#; let d = '\''; let e = "a \"b\" {c}";
        #[expect(dead_code, reason = "unsaid")] x.expect("unsaid");
    "##;
    assert_eq!(literals(source), ["onetwo", "raw \"x\"", "a \"b\" {c}"]);
    assert_eq!(without_values("a {b:?} c {}"), "a … c …");
    assert_eq!(piece("`…` is damaged: …; it was left where it is"), "it was left where it is");
}
