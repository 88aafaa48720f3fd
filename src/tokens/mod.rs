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

/// The most that is encoded at once, in bytes: without a seam, what encoding takes in memory is many
/// times the text.
const WINDOW: usize = 16 * 1024;

/// The same where little may be wanted of the text.
const SMALL_WINDOW: usize = 1024;

/// How far back, in bytes, more text can change how a text without seams is encoded: not exactly,
/// but no token is longer.
const REACH: usize = 128;

/// How many tokens `text` is. Special tokens are text like any other.
///
/// It takes linear time for any text. It is exact, but for text that has no place in 16 KiB where
/// words surely part: there it may be off by one.
#[must_use]
pub fn count(mut text: &str) -> usize {
    let mut tokens = 0;
    while text.len() > WINDOW {
        let (end, settled) = settle(&text[..text.floor_char_boundary(WINDOW)]);
        tokens += settled;
        text = &text[end..];
    }
    tokens + encoding().count(text)
}

/// What the first `max` tokens of `text` say, as far as that is whole characters; all of it if it
/// has no more. It is never more tokens than `max` when it is counted alone.
///
/// It takes time for what it yields, not for what it leaves.
#[must_use]
pub fn prefix(text: &str, max: usize) -> &str {
    let mut at = 0;
    let mut left = max;
    while text.len() - at > SMALL_WINDOW {
        let window = &text[at..text.floor_char_boundary(at + SMALL_WINDOW)];
        let (end, tokens) = settle(window);
        if tokens > left {
            return &text[..at + head(&window[..end], left)];
        }
        left -= tokens;
        at += end;
    }
    &text[..at + head(&text[at..], left)]
}

/// The end of the first `max` tokens of `text`, or a place before it: where the end falls into a
/// character, or between words that part only because of what follows, the text before it can be
/// more tokens alone.
fn head(text: &str, max: usize) -> usize {
    let tokens = encoding().encode(text);
    if tokens.len() <= max {
        return text.len();
    }
    for kept in (1..=max).rev() {
        let end = text.floor_char_boundary(bytes(&tokens[..kept]));
        if encoding().count(&text[..end]) <= max {
            return end;
        }
    }
    0
}

/// The beginning of `text` that can be counted alone whatever follows, and its tokens. Without a
/// seam it ends where one token does and another begins, well before the end.
fn settle(text: &str) -> (usize, usize) {
    if let Some(seam) = last_seam(text) {
        return (seam, encoding().count(&text[..seam]));
    }
    let tokens = encoding().encode(text);
    let (mut at, mut best) = (0, (text.len(), tokens.len()));
    for (index, token) in tokens.iter().enumerate() {
        at += bytes(&[*token]);
        if at + REACH > text.len() {
            break;
        }
        if text.is_char_boundary(at) {
            best = (at, index + 1);
        }
    }
    best
}

fn bytes(tokens: &[u32]) -> usize {
    tokens.iter().map(|token| encoding().decode(&[*token]).len()).sum()
}

fn encoding() -> &'static CoreBpe {
    tiktoken::get_encoding("o200k_base").expect("Cargo.toml asks for this vocabulary")
}

/// How much of `text`, in bytes, is the tokens that it is whatever follows: surely up to its last
/// seam, by all odds in text without any, none where the text is short.
#[must_use]
pub fn settled(text: &str) -> usize {
    match last_seam(text) {
        Some(seam) => seam,
        None if text.len() > 4 * REACH => text.floor_char_boundary(text.len() - REACH),
        None => 0,
    }
}

/// The last place inside `text` at which it can be cut without changing how either side is encoded,
/// whatever came before and whatever will follow.
fn last_seam(text: &str) -> Option<usize> {
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
