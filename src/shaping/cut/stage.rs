//! The stage itself: events in, events out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Limits, Why,
    items::Open,
    said::Said,
    stop::Stops,
    told::{Told, text},
    what::What,
    write::{Place, Writer},
};
use crate::{
    protocol::{Event, Gather, Item, Kind},
    tokens::Counter,
};

/// One turn on its way through.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) stops: Stops,
    pub(super) max_tokens: Option<u64>,
    /// The items under way, by `output_index`.
    pub(super) items: BTreeMap<u64, Open>,
    /// The texts in them. A call's payload stands where its first part would.
    pub(super) texts: BTreeMap<Place, Said>,
    /// The items that have ended.
    pub(super) finished: Gather,
    pub(super) done: BTreeSet<u64>,
    /// The tokens in them, but for those of texts that are still to be counted.
    pub(super) spent: u64,
    pub(super) counters: Vec<Counter>,
    /// The event that told the whole response last.
    pub(super) created: Option<Event>,
    pub(super) latest: Option<Event>,
}

/// Whether the turn goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    /// It has been cut; [`Stage::last`] is its last event.
    Cut(Why),
}

/// What becomes of an event that does not end the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Pass,
    Hold,
}

/// Where the turn ends, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) place: Place,
    pub(super) why: Why,
}

impl Stage {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            stops: Stops::new(&limits.stop),
            max_tokens: limits.max_tokens,
            items: BTreeMap::new(),
            texts: BTreeMap::new(),
            finished: Gather::new(),
            done: BTreeSet::new(),
            spent: 0,
            counters: Vec::new(),
            created: None,
            latest: None,
        }
    }

    /// Takes one event and writes those that the client is shown for it.
    ///
    /// One that cannot be read is passed on: whoever needs it will say so.
    pub(super) fn event(&mut self, event: Event, out: &mut Vec<Event>) -> Flow {
        self.latest = Some(event.clone());
        match self.step(&event, out) {
            Ok(Step::Pass) => out.push(event),
            Ok(Step::Hold) => {}
            Err(end) => return self.cut(end, out),
        }
        Flow::On
    }

    /// The upstream has broken off, so what is held has nothing left to wait for.
    pub(super) fn end(&mut self, out: &mut Vec<Event>) -> Flow {
        match self.settle_all(.., out) {
            Ok(()) => Flow::On,
            Err(end) => self.cut(end, out),
        }
    }

    fn step(&mut self, event: &Event, out: &mut Vec<Event>) -> Result<Step, End> {
        if let Some(what) = What::of_delta(event.kind) {
            return self.delta(what, event, out);
        }
        if let Some(what) = What::of_done(event.kind) {
            let Ok(told) = event.read::<Told<'_>>() else { return Ok(Step::Pass) };
            self.heard(&told);
            return self.whole(told.place(what), what, told.whole(what).as_deref(), out);
        }
        match event.kind {
            Kind::Created | Kind::InProgress | Kind::Queued => self.created = Some(event.clone()),
            Kind::ItemAdded => self.item_added(event),
            Kind::PartAdded | Kind::AnnotationAdded => self.part_grows(event),
            Kind::PartDone => self.part_done(event, out)?,
            Kind::ItemDone => self.item_done(event, out)?,
            Kind::Completed | Kind::Incomplete => {
                self.listed(event, out)?;
                self.settle_all(.., out)?;
            }
            Kind::Failed => self.settle_all(.., out)?,
            _ => {}
        }
        Ok(Step::Pass)
    }

    /// Takes note of whose event it is.
    pub(super) fn heard(&mut self, told: &Told<'_>) {
        if !self.done.contains(&told.output_index) {
            let item = self.items.entry(told.output_index).or_default();
            if item.id.is_none() {
                item.id = told.item_id.map(ToOwned::to_owned);
            }
        }
    }

    /// Takes note that there is such a text, whose end has to be told.
    fn announced(&mut self, place: Place, what: What) {
        if !self.done.contains(&place.0) {
            let said = self.texts.entry(place).or_insert_with(|| Said::new(what, &self.stops));
            said.announced = true;
        }
    }

    fn item_added(&mut self, event: &Event) {
        let Ok(Told { output_index: index, item: Some(item), .. }) = event.read() else { return };
        if let Some(what) = What::of_item(&item) {
            self.announced((index, 0), what);
        }
        if !self.done.contains(&index) {
            self.items.entry(index).or_default().is(item);
        }
    }

    fn part_grows(&mut self, event: &Event) {
        let Ok(told) = event.read::<Told<'_>>() else { return };
        self.heard(&told);
        let place = (told.output_index, told.content_index);
        if let Some((what, _)) = told.part.and_then(text) {
            self.announced(place, what);
        }
        if let Some(item) = self.items.get_mut(&place.0) {
            let part = item.parts.entry(place.1).or_default();
            part.begun = told.part.map(ToOwned::to_owned).or_else(|| part.begun.take());
            part.annotations.extend(told.annotation.map(ToOwned::to_owned));
        }
    }

    fn part_done(&mut self, event: &Event, out: &mut Vec<Event>) -> Result<(), End> {
        let Ok(told @ Told { part: Some(part), .. }) = event.read() else { return Ok(()) };
        self.heard(&told);
        let place = (told.output_index, told.content_index);
        if let Some((what, _)) = text(part) {
            self.announced(place, what);
        }
        self.whole_part(place, part, out)
    }

    fn whole_part(
        &mut self,
        place: Place,
        json: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), End> {
        if let Some((what, whole)) = text(json) {
            self.whole(place, what, whole.as_deref(), out)?;
        }
        if let Some(item) = self.items.get_mut(&place.0) {
            let part = item.parts.entry(place.1).or_default();
            part.whole.get_or_insert_with(|| json.to_owned());
        }
        Ok(())
    }

    fn item_done(&mut self, event: &Event, out: &mut Vec<Event>) -> Result<(), End> {
        let Ok(Told { output_index: index, item: Some(item), .. }) = event.read() else {
            return Ok(());
        };
        self.whole_item(index, item, out)?;
        self.keep(std::slice::from_ref(event));
        Ok(())
    }

    /// Decides about what of an item nothing has told before.
    fn whole_item(&mut self, index: u64, item: Item, out: &mut Vec<Event>) -> Result<(), End> {
        if self.done.contains(&index) {
            return Ok(());
        }
        self.items.entry(index).or_default().is(item.clone());
        if let Some(what) = What::of_item(&item) {
            let members = item.members().unwrap_or_default();
            self.whole((index, 0), what, members.str(what.member()).as_deref(), out)?;
        }
        for (content_index, part) in (0..).zip(item.parts::<&RawValue>()) {
            self.whole_part((index, content_index), part, out)?;
        }
        self.settle_all((index, 0)..=(index, u64::MAX), out)?;
        self.done.insert(index);
        self.items.remove(&index);
        self.texts.retain(|place, said| {
            let stays = place.0 != index;
            if !stays {
                self.counters.push(std::mem::take(&mut said.counter));
            }
            stays
        });
        Ok(())
    }

    /// Looks at the items that nothing but the last event tells of.
    fn listed(&mut self, event: &Event, out: &mut Vec<Event>) -> Result<(), End> {
        #[derive(Deserialize)]
        struct Last {
            response: Listed,
        }
        #[derive(Deserialize)]
        struct Listed {
            #[serde(default)]
            output: Option<Vec<Item>>,
        }
        let Ok(Last { response: Listed { output: Some(output) } }) = event.read() else {
            return Ok(());
        };
        if output.len() <= self.done.len() {
            return Ok(());
        }
        for (index, item) in (0..).zip(output) {
            if !self.done.contains(&index) {
                let mut told = Vec::with_capacity(1);
                Writer::new(None, &mut told).item_done(index, item.json());
                self.whole_item(index, item, out)?;
                self.keep(&told);
            }
        }
        Ok(())
    }

    /// Keeps the items that these events tell.
    pub(super) fn keep(&mut self, told: &[Event]) {
        for event in told {
            // An answer that is too large to be kept is an error of whoever cannot do without.
            let _ = self.finished.event(event);
        }
    }
}
