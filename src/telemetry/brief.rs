//! Words that somebody else has chosen, made short enough to be kept and shown.

/// The text, or as much of it as `most` characters.
pub(super) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The text without what it quotes at length: a value that was sent where a word was expected may
/// be a piece of a conversation.
pub(super) fn unquoted(text: &str) -> String {
    const WORDS: usize = 40;
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, quoted, after)) = quotation(rest) {
        out.push_str(before);
        out.push_str(if quoted.chars().count() > WORDS { "…" } else { quoted });
        // The mark that ends it is no beginning.
        out.push_str(&after[..1]);
        rest = &after[1..];
    }
    out.push_str(rest);
    out
}

/// What stands before the first quotation with its opening mark, in it, and from its end on. An
/// apostrophe has a letter on both sides.
fn quotation(text: &str) -> Option<(&str, &str, &str)> {
    let is_mark = |c: char| matches!(c, '\'' | '"');
    let opens = |at: &usize| text[..*at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    let start = text.match_indices(is_mark).map(|(at, _)| at).find(opens)? + 1;
    let inside = &text[start..];
    let closes = |at: &usize| inside[*at + 1..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    let mark = text[start - 1..].chars().next()?;
    let length = inside.match_indices(mark).map(|(at, _)| at).find(closes)?;
    Some((&text[..start], &inside[..length], &inside[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_error_nothing_is_kept_that_it_quotes_at_length() {
        let said = "the butler did it, in the library, with a candlestick, at ten";
        for (message, kept) in [
            (
                format!("Invalid value: '{said}'. Use 'a' or 'b'."),
                "Invalid value: '…'. Use 'a' or 'b'.",
            ),
            (format!("not \"{said}\", but it isn't 'so' bad"), "not \"…\", but it isn't 'so' bad"),
            (format!("'{said}"), &*format!("'{said}")),
            ("you didn't, they don't".to_owned(), "you didn't, they don't"),
            ("'é' \"🦀\" '".to_owned(), "'é' \"🦀\" '"),
        ] {
            assert_eq!(unquoted(&message), kept);
        }
        assert_eq!(short("🦀🦀🦀", 2), "🦀🦀…");
    }
}
