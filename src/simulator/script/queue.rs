use std::collections::VecDeque;
use std::sync::Mutex;

use super::Script;
use crate::simulator::lock;
use crate::simulator::reply::Refusal;

/// Scripts that wait for their turn.
#[derive(Default)]
pub(in crate::simulator) struct Scripts {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    next: VecDeque<Script>,
    always: Option<Script>,
}

impl Scripts {
    pub(in crate::simulator) fn push(&self, script: Script) {
        lock(&self.queue).next.push_back(script);
    }

    pub(in crate::simulator) fn always(&self, script: Option<Script>) {
        lock(&self.queue).always = script;
    }

    /// The script for a turn on which the checks said `verdict`; a refusal uses none up.
    pub(in crate::simulator) fn next(
        &self,
        verdict: Result<(), Refusal>,
    ) -> Result<Script, Refusal> {
        let mut queue = lock(&self.queue);
        let unchecked = queue.next.front().or(queue.always.as_ref()).is_some_and(|s| s.unchecked);
        if !unchecked {
            verdict?;
        }
        Ok(queue.next.pop_front().or_else(|| queue.always.clone()).unwrap_or_default())
    }
}
