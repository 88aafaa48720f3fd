//! A bounded memory of items.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::protocol::Item;

/// Items by name, up to a size and an age; the oldest go first.
#[derive(Debug)]
pub(super) struct Kept {
    inner: Mutex<Inner>,
    /// Of JSON.
    max_bytes: usize,
    max_age: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    by_name: HashMap<String, Arc<[Item]>>,
    /// Names with what they cost, oldest first.
    order: VecDeque<(Instant, String, usize)>,
    bytes: usize,
}

impl Kept {
    pub(super) fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self { inner: Mutex::default(), max_bytes, max_age }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_name.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<[Item]>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
    }

    /// Keeps `items` under a name that has not been used before.
    pub(super) fn put(&self, name: String, items: Arc<[Item]>) {
        let cost = name.len() + items.iter().map(|item| item.json().get().len()).sum::<usize>();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if inner.by_name.insert(name.clone(), items).is_some() {
            return; // The upstream has used a name twice; its first cost stands for both.
        }
        inner.order.push_back((now, name, cost));
        inner.bytes += cost;
        while let Some((since, _, _)) = inner.order.front() {
            if inner.bytes <= self.max_bytes && now.duration_since(*since) < self.max_age {
                break;
            }
            if let Some((_, name, cost)) = inner.order.pop_front() {
                inner.by_name.remove(&name);
                inner.bytes -= cost;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_there_is_too_much() {
        let item = Item::new(&"x".repeat(100));
        let kept = Kept::new(250, Duration::from_secs(60));
        for name in ["a", "b", "c"] {
            kept.put(name.to_owned(), Arc::new([item.clone()]));
        }
        assert!(kept.get("a").is_none() && kept.get("b").is_some() && kept.get("c").is_some());
        let kept = Kept::new(250, Duration::ZERO);
        kept.put("a".to_owned(), Arc::new([item]));
        assert!(kept.is_empty());
    }
}
