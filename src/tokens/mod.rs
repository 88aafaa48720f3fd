//! Tokens, counted as the models count them.
//!
//! One encoding, `o200k_base`, serves every model: it is that of all families since GPT-4o, and the
//! likeliest for one that nobody has heard of. Its table is unpacked when something is counted
//! first; a process that never counts pays nothing for it.

mod counter;
mod estimate;

pub use counter::Counter;
pub use estimate::estimate;

use tiktoken::CoreBpe;

/// The most that is encoded at once, in bytes: what encoding takes in memory is many times the text
/// where that has no seam.
const WINDOW: usize = 64 * 1024;

/// The same for text of which the tokens themselves are wanted.
const SMALL_WINDOW: usize = 2 * 1024;

/// How many tokens `text` is. Special tokens are text like any other.
///
/// It takes linear time for any text. It is exact, unless 64 KiB come without a place where words
/// surely part: then it may be off by one for each of them.
#[must_use]
pub fn count(text: &str) -> usize {
    windows(text, WINDOW).map(|window| encoding().count(window)).sum()
}

/// What the first `max` tokens of `text` say, as far as that is whole characters; all of it if it
/// has no more. It is never more tokens than `max` when it is counted alone.
///
/// It takes time for what it yields, not for what it leaves.
#[must_use]
pub fn prefix(text: &str, max: usize) -> &str {
    let mut end = 0;
    let mut left = max;
    for window in windows(text, SMALL_WINDOW) {
        if window.len() > left {
            let tokens = encoding().encode(window);
            if tokens.len() > left {
                end += head(window, &tokens[..left]);
                return &text[..end];
            }
            left -= tokens.len();
        } else {
            left -= encoding().count(window);
        }
        end += window.len();
    }
    text
}

/// The end of the first `tokens` of `text`, or a place before it: where the end falls into a
/// character, or between words that part only because of what follows, the text before it can be
/// more tokens alone.
fn head(text: &str, mut tokens: &[u32]) -> usize {
    loop {
        let bytes = tokens.iter().map(|token| encoding().decode(&[*token]).len()).sum();
        let end = text.floor_char_boundary(bytes);
        let Some((_, before)) = tokens.split_last() else { return 0 };
        if encoding().count(&text[..end]) <= tokens.len() {
            return end;
        }
        tokens = before;
    }
}

fn encoding() -> &'static CoreBpe {
    tiktoken::get_encoding("o200k_base").expect("Cargo.toml asks for this vocabulary")
}

/// The text in pieces of at most `size` bytes, which are counted alone as they are together; a
/// piece that cannot be had so is cut anywhere.
fn windows(mut text: &str, size: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = if text.len() <= size {
            text.len()
        } else {
            let full = text.floor_char_boundary(size);
            last_seam(&text[..full]).unwrap_or(full)
        };
        let (window, rest) = text.split_at(end);
        text = rest;
        (!window.is_empty()).then_some(window)
    })
}

/// The last place inside `text` at which it can be cut without changing how either side is encoded,
/// whatever came before and whatever will follow.
#[must_use]
pub fn last_seam(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().rev();
    let (mut at, mut after) = chars.next()?;
    for (before_at, before) in chars {
        if is_seam(before, after) {
            return Some(at);
        }
        (at, after) = (before_at, before);
    }
    None
}

/// Whether no word of the encoding ever reaches from `before` to `after`. A word may begin with a
/// space or a sign, has letters or up to three digits or signs, and may end in `'s` and the like.
fn is_seam(before: char, after: char) -> bool {
    if after == ' ' {
        return !before.is_whitespace();
    }
    if before.is_ascii_digit() {
        return after.is_ascii() && !after.is_ascii_digit();
    }
    let letter = before.is_ascii_alphabetic() || is_east_asian_letter(before);
    let sign = after.is_ascii() && !after.is_ascii_alphabetic() && after != '\'';
    letter && (sign || is_east_asian_stop(after))
}

/// Kana, Han and Hangul: scripts that are written without spaces, or with few.
const fn is_east_asian_letter(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

const fn is_east_asian_stop(c: char) -> bool {
    matches!(c, '、' | '。' | '，' | '！' | '？' | '：' | '；' | '「' | '」')
}

#[cfg(test)]
mod tests;
