//! What is kept, under which name, and since when it has not been used: all but the texts.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    Limits,
    age::{Age, Clock},
    content::mark,
    rows::{Change, Name, PartRow, Previous, Rows, Standing, UnitRow},
    unit::{Part, Unit},
};

/// The books of a store. They live in memory even where the texts are on disk, and nothing here
/// waits.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) limits: Limits,
    pub(super) age: Age,
    pub(super) units: HashMap<u64, Unit>,
    names: HashMap<Name, u64>,
    /// Where the items of a mark are: (mark, part, unit).
    items: BTreeSet<(u64, u64, u64)>,
    /// What may go, the least recently used first: (used, unit).
    pub(super) idle: BTreeSet<(u64, u64)>,
    pub(super) running: HashSet<u64>,
    pub(super) bytes: usize,
    next: u64,
    /// Units that are not in the file as they are here, and parts that are no longer.
    unsaved: HashSet<u64>,
    gone: Vec<u64>,
}

impl Ledger {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            age: Age::default(),
            units: HashMap::new(),
            names: HashMap::new(),
            items: BTreeSet::new(),
            idle: BTreeSet::new(),
            running: HashSet::new(),
            bytes: 0,
            next: 1,
            unsaved: HashSet::new(),
            gone: Vec::new(),
        }
    }

    /// The books of a file, or what is wrong with them.
    ///
    /// A response that was running is stranded: whoever ran it has gone.
    pub(super) fn load(limits: Limits, rows: Rows) -> Result<Self, &'static str> {
        let mut ledger = Self::new(limits);
        ledger.age = rows.age;
        let mut heads = HashMap::new();
        let mut items: HashMap<u64, Vec<Part>> = HashMap::new();
        for (number, PartRow { unit, head, bytes, marks }) in rows.parts {
            ledger.next = ledger.next.max(number + 1);
            let part = Part { number, bytes, marks };
            if !head {
                items.entry(unit).or_default().push(part);
            } else if heads.insert(unit, part).is_some() {
                return Err("an entry has two heads");
            }
        }
        for (number, UnitRow { name, previous, standing, used }) in rows.units {
            ledger.next = ledger.next.max(number + 1);
            let head = heads.remove(&number).ok_or("an entry has no head")?;
            let items = items.remove(&number).unwrap_or_default();
            let standing = standing.reopened();
            let used = used.min(ledger.age.now());
            let unit = Unit { name, previous, standing, used, children: 0, head, items };
            ledger.add(number, unit);
        }
        if !heads.is_empty() || !items.is_empty() {
            return Err("a text belongs to no entry");
        }
        let links: Vec<(u64, u64)> = ledger.units.values().filter_map(Unit::link).collect();
        for (parent, used) in links {
            if !ledger.units.contains_key(&parent) {
                return Err("what an entry builds on is missing");
            }
            ledger.alter(parent, |unit| unit.children += 1);
            ledger.renew(parent, used);
        }
        Ok(ledger)
    }

    /// Takes over from the books of the same file what is running.
    pub(super) fn resume(&mut self, before: &Self) {
        for number in &before.running {
            let name = before.units.get(number).map(|unit| &unit.name);
            self.alter(*number, |unit| {
                if unit.standing == Standing::Stranded && Some(&unit.name) == name {
                    unit.standing = Standing::Running;
                }
            });
        }
    }

    /// Looks at the clock.
    pub(super) fn tick(&mut self, clock: &Clock) -> u64 {
        self.age.advance(clock)
    }

    /// A number that nothing has had yet.
    pub(super) const fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The unit of that name, even one that has been deleted and is still built on.
    pub(super) fn unit(&self, name: &Name) -> Option<u64> {
        self.names.get(name).copied()
    }

    /// The unit of that name, if a client may see it.
    pub(super) fn visible(&self, name: &Name) -> Option<u64> {
        self.unit(name).filter(|number| self.is_visible(*number))
    }

    fn is_visible(&self, number: u64) -> bool {
        self.units.get(&number).is_some_and(|unit| match unit.standing {
            Standing::Deleted => false,
            Standing::Running => true,
            Standing::Kept | Standing::Stranded => !self.is_stale(unit.used),
        })
    }

    pub(super) fn is_stale(&self, used: u64) -> bool {
        self.age.now().saturating_sub(used) >= super::age::micros(self.limits.max_age)
    }

    /// The part that holds the youngest item of that id, and its unit.
    pub(super) fn item(&self, scope: &str, id: &str) -> Option<(u64, u64)> {
        let mark = mark(scope, id);
        let found = self.items.range((mark, 0, 0)..=(mark, u64::MAX, u64::MAX)).rev();
        found.map(|(_, part, unit)| (*part, *unit)).find(|(_, unit)| self.is_visible(*unit))
    }

    /// A unit and all that it builds on, oldest first; `None` if some of that is lost.
    pub(super) fn chain(&self, number: u64) -> Option<Vec<u64>> {
        let mut chain = vec![number];
        loop {
            let unit = self.units.get(chain.last()?)?;
            match unit.previous {
                Previous::None => break,
                Previous::Lost => return None,
                Previous::Unit(parent) => chain.push(parent),
            }
        }
        chain.reverse();
        Some(chain)
    }

    /// The ancestors of a unit, and itself.
    pub(super) fn lineage(&self, number: u64) -> impl Iterator<Item = (u64, &Unit)> {
        let get = |number: u64| self.units.get(&number).map(|unit| (number, unit));
        std::iter::successors(get(number), move |(_, unit)| get(unit.previous.unit()?))
    }

    /// Takes note that a unit is used now, and all that it builds on with it.
    pub(super) fn touch(&mut self, number: u64) {
        self.unsaved.insert(number);
        self.renew(number, self.age.now());
    }

    pub(super) fn renew(&mut self, number: u64, used: u64) {
        let mut next = Some(number);
        while let Some(number) = next {
            let Some(unit) = self.units.get(&number).filter(|unit| unit.used < used) else {
                return;
            };
            next = unit.previous.unit();
            self.alter(number, |unit| unit.used = used);
        }
    }

    /// Enters a unit that is not there yet, without a word to what it builds on.
    pub(super) fn add(&mut self, number: u64, unit: Unit) {
        for part in unit.parts() {
            self.bytes += part.bytes;
            if unit.standing != Standing::Deleted {
                self.items.extend(part.marks.iter().map(|mark| (*mark, part.number, number)));
            }
        }
        self.names.insert(unit.name.clone(), number);
        self.units.insert(number, unit);
        self.alter(number, |_| {});
    }

    /// Moves a unit from what it built on to something else.
    pub(super) fn rebase(&mut self, number: u64, previous: Previous) {
        if let Some(parent) = previous.unit() {
            self.alter(parent, |unit| unit.children += 1);
        }
        let Some(unit) = self.units.get_mut(&number) else { return };
        let left = std::mem::replace(&mut unit.previous, previous).unit();
        if let Some(left) = left.filter(|left| self.release(*left)) {
            self.remove(left);
        }
    }

    pub(super) fn add_item(&mut self, number: u64, part: Part) {
        let Some(unit) = self.units.get_mut(&number) else { return };
        self.bytes += part.bytes;
        self.items.extend(part.marks.iter().map(|mark| (*mark, part.number, number)));
        unit.items.push(part);
    }

    /// Replaces the text of a unit. Its old part is not said to be gone.
    pub(super) fn replace_head(&mut self, number: u64, part: Part) {
        let Some(unit) = self.units.get_mut(&number) else { return };
        self.bytes = self.bytes - unit.head.bytes + part.bytes;
        for mark in &unit.head.marks {
            self.items.remove(&(*mark, unit.head.number, number));
        }
        self.items.extend(part.marks.iter().map(|mark| (*mark, part.number, number)));
        unit.head = part;
    }

    /// Changes a unit, and keeps its place in the order.
    pub(super) fn alter(&mut self, number: u64, change: impl FnOnce(&mut Unit)) {
        let Some(unit) = self.units.get_mut(&number) else { return };
        self.idle.remove(&(unit.used, number));
        change(unit);
        if unit.is_idle() {
            self.idle.insert((unit.used, number));
        }
        if unit.standing == Standing::Running {
            self.running.insert(number);
        } else {
            self.running.remove(&number);
        }
    }

    /// Hides a response from its client at once, and removes it as soon as nothing builds on it.
    pub(super) fn delete(&mut self, number: u64) {
        let Some(unit) = self.units.get(&number) else { return };
        if unit.children == 0 {
            return self.remove(number);
        }
        for mark in &unit.head.marks {
            self.items.remove(&(*mark, unit.head.number, number));
        }
        self.alter(number, |unit| unit.standing = Standing::Deleted);
        self.unsaved.insert(number);
    }

    /// Removes a unit that nothing builds on, and of what it built on all that has only waited
    /// for that.
    pub(super) fn remove(&mut self, number: u64) {
        self.remove_except(number, &HashSet::new());
    }

    /// As [`Self::remove`], but what is `held` stays: something is about to build on it.
    pub(super) fn remove_except(&mut self, number: u64, held: &HashSet<u64>) {
        let mut next = Some(number);
        while let Some(number) = next {
            let Some(unit) = self.units.remove(&number) else { return };
            self.idle.remove(&(unit.used, number));
            self.running.remove(&number);
            self.names.remove(&unit.name);
            for part in unit.parts() {
                self.forget(number, part);
            }
            self.unsaved.insert(number);
            let released = unit.previous.unit().filter(|parent| self.release(*parent));
            next = released.filter(|parent| !held.contains(parent));
        }
    }

    /// One unit fewer builds on this one: whether it has only waited for that.
    fn release(&mut self, number: u64) -> bool {
        self.alter(number, |unit| unit.children = unit.children.saturating_sub(1));
        self.unsaved.insert(number); // In the file it may look older than it is.
        let unit = self.units.get(&number);
        unit.is_some_and(|unit| unit.children == 0 && unit.standing == Standing::Deleted)
    }

    /// Removes an item from a conversation, by its mark: whether it was there.
    pub(super) fn remove_item(&mut self, number: u64, mark: u64) -> bool {
        let Some(unit) = self.units.get_mut(&number) else { return false };
        let removed: Vec<Part> =
            unit.items.extract_if(.., |part| part.marks.contains(&mark)).collect();
        for part in &removed {
            self.forget(number, part);
        }
        self.touch(number);
        !removed.is_empty()
    }

    fn forget(&mut self, number: u64, part: &Part) {
        self.bytes -= part.bytes;
        for mark in &part.marks {
            self.items.remove(&(*mark, part.number, number));
        }
        self.gone.push(part.number);
    }

    /// What the file does not know yet.
    pub(super) fn take_unsaved(&mut self) -> Change {
        let row = |number: u64| (number, self.units.get(&number).map(Unit::row));
        let units = std::mem::take(&mut self.unsaved).into_iter().map(row).collect();
        Change { age: self.age, units, gone: std::mem::take(&mut self.gone), parts: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Ledger {
        /// Whether what is kept twice says the same.
        pub(in super::super) fn check(&self) {
            let units = || self.units.iter().map(|(number, unit)| (*number, unit));
            assert_eq!(self.bytes, units().map(|(_, unit)| unit.bytes()).sum::<usize>());
            assert!(self.bytes <= self.limits.max_bytes);
            let names = units().map(|(number, unit)| (unit.name.clone(), number));
            assert_eq!(self.names, names.collect());
            let idle = units().filter(|(_, unit)| unit.is_idle());
            assert_eq!(self.idle, idle.map(|(number, unit)| (unit.used, number)).collect());
            let mut items = BTreeSet::new();
            for (number, unit) in units().filter(|(_, unit)| unit.standing != Standing::Deleted) {
                for part in unit.parts() {
                    items.extend(part.marks.iter().map(|mark| (*mark, part.number, number)));
                }
            }
            assert_eq!(self.items, items);
            for (number, unit) in units() {
                let children = units().filter(|(_, child)| child.previous.unit() == Some(number));
                assert_eq!(unit.children, children.clone().count());
                assert!(children.clone().all(|(_, child)| child.used <= unit.used));
                assert!(unit.standing != Standing::Deleted || unit.children > 0);
                assert!(unit.previous.unit().is_none_or(|parent| self.units.contains_key(&parent)));
            }
        }
    }
}
