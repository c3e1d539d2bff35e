//! The state machine itself.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::rpc::{ErrorCode, RequestId, RpcError};
use serde::{Deserialize, Serialize};

use super::{Command, Digest, Item, Proposal, Query, Reply};

/// What running a command came to; a session remembers its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The register was set.
    Written,
    /// The register held the expected value, and was set.
    Swapped,
    /// The register held this instead of the expected value, and was left alone.
    Mismatch(Option<i64>),
    /// The element is in the set.
    Added,
}

impl Answer {
    /// The answer as the client gets it.
    pub fn reply(self) -> Result<Reply, RpcError> {
        match self {
            Answer::Written => Ok(Reply::WriteOk),
            Answer::Swapped => Ok(Reply::CasOk),
            Answer::Added => Ok(Reply::AddOk),
            Answer::Mismatch(found) => {
                let found = found.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
                Err(RpcError::new(ErrorCode::PreconditionFailed, format!("the key holds {found}")))
            }
        }
    }
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was run, with this answer.
    Ran(Answer),
    /// It had been run before, with this answer.
    Repeated(Answer),
    /// Its session has moved on to a later request: nobody waits for the answer, and it is forgotten.
    Superseded,
}

impl Applied {
    /// The answer as the client gets it.
    pub fn reply(self) -> Result<Reply, RpcError> {
        match self {
            Applied::Ran(answer) | Applied::Repeated(answer) => answer.reply(),
            Applied::Superseded => {
                Err(RpcError::new(ErrorCode::Crash, "the session has moved on to a later request"))
            }
        }
    }
}

/// The last request of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) sequence: u64,
    pub(super) answer: Answer,
}

/// Registers, sets and the session table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub(super) registers: BTreeMap<String, i64>,
    pub(super) sets: BTreeMap<String, BTreeSet<i64>>,
    pub(super) sessions: BTreeMap<u64, Session>,
    digest: Digest,
}

impl Machine {
    /// A machine on which nothing was ever run.
    pub fn new() -> Machine {
        Machine::default()
    }

    /// The fingerprint of the whole state: equal states, and hardly any others, have equal ones.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Runs a proposal, unless its session says that it was run before.
    pub fn apply(&mut self, proposal: &Proposal) -> Applied {
        if let Some(id) = proposal.id
            && let Some(known) = self.recall(id)
        {
            return known;
        }
        Applied::Ran(self.run(proposal))
    }

    /// What the session table says of a request that was run before; `None` when it is new.
    fn recall(&self, id: RequestId) -> Option<Applied> {
        let session = self.sessions.get(&id.session)?;
        match id.sequence.cmp(&session.sequence) {
            Ordering::Less => Some(Applied::Superseded),
            Ordering::Equal => Some(Applied::Repeated(session.answer)),
            Ordering::Greater => None,
        }
    }

    /// Runs a proposal without asking the session table, which only a mistaken caller does directly.
    pub fn run(&mut self, proposal: &Proposal) -> Answer {
        let answer = match &proposal.command {
            Command::Write { key, value } => {
                self.set_register(key, *value);
                Answer::Written
            }
            Command::Cas { key, from, to } => {
                let found = self.registers.get(key).copied();
                if found == *from {
                    self.set_register(key, *to);
                    Answer::Swapped
                } else {
                    Answer::Mismatch(found)
                }
            }
            Command::Add { key, element } => {
                self.add_element(key, *element);
                Answer::Added
            }
        };
        if let Some(RequestId { session, sequence }) = proposal.id {
            self.set_session(session, Session { sequence, answer });
        }
        answer
    }

    /// Answers a question from the state as it is.
    pub fn answer(&self, query: &Query) -> Reply {
        match query {
            Query::Read { key } => Reply::ReadOk { value: self.registers.get(key).copied() },
            Query::ReadSet { key } => Reply::ReadSetOk {
                value: self.sets.get(key).map(|set| set.iter().copied().collect()).unwrap_or_default(),
            },
        }
    }

    pub(super) fn set_register(&mut self, key: &str, value: i64) {
        let old = self.registers.insert(key.to_owned(), value);
        self.exchange(old.map(|old| Item::hash_register(key, old)), Item::hash_register(key, value));
    }

    pub(super) fn add_element(&mut self, key: &str, element: i64) {
        if self.sets.entry(key.to_owned()).or_default().insert(element) {
            self.exchange(None, Item::hash_element(key, element));
        }
    }

    pub(super) fn set_session(&mut self, id: u64, session: Session) {
        let old = self.sessions.insert(id, session);
        self.exchange(old.map(|old| Item::hash_session(id, old)), Item::hash_session(id, session));
    }

    /// Replaces one item's part of the digest by another's.
    fn exchange(&mut self, old: Option<Digest>, new: Digest) {
        self.digest.0 = self.digest.0.wrapping_sub(old.unwrap_or_default().0).wrapping_add(new.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(session: u64, sequence: u64, command: Command) -> Proposal {
        Proposal { id: Some(RequestId { session, sequence }), command }
    }

    fn write(key: &str, value: i64) -> Command {
        Command::Write { key: key.into(), value }
    }

    fn cas(from: Option<i64>, to: i64) -> Command {
        Command::Cas { key: "x".into(), from, to }
    }

    #[test]
    fn cas_takes_what_it_expects_and_nothing_else() {
        let mut machine = Machine::new();
        assert_eq!(machine.apply(&ask(1, 1, cas(Some(1), 2))), Applied::Ran(Answer::Mismatch(None)));
        assert_eq!(machine.apply(&ask(1, 2, cas(None, 2))), Applied::Ran(Answer::Swapped));
        assert_eq!(machine.apply(&ask(1, 3, cas(None, 3))), Applied::Ran(Answer::Mismatch(Some(2))));
        assert_eq!(machine.answer(&Query::Read { key: "x".into() }), Reply::ReadOk { value: Some(2) });
        let error = Answer::Mismatch(Some(2)).reply().unwrap_err();
        assert_eq!(error.code, ErrorCode::PreconditionFailed);
    }

    #[test]
    fn a_repeated_request_is_answered_from_memory() {
        let mut machine = Machine::new();
        let first = ask(7, 1, cas(None, 2));
        assert_eq!(machine.apply(&first), Applied::Ran(Answer::Swapped));
        machine.apply(&ask(8, 1, write("x", 5)));
        let digest = machine.digest();
        assert_eq!(machine.apply(&first), Applied::Repeated(Answer::Swapped));
        assert_eq!(machine.digest(), digest, "nothing changed");
        machine.apply(&ask(7, 2, write("y", 1)));
        assert_eq!(machine.apply(&first), Applied::Superseded);
        assert_eq!(Applied::Superseded.reply().unwrap_err().code, ErrorCode::Crash);
    }

    #[test]
    fn without_an_id_every_request_is_new() {
        let mut machine = Machine::new();
        let request = Proposal { id: None, command: cas(None, 2) };
        assert_eq!(machine.apply(&request), Applied::Ran(Answer::Swapped));
        assert_eq!(machine.apply(&request), Applied::Ran(Answer::Mismatch(Some(2))));
    }

    #[test]
    fn the_digest_depends_on_the_state_and_not_on_the_way_to_it() {
        let run = |commands: &[Command]| {
            let mut machine = Machine::new();
            for command in commands {
                machine.apply(&Proposal { id: None, command: command.clone() });
            }
            machine.digest()
        };
        assert_eq!(run(&[write("x", 1), write("y", 2)]), run(&[write("y", 7), write("y", 2), write("x", 1)]));
        assert_ne!(run(&[write("x", 1)]), run(&[write("x", 2)]));
        assert_ne!(run(&[write("x", 1)]), run(&[Command::Add { key: "x".into(), element: 1 }]));
        let mut machine = Machine::new();
        machine.apply(&ask(1, 1, write("x", 1)));
        assert_ne!(machine.digest(), run(&[write("x", 1)]), "the session table is state too");
    }
}
