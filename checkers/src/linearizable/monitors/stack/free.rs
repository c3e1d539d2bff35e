//! The moments that nothing covers.

const BITS: u32 = u64::BITS;

/// A growing set of moments that finds its members in a range. One bit each, and one for each word of those.
#[derive(Clone, Debug)]
pub(super) struct Free {
    words: Vec<u64>,
    summary: Vec<u64>,
}

/// The bits of a word from `low` to `high`.
fn between(low: u32, high: u32) -> u64 {
    (u64::MAX << low) & (u64::MAX >> (BITS - 1 - high))
}

impl Free {
    pub(super) fn new(moments: u32) -> Free {
        let words = moments.div_ceil(BITS) as usize;
        Free { words: vec![0; words], summary: vec![0; words.div_ceil(BITS as usize)] }
    }

    pub(super) fn insert(&mut self, moment: u32) {
        let word = moment / BITS;
        self.words[word as usize] |= 1 << (moment % BITS);
        self.summary[(word / BITS) as usize] |= 1 << (word % BITS);
    }

    /// The first member of the range, ends included.
    pub(super) fn first(&self, low: u32, high: u32) -> Option<u32> {
        let (from, to) = (low / BITS, high / BITS);
        let bits = |word: u32| {
            let begin = if word == from { low % BITS } else { 0 };
            let end = if word == to { high % BITS } else { BITS - 1 };
            self.words[word as usize] & between(begin, end)
        };
        let mut word = from;
        while word <= to {
            let found = bits(word);
            if found != 0 {
                return Some(word * BITS + found.trailing_zeros());
            }
            word += 1;
            if word % BITS == 0 {
                while word <= to && self.summary[(word / BITS) as usize] == 0 {
                    word += BITS;
                }
            }
        }
        None
    }

    /// The last member of the range, ends included.
    pub(super) fn last(&self, low: u32, high: u32) -> Option<u32> {
        let (from, to) = (low / BITS, high / BITS);
        let bits = |word: u32| {
            let begin = if word == from { low % BITS } else { 0 };
            let end = if word == to { high % BITS } else { BITS - 1 };
            self.words[word as usize] & between(begin, end)
        };
        let mut after = to + 1;
        while after > from {
            if after % BITS == 0 {
                while after >= from + BITS && self.summary[(after / BITS - 1) as usize] == 0 {
                    after -= BITS;
                }
                if after <= from {
                    return None;
                }
            }
            let word = after - 1;
            let found = bits(word);
            if found != 0 {
                return Some(word * BITS + BITS - 1 - found.leading_zeros());
            }
            after = word;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Free;

    #[test]
    fn members_of_a_range_are_found_from_both_ends() {
        let members = [0, 5, 63, 64, 700, 4095, 4096, 9000, 30_000, 39_999];
        let mut free = Free::new(40_000);
        for member in members {
            free.insert(member);
        }
        let ends = [0, 1, 5, 6, 63, 64, 65, 699, 700, 4095, 4096, 4097, 8191, 8192, 20_000, 29_999, 39_999];
        for low in ends {
            for high in ends.into_iter().filter(|high| *high >= low) {
                let inside = || members.into_iter().filter(|member| (low..=high).contains(member));
                assert_eq!(free.first(low, high), inside().min(), "{low}..={high}");
                assert_eq!(free.last(low, high), inside().max(), "{low}..={high}");
            }
        }
    }
}
