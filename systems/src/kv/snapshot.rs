//! The state as a list of small items, and back.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::machine::{Answer, Machine, Session};
use super::{Digest, Hasher, LONGEST_KEY};

/// A part of the state that can be restored on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A register.
    Register {
        /// Its key.
        key: String,
        /// What it holds.
        value: i64,
    },
    /// Some elements of a set.
    Elements {
        /// The key of the set.
        key: String,
        /// The elements, ascending.
        elements: Vec<i64>,
    },
    /// A line of the session table.
    Session {
        /// The session.
        session: u64,
        /// Its last request.
        sequence: u64,
        /// What that came to.
        answer: Answer,
    },
}

/// As many items as fit into one message.
pub type Chunk = Vec<Item>;

/// The bytes of JSON that a chunk fills at most.
const CHUNK_BYTES: usize = 5 << 10;

/// The elements of one item: with the longest number each, and the longest key, it still fits into a chunk.
const ELEMENTS: usize = 128;

/// Why a state cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// A key is longer than any request could have made it.
    #[error("a key of {0} bytes in a snapshot")]
    LongKey(usize),
}

impl Item {
    pub(super) fn hash_register(key: &str, value: i64) -> Digest {
        Hasher::new("register").text(key).maybe(Some(value)).finish()
    }

    pub(super) fn hash_element(key: &str, element: i64) -> Digest {
        Hasher::new("element").text(key).maybe(Some(element)).finish()
    }

    pub(super) fn hash_session(id: u64, session: Session) -> Digest {
        let hasher = Hasher::new("session").number(id).number(session.sequence);
        match session.answer {
            Answer::Written => hasher.text("written"),
            Answer::Swapped => hasher.text("swapped"),
            Answer::Mismatch(found) => hasher.text("mismatch").maybe(found),
            Answer::Added => hasher.text("added"),
        }
        .finish()
    }

    /// An upper bound of its JSON's length: a byte of a key takes six at worst, a number twenty.
    fn bytes(&self) -> usize {
        match self {
            Item::Register { key, .. } => 64 + 6 * key.len(),
            Item::Elements { key, elements } => 64 + 6 * key.len() + 21 * elements.len(),
            Item::Session { .. } => 160,
        }
    }
}

impl Machine {
    /// The whole state, in chunks that each fit into one message. Equal states give equal chunks.
    pub fn chunks(&self) -> Vec<Chunk> {
        let registers =
            self.registers.iter().map(|(key, value)| Item::Register { key: key.clone(), value: *value });
        let sets = self.sets.iter().flat_map(|(key, set)| {
            let elements: Vec<i64> = set.iter().copied().collect();
            elements
                .chunks(ELEMENTS)
                .map(|part| Item::Elements { key: key.clone(), elements: part.to_vec() })
                .collect::<Vec<_>>()
        });
        let sessions = self.sessions.iter().map(|(session, last)| Item::Session {
            session: *session,
            sequence: last.sequence,
            answer: last.answer,
        });
        let mut chunks = vec![Chunk::new()];
        let mut filled = 0;
        for item in registers.chain(sets).chain(sessions) {
            let bytes = item.bytes();
            if filled + bytes > CHUNK_BYTES && filled > 0 {
                chunks.push(Chunk::new());
                filled = 0;
            }
            filled += bytes;
            chunks.last_mut().expect("there is always a chunk to fill").push(item);
        }
        chunks
    }

    /// The state that [`Machine::chunks`] described.
    pub fn restore<'a>(items: impl IntoIterator<Item = &'a Item>) -> Result<Machine, RestoreError> {
        let mut machine = Machine::new();
        for item in items {
            match item {
                Item::Register { key, .. } | Item::Elements { key, .. } if key.len() > LONGEST_KEY => {
                    return Err(RestoreError::LongKey(key.len()));
                }
                Item::Register { key, value } => machine.set_register(key, *value),
                Item::Elements { key, elements } => {
                    for element in elements {
                        machine.add_element(key, *element);
                    }
                }
                Item::Session { session, sequence, answer } => {
                    machine.set_session(*session, Session { sequence: *sequence, answer: *answer });
                }
            }
        }
        Ok(machine)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rashomon_core::rpc::RequestId;

    use super::super::{Command, Proposal};
    use super::*;

    fn machine(commands: Vec<(u64, Command)>) -> Machine {
        let mut machine = Machine::new();
        for (sequence, (session, command)) in (1..).zip(commands) {
            machine.apply(&Proposal { id: Some(RequestId { session, sequence }), command });
        }
        machine
    }

    fn command() -> impl Strategy<Value = Command> {
        let key = "[a-c\u{0}\"é]{0,3}";
        prop_oneof![
            (key, any::<i64>()).prop_map(|(key, value)| Command::Write { key, value }),
            (key, any::<Option<i64>>(), any::<i64>()).prop_map(|(key, from, to)| Command::Cas {
                key,
                from,
                to
            }),
            (key, any::<i64>()).prop_map(|(key, element)| Command::Add { key, element }),
        ]
    }

    proptest! {
        #[test]
        fn a_snapshot_restores_everything(
            commands in proptest::collection::vec((0..4_u64, command()), 0..300),
        ) {
            let machine = machine(commands);
            let chunks = machine.chunks();
            let restored = Machine::restore(chunks.iter().flatten()).unwrap();
            prop_assert_eq!(restored.digest(), machine.digest());
            prop_assert_eq!(&restored, &machine);
            prop_assert_eq!(restored.chunks(), chunks);
        }
    }

    #[test]
    fn the_fullest_chunk_fits_into_a_message() {
        let key = "\u{1}".repeat(LONGEST_KEY);
        let mut commands: Vec<(u64, Command)> = (0..1000)
            .map(|element| (element as u64, Command::Add { key: key.clone(), element: i64::MIN + element }))
            .collect();
        commands.push((u64::MAX, Command::Cas { key: key.clone(), from: Some(1), to: 3 }));
        commands.push((u64::MAX - 1, Command::Write { key, value: i64::MIN }));
        let chunks = machine(commands).chunks();
        assert!(chunks.len() > 2);
        for chunk in chunks {
            let bytes = serde_json::to_string(&chunk).unwrap().len();
            assert!(bytes <= CHUNK_BYTES, "{bytes}");
        }
    }

    #[test]
    fn an_overlong_key_is_refused() {
        let item = Item::Register { key: "k".repeat(LONGEST_KEY + 1), value: 1 };
        assert_eq!(Machine::restore([&item]), Err(RestoreError::LongKey(LONGEST_KEY + 1)));
    }
}
