//! Where a JSON text ends.

/// How many bytes are looked at together.
const WIDTH: usize = 8;

/// How a JSON text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The place behind its quote.
    pub(super) behind: usize,
    pub(super) has_escapes: bool,
}

/// How the text ends that begins at `at`; `None` where it is no JSON text, or does not end.
pub(super) fn end_of_text(json: &[u8], mut at: usize) -> Option<End> {
    let mut has_escapes = false;
    loop {
        at = plain_until(json, at);
        match *json.get(at)? {
            b'"' => return Some(End { behind: at + 1, has_escapes }),
            b'\\' => at += escape(json.get(at + 1..)?)? + 1,
            _ => return None, // A control character.
        }
        has_escapes = true;
    }
}

/// Where the first byte at `at` or behind it stands that is a quote, a backslash or a control
/// character, or how long `json` is.
fn plain_until(json: &[u8], mut at: usize) -> usize {
    while let Some(bytes) = json.get(at..).and_then(|rest| rest.first_chunk::<WIDTH>()) {
        let special = special(u64::from_le_bytes(*bytes));
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += WIDTH;
    }
    let rest = json.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| !matches!(byte, 0..0x20 | b'"' | b'\\')).count()
}

/// The highest bit of each byte that is a quote, a backslash or a control character. Of those above
/// the first one it may be wrong: a subtraction borrows from there.
const fn special(bytes: u64) -> u64 {
    const fn each(byte: u8) -> u64 {
        u64::from_le_bytes([byte; WIDTH])
    }
    // With one bit turned over, a quote is what follows the control characters.
    let low = (bytes ^ each(b'"' ^ 0x20)).wrapping_sub(each(0x21));
    let backslash = (bytes ^ each(b'\\')).wrapping_sub(each(1));
    (low | backslash) & !bytes & each(0x80)
}

/// How long what follows a backslash is.
fn escape(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit).then_some(5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_quote_wherever_that_stands() {
        for n in 0..40 {
            for (text, ends) in [
                ("", true),
                (r"\n", true),
                (r#"\""#, true),
                (r"\\", true),
                (r"\u00e9", true),
                (r"\ud800", true),
                ("é\u{7f}\u{80}", true),
                ("\u{1f}", false),
                ("\n", false),
                (r"\x", false),
                (r"\u00g0", false),
            ] {
                for behind in ["", "\"", "\\\"\n\u{1}, and more"] {
                    let before = "x".repeat(n);
                    let json = format!("{before}{text}{before}\"{behind}");
                    let end = json.len() - behind.len();
                    let has_escapes = text.contains('\\');
                    let found = end_of_text(json.as_bytes(), 0);
                    let end = ends.then_some(End { behind: end, has_escapes });
                    assert_eq!(found, end, "{json}");
                }
            }
        }
    }

    #[test]
    fn a_text_that_does_not_end_is_none() {
        for n in 0..20 {
            for cut in ["", r"\", r"\u", r"\u00e"] {
                let json = format!("{}{cut}", "x".repeat(n));
                assert_eq!(end_of_text(json.as_bytes(), 0), None, "{json}");
            }
        }
    }
}
