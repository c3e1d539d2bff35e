//! From a recording to a verdict, by the name of a model.

use rashomon_core::{Value, Verdict};
use thiserror::Error;

use crate::atomic_commitment::AtomicCommitment;
use crate::bank::{Bank, Statement};
use crate::consensus::Consensus;
use crate::formats::Recording;
use crate::isolation::{Level, ListAppend, RwRegister};
use crate::linearizable::Linearizable;
use crate::lock::Lock;
use crate::models::{
    self, Counter, ElementSet, GrowList, GrowSet, Kv, MultiRegister, Mutex, NAMES, PriorityQueue, Queue,
    Register, Stack,
};
use crate::sessions::{Guarantee, Sequential, SessionGuarantees};
use crate::set::Set;
use crate::{BANK, Budget, Checker, all, by_name};

/// What is asked of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The name of a model, one of [`names`]; without it, the one that the recording suggests.
    pub model: Option<String>,
    /// The value before the first operation, of every key; without it, the model's own.
    pub initial: Option<Value>,
    /// The isolation level that the database promised; without it, strict serializability, or strong session
    /// serializability where the recording says nothing of real time.
    pub promised: Option<Level>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JudgeError {
    /// No such model.
    #[error("`{0}` is no model; models are {list}", list = names().join(", "))]
    UnknownModel(String),
    /// None was named and the operations are of none.
    #[error("no model fits these operations; name one of {list}", list = names().join(", "))]
    NoModel,
    /// The model cannot begin with this value.
    #[error("the model {model} cannot begin with {value}")]
    Initial {
        /// The model.
        model: &'static str,
        /// The value, as JSON.
        value: String,
    },
}

/// The names by which a recording can be judged: of models, and of the checkers that no model stands for.
pub fn names() -> Vec<&'static str> {
    let mut names = NAMES.to_vec();
    for checker in all() {
        if !names.contains(&checker.name()) {
            names.push(checker.name());
        }
    }
    names
}

/// Judges a recording.
pub fn judge(recording: &Recording, question: &Question, budget: &Budget<'_>) -> Result<Verdict, JudgeError> {
    let name = question.model.as_deref().or(recording.model).ok_or(JudgeError::NoModel)?;
    Ok(checker(name, recording, question)?.check(&recording.history, budget))
}

/// The checker that a question asks.
fn checker(name: &str, recording: &Recording, question: &Question) -> Result<Box<dyn Checker>, JudgeError> {
    let initial = question.initial.as_ref().filter(|value| !value.is_null());
    let refused = |model, value: &Value| JudgeError::Initial { model, value: value.to_string() };
    let first = initial.unwrap_or(&Value::Null);
    let wildcard = recording.nil_reads_anything;
    let sessions = |checker: SessionGuarantees| -> Box<dyn Checker> {
        Box::new(checker.with_nil_reading_anything(wildcard).with_initial(first))
    };
    let guarantee = Guarantee::ALL.into_iter().find(|guarantee| guarantee.name() == name);
    if let Some(guarantee) = guarantee {
        return Ok(sessions(SessionGuarantees::only(guarantee)));
    }
    Ok(match name {
        "register" => Box::new(Linearizable::new(
            Register::plain().with_nil_reading_anything(wildcard).with_initial(first),
        )),
        "cas-register" => Box::new(Linearizable::new(
            Register::cas().with_nil_reading_anything(wildcard).with_initial(first),
        )),
        "multi-register" => {
            let model = MultiRegister::default().with_nil_reading_anything(wildcard);
            Box::new(Linearizable::new(model.with_initial(first)))
        }
        "kv" => {
            let text = initial.map(|value| value.as_str().ok_or_else(|| refused("kv", value))).transpose()?;
            Box::new(Linearizable::new(Kv::default().with_initial(text.unwrap_or_default())))
        }
        "linearizable-counter" => {
            let count =
                initial.map(|value| value.as_i64().ok_or_else(|| refused("linearizable-counter", value)));
            Box::new(Linearizable::new(
                Counter::default().with_initial(count.transpose()?.unwrap_or_default()),
            ))
        }
        "sequential" => {
            Box::new(Sequential::default().with_nil_reading_anything(wildcard).with_initial(first))
        }
        "session-guarantees" => sessions(SessionGuarantees::default()),
        "bank" => Box::new(match initial {
            Some(value) => Bank::beginning_with(Statement::parse(value).map_err(|_| refused("bank", value))?),
            // Our own workload names its transfers, and all its banks begin alike.
            None if recording.history.pairs().any(|pair| pair.invoke.value.get("id").is_some()) => {
                Bank::new(BANK)
            }
            None => Bank::as_first_read(),
        }),
        other => {
            let checker = fixed(other, recording, question)
                .ok_or_else(|| JudgeError::UnknownModel(other.to_owned()))?;
            if let Some(value) = initial {
                let model = NAMES.into_iter().find(|name| *name == other).unwrap_or(checker.name());
                return Err(refused(model, value));
            }
            checker
        }
    })
}

/// The checker of that name whose objects have one beginning only.
fn fixed(name: &str, recording: &Recording, question: &Question) -> Option<Box<dyn Checker>> {
    // What a history says nothing of is not asked of it, unless by name.
    let strongest =
        if recording.timed { Level::STRICT_SERIALIZABLE } else { Level::STRONG_SESSION_SERIALIZABLE };
    let promised = question.promised.unwrap_or(strongest);
    let (lists, registers) = (ListAppend::promising(promised), RwRegister::promising(promised));
    Some(match name {
        "queue" => Box::new(Linearizable::new(Queue::default())),
        "stack" => Box::new(Linearizable::new(Stack::default())),
        "priority-queue" => Box::new(Linearizable::new(PriorityQueue::default())),
        "set" => Box::new(Set::default()),
        "element-set" => Box::new(Linearizable::new(ElementSet::default())),
        "linearizable-set" => Box::new(Linearizable::new(GrowSet::default())),
        "linearizable-list" => Box::new(Linearizable::new(GrowList::default())),
        "mutex" => Box::new(Linearizable::new(Mutex::plain())),
        "lock" => Box::new(Linearizable::new(Mutex::fenced())),
        "sections" => Box::new(Lock),
        "list-append" => Box::new(if recording.timed { lists } else { lists.untimed() }),
        "rw-register" => Box::new(if recording.timed { registers } else { registers.untimed() }),
        "consensus" => Box::new(Consensus),
        "atomic-commitment" => Box::new(AtomicCommitment),
        "linearizable-bank" => Box::new(Linearizable::new(models::Bank::new(BANK))),
        other => return by_name(other),
    })
}
