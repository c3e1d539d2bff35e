//! The text of one event in JSON or in EDN, read in one pass without a value in between.
//!
//! It knows the usual spelling of events and says nothing of any other, which then goes the general way: so it decides
//! nothing but speed.

use rashomon_core::Kind;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Json,
    Edn,
}

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    notation: Notation,
}

impl<'t> Scan<'t> {
    /// The beginning of a text.
    pub(crate) fn new(text: &'t [u8], notation: Notation) -> Scan<'t> {
        Scan { text, at: 0, notation }
    }

    /// Whether nothing but blanks is left.
    pub(crate) fn is_over(&mut self) -> bool {
        self.skip();
        self.at == self.text.len()
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    /// Passes over so many bytes of what is left.
    pub(crate) fn advance(&mut self, length: usize) {
        self.at += length;
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Passes over blanks; in EDN commas are blanks.
    pub(crate) fn skip(&mut self) {
        let comma = self.notation == Notation::Edn;
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',') = self.peek() {
            if self.peek() == Some(b',') && !comma {
                return;
            }
            self.at += 1;
        }
    }

    pub(crate) fn open(&mut self, bracket: u8) -> Option<()> {
        self.skip();
        self.pass(bracket)
    }

    pub(crate) fn pass(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Whether a collection ends here; else it stands before its next element, past the comma that JSON needs.
    pub(crate) fn close(&mut self, bracket: u8, first: bool) -> Option<bool> {
        self.skip();
        if self.peek()? == bracket {
            self.at += 1;
            return Some(true);
        }
        if self.notation == Notation::Json && !first {
            self.pass(b',')?;
            self.skip();
            (self.peek()? != bracket).then_some(())?;
        }
        Some(false)
    }

    /// The name of a field, up to its value.
    pub(crate) fn name(&mut self) -> Option<&'t str> {
        let name = match self.notation {
            Notation::Json => {
                let name = self.quoted()?;
                self.skip();
                self.pass(b':')?;
                name
            }
            Notation::Edn => self.keyword()?,
        };
        self.skip();
        Some(name)
    }

    /// A text in quotes, without anything that is escaped.
    pub(crate) fn quoted(&mut self) -> Option<&'t str> {
        self.pass(b'"')?;
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        (rest[length] == b'"').then_some(())?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).ok()
    }

    pub(crate) fn keyword(&mut self) -> Option<&'t str> {
        self.pass(b':')?;
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let length = rest.iter().position(ends)?;
        (length > 0).then_some(())?;
        self.at += length;
        std::str::from_utf8(&rest[..length]).ok()
    }

    /// A text, or in EDN a keyword.
    pub(crate) fn word(&mut self) -> Option<&'t str> {
        if self.peek()? == b':' && self.notation == Notation::Edn { self.keyword() } else { self.quoted() }
    }

    /// Passes over a text, or in EDN a keyword, if it is this one.
    pub(crate) fn is_word(&mut self, word: &str) -> bool {
        let Some(rest) = self.text.get(self.at + 1..).and_then(|rest| rest.strip_prefix(word.as_bytes()))
        else {
            return false;
        };
        let quoted = self.peek() == Some(b'"');
        let is_it = if quoted {
            rest.first() == Some(&b'"')
        } else {
            self.notation == Notation::Edn
                && self.peek() == Some(b':')
                && matches!(rest.first(), Some(b' ' | b','))
        };
        if is_it {
            self.at += 1 + word.len() + usize::from(quoted);
        }
        is_it
    }

    pub(crate) fn count(&mut self) -> Option<u64> {
        u64::try_from(self.integer()?).ok()
    }

    /// An integer that needs no more than 18 digits.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let start = self.at;
        let mut integer = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            integer = integer * 10 + i64::from(digit - b'0');
            self.at += 1;
            (self.at - start <= 18).then_some(())?;
        }
        let digits = self.at - start;
        let plain = digits > 0 && (digits == 1 || self.text[start] != b'0') && !(negative && integer == 0);
        let ends = matches!(self.peek()?, b' ' | b',' | b']' | b'}' | b'\t' | b'\r' | b'\n');
        (plain && ends).then_some(if negative { -integer } else { integer })
    }

    pub(crate) fn nothing(&mut self) -> Option<()> {
        let word: &[u8] = match self.notation {
            Notation::Json => b"null",
            Notation::Edn => b"nil",
        };
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        let ends = matches!(self.peek()?, b' ' | b',' | b']' | b'}');
        (found && ends).then_some(())
    }

    /// What an op says about its operation.
    pub(crate) fn kind(&mut self) -> Option<Kind> {
        Some(match self.word()? {
            "invoke" => Kind::Invoke,
            "ok" => Kind::Ok,
            "fail" => Kind::Fail,
            "info" => Kind::Info,
            _ => return None,
        })
    }
}
