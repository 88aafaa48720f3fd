//! What a model's name says beside the model.
//!
//! Many clients have a field for the model and none for how it is to answer, so the name may carry
//! that: `gpt-5.5-high`, `gpt-5.5:high`, `gpt-5.5(high)`, `gpt-5.5-high-fast`,
//! `gpt-5.5?reasoning_effort=high&verbosity=low`.

use super::EFFORTS;

/// A name taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub model: String,
    pub effort: Option<String>,
    pub verbosity: Option<String>,
    pub service_tier: Option<String>,
}

/// A part behind the `?` of a name that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadTail(pub String);

const VERBOSITIES: [&str; 3] = ["low", "medium", "high"];

/// Takes `name` apart. A suffix is one only if what is before it is `known`, so that a model whose
/// own name ends like one keeps it.
///
/// # Errors
/// When there is something behind a `?` that is no setting.
pub(super) fn take_apart(name: &str, known: impl Fn(&str) -> bool) -> Result<Asked, BadTail> {
    let (name, query) = name.split_once('?').unwrap_or((name, ""));
    let mut asked = Asked { model: name.to_owned(), ..Asked::default() };
    let mut rest = name;
    let mut found = Asked::default();
    while !known(rest) {
        let Some((before, word)) = suffix(rest) else { break };
        let (place, word) = match word {
            "fast" | "priority" => (&mut found.service_tier, "priority"),
            word if EFFORTS.contains(&word) => (&mut found.effort, word),
            _ => break,
        };
        if place.replace(word.to_owned()).is_some() {
            break;
        }
        rest = before;
    }
    if rest != name && known(rest) {
        asked = Asked { model: rest.to_owned(), ..found };
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let bad = || BadTail(pair.to_owned());
        let (key, value) = pair.split_once('=').ok_or_else(bad)?;
        let (place, values): (_, &[&str]) = match key {
            "reasoning_effort" | "effort" => (&mut asked.effort, &EFFORTS),
            "verbosity" => (&mut asked.verbosity, &VERBOSITIES),
            "service_tier" => (&mut asked.service_tier, &["auto", "default", "priority", "fast"]),
            _ => return Err(bad()),
        };
        if !values.contains(&value) {
            return Err(bad());
        }
        *place = Some(value.to_owned());
    }
    Ok(asked)
}

/// The last word of a name and what is before it.
fn suffix(name: &str) -> Option<(&str, &str)> {
    if let Some(inner) = name.strip_suffix(')') {
        return inner.rsplit_once('(');
    }
    name.rsplit_once([':', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_carry_how_the_model_is_to_answer() {
        let known = |name: &str| ["gpt-5.5", "gpt-5.1-codex-max", "mine"].contains(&name);
        let check = |name: &str, expected: [&str; 4]| {
            let Asked { model, effort, verbosity, service_tier } = take_apart(name, known).unwrap();
            let told = [effort, verbosity, service_tier].map(Option::unwrap_or_default);
            assert_eq!(model, expected[0], "{name}");
            assert_eq!(told, expected[1..], "{name}");
        };
        check("gpt-5.5", ["gpt-5.5", "", "", ""]);
        check("gpt-5.5-high", ["gpt-5.5", "high", "", ""]);
        check("gpt-5.5:xhigh", ["gpt-5.5", "xhigh", "", ""]);
        check("gpt-5.5(low)", ["gpt-5.5", "low", "", ""]);
        check("gpt-5.5-fast", ["gpt-5.5", "", "", "priority"]);
        check("gpt-5.5-high-fast", ["gpt-5.5", "high", "", "priority"]);
        check("gpt-5.5-fast(high)", ["gpt-5.5", "high", "", "priority"]);
        check("mine?reasoning_effort=high&verbosity=low", ["mine", "high", "low", ""]);
        check("gpt-5.5-high?verbosity=low", ["gpt-5.5", "high", "low", ""]);
        // Its own name, though it ends like an effort.
        check("gpt-5.1-codex-max", ["gpt-5.1-codex-max", "", "", ""]);
        check("gpt-5.1-codex-max-high", ["gpt-5.1-codex-max", "high", "", ""]);
        // Not known with or without.
        check("other-high", ["other-high", "", "", ""]);
        check("gpt-5.5-high-low", ["gpt-5.5-high-low", "", "", ""]);
        for bad in ["mine?x=1", "mine?verbosity=loud", "mine?high"] {
            assert!(take_apart(bad, known).is_err(), "{bad}");
        }
    }
}
