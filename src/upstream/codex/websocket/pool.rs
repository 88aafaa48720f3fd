//! The connections at rest, one for each conversation.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How many are held at the most.
const MAX_AT_REST: usize = 32;

/// How long one may rest.
const MAX_REST: Duration = Duration::from_secs(5 * 60);

/// A bounded pool of whatever a conversation is to find again.
///
/// A conversation has one connection: while a turn has taken it, others find it busy.
#[derive(Debug)]
pub(super) struct Pool<T>(Mutex<HashMap<String, Slot<T>>>);

#[derive(Debug)]
enum Slot<T> {
    /// Since when it has been there.
    AtRest(T, Instant),
    Taken,
}

/// The right to a conversation's connection. When it is dropped there is none any more.
#[derive(Debug)]
pub(super) struct Place<T> {
    pool: Arc<Pool<T>>,
    key: Option<String>,
}

impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Takes what rests under `key`, if something does, and the place itself; `None` while
    /// somebody else has it.
    pub(super) fn take(
        self: &Arc<Self>,
        key: String,
        now: Instant,
    ) -> Option<(Place<T>, Option<T>)> {
        let mut slots = self.slots();
        slots.retain(|_, slot| slot.may_stay(now));
        let found = match slots.insert(key.clone(), Slot::Taken) {
            Some(Slot::Taken) => return None,
            Some(Slot::AtRest(found, _)) => Some(found),
            None => None,
        };
        Some((Place { pool: Arc::clone(self), key: Some(key) }, found))
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Slot<T> {
    fn may_stay(&self, now: Instant) -> bool {
        match self {
            Self::AtRest(_, since) => now.duration_since(*since) < MAX_REST,
            Self::Taken => true,
        }
    }

    fn since(&self) -> Option<Instant> {
        match self {
            Self::AtRest(_, since) => Some(*since),
            Self::Taken => None,
        }
    }
}

impl<T> Place<T> {
    /// Lays it to rest where the conversation's next turn finds it. Where there are too many, the
    /// one goes that has rested longest.
    pub(super) fn keep(mut self, connection: T, now: Instant) {
        let Some(key) = self.key.take() else { return };
        let mut slots = self.pool.slots();
        slots.insert(key, Slot::AtRest(connection, now));
        slots.retain(|_, slot| slot.may_stay(now));
        if slots.values().filter_map(Slot::since).count() > MAX_AT_REST {
            let since = |(key, slot): (&String, &Slot<T>)| Some((slot.since()?, key.clone()));
            if let Some((_, oldest)) = slots.iter().filter_map(since).min() {
                slots.remove(&oldest);
            }
        }
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.pool.slots().remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pool: &Arc<Pool<usize>>, key: usize, now: Instant) -> (Place<usize>, Option<usize>) {
        pool.take(key.to_string(), now).unwrap()
    }

    #[test]
    fn a_conversation_has_one_connection_and_finds_it_again() {
        let pool = Arc::new(Pool::new());
        let now = Instant::now();
        let (place, found) = take(&pool, 1, now);
        assert_eq!(found, None);
        assert!(pool.take("1".to_owned(), now).is_none());
        assert_eq!(take(&pool, 2, now).1, None);
        place.keep(7, now);
        let (place, found) = take(&pool, 1, now);
        assert_eq!(found, Some(7));
        drop(place);
        assert_eq!(take(&pool, 1, now).1, None);
    }

    #[test]
    fn one_that_has_rested_for_long_is_gone() {
        let pool = Arc::new(Pool::new());
        let now = Instant::now();
        take(&pool, 1, now).0.keep(7, now);
        take(&pool, 2, now).0.keep(8, now + MAX_REST / 2);
        assert_eq!(take(&pool, 1, now + MAX_REST).1, None);
        assert_eq!(take(&pool, 2, now + MAX_REST).1, Some(8));
    }

    #[test]
    fn there_are_never_more_than_so_many_and_the_oldest_goes_first() {
        let pool = Arc::new(Pool::new());
        let now = Instant::now();
        let at = |n: usize| now + Duration::from_secs(n as u64);
        for n in 0..=MAX_AT_REST {
            take(&pool, n, at(n)).0.keep(n, at(n));
        }
        let now = at(MAX_AT_REST);
        assert_eq!(take(&pool, 0, now).1, None);
        assert!((1..=MAX_AT_REST).all(|n| take(&pool, n, now).1 == Some(n)));
    }
}
