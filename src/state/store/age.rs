//! How long ago something was used, whatever the clock on the wall does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Where the time is read.
pub(super) type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// A time that never stands still and never goes back, in microseconds; it is kept with what it
/// dates.
///
/// It advances with the wall clock. Where that one goes back, this one waits a moment and then
/// goes on as before, so nothing gets younger and nothing is kept for ever; and when the wall
/// clock returns to where it had been, the way back up is not counted as time that has passed, so
/// a machine that wakes up in 1970 does not lose what it had.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Age {
    now: u64,
    /// The wall clock when it was last looked at, and the latest it has ever shown.
    wall: u64,
    latest: u64,
}

impl Age {
    pub(super) const fn now(self) -> u64 {
        self.now
    }

    /// Looks at the clock. No two looks see the same time, so that use has an order.
    pub(super) fn advance(&mut self, clock: &Clock) -> u64 {
        let wall = clock().duration_since(UNIX_EPOCH).map_or(0, micros);
        let since = if wall >= self.latest { self.latest } else { self.wall };
        self.now += wall.saturating_sub(since).max(1);
        self.wall = wall;
        self.latest = self.latest.max(wall);
        self.now
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much time has passed after each of these shows of the wall clock, in seconds.
    fn passed<const N: usize>(walls: [u64; N]) -> [u64; N] {
        let mut age = Age::default();
        let first = age.advance(&at(walls[0]));
        walls.map(|wall| (age.advance(&at(wall)) - first) / 1_000_000)
    }

    fn at(seconds: u64) -> Clock {
        Box::new(move || UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn time_passes_with_the_wall_clock() {
        assert_eq!(passed([1000, 1010, 1500]), [0, 10, 500]);
    }

    #[test]
    fn a_wall_clock_that_goes_back_makes_nothing_younger_and_stops_no_ageing() {
        assert_eq!(passed([1000, 1100, 500, 550, 600]), [0, 100, 100, 150, 200]);
    }

    #[test]
    fn the_way_back_up_is_not_time_that_has_passed() {
        assert_eq!(passed([1000, 0, 5, 1010, 1020]), [0, 0, 5, 15, 25]);
    }

    #[test]
    fn no_two_looks_see_the_same_time() {
        let mut age = Age::default();
        assert!(age.advance(&at(7)) < age.advance(&at(7)));
    }
}
