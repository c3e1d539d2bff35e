//! The configurations that a search has been in.

/// The slots at first.
const LEAST: usize = 64;

/// A set of 128-bit fingerprints: 16 bytes a configuration, whatever the number of operations.
///
/// Fingerprints are sums of random numbers already, so a slot is picked by their low bits. Two configurations
/// with the same fingerprint are mistaken for each other; a search that depends on it is repeated with another
/// seed.
#[derive(Clone, Debug)]
pub(crate) struct Memo {
    /// A power of two of them, at most three quarters in use; 0 marks a free slot.
    slots: Vec<u128>,
    used: usize,
}

impl Memo {
    pub(crate) fn new() -> Memo {
        Memo { slots: vec![0; LEAST], used: 0 }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.slots.truncate(LEAST);
        self.slots.fill(0);
        self.used = 0;
    }

    /// Adds a fingerprint; false when it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, fingerprint: u128) -> bool {
        let fingerprint = fingerprint.max(1);
        if self.used * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let free = Memo::slot(&self.slots, fingerprint);
        if self.slots[free] == fingerprint {
            return false;
        }
        self.slots[free] = fingerprint;
        self.used += 1;
        true
    }

    /// Where the fingerprint is or belongs.
    #[inline]
    fn slot(slots: &[u128], fingerprint: u128) -> usize {
        let mask = slots.len() - 1;
        let mut slot = fingerprint as usize & mask;
        while slots[slot] != 0 && slots[slot] != fingerprint {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let mut slots = vec![0; self.slots.len() * 2];
        for fingerprint in self.slots.iter().filter(|fingerprint| **fingerprint != 0) {
            let slot = Memo::slot(&slots, *fingerprint);
            slots[slot] = *fingerprint;
        }
        self.slots = slots;
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// The memory in use, and what growing would take on top.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<u128>() * if self.used * 3 >= self.slots.len() * 2 { 3 } else { 1 }
    }
}

/// A random number for the part of a configuration with this number (Zobrist 1970): a fingerprint is the
/// exclusive or of the numbers of its parts, so it changes with one operation per step.
#[inline]
pub(crate) fn zobrist(seed: u64, part: u64) -> u128 {
    let low = mix(seed ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let high = mix(low ^ seed.rotate_left(32) ^ part);
    u128::from(high) << 64 | u128::from(low)
}

/// The finaliser of `SplitMix64`.
#[inline]
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Default for Memo {
    fn default() -> Memo {
        Memo::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Memo, zobrist};

    #[test]
    fn it_knows_what_was_added_and_nothing_else() {
        let mut memo = Memo::new();
        for part in 0..5_000 {
            assert!(memo.insert(zobrist(7, part)));
        }
        assert!((0..5_000).all(|part| !memo.insert(zobrist(7, part))));
        assert!((5_000..10_000).all(|part| memo.insert(zobrist(7, part))));
        assert_eq!(memo.len(), 10_000);
    }

    #[test]
    fn zero_is_a_fingerprint_too() {
        let mut memo = Memo::new();
        assert!(memo.insert(0));
        assert!(!memo.insert(0));
    }
}
