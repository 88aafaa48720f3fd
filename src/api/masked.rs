//! What an upstream says of a failure, without what it may have been sent.

use std::borrow::Cow;

/// How tokens and keys begin, and each part of a token that is written in JSON.
const BEGINNINGS: [&str; 5] = ["eyJ", "sk-", "rt_", "rt.", "at-"];

/// Below this it is a word like any other.
const LONG: usize = 20;

/// The text with `***` in the place of each token and key in it.
///
/// Upstreams seldom repeat what they were sent, but what they say ends in logs and in the windows of
/// agents, so it is not left to them.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    for word in text.split_inclusive(|c| !is_opaque(c)) {
        let bare = word.trim_end_matches(|c| !is_opaque(c));
        if is_secret(bare) {
            out.push_str(&text[kept..at]);
            out.push_str("***");
            kept = at + bare.len();
        }
        at += word.len();
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

const fn is_opaque(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~')
}

/// A word of many letters, with a number among them, that begins as one of them does.
fn is_secret(word: &str) -> bool {
    word.len() >= LONG
        && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        && word.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_tokens_are_masked_and_nothing_else_is() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
        for (said, expected) in [
            (
                format!("Bearer {token}, key 'sk-proj-0123456789abcdef0123'."),
                "Bearer ***, key '***'.",
            ),
            (format!(r#"{{"message":"{token}"}}"#), r#"{"message":"***"}"#),
            (format!("token={token}\\nnext é"), r"token=***\nnext é"),
            ("rt_0123456789abcdefghij".to_owned(), "***"),
        ] {
            assert_eq!(masked(&said), expected);
        }
        for plain in [
            "No tool output found for function call call_0123456789abcdefghij0123.",
            "Item 'rs_0d5c0123456789abcdef0123456789' was provided without its following item.",
            "an at-least-once-delivery-queue, an sk-learn-based model, grüße 🦀",
            "sk-a1",
        ] {
            assert!(matches!(masked(plain), Cow::Borrowed(_)), "{plain}");
        }
    }
}
