//! How the lists that were read last begin, so that what they share with the next is not read again.

/// The greatest lists that were read of some keys, each as it stood in its line and in numbers.
///
/// The next read of a key mostly begins with all that the last one showed. To compare its text is much less work than to
/// make numbers of it. There are places for so many keys only, and for lists of moderate length: a key whose place is taken
/// by another is read as if it were new.
#[derive(Debug)]
pub(super) struct Beginnings {
    places: Vec<Beginning>,
}

#[derive(Clone, Debug, Default)]
struct Beginning {
    key: u32,
    text: Vec<u8>,
    elements: Vec<u32>,
}

const PLACES: usize = 1024;
/// The longest text that is kept.
const LONGEST: usize = 8192;

impl Default for Beginnings {
    fn default() -> Beginnings {
        Beginnings { places: vec![Beginning::default(); PLACES] }
    }
}

impl Beginnings {
    /// If the text goes on like the list of the key that is known: how far, and with which elements.
    pub(super) fn of(&self, key: u32, text: &[u8]) -> Option<(usize, &[u32])> {
        let known = &self.places[key as usize % PLACES];
        let same = known.key == key && !known.text.is_empty() && text.starts_with(&known.text);
        // Its last number ends where another begins, or the list ends.
        let ends = matches!(text.get(known.text.len()), Some(b',' | b']' | b' '));
        (same && ends).then_some((known.text.len(), known.elements.as_slice()))
    }

    /// Notes a list, as it stood between its brackets.
    pub(super) fn note(&mut self, key: u32, text: &[u8], elements: &[u32]) {
        let known = &mut self.places[key as usize % PLACES];
        if text.len() <= LONGEST && (known.key != key || text.len() > known.text.len()) {
            known.key = key;
            known.text.clear();
            known.text.extend_from_slice(text);
            known.elements.clear();
            known.elements.extend_from_slice(elements);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginnings, PLACES};

    #[test]
    fn a_longer_list_is_known_so_far() {
        let mut beginnings = Beginnings::default();
        assert_eq!(beginnings.of(0, b"]"), None);
        beginnings.note(3, b"1,12", &[1, 12]);
        assert_eq!(beginnings.of(3, b"1,12,13]"), Some((4, &[1, 12][..])));
        assert_eq!(beginnings.of(3, b"1,12]"), Some((4, &[1, 12][..])));
        for (key, text) in [(3, &b"1,123]"[..]), (3, b"1,1"), (3, b"1,12"), (4, b"1,12]"), (3, b"2,12]")] {
            assert_eq!(beginnings.of(key, text), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_stays_until_another_key_needs_its_place() {
        let mut beginnings = Beginnings::default();
        beginnings.note(1, b"1,2,3", &[1, 2, 3]);
        beginnings.note(1, b"1", &[1]);
        assert_eq!(beginnings.of(1, b"1,2,3,4]"), Some((5, &[1, 2, 3][..])));
        beginnings.note(1 + PLACES as u32, b"7", &[7]);
        assert_eq!(beginnings.of(1, b"1,2,3,4]"), None);
        beginnings.note(2, &[b'1'; 9000], &[1]);
        assert_eq!(beginnings.of(2, &[b'1'; 9000]), None);
    }
}
