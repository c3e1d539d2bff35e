//! The logs of Cobra: one file a session, of records of a letter and big-endian integers of 64 bits.
//!
//! `S id` begins a transaction and `C id` commits it, `A id` aborts it; `W write key value` and `R transaction write key value`
//! are its accesses. Values are told apart by their writes, whose numbers are unique; two of them stand for what was there
//! before the first write.

use std::collections::BTreeSet;

use rashomon_core::{HistoryError, Kind, Value};

use super::format::Format;
use super::recording::Recording;
use super::sessions::{Access, ORDER, Sessions, Transaction, UNTIMED, history};

/// The numbers that stand, as a write or as a transaction, for what was there before the first write.
const INITIAL: [i64; 2] = [0xdead_beef, 0xbebe_ebee];

/// The log of one session.
#[derive(Clone, Copy, Debug)]
pub struct CobraLog<'a> {
    /// The name of its file, for messages.
    pub name: &'a str,
    /// What the file holds.
    pub bytes: &'a [u8],
}

/// Whether bytes begin as such a log does.
pub fn is_cobra(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'S') && bytes.len() > 9 && matches!(bytes[9], b'R' | b'W' | b'C' | b'A')
}

/// Reads a history of all logs of its sessions.
///
/// Errors name the log, the byte at which a record begins, and the reason. Without a log whose transactions others read,
/// they would be accused of reading what nobody wrote: so that is an error.
pub fn read_cobra(logs: &[CobraLog<'_>]) -> Result<Recording, HistoryError> {
    let mut sessions = Sessions::new();
    let mut ids = BTreeSet::new();
    let mut sources = Vec::new();
    for log in logs {
        let mut records = Records { log: *log, at: 0, begun: 0 };
        sessions.push(records.session(&mut ids, &mut sources)?);
    }
    for (id, name, at) in sources {
        if !ids.contains(&id) {
            let reason = format!("it reads what transaction {id} wrote, which is in none of these logs");
            return Err(wrong(&name, at, &reason));
        }
    }
    Ok(Recording {
        history: history(&sessions)?,
        format: Format::Cobra,
        model: Some("rw-register"),
        nil_reads_anything: Format::Cobra.nil_reads_anything(),
        timed: Format::Cobra.is_timed(),
        notes: vec![UNTIMED.to_owned()],
        left_out: vec![
            ORDER.to_owned(),
            "the values, of which only the numbers of their writes were kept".to_owned(),
        ],
    })
}

fn wrong(name: &str, at: usize, reason: &str) -> HistoryError {
    HistoryError::at(1, format!("{name}: byte {at}: {reason}"))
}

/// A log, record by record.
struct Records<'a> {
    log: CobraLog<'a>,
    at: usize,
    /// Where the record begins that is being read.
    begun: usize,
}

impl Records<'_> {
    fn wrong(&self, reason: &str) -> HistoryError {
        wrong(self.log.name, self.begun, reason)
    }

    fn integer(&mut self) -> Result<i64, HistoryError> {
        let bytes = self.log.bytes.get(self.at..self.at + 8).and_then(|bytes| bytes.try_into().ok());
        self.at += 8;
        bytes.map(i64::from_be_bytes).ok_or_else(|| self.wrong("the log ends in the middle of this record"))
    }

    /// The transactions of the log. Adds their ids, and which transactions they read from, and where.
    fn session(
        &mut self,
        ids: &mut BTreeSet<i64>,
        sources: &mut Vec<(i64, String, usize)>,
    ) -> Result<Vec<Transaction>, HistoryError> {
        let mut session = Vec::new();
        let mut open: Option<(i64, Vec<Access>)> = None;
        while let Some(letter) = self.log.bytes.get(self.at).copied() {
            self.begun = self.at;
            self.at += 1;
            match (letter, &mut open) {
                (b'S', None) => {
                    let id = self.integer()?;
                    if !ids.insert(id) {
                        return Err(self.wrong(&format!("transaction {id} begins a second time")));
                    }
                    open = Some((id, Vec::new()));
                }
                (b'C' | b'A', Some((id, accesses))) => {
                    let ended = self.integer()?;
                    if ended != *id {
                        return Err(self.wrong(&format!("transaction {ended} ends while {id} is open")));
                    }
                    let kind = if letter == b'C' { Kind::Ok } else { Kind::Fail };
                    session.push(Transaction { kind, accesses: std::mem::take(accesses) });
                    open = None;
                }
                (b'W', Some((_, accesses))) => {
                    let [write, key, _] = [self.integer()?, self.integer()?, self.integer()?];
                    accesses.push(Access::Write { key: key.into(), value: write.into() });
                }
                (b'R', Some((_, accesses))) => {
                    let [from, write, key, _] =
                        [self.integer()?, self.integer()?, self.integer()?, self.integer()?];
                    let initial = INITIAL.contains(&write);
                    if !initial && !INITIAL.contains(&from) {
                        sources.push((from, self.log.name.to_owned(), self.begun));
                    }
                    let value = if initial { Value::Null } else { write.into() };
                    accesses.push(Access::Read { key: key.into(), value });
                }
                (b'S', Some((id, _))) => {
                    return Err(self.wrong(&format!("a transaction begins while {id} is open")));
                }
                (b'C' | b'A' | b'W' | b'R', None) => {
                    return Err(self.wrong("this record stands in no transaction"));
                }
                (other, _) => return Err(self.wrong(&format!("{other:#04x} begins no record"))),
            }
        }
        // Whether the last was committed, nobody wrote down.
        session.extend(open.map(|(_, accesses)| Transaction { kind: Kind::Info, accesses }));
        Ok(session)
    }
}
