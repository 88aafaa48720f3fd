//! A text that matches a simple regular expression.

use std::iter::Peekable;
use std::str::Chars;

/// Knows literals, classes, groups, alternatives and counts; of each it takes the simplest.
pub(super) fn sample(pattern: &str) -> String {
    alternatives(&mut pattern.chars().peekable())
}

/// The first alternative; the others are read over.
fn alternatives(rest: &mut Peekable<Chars<'_>>) -> String {
    let first = sequence(rest);
    while rest.next_if_eq(&'|').is_some() {
        sequence(rest);
    }
    first
}

fn sequence(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(c) = rest.next_if(|c| !matches!(c, '|' | ')')) {
        let atom = match c {
            '^' | '$' => continue,
            '(' => group(rest),
            '[' => class(rest).to_string(),
            '\\' => escaped(rest.next()).map(String::from).unwrap_or_default(),
            '.' => "x".to_owned(),
            literal => literal.to_string(),
        };
        text += &atom.repeat(count(rest));
    }
    text
}

fn group(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut keeps = true;
    if rest.next_if_eq(&'?').is_some() {
        match rest.next() {
            // What must not follow adds nothing.
            Some('=' | '!') => keeps = false,
            // `(?<name>…)` and `(?P<name>…)`.
            Some('<' | 'P') => while rest.next_if(|c| *c != '>').is_some() {},
            _ => {}
        }
        rest.next_if_eq(&'>');
    }
    let inside = alternatives(rest);
    rest.next();
    if keeps { inside } else { String::new() }
}

/// The first member of a class; of a negated one, something unlikely to be in it.
fn class(rest: &mut Peekable<Chars<'_>>) -> char {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut first = None;
    let mut begun = false;
    while let Some(c) = rest.next() {
        let member = match c {
            ']' if begun => break,
            '\\' => escaped(rest.next()),
            other => Some(other),
        };
        begun = true;
        first = first.or(member);
    }
    match negated {
        true => 'x',
        false => first.unwrap_or('x'),
    }
}

fn escaped(c: Option<char>) -> Option<char> {
    match c? {
        'd' => Some('1'),
        'w' | 'S' | 'D' => Some('a'),
        's' | 'W' => Some(' '),
        'b' | 'B' => None,
        'n' => Some('\n'),
        't' => Some('\t'),
        literal => Some(literal),
    }
}

/// How often the atom before is wanted at least; once where it may be left out.
fn count(rest: &mut Peekable<Chars<'_>>) -> usize {
    let count = match rest.peek() {
        Some('*' | '+' | '?') => {
            rest.next();
            1
        }
        Some('{') => {
            rest.next();
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            while rest.next_if(|c| *c != '}').is_some() {}
            rest.next();
            digits.parse().unwrap_or(1)
        }
        _ => return 1,
    };
    // Lazy or greedy makes no difference to a sample.
    rest.next_if_eq(&'?');
    count
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_are_followed_where_they_are_simple() {
        for (pattern, sample) in [
            (r"^\d{3}-\d{4}$", "111-1111"),
            ("^[A-Z]{2}[0-9]+$", "AA0"),
            ("^(red|green)$", "red"),
            (r"^#[0-9a-f]{6}$", "#000000"),
            (r"^\w+@\w+\.com$", "a@a.com"),
            (r"^(?!no)(?:v)?[^a]\.$", "vx."),
        ] {
            assert_eq!(super::sample(pattern), sample);
        }
    }
}
