//! What clients got while faults were in force.

use rashomon_core::Time;

use super::data::{Outcome, Pairs};
use crate::faults::FaultSpan;

/// What the ops that began in a stretch of time came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stretch {
    /// ok, fail and info.
    pub(crate) counts: [u64; 3],
    /// How long it lasted, in nanoseconds.
    pub(crate) length: u64,
    /// The longest time in it during which no op ended `ok`, in nanoseconds.
    pub(crate) silence: u64,
}

impl Stretch {
    pub(crate) fn ops(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Ops that were `ok`, per second.
    pub(crate) fn ok_rate(&self) -> f64 {
        if self.length == 0 { 0.0 } else { self.counts[0] as f64 * 1e9 / self.length as f64 }
    }
}

/// Answers for any stretch of time.
#[derive(Debug)]
pub(crate) struct Availability {
    /// When ops began, sorted, with how many had come to what before.
    begun: Vec<(u64, [u64; 3])>,
    total: [u64; 3],
    /// When ops ended `ok`, sorted.
    ok_ends: Vec<u64>,
}

impl Availability {
    pub(crate) fn new(pairs: &Pairs) -> Availability {
        let mut starts: Vec<(u64, Outcome)> = pairs.0.iter().map(|pair| (pair.from, pair.outcome)).collect();
        starts.sort_unstable();
        let mut total = [0; 3];
        let mut begun = Vec::with_capacity(starts.len());
        for (from, outcome) in starts {
            begun.push((from, total));
            total[outcome as usize] += 1;
        }
        let ok = pairs.0.iter().filter(|pair| pair.outcome == Outcome::Ok);
        let mut ok_ends: Vec<u64> = ok.filter_map(|pair| pair.to).collect();
        ok_ends.sort_unstable();
        Availability { begun, total, ok_ends }
    }

    fn before(&self, time: u64) -> [u64; 3] {
        let place = self.begun.partition_point(|(from, _)| *from < time);
        self.begun.get(place).map_or(self.total, |(_, counts)| *counts)
    }

    /// What happened from `from` up to, but not at, `to`.
    pub(crate) fn during(&self, from: Time, to: Time) -> Stretch {
        let (until, since) = (self.before(to.0), self.before(from.0));
        let mut counts = [0; 3];
        for (place, count) in counts.iter_mut().enumerate() {
            *count = until[place].saturating_sub(since[place]);
        }
        let ends = &self.ok_ends[self.ok_ends.partition_point(|end| *end < from.0)..];
        let inside = ends.iter().copied().take_while(|end| *end < to.0);
        let mut last = from.0;
        let mut silence = 0;
        for end in inside.chain([to.0]) {
            silence = silence.max(end.saturating_sub(last));
            last = end;
        }
        Stretch { counts, length: to.0.saturating_sub(from.0), silence }
    }

    /// What happened while no fault was in force, up to `end`.
    pub(crate) fn undisturbed(&self, spans: &[FaultSpan], end: Time) -> Stretch {
        let mut covered: Vec<(Time, Time)> = spans
            .iter()
            .filter(|span| span.struck())
            .map(|span| (span.from, span.to.unwrap_or(end)))
            .collect();
        covered.sort_unstable();
        let mut calm = Stretch::default();
        let mut free = Time::ZERO;
        for (from, to) in covered.into_iter().chain([(end, end)]) {
            if from > free {
                let stretch = self.during(free, from);
                calm.length = calm.length.saturating_add(stretch.length);
                calm.silence = calm.silence.max(stretch.silence);
                (0..3).for_each(|place| calm.counts[place] += stretch.counts[place]);
            }
            free = free.max(from).max(to);
        }
        calm
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::PairOf;
    use super::*;

    fn pair(from: u64, to: Option<u64>, outcome: Outcome) -> PairOf {
        PairOf { invoke: 0, completion: None, from, to, outcome }
    }

    #[test]
    fn ops_count_where_they_began_and_silence_is_between_successes() {
        let availability = Availability::new(&Pairs(vec![
            pair(0, Some(10), Outcome::Ok),
            pair(20, Some(25), Outcome::Ok),
            pair(30, Some(31), Outcome::Fail),
            pair(40, None, Outcome::Info),
            pair(90, Some(95), Outcome::Ok),
        ]));
        let stretch = availability.during(Time(15), Time(90));
        assert_eq!(stretch, Stretch { counts: [1, 1, 1], length: 75, silence: 65 });
        assert_eq!(availability.during(Time(0), Time(100)).counts, [3, 1, 1]);
        assert_eq!(availability.during(Time(100), Time(200)).silence, 100);
    }
}
