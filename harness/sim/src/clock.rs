//! The clocks of one node.

use std::time::Duration;

use rashomon_core::Time;

/// A rate that keeps true time, in parts per million.
pub(crate) const TRUE_RATE: u32 = 1_000_000;

/// A monotonic clock, which may run too fast or too slow, and a wall clock, which may be wrong besides.
///
/// Timers keep to the monotonic clock: when the wall clock jumps, none fires.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// An instant of the run, and what the monotonic clock said then.
    since: Time,
    reading: Time,
    /// What it gains in a million: a million is true time.
    rate: u32,
    /// Nanoseconds that the wall clock is ahead of the monotonic clock.
    ahead: i64,
}

impl Clock {
    /// Clocks that are right.
    pub(crate) fn new() -> Clock {
        Clock { since: Time::ZERO, reading: Time::ZERO, rate: TRUE_RATE, ahead: 0 }
    }

    /// What the monotonic clock says at an instant of the run.
    pub(crate) fn monotonic(&self, now: Time) -> Time {
        let passed = now.0.saturating_sub(self.since.0);
        let counted = if self.rate == TRUE_RATE {
            passed
        } else {
            scale(passed, u64::from(self.rate), u64::from(TRUE_RATE))
        };
        Time(self.reading.0.saturating_add(counted))
    }

    /// The first instant of the run at which the monotonic clock says that.
    pub(crate) fn instant(&self, monotonic: Time) -> Time {
        let missing = monotonic.0.saturating_sub(self.reading.0);
        let passes = if self.rate == TRUE_RATE {
            missing
        } else {
            // Rounded up: a timer that is woken too early would have to be woken again.
            scale(missing, u64::from(TRUE_RATE), u64::from(self.rate)).saturating_add(1)
        };
        Time(self.since.0.saturating_add(passes))
    }

    /// What the wall clock says at an instant of the run.
    pub(crate) fn wall(&self, now: Time) -> Time {
        Time(self.monotonic(now).0.saturating_add_signed(self.ahead))
    }

    /// Moves the wall clock.
    pub(crate) fn jump(&mut self, forward: bool, by: Duration) {
        let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.ahead = self.ahead.saturating_add(if forward { by } else { -by });
    }

    /// From now on it gains that much in a million.
    pub(crate) fn set_rate(&mut self, now: Time, rate: u32) {
        self.reading = self.monotonic(now);
        self.since = now;
        self.rate = rate.max(1);
    }

    /// From now on the wall clock is right, and nothing gains or loses. The monotonic clock goes on from where it is.
    pub(crate) fn set_right(&mut self, now: Time) {
        self.set_rate(now, TRUE_RATE);
        let ahead = i128::from(now.0) - i128::from(self.reading.0);
        self.ahead = i64::try_from(ahead).unwrap_or(if ahead < 0 { i64::MIN } else { i64::MAX });
    }

    /// Whether the wall clock is right and stays so.
    pub(crate) fn is_right(&self, now: Time) -> bool {
        self.rate == TRUE_RATE && self.wall(now) == now
    }
}

fn scale(duration: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(duration) * u128::from(by) / u128::from(of)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_jump_moves_the_wall_clock_alone() {
        let mut clock = Clock::new();
        clock.jump(true, Duration::from_secs(5));
        assert_eq!(clock.wall(Time(SECOND)), Time(6 * SECOND));
        assert_eq!(clock.monotonic(Time(SECOND)), Time(SECOND));
        clock.jump(false, Duration::from_secs(50));
        assert_eq!(clock.wall(Time(SECOND)), Time::ZERO, "it cannot be before the run");
        assert!(!clock.is_right(Time(SECOND)));
        clock.set_right(Time(SECOND));
        assert!(clock.is_right(Time(9 * SECOND)));
    }

    #[test]
    fn a_rate_bends_timers_from_the_moment_it_is_set() {
        let mut clock = Clock::new();
        clock.set_rate(Time(SECOND), 2 * TRUE_RATE);
        assert_eq!(clock.monotonic(Time(SECOND)), Time(SECOND));
        assert_eq!(clock.monotonic(Time(2 * SECOND)), Time(3 * SECOND));
        clock.set_rate(Time(2 * SECOND), TRUE_RATE / 2);
        assert_eq!(clock.monotonic(Time(4 * SECOND)), Time(4 * SECOND));
        clock.set_right(Time(4 * SECOND));
        assert_eq!(clock.monotonic(Time(5 * SECOND)), Time(5 * SECOND));
    }

    #[test]
    fn at_the_instant_of_a_reading_the_clock_says_it() {
        for rate in [1, 333_333, 999_999, TRUE_RATE, 1_000_001, 1_700_000] {
            let mut clock = Clock::new();
            clock.set_rate(Time(17), rate);
            for monotonic in [17, 18, 1_000, 123_456_789] {
                let instant = clock.instant(Time(monotonic));
                assert!(clock.monotonic(instant) >= Time(monotonic), "{rate}: {monotonic}");
            }
        }
    }
}
