//! Ranges of moments, to be asked which of them contain a moment.

/// The end of a list.
const NONE: u32 = u32::MAX;

/// Ranges with labels. Each is kept at the few nodes of a binary tree over the moments that make it up, so the ranges
/// that contain a moment stand at the nodes above its leaf.
#[derive(Debug)]
pub(super) struct Stabbing {
    leaves: usize,
    /// For each node, the first of its entries.
    heads: Vec<u32>,
    /// A label, and the next entry of the same node.
    entries: Vec<(u32, u32)>,
}

impl Stabbing {
    pub(super) fn new(moments: u32) -> Stabbing {
        let leaves = (moments as usize).next_power_of_two();
        Stabbing { leaves, heads: vec![NONE; 2 * leaves], entries: Vec::new() }
    }

    fn put(&mut self, node: usize, label: u32) {
        let next = std::mem::replace(&mut self.heads[node], self.entries.len() as u32);
        self.entries.push((label, next));
    }

    /// Adds the range from the first to the last moment.
    pub(super) fn add(&mut self, first: u32, last: u32, label: u32) {
        let (mut left, mut right) = (self.leaves + first as usize, self.leaves + last as usize + 1);
        while left < right {
            if left & 1 == 1 {
                self.put(left, label);
                left += 1;
            }
            if right & 1 == 1 {
                right -= 1;
                self.put(right, label);
            }
            left /= 2;
            right /= 2;
        }
    }

    /// The labels of the ranges that contain a moment and were not taken at the same node before: each label comes at
    /// least once in its life, and few times.
    pub(super) fn take(&mut self, moment: u32, mut found: impl FnMut(u32)) {
        let mut node = self.leaves + moment as usize;
        while node > 0 {
            let mut entry = std::mem::replace(&mut self.heads[node], NONE);
            while entry != NONE {
                let (label, next) = self.entries[entry as usize];
                found(label);
                entry = next;
            }
            node /= 2;
        }
    }
}
