//! What the stage does with the texts of a turn.

use std::ops::RangeBounds;

use super::{
    said::{Said, Verdict},
    stage::{End, Stage, Step},
    told::Told,
    what::What,
    write::{Place, Writer, rewritten},
};
use crate::{protocol::Event, tokens::Counter};

impl Stage {
    /// A piece of a text: passed on as it is, in part, or not yet.
    pub(super) fn delta(
        &mut self,
        what: What,
        event: &Event,
        out: &mut Vec<Event>,
    ) -> Result<Step, End> {
        let Ok(told) = event.read::<Told<'_>>() else { return Ok(Step::Pass) };
        let place = told.place(what);
        self.heard(&told);
        self.with(place, what, |stage, said| {
            said.announced = true;
            let Some((text, as_told)) = told.delta.and_then(|delta| said.read(delta)) else {
                // No text: what is held has to go before it.
                stage.settle(place, said, None, out)?;
                return Ok(Step::Pass);
            };
            let alone = as_told && said.held.is_empty();
            said.take(&text);
            let room = stage.room(said);
            let verdict = said.decide(false, room);
            let piece = said.show(verdict.len());
            let whole = alone && piece.len() == text.len();
            if !whole && !piece.is_empty() {
                out.push(rewritten(event, piece));
            }
            said.delta = (!said.held.is_empty()).then(|| event.clone());
            match verdict {
                Verdict::Pass(_) if whole => Ok(Step::Pass),
                Verdict::Pass(_) => Ok(Step::Hold),
                Verdict::Cut(_, why) => {
                    out.extend(whole.then(|| event.clone()));
                    Err(End { place, why })
                }
            }
        })
    }

    /// The end of a text, which is `whole` where that is told and can be read.
    pub(super) fn whole(
        &mut self,
        place: Place,
        what: What,
        whole: Option<&str>,
        out: &mut Vec<Event>,
    ) -> Result<Step, End> {
        self.with(place, what, |stage, said| {
            if !said.ended {
                stage.settle(place, said, whole, out)?;
                said.ended = true;
            }
            Ok(Step::Pass)
        })
    }

    /// Ends the wait of all texts at these places.
    pub(super) fn settle_all(
        &mut self,
        places: impl RangeBounds<Place>,
        out: &mut Vec<Event>,
    ) -> Result<(), End> {
        let places: Vec<_> = self.texts.range(places).map(|(at, said)| (*at, said.what)).collect();
        places.into_iter().try_for_each(|(at, what)| self.whole(at, what, None, out).map(drop))
    }

    /// Decides about what is held of a text, and about what only `whole` tells of it: there is
    /// nothing left to wait for. What is held is passed on, and the rest is left to the event at
    /// hand, unless the text is cut.
    fn settle(
        &mut self,
        place: Place,
        said: &mut Said,
        whole: Option<&str>,
        out: &mut Vec<Event>,
    ) -> Result<(), End> {
        if whole.is_none() {
            said.give_up_half();
        }
        let held = said.held.len();
        if let Some(whole) = whole {
            said.take_rest(whole);
        }
        let room = self.room(said);
        let verdict = said.decide(true, room);
        let delta = said.delta.take();
        let (what, announced) = (said.what, said.announced);
        let piece = said.show(verdict.len());
        let (piece, ended) = match verdict {
            Verdict::Pass(_) => (&piece[..held], Ok(())),
            Verdict::Cut(_, why) => (piece, Err(End { place, why })),
        };
        match delta {
            _ if piece.is_empty() || !announced => {}
            Some(delta) => out.push(rewritten(&delta, piece)),
            None => {
                let id = self.items.get(&place.0).and_then(|item| item.id.as_deref());
                Writer::new(self.latest.as_ref(), out).delta(what, place, id, piece);
            }
        }
        said.forget();
        ended
    }

    /// How many tokens the text may be in all; `None` if what is held of it surely fits. Nothing
    /// is counted then, which is most of the time.
    fn room(&mut self, said: &Said) -> Option<u64> {
        let max = self.max_tokens?;
        let others = self.texts.values().map(|said| &said.counter).chain(&self.counters);
        let others: u64 = others.map(Counter::at_most).sum();
        let own = said.counter.at_most() + said.held.len() as u64;
        if self.spent + others + own <= max {
            return None;
        }
        self.spent += self.counters.drain(..).map(|mut counter| counter.count()).sum::<u64>();
        let others: u64 = self.texts.values_mut().map(|said| said.counter.count()).sum();
        Some(max.saturating_sub(self.spent + others))
    }

    /// Works with the text at `place`, which is set apart from the others meanwhile. Of an item
    /// that has ended, and of a text that would be two kinds at once, no notice is taken.
    fn with(
        &mut self,
        place: Place,
        what: What,
        work: impl FnOnce(&mut Self, &mut Said) -> Result<Step, End>,
    ) -> Result<Step, End> {
        if self.done.contains(&place.0) {
            return Ok(Step::Pass);
        }
        let known = self.texts.remove(&place);
        let mut said = known.unwrap_or_else(|| Said::new(what, &self.stops));
        let step = if said.what == what { work(self, &mut said) } else { Ok(Step::Pass) };
        self.texts.insert(place, said);
        step
    }
}
