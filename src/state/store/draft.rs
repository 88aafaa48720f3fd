//! Keeping something, in two steps: first the room for it, then, once it is safe, the entry.

use std::collections::HashSet;

use super::{
    Error,
    content::Content,
    ledger::Ledger,
    rows::{Change, Name, PartRow, Previous, Standing, UnitRow},
    unit::{Part, Unit},
};
use crate::protocol::Item;

/// A response or a conversation that is to be kept.
#[derive(Debug)]
pub(super) struct New {
    pub(super) name: Name,
    pub(super) previous: Option<Name>,
    pub(super) standing: Standing,
    pub(super) content: Content,
}

/// What has room, and is not in the books yet: between the two steps nobody sees it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    used: u64,
    head: Option<(u64, Unit)>,
    items: Option<(u64, Vec<Part>)>,
    texts: Vec<(u64, PartRow, Content)>,
}

impl Ledger {
    /// Makes room for a unit, and for items at the end of a conversation.
    ///
    /// # Errors
    /// When they do not fit. Nothing has had to go then.
    pub(super) fn draft(
        &mut self,
        new: Option<New>,
        added: Option<(u64, Vec<Item>)>,
    ) -> Result<Draft, Error> {
        let mut draft = Draft { used: self.age.now(), ..Draft::default() };
        let mut needed = Vec::new();
        if let Some(new) = new {
            let number = self.unit(&new.name).unwrap_or_else(|| self.number());
            let previous = self.previous(number, new.previous.as_ref());
            let head = self.part(&mut draft, number, true, &new.name.scope, new.content);
            needed.extend([number].into_iter().chain(previous.unit()));
            let (items, children) = (Vec::new(), 0);
            let New { name, standing, .. } = new;
            let unit = Unit { name, previous, standing, used: draft.used, children, head, items };
            draft.head = Some((number, unit));
        }
        if let Some((number, items)) = added {
            let scope = self.units.get(&number).map(|unit| unit.name.scope.clone());
            let scope = scope.unwrap_or_default();
            let part = |item| self.part(&mut draft, number, false, &scope, Content::Item(item));
            let parts = items.into_iter().map(part).collect();
            needed.push(number);
            draft.items = Some((number, parts));
        }
        let wanted: usize = draft.texts.iter().map(|(_, row, _)| row.bytes).sum();
        let replaced = draft.head.as_ref().and_then(|(number, _)| self.units.get(number));
        self.make_room(wanted, replaced.map_or(0, |unit| unit.head.bytes), &needed)?;
        Ok(draft)
    }

    /// What a unit of that number builds on, which cannot be itself.
    fn previous(&self, number: u64, name: Option<&Name>) -> Previous {
        let Some(name) = name else { return Previous::None };
        let found = self.unit(name);
        let found = found.filter(|found| self.lineage(*found).all(|(above, _)| above != number));
        found.map_or(Previous::Lost, Previous::Unit)
    }

    fn part(
        &mut self,
        draft: &mut Draft,
        unit: u64,
        head: bool,
        scope: &str,
        content: Content,
    ) -> Part {
        let part =
            Part { number: self.number(), bytes: content.bytes(), marks: content.marks(scope) };
        let row = PartRow { unit, head, bytes: part.bytes, marks: part.marks.clone() };
        draft.texts.push((part.number, row, content));
        part
    }

    /// Lets the least recently used go until there is room for `wanted` bytes, which replace
    /// `replaced` of those there are.
    ///
    /// What the newcomer builds on stays, and so does what is running.
    pub(super) fn make_room(
        &mut self,
        wanted: usize,
        replaced: usize,
        needed: &[u64],
    ) -> Result<(), Error> {
        let max_bytes = self.limits.max_bytes;
        if self.bytes - replaced + wanted <= max_bytes {
            return Ok(());
        }
        let held = needed.iter().chain(&self.running).flat_map(|number| self.lineage(*number));
        let held: HashSet<u64> = held.map(|(number, _)| number).collect();
        let least: usize =
            held.iter().filter_map(|number| self.units.get(number)).map(Unit::bytes).sum();
        let bytes = least - replaced + wanted;
        if bytes > max_bytes {
            return Err(Error::TooLarge { bytes, max_bytes });
        }
        while self.bytes - replaced + wanted > max_bytes {
            let Some((_, number)) = self.idle.iter().find(|(_, number)| !held.contains(number))
            else {
                break; // Not reached: above what is held there is always something idle.
            };
            self.remove_except(*number, &held);
        }
        Ok(())
    }

    /// Lets go what has not been used for too long.
    pub(super) fn expire(&mut self) {
        while let Some((used, number)) = self.idle.first().copied()
            && self.is_stale(used)
        {
            self.remove(number);
        }
    }

    /// What is to be saved for a draft to be kept, with whatever else has not been saved yet.
    pub(super) fn change(&mut self, draft: &mut Draft) -> Change {
        let mut change = self.take_unsaved();
        if let Some((number, unit)) = &draft.head {
            change.gone.extend(self.units.get(number).map(|unit| unit.head.number));
            change.units.push((*number, Some(unit.row())));
        }
        if let Some((number, _)) = &draft.items
            && let Some(unit) = self.units.get(number)
        {
            let row = UnitRow { used: draft.used, ..unit.row() };
            change.units.push((*number, Some(row)));
        }
        change.parts = std::mem::take(&mut draft.texts);
        change
    }

    /// Enters a draft whose change has been saved.
    pub(super) fn keep(&mut self, draft: Draft) {
        if let Some((number, unit)) = draft.head {
            let previous = unit.previous;
            if self.units.contains_key(&number) {
                let standing = unit.standing;
                self.replace_head(number, unit.head);
                self.alter(number, |unit| unit.standing = standing);
            } else {
                self.add(number, Unit { previous: Previous::None, ..unit });
            }
            self.rebase(number, previous);
            self.renew(number, draft.used);
            if let Some(parent) = previous.unit() {
                self.renew(parent, draft.used);
            }
        }
        if let Some((number, parts)) = draft.items {
            for part in parts {
                self.add_item(number, part);
            }
            self.renew(number, draft.used);
        }
    }
}
