//! A stream cut into its top-level values, so that a history of any length is read op by op.

use std::io::BufRead;

use rashomon_core::HistoryError;

/// The longest text of one value that is taken: an op is small, and a longer text is not one.
const LONGEST: usize = 16 << 20;

/// Cuts EDN or JSON at the ends of its top-level values, without reading these.
///
/// It knows brackets, strings, comments and characters, which is enough for both notations: JSON has neither comments
/// nor bare characters where a difference could show. Whether what stands between the ends makes sense is for the
/// reader of the values to say.
pub(super) struct Forms<R> {
    source: R,
    form: Vec<u8>,
    spot: Spot,
    done: bool,
}

/// A place between two values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// The bytes before it.
    pub(super) offset: u64,
    /// The line on which it is, counted from 1.
    pub(super) line: usize,
    place: Place,
}

impl Spot {
    /// Before all values.
    pub(super) const BEGINNING: Spot = Spot { offset: 0, line: 1, place: Place::Start };
}

/// Where the ops stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing but space was seen yet.
    Start,
    /// One after another.
    Lines,
    /// In one sequence, which is open.
    Inside,
    /// Behind that sequence.
    Behind,
}

/// What the bytes that come next belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Space,
    Comment,
    Text { escaped: bool },
    Character,
    Word,
    Hash,
}

impl<R: BufRead> Forms<R> {
    pub(super) fn new(source: R) -> Forms<R> {
        Forms::at(source, Spot::BEGINNING)
    }

    /// From a spot on: the source begins there.
    pub(super) fn at(source: R, spot: Spot) -> Forms<R> {
        Forms { source, form: Vec::new(), spot, done: false }
    }

    /// The spot before the next value.
    pub(super) fn spot(&self) -> Spot {
        self.spot
    }

    /// The next value, perhaps with what is to be ignored before it, and the line on which this text begins.
    pub(super) fn next_form(&mut self) -> Result<Option<(usize, &str)>, HistoryError> {
        self.form.clear();
        let mut cut = Cut { depth: 0, owed: 0, state: State::Space, tag: false, begun: None };
        while !self.done {
            let wrong = |source| HistoryError::Io { line: self.spot.line, source };
            let chunk = self.source.fill_buf().map_err(wrong)?;
            if chunk.is_empty() {
                self.done = true;
                break;
            }
            let (behind, before) = (self.spot.place == Place::Behind, self.form.len());
            let (taken, ended) = cut.take(chunk, &mut self.form, &mut self.spot.line, &mut self.spot.place);
            self.source.consume(taken);
            self.spot.offset += taken as u64;
            let begun = cut.begun.unwrap_or(self.spot.line);
            if behind && self.form.len() > before {
                return Err(HistoryError::at(begun, "something follows the sequence of ops"));
            }
            if self.form.len() > LONGEST {
                return Err(HistoryError::at(begun, format!("a value of more than {LONGEST} bytes")));
            }
            if ended {
                return self.text(begun).map(Some);
            }
        }
        match cut.begun {
            Some(begun) if !self.form.is_empty() => self.text(begun).map(Some),
            _ if self.spot.place == Place::Inside => {
                Err(HistoryError::at(self.spot.line, "the text ends inside a sequence"))
            }
            _ => Ok(None),
        }
    }

    fn text(&self, line: usize) -> Result<(usize, &str), HistoryError> {
        match std::str::from_utf8(&self.form) {
            Ok(text) => Ok((line, text)),
            Err(error) => {
                let before = String::from_utf8_lossy(&self.form[..error.valid_up_to()]);
                Err(HistoryError::at(line + before.matches('\n').count(), "not UTF-8 text"))
            }
        }
    }
}

/// The value that is being cut out.
struct Cut {
    depth: usize,
    /// How many of the next values are to be ignored.
    owed: usize,
    state: State,
    /// Whether the word that is being read is the tag of a value.
    tag: bool,
    /// The line on which the text begins.
    begun: Option<usize>,
}

impl Cut {
    /// Takes bytes into `form` until its value ends; answers how many, and whether it ended.
    fn take(
        &mut self,
        chunk: &[u8],
        form: &mut Vec<u8>,
        line: &mut usize,
        place: &mut Place,
    ) -> (usize, bool) {
        let mut from = 0;
        for (at, byte) in chunk.iter().copied().enumerate() {
            if self.state == State::Word && !in_word(byte) {
                self.state = State::Space;
                if self.depth == 0 && !std::mem::take(&mut self.tag) && self.settle() {
                    form.extend_from_slice(&chunk[from..at]);
                    return (at, true);
                }
            }
            *line += usize::from(byte == b'\n');
            let closed = match self.state {
                State::Space if self.depth == 0 => {
                    match (*place, byte) {
                        (Place::Start, b'[' | b'(') if self.begun.is_none() => {
                            *place = Place::Inside;
                            from = at + 1;
                            continue;
                        }
                        (Place::Inside, b']' | b')') => {
                            // What is left over, such as a value to be ignored, is still to be looked at.
                            *place = Place::Behind;
                            form.extend_from_slice(&chunk[from..at]);
                            return (at + 1, self.begun.is_some());
                        }
                        (_, b';') => {}
                        (_, byte) if byte.is_ascii_whitespace() || byte == b',' => {
                            if self.begun.is_none() {
                                from = at + 1;
                            }
                            continue;
                        }
                        (Place::Start, _) => *place = Place::Lines,
                        _ => {}
                    }
                    if byte != b';' {
                        self.begun.get_or_insert(*line);
                    }
                    self.begin(byte)
                }
                State::Space => self.begin(byte),
                State::Comment => {
                    if byte == b'\n' {
                        self.state = State::Space;
                        if self.begun.is_none() {
                            from = at + 1;
                        }
                    }
                    false
                }
                State::Text { escaped: true } => {
                    self.state = State::Text { escaped: false };
                    false
                }
                State::Text { escaped: false } => match byte {
                    b'\\' => {
                        self.state = State::Text { escaped: true };
                        false
                    }
                    b'"' => {
                        self.state = State::Space;
                        self.depth == 0
                    }
                    _ => false,
                },
                // Its first byte belongs to it whatever it is.
                State::Character => {
                    self.state = State::Word;
                    false
                }
                State::Word => false,
                State::Hash => match byte {
                    b'_' => {
                        self.owed += usize::from(self.depth == 0);
                        self.state = State::Space;
                        false
                    }
                    b'{' => self.begin(byte),
                    _ => {
                        self.tag = self.depth == 0;
                        self.state = State::Word;
                        false
                    }
                },
            };
            if closed && self.settle() {
                form.extend_from_slice(&chunk[from..=at]);
                return (at + 1, true);
            }
        }
        if self.begun.is_some() {
            form.extend_from_slice(&chunk[from.min(chunk.len())..]);
        }
        (chunk.len(), false)
    }

    /// Begins what this byte begins; answers whether it ended a value at the top.
    fn begin(&mut self, byte: u8) -> bool {
        self.state = State::Space;
        match byte {
            b'[' | b'(' | b'{' => self.depth += 1,
            b']' | b')' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            b'"' => self.state = State::Text { escaped: false },
            b';' => self.state = State::Comment,
            b'\\' => self.state = State::Character,
            b'#' => self.state = State::Hash,
            b'^' => self.owed += usize::from(self.depth == 0),
            _ if self.depth == 0 => self.state = State::Word,
            _ => {}
        }
        false
    }

    /// A value ended; answers whether it is the one that counts.
    fn settle(&mut self) -> bool {
        if self.owed == 0 {
            return true;
        }
        self.owed -= 1;
        false
    }
}

/// Whether a byte goes on with a bare word.
fn in_word(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b",;\"()[]{}\\^`~@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::Forms;

    /// The values of a text that comes in pieces of `size` bytes.
    fn cut(text: &str, size: usize) -> Result<Vec<(usize, String)>, String> {
        let mut forms = Forms::new(BufReader::with_capacity(size, text.as_bytes()));
        let mut found = Vec::new();
        loop {
            match forms.next_form() {
                Ok(Some((line, form))) => found.push((line, form.to_owned())),
                Ok(None) => return Ok(found),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn whole(text: &str) -> Vec<(usize, String)> {
        cut(text, 4096).unwrap()
    }

    #[test]
    fn values_one_after_another_or_in_a_sequence() {
        let ops = "{:a \"}\\\"\"} ; {\n\n#t{:b [1 \\}]}\n {\"c\":{}},";
        let expected = [(1, "{:a \"}\\\"\"}"), (3, "#t{:b [1 \\}]}"), (4, "{\"c\":{}}")];
        assert_eq!(whole(ops), expected.map(|(line, text)| (line, text.to_owned())));
        for text in [format!("[{ops}]"), format!("\n; x\n( {ops} )\n; y")] {
            assert_eq!(whole(&text).len(), 3, "{text}");
        }
    }

    #[test]
    fn what_is_to_be_ignored_stays_with_the_next_value() {
        let found = whole("#_ #_ 1 [2] {:a 1} #_ x");
        assert_eq!(found, [(1, "#_ #_ 1 [2] {:a 1}".to_owned()), (1, "#_ x".to_owned())]);
        assert_eq!(whole("^{:m 1} {:a 1} 7"), [(1, "^{:m 1} {:a 1}".to_owned()), (1, "7".to_owned())]);
    }

    #[test]
    fn ends_that_are_missing_or_too_many() {
        assert_eq!(cut("\n[{}\n", 64), Err("line 3: the text ends inside a sequence".to_owned()));
        assert_eq!(cut("[]\n7", 64), Err("line 2: something follows the sequence of ops".to_owned()));
        assert_eq!(whole("{:a"), [(1, "{:a".to_owned())]);
        assert_eq!(whole("{} ]"), [(1, "{}".to_owned()), (1, "]".to_owned())]);
        assert!(whole(" ; nothing").is_empty());
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[\\[\\]{}()#_^:;,\"\\\\ a1\n\u{e9}]{0,40}", size in 1usize..9) {
            prop_assert_eq!(cut(&text, size), cut(&text, 4096));
        }
    }
}
