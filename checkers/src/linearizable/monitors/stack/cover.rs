//! How many values cover each moment.

/// More than any number of values.
const NEVER_FREE: i32 = i32::MAX / 2;

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The least count below, with what is added here but not what is added above.
    least: i32,
    /// What is added to all moments below.
    added: i32,
}

/// Counts of moments: takes from a range and finds the moments that are down to 0, each once. A tree of minima whose
/// leaves are the moments.
#[derive(Debug)]
pub(super) struct Cover {
    nodes: Vec<Node>,
    /// The number of leaves, a power of two.
    leaves: usize,
}

impl Cover {
    /// Of so many moments, each as often as the ranges, first and last moment, contain it.
    pub(super) fn new(moments: u32, ranges: impl Iterator<Item = (u32, u32)>) -> Cover {
        let leaves = (moments as usize).next_power_of_two();
        let mut changes = vec![0_i32; moments as usize + 1];
        for (first, last) in ranges {
            changes[first as usize] += 1;
            changes[last as usize + 1] -= 1;
        }
        let mut nodes = vec![Node { least: NEVER_FREE, added: 0 }; 2 * leaves];
        let mut count = 0;
        for (moment, change) in changes.iter().take(moments as usize).enumerate() {
            count += change;
            nodes[leaves + moment].least = count;
        }
        for place in (1..leaves).rev() {
            nodes[place].least = nodes[2 * place].least.min(nodes[2 * place + 1].least);
        }
        Cover { nodes, leaves }
    }

    fn add(&mut self, place: usize, amount: i32) {
        let node = &mut self.nodes[place];
        node.least += amount;
        node.added += amount;
    }

    /// Makes the minima above a leaf right again.
    fn mend(&mut self, leaf: usize) {
        let mut place = leaf / 2;
        while place > 0 {
            let least = self.nodes[2 * place].least.min(self.nodes[2 * place + 1].least);
            self.nodes[place].least = least + self.nodes[place].added;
            place /= 2;
        }
    }

    /// Takes one from each moment of a range.
    pub(super) fn uncover(&mut self, first: u32, last: u32) {
        let (low, high) = (self.leaves + first as usize, self.leaves + last as usize);
        let (mut left, mut right) = (low, high + 1);
        while left < right {
            if left & 1 == 1 {
                self.add(left, -1);
                left += 1;
            }
            if right & 1 == 1 {
                right -= 1;
                self.add(right, -1);
            }
            left /= 2;
            right /= 2;
        }
        self.mend(low);
        self.mend(high);
    }

    /// A moment that nothing covers and that was not found before.
    pub(super) fn next_free(&mut self) -> Option<u32> {
        if self.nodes[1].least != 0 {
            return None;
        }
        let mut place = 1;
        while place < self.leaves {
            place *= 2;
            place += usize::from(self.nodes[place + 1].least < self.nodes[place].least);
        }
        self.nodes[place].least += NEVER_FREE;
        self.mend(place);
        Some((place - self.leaves) as u32)
    }
}
