//! From a recording to a verdict, by the name of a model.

use rashomon_core::{Value, Verdict};
use thiserror::Error;

use crate::atomic_commitment::AtomicCommitment;
use crate::bank::{Bank, Statement};
use crate::consensus::Consensus;
use crate::formats::{Beginning, Recording};
use crate::isolation::{Level, ListAppend, RwRegister};
use crate::linearizable::Linearizable;
use crate::lock::Lock;
use crate::models::{
    self, Counter, ElementSet, GrowList, GrowSet, Kv, MultiRegister, Mutex, NAMES, PriorityQueue, Queue,
    Register, Stack,
};
use crate::sessions::{Guarantee, Sequential, SessionGuarantees};
use crate::set::Set;
use crate::{BANK, Budget, Checker, Model, all, by_name};

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
    /// Whether linearizability is to be judged by the search alone, without monitors.
    pub by_search: bool,
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
    /// The search alone was asked for, and nothing is searched here.
    #[error("{0} is judged without a search, so it cannot be judged by the search alone")]
    NoSearch(String),
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
    let about = About {
        nil_reads_anything: recording.nil_reads_anything,
        timed: recording.timed,
        // Our own workload names its transfers, and all its banks begin alike.
        names_transfers: recording.history.pairs().any(|pair| pair.invoke.value.get("id").is_some()),
    };
    Ok(asked(name, about, question)?.check(&recording.history, budget))
}

/// The checker for a file that begins so, to judge it while it is read, by [`judge_stream`](crate::formats::judge_stream).
pub fn checker_of(beginning: Beginning, question: &Question) -> Result<Box<dyn Checker>, JudgeError> {
    let name = question.model.as_deref().or(beginning.model).ok_or(JudgeError::NoModel)?;
    let Beginning { format, .. } = beginning;
    let about = About {
        nil_reads_anything: format.nil_reads_anything(),
        timed: format.is_timed(),
        names_transfers: false,
    };
    asked(name, about, question)
}

/// What a checker should know of a recording.
#[derive(Clone, Copy, Debug)]
struct About {
    nil_reads_anything: bool,
    timed: bool,
    names_transfers: bool,
}

/// The name of the checkers that know of a search and of monitors.
const LINEARIZABLE: &str = "linearizable";

fn linearizable<M: Model + Send + Sync + 'static>(model: M, question: &Question) -> Box<dyn Checker> {
    let checker = Linearizable::new(model);
    Box::new(if question.by_search { checker.by_search() } else { checker })
}

/// The checker that a question asks, if it can be asked so.
fn asked(name: &str, about: About, question: &Question) -> Result<Box<dyn Checker>, JudgeError> {
    let checker = checker(name, about, question)?;
    // A checker with a name of its own is asked as it is.
    if question.by_search && checker.name() != LINEARIZABLE {
        return Err(JudgeError::NoSearch(name.to_owned()));
    }
    Ok(checker)
}

/// The checker that a question asks.
fn checker(name: &str, about: About, question: &Question) -> Result<Box<dyn Checker>, JudgeError> {
    let initial = question.initial.as_ref().filter(|value| !value.is_null());
    let refused = |model, value: &Value| JudgeError::Initial { model, value: value.to_string() };
    let first = initial.unwrap_or(&Value::Null);
    let wildcard = about.nil_reads_anything;
    let sessions = |checker: SessionGuarantees| -> Box<dyn Checker> {
        Box::new(checker.with_nil_reading_anything(wildcard).with_initial(first))
    };
    let guarantee = Guarantee::ALL.into_iter().find(|guarantee| guarantee.name() == name);
    if let Some(guarantee) = guarantee {
        return Ok(sessions(SessionGuarantees::only(guarantee)));
    }
    Ok(match name {
        "register" => {
            linearizable(Register::plain().with_nil_reading_anything(wildcard).with_initial(first), question)
        }
        "cas-register" => {
            linearizable(Register::cas().with_nil_reading_anything(wildcard).with_initial(first), question)
        }
        "multi-register" => {
            let model = MultiRegister::default().with_nil_reading_anything(wildcard);
            linearizable(model.with_initial(first), question)
        }
        "kv" => {
            let text = initial.map(|value| value.as_str().ok_or_else(|| refused("kv", value))).transpose()?;
            linearizable(Kv::default().with_initial(text.unwrap_or_default()), question)
        }
        "linearizable-counter" => {
            let count =
                initial.map(|value| value.as_i64().ok_or_else(|| refused("linearizable-counter", value)));
            linearizable(Counter::default().with_initial(count.transpose()?.unwrap_or_default()), question)
        }
        "sequential" => {
            Box::new(Sequential::default().with_nil_reading_anything(wildcard).with_initial(first))
        }
        "session-guarantees" => sessions(SessionGuarantees::default()),
        "bank" => Box::new(match initial {
            Some(value) => Bank::beginning_with(Statement::parse(value).map_err(|_| refused("bank", value))?),
            None if about.names_transfers => Bank::new(BANK),
            None => Bank::as_first_read(),
        }),
        other => {
            let checker =
                fixed(other, about, question).ok_or_else(|| JudgeError::UnknownModel(other.to_owned()))?;
            if let Some(value) = initial {
                let model = NAMES.into_iter().find(|name| *name == other).unwrap_or(checker.name());
                return Err(refused(model, value));
            }
            checker
        }
    })
}

/// The checker of that name whose objects have one beginning only.
fn fixed(name: &str, about: About, question: &Question) -> Option<Box<dyn Checker>> {
    // What a history says nothing of is not asked of it, unless by name.
    let strongest = if about.timed { Level::STRICT_SERIALIZABLE } else { Level::STRONG_SESSION_SERIALIZABLE };
    let promised = question.promised.unwrap_or(strongest);
    let (lists, registers) = (ListAppend::promising(promised), RwRegister::promising(promised));
    Some(match name {
        "queue" => linearizable(Queue::default(), question),
        "stack" => linearizable(Stack::default(), question),
        "priority-queue" => linearizable(PriorityQueue::default(), question),
        "set" => Box::new(Set::default()),
        "element-set" => linearizable(ElementSet::default(), question),
        "linearizable-set" => linearizable(GrowSet::default(), question),
        "linearizable-list" => linearizable(GrowList::default(), question),
        "mutex" => linearizable(Mutex::plain(), question),
        "lock" => linearizable(Mutex::fenced(), question),
        "sections" => Box::new(Lock),
        "list-append" => Box::new(if about.timed { lists } else { lists.untimed() }),
        "rw-register" => Box::new(if about.timed { registers } else { registers.untimed() }),
        "consensus" => Box::new(Consensus),
        "atomic-commitment" => Box::new(AtomicCommitment),
        "linearizable-bank" => linearizable(models::Bank::new(BANK), question),
        other => return by_name(other),
    })
}
