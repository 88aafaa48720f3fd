//! One text of a turn, on its way to the client.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    Why,
    stop::{Search, Stops},
    what::What,
};
use crate::{
    protocol::{Event, last_half, raw_str, whole_characters},
    tokens::{self, Counter},
};

/// A text: what of it has been passed on, and what is held.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) what: What,
    pub(super) shown: String,
    pub(super) held: String,
    /// Counts what is shown.
    pub(super) counter: Counter,
    search: Option<Search>,
    /// Whether an event has told that there is such a text, so that others have to tell its end.
    pub(super) announced: bool,
    /// Whether the event that tells it whole has gone by.
    pub(super) ended: bool,
    /// The delta of which something is held.
    pub(super) delta: Option<Event>,
    /// The first half of a character in which the last delta ended, as it stands in JSON.
    half: String,
}

/// What is to be done with the text held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This much of it may be passed on, in bytes; the rest waits.
    Pass(usize),
    /// This much of it is the last that is passed on.
    Cut(usize, Why),
}

impl Verdict {
    /// How much of the text held is passed on now.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Pass(len) | Self::Cut(len, _) => len,
        }
    }
}

impl Said {
    pub(super) fn new(what: What, stops: &Stops) -> Self {
        let search = if what == What::Text { stops.search() } else { None };
        Self {
            what,
            shown: String::new(),
            held: String::new(),
            counter: Counter::new(),
            search,
            announced: false,
            ended: false,
            delta: None,
            half: String::new(),
        }
    }

    /// What a delta says, with the character of which the last one told the first half; what only
    /// begins in it waits for the next. Also whether that is all of this delta and nothing else;
    /// `None` where the delta is no text.
    pub(super) fn read<'a>(&mut self, delta: &'a RawValue) -> Option<(Cow<'a, str>, bool)> {
        if self.half.is_empty()
            && let Some(text) = raw_str(delta)
        {
            return Some((text, true));
        }
        let inside = delta.get().strip_prefix('"')?.strip_suffix('"')?;
        let mut joined = std::mem::take(&mut self.half) + inside;
        if let Some(at) = last_half(&joined) {
            self.half = joined.split_off(at);
        }
        let json = whole_characters(&format!("\"{joined}\""))?;
        serde_json::from_str(&json).ok().map(|text: String| (Cow::Owned(text), false))
    }

    /// Nothing will complete the half of a character in which the last delta ended.
    pub(super) fn give_up_half(&mut self) {
        if !std::mem::take(&mut self.half).is_empty() {
            self.take("\u{fffd}");
        }
    }

    /// Takes more of the text, to be held until it is decided about.
    pub(super) fn take(&mut self, text: &str) {
        if let Some(search) = &mut self.search {
            search.read(text);
        }
        self.held.push_str(text);
    }

    /// Takes what of `whole` has not been told before, if it goes on from that.
    pub(super) fn take_rest(&mut self, whole: &str) {
        let rest = whole.strip_prefix(&*self.shown).and_then(|rest| rest.strip_prefix(&*self.held));
        if let Some(rest) = rest {
            self.take(rest);
        }
    }

    /// Decides about the text held. `last`: no more will come, so nothing is left to wait for.
    /// `room`: how many tokens the text may be in all.
    pub(super) fn decide(&mut self, last: bool, room: Option<u64>) -> Verdict {
        let (clear, stops) = self.clear(last);
        let ready = &self.held[..clear];
        let in_time = if stops { Verdict::Cut(clear, Why::Stop) } else { Verdict::Pass(clear) };
        let Some(room) = room else { return in_time };
        let fits = self.counter.prefix(ready, room).len();
        if fits == clear {
            return in_time;
        }
        if last || stops {
            return Verdict::Cut(fits, Why::Length);
        }
        // The last word may yet become fewer tokens: `internationa` is three, `international` one.
        let sure = tokens::settled(ready);
        let fits = self.counter.prefix(&ready[..sure], room).len();
        if fits < sure { Verdict::Cut(fits, Why::Length) } else { Verdict::Pass(sure) }
    }

    /// How much of the text held no stop can begin in, and whether one begins there.
    fn clear(&self, last: bool) -> (usize, bool) {
        let Some(search) = &self.search else { return (self.held.len(), false) };
        let stop = if last { search.last_stop() } else { search.stop() };
        let all = self.shown.len() + self.held.len();
        let clear = stop.unwrap_or_else(|| if last { all } else { search.clear() });
        (clear - self.shown.len(), stop.is_some())
    }

    /// Passes the first `len` bytes of the text held on, and yields them.
    pub(super) fn show(&mut self, len: usize) -> &str {
        let from = self.shown.len();
        self.counter.push(&self.held[..len]);
        self.shown.push_str(&self.held[..len]);
        self.held.drain(..len);
        &self.shown[from..]
    }

    /// Looks for no stop that begins in what has been passed on.
    pub(super) fn forget(&mut self) {
        if let Some(search) = &mut self.search {
            search.forget();
        }
    }
}
