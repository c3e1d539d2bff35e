//! Places in a file from which its events can be taken again, without those before.

use super::forms::Spot;

/// A place between two events, and what is known there of those before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The index of the event that comes next.
    pub(super) due: u64,
    pub(super) place: Place,
}

/// Where a mark stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In our own format.
    Line {
        /// The bytes before it.
        offset: u64,
        /// The lines before it.
        number: usize,
    },
    /// In Jepsen's notations.
    Form {
        spot: Spot,
        /// The index that the op before names.
        last: Option<u64>,
        /// Whether any op before names its process.
        processes: bool,
    },
}

impl Mark {
    /// The bytes before it.
    pub(super) fn offset(&self) -> u64 {
        match self.place {
            Place::Line { offset, .. } => offset,
            Place::Form { spot, .. } => spot.offset,
        }
    }

    /// The line on which it stands, counted from 1.
    pub(super) fn line(&self) -> usize {
        match self.place {
            Place::Line { number, .. } => number + 1,
            Place::Form { spot, .. } => spot.line,
        }
    }
}

/// The most marks that are kept of a file, and the events between two of them at first.
const MOST: usize = 4096;
const APART: u64 = 256;

/// Marks all over a file, about equally far apart.
#[derive(Debug)]
pub(super) struct Marks {
    list: Vec<Mark>,
    apart: u64,
}

impl Marks {
    pub(super) fn new() -> Marks {
        Marks { list: Vec::new(), apart: APART }
    }

    /// Whether a mark before the event with this index is wanted.
    pub(super) fn is_wanted(&self, due: u64) -> bool {
        due.is_multiple_of(self.apart)
    }

    /// Takes a mark behind all those before. When there are too many, every second one goes.
    pub(super) fn put(&mut self, mark: Mark) {
        if self.list.len() == MOST {
            self.apart *= 2;
            self.list.retain(|mark| mark.due.is_multiple_of(self.apart));
        }
        if self.is_wanted(mark.due) {
            self.list.push(mark);
        }
    }

    /// The last mark from which the event with this index can be reached.
    pub(super) fn before(&self, event: u64) -> Option<Mark> {
        let behind = self.list.partition_point(|mark| mark.due <= event);
        behind.checked_sub(1).map(|place| self.list[place])
    }
}

#[cfg(test)]
mod tests {
    use super::{APART, MOST, Mark, Marks, Place};

    #[test]
    fn they_stay_few_and_equally_far_apart() {
        let mut marks = Marks::new();
        let events = APART * MOST as u64 * 5;
        for due in (0..events).filter(|due| due.is_multiple_of(APART)) {
            if marks.is_wanted(due) {
                marks.put(Mark { due, place: Place::Line { offset: due * 10, number: due as usize } });
            }
        }
        assert!(marks.list.len() <= MOST && marks.list.len() > MOST / 2, "{}", marks.list.len());
        assert_eq!(marks.apart, 8 * APART);
        assert!(marks.list.iter().zip(0..).all(|(mark, place)| mark.due == place * marks.apart));
        let mark = marks.before(9 * APART).unwrap();
        assert_eq!((mark.due, mark.offset(), mark.line()), (8 * APART, 80 * APART, 8 * APART as usize + 1));
        assert!(Marks::new().before(7).is_none());
    }
}
