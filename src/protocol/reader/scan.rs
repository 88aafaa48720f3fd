//! Where a JSON text ends.

use wide::u8x16;

/// How many bytes are looked at together.
const WIDTH: usize = 16;

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
    'blocks: while let Some(block) = json.get(at..).and_then(|rest| rest.first_chunk::<WIDTH>()) {
        let mut special = special(*block);
        while special != 0 {
            let found = special.trailing_zeros() as usize;
            match block[found] {
                b'"' => return Some(End { behind: at + found + 1, has_escapes }),
                b'\\' => {
                    has_escapes = true;
                    let behind = found + escape(json, at + found)?;
                    if behind >= WIDTH {
                        at += behind;
                        continue 'blocks;
                    }
                    special &= u32::MAX << behind;
                }
                _ => return None, // A control character.
            }
        }
        at += WIDTH;
    }
    // The end of `json` is near.
    loop {
        match *json.get(at)? {
            b'"' => return Some(End { behind: at + 1, has_escapes }),
            b'\\' => {
                has_escapes = true;
                at += escape(json, at)?;
            }
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// A bit for each byte that is a quote, a backslash or a control character, from the lowest on.
fn special(block: [u8; WIDTH]) -> u32 {
    let block = u8x16::new(block);
    let each = |byte| block.simd_eq(u8x16::splat(byte));
    let control = block.min(u8x16::splat(0x1f)).simd_eq(block);
    (each(b'"') | each(b'\\') | control).to_bitmask()
}

/// How long what is escaped by the backslash at `at` is, with it.
fn escape(json: &[u8], at: usize) -> Option<usize> {
    let escaped = *json.get(at + 1)?;
    if IS_SHORT[usize::from(escaped)] { Some(2) } else { unicode(json, at) }
}

/// Whether a byte behind a backslash is all that is escaped.
static IS_SHORT: [bool; 256] = {
    let mut table = [false; 256];
    let mut known = br#""\/bfnrt"#.as_slice();
    while let [byte, rest @ ..] = known {
        table[*byte as usize] = true;
        known = rest;
    }
    table
};

/// The same of a character that is escaped by its number.
fn unicode(json: &[u8], at: usize) -> Option<usize> {
    let [b'\\', b'u', digits @ ..] = json.get(at..at + 6)? else { return None };
    digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
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
