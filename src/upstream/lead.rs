//! Events that are held back until it is known what they lead to.

use super::Error;
use crate::{protocol::Event, sse::MAX_FRAME};

/// The events before the first word of an answer.
#[derive(Default)]
pub(super) struct Lead {
    events: Vec<Event>,
    size: usize,
}

impl Lead {
    /// Holds back one more.
    ///
    /// # Errors
    /// When they are together larger than one event may be.
    pub(super) fn hold(&mut self, event: Event) -> Result<(), Error> {
        self.size += event.json.len();
        if self.size > MAX_FRAME {
            return Err(Error::Garbled(format!(
                "more than {MAX_FRAME} bytes of events before the first word"
            )));
        }
        self.events.push(event);
        Ok(())
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// All of them, with the one that they lead to.
    pub(super) fn and(mut self, event: Event) -> Vec<Event> {
        self.events.push(event);
        self.events
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sse::Frame;

    #[test]
    fn what_is_held_back_has_a_bound() {
        let json = format!(r#"{{"type":"novel","x":"{}"}}"#, "x".repeat(MAX_FRAME / 4));
        let data = Bytes::from(json);
        let event = Event::parse(Frame { event: Bytes::new(), data }).unwrap();
        let mut lead = Lead::default();
        for _ in 0..3 {
            lead.hold(event.clone()).unwrap();
        }
        assert!(matches!(lead.hold(event), Err(Error::Garbled(_))));
    }
}
