//! The clocks of a node's machine, and how they can be wrong.
//!
//! A machine has two. Its *wall clock* says what time it is: it can be set, so it can jump, in either direction.
//! Its *monotonic clock* says how much time has passed: nobody sets it, but its quartz may run fast or slow, and
//! the wall clock with it. Timers keep to the monotonic clock. So a jump fires no timer, and a drift bends all.
//!
//! Both are functions of the run's time, which every world knows: nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Time;

/// One way in which the clocks of a machine are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Skew {
    /// The wall clock is set forward by this much, and back when healed.
    Ahead(#[serde(with = "humantime_serde")] Duration),
    /// The wall clock is set back by this much, and forward when healed.
    Behind(#[serde(with = "humantime_serde")] Duration),
    /// The wall clock jumps forward and back, over and over.
    Strobe {
        /// How far.
        #[serde(with = "humantime_serde")]
        by: Duration,
        /// How long it stays there, and how long it is right in between.
        #[serde(with = "humantime_serde")]
        every: Duration,
    },
    /// Both clocks gain this much in a hundred. What the wall clock has gained is taken back when healed.
    Fast(u8),
    /// Both clocks lose this much in a hundred. What the wall clock has lost is made good when healed.
    Slow(u8),
}

impl Skew {
    /// The furthest that a plan may set a clock: so far that no clock is ever set to before its beginning.
    pub const FURTHEST: Duration = Duration::from_hours(1);
    /// The most that a plan may let a clock gain or lose in a hundred.
    pub const STEEPEST: u8 = 90;

    /// Why no clock can be wrong like this, if so.
    pub fn trouble(self) -> Option<String> {
        let jump = |by: Duration| {
            (by.is_zero() || by > Skew::FURTHEST)
                .then(|| "a clock can be set by more than nothing and at most an hour".to_owned())
        };
        match self {
            Skew::Ahead(by) | Skew::Behind(by) => jump(by),
            Skew::Strobe { by, every } => jump(by).or_else(|| {
                (every < Duration::from_millis(1)).then(|| "a clock can strobe every 1ms at most".to_owned())
            }),
            Skew::Fast(percent) | Skew::Slow(percent) => (!(1..=Skew::STEEPEST).contains(&percent))
                .then(|| format!("{percent} percent; a clock can gain or lose 1 to {}", Skew::STEEPEST)),
        }
    }

    /// Nanoseconds that it puts the wall clock ahead, drift apart.
    fn jump(self, now: Time) -> i64 {
        match self {
            Skew::Ahead(by) => nanoseconds(by),
            Skew::Behind(by) => -nanoseconds(by),
            Skew::Strobe { by, every } => {
                let phase = u128::from(now.0) / every.as_nanos().max(1);
                if phase.is_multiple_of(2) { nanoseconds(by) } else { 0 }
            }
            Skew::Fast(_) | Skew::Slow(_) => 0,
        }
    }

    /// What it lets the clocks gain in a million.
    fn drift(self) -> i64 {
        match self {
            Skew::Ahead(_) | Skew::Behind(_) | Skew::Strobe { .. } => 0,
            Skew::Fast(percent) => i64::from(percent) * 10_000,
            Skew::Slow(percent) => -i64::from(percent) * 10_000,
        }
    }
}

/// Written for the terminal and the report: `2s ahead`, `5% fast`.
impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = humantime_serde::re::humantime::format_duration;
        match self {
            Skew::Ahead(by) => write!(f, "{} ahead", time(*by)),
            Skew::Behind(by) => write!(f, "{} behind", time(*by)),
            Skew::Strobe { by, every } => write!(f, "{} ahead and back every {}", time(*by), time(*every)),
            Skew::Fast(percent) => write!(f, "{percent}% fast"),
            Skew::Slow(percent) => write!(f, "{percent}% slow"),
        }
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A rate that keeps true time: what a clock counts in a million.
pub const TRUE_RATE: u32 = 1_000_000;

/// What the time is, as a machine believes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallClock {
    /// All that is wrong with it.
    skews: Vec<Skew>,
    /// Since when.
    since: Time,
    /// Nanoseconds that earlier drifts had gained by then.
    gained: i64,
}

impl WallClock {
    /// What a right clock says when a run begins: later than any clock is ever set back.
    pub const EPOCH: Duration = Duration::from_hours(24);

    /// What it says at an instant of the run.
    pub fn reading(&self, now: Time) -> Time {
        let right = now + WallClock::EPOCH;
        if self.skews.is_empty() {
            return right;
        }
        Time(right.0.saturating_add_signed(self.error(now)))
    }

    /// Nanoseconds that it is ahead of the right time.
    pub fn error(&self, now: Time) -> i64 {
        let jumps = self.skews.iter().fold(0, |sum: i64, skew| sum.saturating_add(skew.jump(now)));
        let passed = i128::from(now.0.saturating_sub(self.since.0));
        let drifted = passed * (i128::from(self.rate()) - i128::from(TRUE_RATE)) / i128::from(TRUE_RATE);
        let drifted = i64::try_from(drifted).unwrap_or(if drifted < 0 { i64::MIN } else { i64::MAX });
        jumps.saturating_add(self.gained).saturating_add(drifted)
    }

    /// What it counts in a million, and the monotonic clock beside it.
    pub fn rate(&self) -> u32 {
        let drift: i64 = self.skews.iter().map(|skew| skew.drift()).sum();
        // Two that slow it down may not stop it.
        let slowest = i64::from(TRUE_RATE) / 100;
        u32::try_from((i64::from(TRUE_RATE) + drift).max(slowest)).unwrap_or(u32::MAX)
    }

    /// From now on this is all that is wrong with it. What it gained before it keeps while it drifts, and is set
    /// right with the last drift.
    pub fn set(&mut self, now: Time, skews: Vec<Skew>) {
        let jumps = self.skews.iter().fold(0, |sum: i64, skew| sum.saturating_add(skew.jump(now)));
        let drifts = skews.iter().any(|skew| skew.drift() != 0);
        self.gained = if drifts { self.error(now).saturating_sub(jumps) } else { 0 };
        self.since = now;
        self.skews = skews;
    }

    /// Whether nothing is wrong with it.
    pub fn is_right(&self) -> bool {
        self.skews.is_empty()
    }
}

/// How much time has passed, as a machine believes.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    /// An instant of the run, and what the clock said then.
    since: Time,
    reading: Time,
    /// What it counts in a million.
    rate: u32,
}

impl MonotonicClock {
    /// A clock that keeps the run's time, but for what it gains in a million from `now` on.
    pub fn new(now: Time, rate: u32) -> MonotonicClock {
        MonotonicClock { since: now, reading: now, rate: rate.max(1) }
    }

    /// What it says at an instant of the run.
    pub fn reading(&self, now: Time) -> Time {
        let passed = now.0.saturating_sub(self.since.0);
        let counted = if self.rate == TRUE_RATE {
            passed
        } else {
            scale(passed, u64::from(self.rate), u64::from(TRUE_RATE))
        };
        Time(self.reading.0.saturating_add(counted))
    }

    /// The first instant of the run at which it says that.
    pub fn instant(&self, reading: Time) -> Time {
        let missing = reading.0.saturating_sub(self.reading.0);
        let passes = if self.rate == TRUE_RATE {
            missing
        } else {
            // Rounded up: a timer that is woken too early would have to be woken again.
            scale(missing, u64::from(TRUE_RATE), u64::from(self.rate)).saturating_add(1)
        };
        Time(self.since.0.saturating_add(passes))
    }

    /// From now on it counts that much in a million. It goes on from where it is.
    pub fn set_rate(&mut self, now: Time, rate: u32) {
        self.reading = self.reading(now);
        self.since = now;
        self.rate = rate.max(1);
    }

    /// What it counts in a million.
    pub fn rate(&self) -> u32 {
        self.rate
    }
}

fn scale(duration: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(duration) * u128::from(by) / u128::from(of)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn clock(now: Time, skews: &[Skew]) -> WallClock {
        let mut clock = WallClock::default();
        clock.set(now, skews.to_vec());
        clock
    }

    #[test]
    fn a_right_clock_says_the_time() {
        let clock = WallClock::default();
        assert_eq!(clock.reading(at(3)), at(3) + WallClock::EPOCH);
        assert_eq!((clock.error(at(3)), clock.rate(), clock.is_right()), (0, TRUE_RATE, true));
    }

    #[test]
    fn a_clock_that_is_set_jumps_and_jumps_back() {
        let five = Duration::from_secs(5);
        let mut clock = clock(at(1), &[Skew::Ahead(five)]);
        assert_eq!(clock.reading(at(1)), at(6) + WallClock::EPOCH);
        assert_eq!((clock.error(at(9)), clock.rate()), (5 * SECOND, TRUE_RATE));
        clock.set(at(9), vec![Skew::Behind(five), Skew::Ahead(Duration::from_secs(1))]);
        assert_eq!((clock.error(at(9)), clock.is_right()), (-4 * SECOND, false));
        assert_eq!(clock.reading(Time::ZERO), Time::ZERO + WallClock::EPOCH - Duration::from_secs(4));
        clock.set(at(10), Vec::new());
        assert_eq!((clock.error(at(10)), clock.is_right()), (0, true));
    }

    #[test]
    fn a_clock_that_strobes_is_right_half_of_the_time() {
        let strobe = Skew::Strobe { by: Duration::from_secs(2), every: Duration::from_secs(3) };
        let clock = clock(at(0), &[strobe]);
        let errors: Vec<i64> = (0..8).map(|second| clock.error(at(second)) / SECOND).collect();
        assert_eq!(errors, [2, 2, 2, 0, 0, 0, 2, 2]);
    }

    #[test]
    fn a_drift_gains_while_it_lasts_and_is_taken_back_with_the_last() {
        let mut clock = clock(at(10), &[Skew::Fast(10)]);
        assert_eq!((clock.error(at(10)), clock.error(at(20)), clock.rate()), (0, SECOND, 1_100_000));
        clock.set(at(20), vec![Skew::Fast(10), Skew::Slow(60)]);
        assert_eq!((clock.error(at(20)), clock.error(at(22)), clock.rate()), (SECOND, 0, 500_000));
        clock.set(at(22), vec![Skew::Slow(60), Skew::Slow(90)]);
        assert_eq!(clock.rate(), 10_000, "it never stands still");
        clock.set(at(22), vec![Skew::Ahead(Duration::from_secs(7))]);
        assert_eq!(clock.error(at(30)), 7 * SECOND);
    }

    #[test]
    fn a_rate_bends_the_monotonic_clock_from_the_moment_it_is_set() {
        let mut clock = MonotonicClock::new(at(0), TRUE_RATE);
        clock.set_rate(at(1), 2 * TRUE_RATE);
        assert_eq!((clock.reading(at(1)), clock.reading(at(2))), (at(1), at(3)));
        clock.set_rate(at(2), TRUE_RATE / 2);
        assert_eq!(clock.reading(at(4)), at(4));
        clock.set_rate(at(4), TRUE_RATE);
        assert_eq!(clock.reading(at(5)), at(5));
    }

    #[test]
    fn at_the_instant_of_a_reading_the_clock_says_it() {
        for rate in [1, 333_333, 999_999, TRUE_RATE, 1_000_001, 1_700_000] {
            let mut clock = MonotonicClock::new(Time::ZERO, TRUE_RATE);
            clock.set_rate(Time(17), rate);
            for reading in [17, 18, 1_000, 123_456_789] {
                let instant = clock.instant(Time(reading));
                assert!(clock.reading(instant) >= Time(reading), "{rate}: {reading}");
                assert!(
                    instant.0 <= 18 || clock.reading(Time(instant.0 - 2)) < Time(reading),
                    "{rate}: {reading}"
                );
            }
        }
    }

    #[test]
    fn a_skew_is_written_plainly_and_has_its_limits() {
        let skew = |text| serde_json::from_str::<Skew>(text).unwrap();
        assert_eq!(skew(r#"{"ahead":"2s"}"#).to_string(), "2s ahead");
        assert_eq!(skew(r#"{"slow":5}"#).to_string(), "5% slow");
        let strobe = skew(r#"{"strobe":{"by":"200ms","every":"10ms"}}"#);
        assert_eq!(strobe.to_string(), "200ms ahead and back every 10ms");
        assert_eq!(strobe.trouble(), None);
        for text in [
            r#"{"ahead":"0s"}"#,
            r#"{"behind":"61m"}"#,
            r#"{"fast":0}"#,
            r#"{"slow":91}"#,
            r#"{"strobe":{"by":"1s","every":"1us"}}"#,
        ] {
            assert!(skew(text).trouble().is_some(), "{text}");
        }
    }
}
