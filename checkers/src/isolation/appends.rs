//! Which transaction appended which element.

/// One element appended by one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) transaction: u32,
    pub(super) key: u32,
    pub(super) element: u32,
    place: u32,
}

const NOWHERE: u32 = u32::MAX;

impl Append {
    /// Its place in its key's order, when a read shows it.
    pub(super) fn place(&self) -> Option<u32> {
        (self.place != NOWHERE).then_some(self.place)
    }
}

/// All appends, in the order in which their transactions were invoked, and a table of where each element of a key is.
///
/// The table holds nothing but numbers of appends, and neighbouring elements of a key beside each other, as they are mostly
/// looked for together.
#[derive(Debug, Default)]
pub(super) struct Appends {
    pub(super) list: Vec<Append>,
    slots: Vec<u32>,
}

impl Appends {
    /// Notes an append; false when its key has the element already.
    pub(super) fn push(&mut self, transaction: u32, key: u32, element: u32) -> bool {
        if self.list.len() * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let Err(slot) = self.slot(key, element) else { return false };
        self.slots[slot] = self.list.len() as u32;
        self.list.push(Append { transaction, key, element, place: NOWHERE });
        true
    }

    /// The number of an append.
    pub(super) fn find(&self, key: u32, element: u32) -> Option<u32> {
        if self.slots.is_empty() { None } else { self.slot(key, element).ok() }
    }

    /// Notes the place of an append.
    pub(super) fn put(&mut self, number: u32, place: u32) {
        self.list[number as usize].place = place;
    }

    /// The number of an append, or the free slot for it.
    fn slot(&self, key: u32, element: u32) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let block = (u64::from(key) << 32 | u64::from(element >> 3)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = ((block >> 29) as usize & !7 | (element & 7) as usize) & mask;
        loop {
            match self.slots[slot] {
                NOWHERE => return Err(slot),
                number => {
                    let append = &self.list[number as usize];
                    if (append.key, append.element) == (key, element) {
                        return Ok(number);
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        self.slots = vec![NOWHERE; (self.slots.len() * 2).max(1024)];
        for number in 0..self.list.len() as u32 {
            let append = self.list[number as usize];
            let slot = self.slot(append.key, append.element).expect_err("no element was noted twice");
            self.slots[slot] = number;
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Append>() + self.slots.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::Appends;

    #[test]
    fn what_was_noted_is_found_and_nothing_else() {
        let mut appends = Appends::default();
        assert_eq!(appends.find(0, 0), None);
        let pairs = || (0..200_u32).flat_map(|key| (0..key % 40).map(move |at| (key, at * (1 + key % 7))));
        for (key, element) in pairs() {
            assert!(appends.push(key, key, element));
        }
        for (key, element) in pairs() {
            let found = appends.list[appends.find(key, element).unwrap() as usize];
            assert_eq!((found.key, found.element), (key, element));
            assert!(!appends.push(key, key, element));
        }
        assert_eq!(appends.find(3, 999), None);
        assert_eq!(appends.find(999, 3), None);
    }
}
