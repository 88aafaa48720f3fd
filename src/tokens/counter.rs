use super::{REACH, SMALL_WINDOW, count, last_seam, prefix, settle};

/// Counts a text that is still growing.
///
/// What no further text can change is counted once and forgotten, so all of it takes about as long
/// as counting the whole text once, and little memory. Nothing is counted before it has to be.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    /// The tokens of the text before `rest`.
    settled: u64,
    rest: String,
}

impl Counter {
    #[must_use]
    pub const fn new() -> Self {
        Self { settled: 0, rest: String::new() }
    }

    /// Adds text at the end.
    pub fn push(&mut self, text: &str) {
        self.rest.push_str(text);
        if self.rest.len() > SMALL_WINDOW {
            self.settle();
        }
    }

    /// What the count surely does not exceed; nothing is counted for it.
    #[must_use]
    pub fn at_most(&self) -> u64 {
        self.settled + self.rest.len() as u64
    }

    /// How many tokens the text is so far. More text can make it fewer by one or two.
    #[must_use]
    pub fn count(&mut self) -> u64 {
        self.settle();
        self.settled + count(&self.rest) as u64
    }

    /// As much of `more` as fits if the text with it may be `max` tokens; nothing if it is more
    /// already. It is all of `more` whenever that fits.
    #[must_use]
    pub fn prefix<'a>(&mut self, more: &'a str, max: u64) -> &'a str {
        self.settle();
        let max = usize::try_from(max.saturating_sub(self.settled)).unwrap_or(usize::MAX);
        if self.rest.is_empty() {
            return prefix(more, max);
        }
        let whole = [&self.rest, more].concat();
        let fits = prefix(&whole, max).len();
        &more[..fits.saturating_sub(self.rest.len())]
    }

    fn settle(&mut self) {
        if last_seam(&self.rest).is_none() && self.rest.len() <= 4 * REACH {
            return;
        }
        let (end, tokens) = settle(&self.rest);
        self.settled += tokens as u64;
        self.rest.drain(..end);
    }
}
