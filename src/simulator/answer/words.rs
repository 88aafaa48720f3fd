//! What can be read out of a sentence without understanding it.

/// The text that the user wants word for word.
pub(super) fn say_exactly(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let after = |markers: &[&str]| {
        let found = markers.iter().filter_map(|marker| Some((lower.find(marker)?, marker)));
        let (at, marker) = found.min_by_key(|(at, _)| *at)?;
        Some(&text[at + marker.len()..])
    };
    if let Some(rest) = after(&EXACTLY) {
        let line = rest.trim_start_matches([' ', ':', ',', '\n']).lines().next()?;
        return Some(unquoted(without_coda(line)));
    }
    if lower.contains("nothing else") {
        let rest = after(&["say ", "reply with ", "respond with ", "answer with ", "print "])?;
        return Some(unquoted(without_coda(rest.lines().next()?).trim_start_matches("the word ")));
    }
    let rest = after(&["the single word", "with the word", "only the word", "just the word"])?;
    let word = rest.trim_start_matches([' ', ':']).split_whitespace().next()?;
    Some(word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
}

const EXACTLY: [&str; 7] = [
    "say exactly",
    "print exactly",
    "reply exactly",
    "reply with exactly",
    "respond with exactly",
    "answer exactly",
    "answer with exactly",
];

/// Where the wish for exact words begins; the rest of the sentence is not about tools.
pub(super) fn before_exact_words(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    let start = EXACTLY.iter().filter_map(|marker| lower.find(marker)).min();
    match (start, lower.find("nothing else")) {
        (Some(start), _) => &text[..start],
        (None, Some(_)) => "",
        (None, None) => text,
    }
}

fn without_coda(line: &str) -> &str {
    let lower = line.to_ascii_lowercase();
    let codas = [" and nothing else", ", nothing else", " nothing else"];
    let end = codas.iter().filter_map(|coda| lower.find(coda)).min();
    line[..end.unwrap_or(line.len())].trim()
}

/// A text in quotes without them and what follows; any other text as it is.
fn unquoted(text: &str) -> String {
    let text = text.trim();
    match text.chars().next().and_then(closing) {
        Some(close) => {
            let inside: String = text.chars().skip(1).collect();
            inside.find(close).map_or(text.to_owned(), |end| inside[..end].to_owned())
        }
        None => text.to_owned(),
    }
}

fn closing(open: char) -> Option<char> {
    match open {
        '"' | '\'' | '`' => Some(open),
        '“' => Some('”'),
        '‘' => Some('’'),
        _ => None,
    }
}

/// What stands in quotes, in order; with the kind of quote.
pub(super) fn quoted(text: &str) -> Vec<(char, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        // An apostrophe inside a word opens nothing.
        let opens = closing(c).filter(|_| c != '\'' || !before.is_alphanumeric());
        match opens.and_then(|close| after.find(close).map(|end| (close, end))) {
            Some((close, end)) if end > 0 => {
                found.push((c, after[..end].to_owned()));
                before = close;
                rest = &after[end + close.len_utf8()..];
            }
            _ => {
                before = c;
                rest = after;
            }
        }
    }
    found
}

/// A file name that is mentioned.
pub(super) fn file_name(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`“”‘’,;()[]<>".contains(c));
    words.map(|word| word.trim_end_matches(['.', '?', '!', ':'])).find_map(|word| {
        let (stem, extension) = word.rsplit_once('.')?;
        let is_extension = (1..=5).contains(&extension.len())
            && extension.chars().all(|c| c.is_ascii_alphanumeric())
            && extension.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_path = stem.chars().all(|c| c.is_alphanumeric() || "_-./~\\".contains(c));
        let is_name = stem.len() + extension.len() > 2 && is_path && !stem.is_empty();
        (is_extension && is_name).then(|| word.to_owned())
    })
}

/// The folder that an agent says it works in.
pub(super) fn folder(text: &str) -> Option<String> {
    const MARKERS: [&str; 4] =
        ["working directory", "working in the directory", "workspace folder", "<cwd>"];
    let lower = text.to_ascii_lowercase();
    let after = MARKERS.iter().flat_map(|marker| lower.match_indices(marker));
    after.filter_map(|(at, marker)| folder_at(&text[at + marker.len()..])).next()
}

/// The path that a text begins with, be there an `is` or signs before it.
fn folder_at(text: &str) -> Option<String> {
    let sign = |c: char| c.is_whitespace() || ":=`*\"'(".contains(c);
    let text = text.trim_start_matches(sign);
    let text = text.strip_prefix("is").unwrap_or(text).trim_start_matches(sign);
    let ends = |c: char| c.is_whitespace() || "`*\"'<>),".contains(c);
    let path = text.split(ends).next()?.trim_end_matches(['.', '/']);
    (path.starts_with('/') && path.len() > 1).then(|| path.to_owned())
}

/// Whether the user wants a file to be written.
pub(super) fn wants_file(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let verbs = ["create", "write", "save", "make", "put", "add"];
    let has_verb = lower.split(|c: char| !c.is_alphanumeric()).any(|word| verbs.contains(&word));
    has_verb && file_name(text).is_some()
}

/// What the file is to hold.
pub(super) fn file_content(text: &str) -> String {
    let name = file_name(text).unwrap_or_default();
    let quotes = quoted(text);
    if let Some((_, content)) = quotes.iter().rfind(|(_, quote)| *quote != name) {
        return content.clone();
    }
    let lower = text.to_ascii_lowercase();
    let markers =
        ["with the content ", "with the text ", "with content ", "containing ", "saying "];
    let found = markers.iter().find_map(|marker| Some(lower.find(marker)? + marker.len()));
    let line = found.and_then(|at| text[at..].lines().next());
    match line.map(|line| line.trim().trim_end_matches('.')) {
        Some(content) if !content.is_empty() => content.to_owned(),
        _ => "hello from the simulator".to_owned(),
    }
}

/// Whether the user wants a command to be run.
pub(super) fn wants_command(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let thing = says(&["command", "shell", "terminal", "script", "bash", "`"]);
    (says(&["run ", "execute", "use "]) && thing) || says(&["list the files", "list files"])
}

/// The command to run.
pub(super) fn command(text: &str) -> String {
    let name = file_name(text).unwrap_or_default();
    let mut quotes = quoted(text);
    quotes.sort_by_key(|(quote, _)| *quote != '`');
    // Not the code blocks that agents put around a task.
    let is_command = |(_, quote): &&(char, String)| *quote != name && !quote.contains('\n');
    let lower = text.to_ascii_lowercase();
    if wants_file(text) && !(lower.contains("run `") || lower.contains("command `")) {
        let content = file_content(text).replace('\'', r"'\''");
        return format!("printf '%s\\n' '{content}' > '{name}'");
    }
    match quotes.iter().find(is_command) {
        Some((_, command)) => command.clone(),
        None if lower.contains("list") => "ls".to_owned(),
        None => "echo hello".to_owned(),
    }
}

/// Names of places, or of whatever else is written with a capital inside a sentence.
///
/// What follows `in` or `for` is surer than the rest, and then the rest is left out.
pub(super) fn places(text: &str) -> Vec<String> {
    const NEVER: [&str; 8] = ["I", "The", "And", "What", "How", "Please", "Also", "JSON"];
    let mut places: Vec<(String, bool)> = Vec::new();
    let mut may_start = false;
    let mut joins = false;
    let mut before = "";
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let bare = bare.strip_suffix("'s").unwrap_or(bare);
        let capital = bare.starts_with(char::is_uppercase) && !NEVER.contains(&bare);
        if capital && may_start {
            let listed = matches!(before, "and" | "or") || before.ends_with(',');
            let after_sure = listed && places.last().is_some_and(|(_, sure)| *sure);
            let sure = after_sure || matches!(before, "in" | "for" | "at" | "near" | "to" | "from");
            match places.last_mut() {
                Some((last, _)) if joins => *last = format!("{last} {bare}"),
                _ => places.push((bare.to_owned(), sure)),
            }
        }
        joins = capital && may_start && !word.ends_with(['.', '!', '?', ':', ',', ';', '"']);
        // The first word of a sentence has its capital for another reason.
        may_start = !word.ends_with(['.', '!', '?', ':']);
        before = word;
    }
    let any_sure = places.iter().any(|(_, sure)| *sure);
    places.into_iter().filter(|(_, sure)| *sure || !any_sure).map(|(place, _)| place).collect()
}

/// The numbers that are mentioned.
pub(super) fn numbers(text: &str) -> Vec<f64> {
    let words = text.split(|c: char| c.is_whitespace() || "*+/=,;()?!".contains(c));
    words.filter_map(|word| word.trim_end_matches('.').parse().ok()).collect()
}

/// Up to where the user wants to hear numbers.
pub(super) fn count_to(text: &str) -> Option<u64> {
    const LONGEST: u64 = 2000;
    let lower = text.to_ascii_lowercase();
    let asks = lower.starts_with("count ") || lower.contains(" count ");
    let (_, rest) = lower.split_once("to ").filter(|_| asks)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|number| (1..=LONGEST).contains(number))
}

/// The beginning of a text.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
