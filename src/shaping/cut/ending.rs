//! How the stage ends a turn that it has cut: as the upstream would have.

use serde::Deserialize;
use serde_json::json;

use super::{
    Why,
    stage::{End, Flow, Stage},
    write::Writer,
};
use crate::{
    protocol::{Event, Kind, Object, Usage, raw},
    tokens::Counter,
};

impl Stage {
    /// Ends every item under way. That of a text which met a stop is complete, by that.
    pub(super) fn cut(&mut self, end: End, out: &mut Vec<Event>) -> Flow {
        let mut ends = Vec::new();
        let mut writer = Writer::new(out.last().or(self.latest.as_ref()), &mut ends);
        for (index, item) in std::mem::take(&mut self.items) {
            let complete = end.why == Why::Stop && index == end.place.0;
            let status = if complete { "completed" } else { "incomplete" };
            item.end(index, &self.texts, status, &mut writer);
        }
        self.keep(&ends);
        self.latest = ends.last().cloned().or(self.latest.take());
        out.append(&mut ends);
        Flow::Cut(end.why)
    }

    /// The last event of a turn that was cut because of `why`; `now` is Unix time.
    ///
    /// What is counted is what the client was shown: reasoning costs as well, but nobody says how
    /// much before the turn has ended by itself.
    pub(super) fn last(mut self, why: Why, input_tokens: u64, now: u64) -> Event {
        #[derive(Deserialize)]
        struct Created<'a> {
            #[serde(borrow)]
            response: Object<'a>,
        }
        let created = self.created.as_ref().and_then(|event| event.read().ok());
        let mut response = created.map_or_else(Object::default, |Created { response }| response);
        let kind = match why {
            Why::Stop => {
                response.set("status", raw("completed"));
                response.set("completed_at", raw(&now));
                Kind::Completed
            }
            Why::Length => {
                response.set("status", raw("incomplete"));
                let details = json!({"reason": "max_output_tokens"});
                response.set("incomplete_details", raw(&details));
                Kind::Incomplete
            }
        };
        let texts = self.texts.values_mut().map(|said| &mut said.counter);
        let counted: u64 = self.counters.iter_mut().chain(texts).map(Counter::count).sum();
        let output_tokens = self.spent + counted;
        let total_tokens = input_tokens + output_tokens;
        let usage = Usage { input_tokens, output_tokens, total_tokens, ..Usage::default() };
        response.set("output", raw(&self.finished.so_far()));
        response.set("usage", raw(&usage));
        let mut last = Vec::with_capacity(1);
        Writer::new(self.latest.as_ref(), &mut last).response(kind, &response);
        last.remove(0)
    }
}
