//! YAML has no editor that keeps what it does not understand, so whole lines are added between two
//! comments, and what comes of it is read and compared before it counts.

use yaml_rust2::{Yaml, YamlLoader};

use super::Refusal;

const BEGIN: &str = "# codexway: from here";
const END: &str = "# codexway: to here";

/// Our lines with the two comments around them, by which they are found again.
pub(super) fn marked(ours: &str) -> String {
    format!("{BEGIN}\n{ours}{END}\n")
}

pub(super) fn merge(text: &str, ours: &str, keep: &[String]) -> Result<String, Refusal> {
    let theirs = without_ours(text)?;
    let before = read(&theirs)?;
    let wanted = read(ours)?;
    let merged = match &before {
        Yaml::BadValue | Yaml::Null => joined(&theirs, &marked(ours)),
        Yaml::Array(_) if matches!(wanted, Yaml::Array(_)) && is_block(&theirs) => {
            joined(&theirs, &marked(ours))
        }
        Yaml::Hash(_) if matches!(wanted, Yaml::Hash(_)) => into_map(&theirs, ours, &before)?,
        _ => return Err(Refusal::InTheWay("it is not laid out as its client's files are".into())),
    };
    let after = read(&merged).map_err(|_| by_hand("what is in it"))?;
    if !covers(&after, &before, &[]) {
        return Err(by_hand("what is in it"));
    }
    match first_lacking(&after, &wanted, keep) {
        Some(key) => Err(by_hand(&format!("`{key}`"))),
        None => Ok(merged),
    }
}

fn by_hand(what: &str) -> Refusal {
    Refusal::InTheWay(format!("{what} is written in a way that cannot be added to safely"))
}

fn read(text: &str) -> Result<Yaml, Refusal> {
    let documents =
        YamlLoader::load_from_str(text).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    match <[Yaml; 1]>::try_from(documents) {
        Ok([document]) => Ok(document),
        Err(none) if none.is_empty() => Ok(Yaml::BadValue),
        Err(_) => Err(Refusal::InTheWay("there are several documents in it".to_owned())),
    }
}

/// The file without what we put into it before.
fn without_ours(text: &str) -> Result<String, Refusal> {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        match (inside, line.trim()) {
            (false, BEGIN) => inside = true,
            (true, END) => inside = false,
            (false, _) => kept.push_str(line),
            (true, _) => {}
        }
    }
    match inside {
        true => Err(Refusal::InTheWay(format!("the line `{END}` is missing in it"))),
        false => Ok(kept),
    }
}

/// Whether a list is written with an item a line, from the first column.
fn is_block(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !blank(line) && line.trim_end() != "---");
    lines.next().is_some_and(|line| line.starts_with("- "))
}

fn blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn joined(text: &str, more: &str) -> String {
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{gap}{more}")
}

/// Each of our keys at the end of theirs of that name, or of the file.
fn into_map(text: &str, ours: &str, before: &Yaml) -> Result<String, Refusal> {
    let mut merged = text.to_owned();
    let mut new = String::new();
    for (key, lines) in sections(ours) {
        match &before[key] {
            Yaml::BadValue => new.push_str(&lines),
            Yaml::Hash(_) | Yaml::Array(_) | Yaml::Null => merged = below(&merged, key, &lines)?,
            // Theirs stays, and has to say the same unless it may differ.
            _ => {}
        }
    }
    Ok(if new.is_empty() { merged } else { joined(&merged, &marked(&new)) })
}

/// A block's top-level keys, each with all its lines.
fn sections(text: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.split_once(':'), found.last_mut()) {
            (Some((key, _)), _) if !line.starts_with([' ', '-']) => {
                found.push((key, line.to_owned()));
            }
            (_, Some((_, lines))) => lines.push_str(line),
            (_, None) => {}
        }
    }
    found
}

/// What `section` holds under its key, at the end of the block of that key.
fn below(text: &str, key: &str, section: &str) -> Result<String, Refusal> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let heads = |line: &&str| {
        let rest = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(blank)
    };
    let at = lines.iter().position(heads).ok_or_else(|| by_hand(&format!("`{key}`")))?;
    let inside = |line: &&&str| {
        let item = line.starts_with("- ") || line.trim_end() == "-";
        blank(line) || line.starts_with(' ') || item
    };
    let block: Vec<&str> = lines[at + 1..].iter().take_while(inside).copied().collect();
    let end = block.iter().rposition(|line| !blank(line)).map_or(0, |last| last + 1);
    let first = block.iter().find(|line| !blank(line));
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let depth = first.map_or(2, |line| indent(line));

    let ours: Vec<&str> = section.split_inclusive('\n').skip(1).collect();
    let own = ours.first().map_or(0, |line| indent(line));
    let mut merged: String = lines[..=at].concat() + &block[..end].concat();
    merged = joined(&merged, "");
    let margin = " ".repeat(depth);
    for line in [BEGIN]
        .into_iter()
        .chain(ours.iter().map(|line| line.get(own..).unwrap_or_default().trim_end()))
        .chain([END])
    {
        merged.push_str(&format!("{margin}{line}\n"));
    }
    merged.push_str(&lines[at + 1 + end..].concat());
    Ok(merged)
}

/// Whether all of `small` is in `big`, besides these keys.
fn covers(big: &Yaml, small: &Yaml, keep: &[String]) -> bool {
    match (big, small) {
        (_, Yaml::BadValue | Yaml::Null) => true,
        (Yaml::Hash(_), Yaml::Hash(_)) => first_lacking(big, small, keep).is_none(),
        (Yaml::Array(big), Yaml::Array(small)) => small.iter().all(|item| big.contains(item)),
        _ => big == small,
    }
}

/// The first key of `wanted` that `after` does not have as it should be.
fn first_lacking(after: &Yaml, wanted: &Yaml, keep: &[String]) -> Option<String> {
    let Yaml::Hash(fields) = wanted else {
        return (!covers(after, wanted, keep)).then(|| "the list".to_owned());
    };
    let Yaml::Hash(after) = after else { return Some("the whole".to_owned()) };
    let name = |key: &Yaml| key.as_str().unwrap_or("a key").to_owned();
    let lacking = |(key, value): &(&Yaml, &Yaml)| {
        !keep.contains(&name(key)) && !after.get(key).is_some_and(|known| covers(known, value, &[]))
    };
    fields.iter().find(lacking).map(|(key, _)| name(key))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const OURS: &str = "name: \"local\"\nmodels:\n  - name: \"codexway\"\n    url: \"u\"\n";

    fn keep() -> Vec<String> {
        vec!["name".to_owned()]
    }

    #[test]
    fn items_are_added_where_the_list_ends() {
        let text =
            "# mine\nname: me # why\nmodels:\n- name: a\n  url: x\n# more\n\nrules:\n  - b\n";
        let merged = merge(text, OURS, &keep()).unwrap();
        let wanted = "# mine\nname: me # why\nmodels:\n- name: a\n  url: x\n# codexway: from here\n- name: \"codexway\"\n  url: \"u\"\n# codexway: to here\n# more\n\nrules:\n  - b\n";
        assert_eq!(merged, wanted);
        assert_eq!(merge(&merged, OURS, &keep()).unwrap(), merged);
        let moved = merge(&merged, &OURS.replace("\"u\"", "\"v\""), &keep()).unwrap();
        assert_eq!(moved, wanted.replace("\"u\"", "\"v\""));
    }

    #[test]
    fn a_list_that_is_the_whole_file_is_made_longer() {
        let merged = merge("- {a: 1}\n- b: 2", "- c: 3\n", &[]).unwrap();
        assert_eq!(
            merged,
            "- {a: 1}\n- b: 2\n# codexway: from here\n- c: 3\n# codexway: to here\n"
        );
    }

    #[test]
    fn maps_are_added_to_at_their_own_depth() {
        let ours = "apis:\n  codexway:\n    url: \"u\"\n";
        let merged = merge("apis:\n    a:\n        url: x\nb: 1\n", ours, &[]).unwrap();
        let wanted = "apis:\n    a:\n        url: x\n    # codexway: from here\n    codexway:\n      url: \"u\"\n    # codexway: to here\nb: 1\n";
        assert_eq!(merged, wanted);
    }

    #[test]
    fn what_cannot_be_added_to_safely_is_refused() {
        for text in
            ["name: x\nmodels: [{name: a}]\n", "{name: x, models: []}\n", "\"models\":\n  - a\n"]
        {
            let refused = merge(text, OURS, &keep());
            assert!(matches!(refused, Err(Refusal::InTheWay(_))), "{text}: {refused:?}");
        }
        assert!(matches!(merge("a: [", OURS, &keep()), Err(Refusal::Unreadable(_))));
        assert!(matches!(merge("a: 1\n---\nb: 1\n", OURS, &keep()), Err(Refusal::InTheWay(_))));
        let other = merge("name: me\nmodels:\n  - a\n", OURS, &[]).unwrap_err();
        assert!(other.to_string().contains("`name`"), "{other}");
        let cut = marked(OURS).replace(END, "");
        assert!(matches!(merge(&cut, OURS, &keep()), Err(Refusal::InTheWay(_))));
    }
}
