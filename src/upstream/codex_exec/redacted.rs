//! What a program says of its troubles, without what may be a secret.

/// The text with `***` in the place of each word that looks like a key or a token.
pub(super) fn redacted(text: &str) -> String {
    let edge = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '=' | ',' | '(' | ')');
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(edge) {
        let word = piece.trim_end_matches(edge);
        out.push_str(if is_secret(word) { "***" } else { word });
        out.push_str(&piece[word.len()..]);
    }
    out
}

fn is_secret(word: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["sk-", "eyJ", "rt_", "rt.", "at-"];
    const LONG: usize = 40;
    let opaque = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    let mixed = || {
        word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_alphabetic())
    };
    (BEGINNINGS.iter().any(|start| word.starts_with(start)) && word.len() > 8)
        || (word.len() >= LONG && word.chars().all(opaque) && mixed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_tokens_are_not_repeated() {
        let token = format!("eyJ{}", "a1".repeat(30));
        let said = format!(
            "key=\"sk-proj-abc123***\" refused, Bearer {token} (a/path/of.some/length) {}",
            "a1".repeat(20)
        );
        assert_eq!(redacted(&said), "key=\"***\" refused, Bearer *** (a/path/of.some/length) ***");
        assert_eq!(
            redacted("the model `gpt-5.5` is at capacity"),
            "the model `gpt-5.5` is at capacity"
        );
    }
}
