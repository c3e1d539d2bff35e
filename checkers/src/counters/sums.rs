//! The sums that some of a list of numbers make.

/// A set of whole numbers, as intervals in order that do not touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    intervals: Vec<(i128, i128)>,
}

impl Sums {
    /// The one number.
    pub(super) fn only(sum: i128) -> Sums {
        Sums { intervals: vec![(sum, sum)] }
    }

    /// Each number as it is, and with `delta` added.
    pub(super) fn perhaps(&mut self, delta: i64) {
        let delta = i128::from(delta);
        let moved = self.intervals.iter().map(|(from, to)| (from + delta, to + delta));
        let mut all: Vec<(i128, i128)> = self.intervals.iter().copied().chain(moved).collect();
        all.sort_unstable();
        self.intervals.clear();
        for (from, to) in all {
            match self.intervals.last_mut() {
                Some((_, end)) if from <= *end + 1 => *end = to.max(*end),
                _ => self.intervals.push((from, to)),
            }
        }
    }

    pub(super) fn contains(&self, number: i64) -> bool {
        let number = i128::from(number);
        let place = self.intervals.partition_point(|(_, to)| *to < number);
        self.intervals.get(place).is_some_and(|(from, _)| *from <= number)
    }

    /// The memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.intervals.len() * size_of::<(i128, i128)>()
    }

    /// The intervals in words, so far as they are few.
    pub(super) fn words(&self) -> String {
        let interval = |(from, to): &(i128, i128)| {
            if from == to { from.to_string() } else { format!("{from} to {to}") }
        };
        let listed: Vec<String> = self.intervals.iter().take(6).map(interval).collect();
        let more = if self.intervals.len() > listed.len() { " and others" } else { "" };
        format!("{}{more}", listed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::Sums;

    #[test]
    fn intervals_that_touch_become_one() {
        let mut sums = Sums::only(10);
        sums.perhaps(1);
        sums.perhaps(5);
        sums.perhaps(-20);
        assert_eq!(sums.words(), "-10 to -9, -5 to -4, 10 to 11, 15 to 16");
        sums.perhaps(2);
        assert_eq!(sums.words(), "-10 to -7, -5 to -2, 10 to 13, 15 to 18");
        assert!(sums.contains(-10) && sums.contains(13) && !sums.contains(14) && !sums.contains(-6));
        assert!(!sums.contains(-11) && !sums.contains(19));
    }
}
