//! A reader of EDN, the notation of Clojure's data.

use std::fmt;

use serde_json::{Map, Number, Value};
use thiserror::Error;

/// How deep collections may stand in each other: far deeper than any operation, far less than the stack.
const DEPTH: usize = 64;

/// One value of EDN.
#[derive(Clone, Debug, PartialEq)]
pub enum Edn {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// An integer or a decimal.
    Number(Number),
    /// A string, or a character.
    Text(String),
    /// `:name`, without its colon.
    Keyword(String),
    /// A bare name.
    Symbol(String),
    /// A vector, a list or a set, in the order written.
    Sequence(Vec<Edn>),
    /// A map, in the order written.
    Map(Vec<(Edn, Edn)>),
    /// A value with a tag before it, without its `#`.
    Tagged(String, Box<Edn>),
}

/// Why a text is not EDN.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct EdnError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Edn {
    /// The value in JSON: keywords and symbols become strings, tags are dropped.
    pub fn to_json(&self) -> Value {
        match self {
            Edn::Nil => Value::Null,
            Edn::Bool(yes) => Value::Bool(*yes),
            Edn::Number(number) => Value::Number(number.clone()),
            Edn::Text(text) | Edn::Keyword(text) | Edn::Symbol(text) => Value::String(text.clone()),
            Edn::Sequence(list) => list.iter().map(Edn::to_json).collect(),
            Edn::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let key = match key.to_json() {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    (key, value.to_json())
                });
                Value::Object(entries.collect::<Map<String, Value>>())
            }
            Edn::Tagged(_, value) => value.to_json(),
        }
    }

    /// The same as [`Edn::to_json`], without copies.
    pub fn into_json(self) -> Value {
        match self {
            Edn::Nil => Value::Null,
            Edn::Bool(yes) => Value::Bool(yes),
            Edn::Number(number) => Value::Number(number),
            Edn::Text(text) | Edn::Keyword(text) | Edn::Symbol(text) => Value::String(text),
            Edn::Sequence(list) => list.into_iter().map(Edn::into_json).collect(),
            Edn::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| {
                    let key = match key.into_json() {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    (key, value.into_json())
                });
                Value::Object(entries.collect::<Map<String, Value>>())
            }
            Edn::Tagged(_, value) => value.into_json(),
        }
    }
}

/// Reads one value after another.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `text`, whose first line has the number `line`.
    pub fn new(text: &'a str, line: usize) -> Reader<'a> {
        Reader { text, at: 0, line }
    }

    /// The next value and the line on which it begins, or `None` at the end of the text.
    pub fn next_value(&mut self) -> Result<Option<(usize, Edn)>, EdnError> {
        self.skip(0)?;
        let line = self.line;
        match self.peek() {
            None => Ok(None),
            Some(_) => Ok(Some((line, self.value(0)?))),
        }
    }

    fn wrong(&self, reason: impl fmt::Display) -> EdnError {
        EdnError { line: self.line, reason: reason.to_string() }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        self.line += usize::from(next == '\n');
        Some(next)
    }

    /// Passes white space, commas, comments and discarded values.
    fn skip(&mut self, depth: usize) -> Result<(), EdnError> {
        if depth > DEPTH {
            return Err(self.wrong(format!("values nested deeper than {DEPTH}")));
        }
        loop {
            match self.peek() {
                Some(next) if next.is_whitespace() || next == ',' => {
                    self.bump();
                }
                Some(';') => while self.bump().is_some_and(|next| next != '\n') {},
                Some('#') if self.text[self.at..].starts_with("#_") => {
                    self.bump();
                    self.bump();
                    self.skip(depth + 1)?;
                    self.value(depth + 1)?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Edn, EdnError> {
        if depth > DEPTH {
            return Err(self.wrong(format!("values nested deeper than {DEPTH}")));
        }
        self.skip(depth)?;
        match self.peek() {
            None => Err(self.wrong("the text ends where a value was due")),
            Some('[') => self.sequence(']', depth),
            Some('(') => self.sequence(')', depth),
            Some('{') => self.map(depth),
            Some('"') => self.string(),
            Some('\\') => self.character(),
            Some('#') => self.dispatch(depth),
            Some('^') => {
                self.bump();
                self.value(depth + 1)?;
                self.value(depth + 1)
            }
            Some(closing @ (']' | ')' | '}')) => Err(self.wrong(format!("`{closing}` closes nothing"))),
            Some(_) => self.atom(),
        }
    }

    fn sequence(&mut self, closing: char, depth: usize) -> Result<Edn, EdnError> {
        self.bump();
        let mut list = Vec::new();
        loop {
            self.skip(depth)?;
            match self.peek() {
                None => return Err(self.wrong(format!("the text ends before `{closing}`"))),
                Some(next) if next == closing => {
                    self.bump();
                    return Ok(Edn::Sequence(list));
                }
                Some(_) => list.push(self.value(depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Edn, EdnError> {
        let Edn::Sequence(list) = self.sequence('}', depth)? else {
            return Err(self.wrong("not a map"));
        };
        if list.len() % 2 == 1 {
            return Err(self.wrong("a map with a key and no value"));
        }
        let mut list = list.into_iter();
        let mut entries = Vec::with_capacity(list.len() / 2);
        while let (Some(key), Some(value)) = (list.next(), list.next()) {
            entries.push((key, value));
        }
        Ok(Edn::Map(entries))
    }

    fn string(&mut self) -> Result<Edn, EdnError> {
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(self.wrong("the text ends inside a string")),
                Some('"') => return Ok(Edn::Text(text)),
                Some('\\') => text.push(self.escape()?),
                Some(next) => text.push(next),
            }
        }
    }

    fn escape(&mut self) -> Result<char, EdnError> {
        match self.bump() {
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some(same @ ('"' | '\\' | '\'')) => Ok(same),
            Some('u') => {
                let digits: String = (0..4).filter_map(|_| self.bump()).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                // Halves of surrogate pairs are no characters of their own; what they meant is lost.
                code.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
                    .ok_or_else(|| self.wrong(format!("`\\u{digits}` is no character")))
            }
            Some(other) => Err(self.wrong(format!("`\\{other}` is no escape in a string"))),
            None => Err(self.wrong("the text ends inside a string")),
        }
    }

    fn character(&mut self) -> Result<Edn, EdnError> {
        self.bump();
        let first = self.bump().ok_or_else(|| self.wrong("the text ends after `\\`"))?;
        let name = format!("{first}{}", self.word());
        let character = match name.as_str() {
            "newline" => '\n',
            "space" => ' ',
            "tab" => '\t',
            "return" => '\r',
            other if other.chars().count() == 1 => first,
            other => match other.strip_prefix('u').map(|code| u32::from_str_radix(code, 16)) {
                Some(Ok(code)) => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                _ => return Err(self.wrong(format!("`\\{other}` is no character"))),
            },
        };
        Ok(Edn::Text(character.to_string()))
    }

    /// What follows `#`: a set, or a tag and its value.
    fn dispatch(&mut self, depth: usize) -> Result<Edn, EdnError> {
        self.bump();
        match self.peek() {
            Some('{') => self.sequence('}', depth),
            Some('#') => {
                self.bump();
                let word = self.word().to_owned();
                Err(self.wrong(format!("`##{word}` is no value of a history")))
            }
            _ => {
                let tag = self.word().to_owned();
                if tag.is_empty() {
                    return Err(self.wrong("`#` without a tag"));
                }
                Ok(Edn::Tagged(tag, Box::new(self.value(depth + 1)?)))
            }
        }
    }

    /// The longest run of characters that can stand in a bare word.
    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let ends = |next: char| next.is_whitespace() || ",;\"()[]{}\\^`~@".contains(next);
        let length = rest.find(ends).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn atom(&mut self) -> Result<Edn, EdnError> {
        let word = self.word();
        let mut start = word.chars();
        match start.next() {
            None => {
                let next = self.peek().unwrap_or_default();
                Err(self.wrong(format!("`{next}` begins no value")))
            }
            Some(':') if word.len() > 1 => Ok(Edn::Keyword(word[1..].to_owned())),
            Some('0'..='9') => self.number(word),
            Some('+' | '-') if start.next().is_some_and(|next| next.is_ascii_digit()) => self.number(word),
            Some(_) => Ok(match word {
                "nil" => Edn::Nil,
                "true" => Edn::Bool(true),
                "false" => Edn::Bool(false),
                other => Edn::Symbol(other.to_owned()),
            }),
        }
    }

    fn number(&self, word: &str) -> Result<Edn, EdnError> {
        let digits = word.trim_start_matches('+');
        let integer = digits.strip_suffix('N').unwrap_or(digits);
        if let Ok(number) = integer.parse::<i64>() {
            return Ok(Edn::Number(number.into()));
        }
        if let Ok(number) = integer.parse::<u64>() {
            return Ok(Edn::Number(number.into()));
        }
        let decimal = digits.strip_suffix('M').unwrap_or(digits);
        let is_decimal = decimal.contains(['.', 'e', 'E']);
        match decimal.parse::<f64>().ok().filter(|_| is_decimal).and_then(Number::from_f64) {
            Some(number) => Ok(Edn::Number(number)),
            None => Err(self.wrong(format!("`{word}` is no number that can be read"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Edn, Reader};

    fn read(text: &str) -> Result<Edn, String> {
        match Reader::new(text, 1).next_value() {
            Ok(Some((_, value))) => Ok(value),
            Ok(None) => Err("nothing".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn values_of_every_kind() {
        for (text, expected) in [
            ("nil", json!(null)),
            ("true", json!(true)),
            ("-12", json!(-12)),
            ("7N", json!(7)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("1.5e3", json!(1500.0)),
            (":a.b/c", json!("a.b/c")),
            ("\"a\\n\\\"\\u0041\"", json!("a\n\"A")),
            ("\"\\t\\r\\b\\f\\\\\\'\"", json!("\t\r\u{8}\u{c}\\'")),
            ("1.5M", json!(1.5)),
            ("[\\newline \\space \\tab \\return \\x \\u0041]", json!(["\n", " ", "\t", "\r", "x", "A"])),
            ("[1, [2 nil] (3) #{4}]", json!([1, [2, null], [3], [4]])),
            ("{:a 1, \"b\" [2] 3 4}", json!({"a": 1, "b": [2], "3": 4})),
            ("#inst \"2020\"", json!("2020")),
            ("; note\n #_ [1 2] #_#_ 1 2 ^{:a 1} 5", json!(5)),
        ] {
            assert_eq!(read(text).map(|value| value.to_json()), Ok(expected.clone()), "{text}");
            assert_eq!(read(text).map(Edn::into_json), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        for (text, expected) in [
            ("\n[1 2", "line 2: the text ends before `]`"),
            ("{:a}", "line 1: a map with a key and no value"),
            ("\"abc", "line 1: the text ends inside a string"),
            ("\n\n]", "line 3: `]` closes nothing"),
            ("12x", "line 1: `12x` is no number that can be read"),
            ("##NaN", "line 1: `##NaN` is no value of a history"),
            ("\"\\q\"", "line 1: `\\q` is no escape in a string"),
            ("# 1", "line 1: `#` without a tag"),
            ("@x", "line 1: `@` begins no value"),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for opening in ["[", "{", "#_", "#a ", "^", "#{", "^#_"] {
            let error = read(&opening.repeat(100_000)).unwrap_err();
            assert!(error.contains("nested deeper") || error.contains("text ends"), "{error}");
        }
        assert!(read(&"[".repeat(1000)).unwrap_err().contains("nested deeper than 64"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]{}()#_^:;,\"\\\\a0-9.+N\n \u{e9}-]{0,40}") {
            let _ = read(&text);
        }
    }
}
