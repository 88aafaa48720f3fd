//! Looks for stop sequences in a text that is still coming.

use std::sync::Arc;

/// The stop sequences of a request, prepared once for all its texts.
#[derive(Clone, Debug)]
pub(super) struct Stops(Arc<[Pattern]>);

/// A sequence, and for each beginning of it the longest one that this beginning ends in: what is
/// left of a match when the next byte does not fit (Knuth, Morris and Pratt).
#[derive(Debug)]
struct Pattern {
    bytes: Box<[u8]>,
    fallback: Box<[usize]>,
}

/// One text being searched.
///
/// The sequence that begins first wins, so one that has been found must wait while another is
/// still possible that began before it.
#[derive(Clone, Debug)]
pub(super) struct Search {
    stops: Stops,
    /// How much of each sequence the text ends in.
    matched: Vec<usize>,
    /// How much has been read, in bytes.
    read: usize,
    /// Where the first of the sequences found begins.
    found: Option<usize>,
}

impl Stops {
    /// Empty sequences are left out: they would stop every text at once.
    pub(super) fn new(sequences: &[String]) -> Self {
        let patterns = sequences.iter().filter(|sequence| !sequence.is_empty());
        Self(patterns.map(|sequence| Pattern::new(sequence.as_bytes())).collect())
    }

    /// A search from the beginning; `None` if there is nothing to look for.
    pub(super) fn search(&self) -> Option<Search> {
        let matched = vec![0; self.0.len()];
        (!matched.is_empty()).then(|| Search { stops: self.clone(), matched, read: 0, found: None })
    }
}

impl Pattern {
    fn new(bytes: &[u8]) -> Self {
        let mut pattern = Self { bytes: bytes.into(), fallback: vec![0; bytes.len()].into() };
        let mut matched = 0;
        for (at, byte) in bytes.iter().enumerate().skip(1) {
            matched = pattern.step(matched, *byte);
            pattern.fallback[at] = matched;
        }
        pattern
    }

    /// How much is matched after one more byte, if `matched` was before; the whole is not.
    fn step(&self, mut matched: usize, byte: u8) -> usize {
        while matched > 0 && self.bytes[matched] != byte {
            matched = self.fallback[matched - 1];
        }
        matched + usize::from(self.bytes[matched] == byte)
    }
}

impl Search {
    /// Reads on, unless a stop is certain already.
    pub(super) fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.stop().is_some() {
                return;
            }
            self.read += 1;
            for (pattern, matched) in self.stops.0.iter().zip(&mut self.matched) {
                *matched = pattern.step(*matched, byte);
                if *matched == pattern.bytes.len() {
                    let start = self.read - *matched;
                    self.found = Some(self.found.map_or(start, |found| found.min(start)));
                    *matched = pattern.fallback[*matched - 1];
                }
            }
        }
    }

    /// Where the stop begins, once that is certain.
    pub(super) fn stop(&self) -> Option<usize> {
        self.found.filter(|found| self.possible() >= *found)
    }

    /// Where it begins if no more text comes.
    pub(super) const fn last_stop(&self) -> Option<usize> {
        self.found
    }

    /// The end of the text that no stop can begin in any more.
    pub(super) fn clear(&self) -> usize {
        self.found.unwrap_or(usize::MAX).min(self.possible())
    }

    /// Where the first sequence begins that the text may be in the middle of.
    fn possible(&self) -> usize {
        self.read - self.matched.iter().max().unwrap_or(&0)
    }

    /// What follows is another text, as far as stops go.
    pub(super) fn forget(&mut self) {
        self.matched.fill(0);
    }
}
