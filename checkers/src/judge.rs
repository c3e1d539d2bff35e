//! From a recording to a verdict, by the name of a model.

use rashomon_core::{Value, Verdict};
use thiserror::Error;

use crate::atomic_commitment::AtomicCommitment;
use crate::bank::Bank;
use crate::consensus::Consensus;
use crate::formats::Recording;
use crate::isolation::{Level, ListAppend, RwRegister};
use crate::linearizable::Linearizable;
use crate::lock::Lock;
use crate::models::{self, GrowSet, Kv, Mutex, NAMES, Queue, Register};
use crate::set::Set;
use crate::{BANK, Budget, Checker, all, by_name};

/// What is asked of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The name of a model, one of [`names`]; without it, the one that the recording suggests.
    pub model: Option<String>,
    /// The value before the first operation, of every key; without it, the model's own.
    pub initial: Option<Value>,
    /// The isolation level that the database promised; without it, strict serializability.
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
    let initial = question.initial.as_ref();
    let refuse = |model| match initial {
        None | Some(Value::Null) => Ok(()),
        Some(value) => Err(JudgeError::Initial { model, value: value.to_string() }),
    };
    let register = |register: Register| {
        let register = register.with_nil_reading_anything(recording.nil_reads_anything);
        Linearizable::new(register.with_initial(initial.unwrap_or(&Value::Null)))
    };
    let checker: Box<dyn Checker> = match name {
        "register" => Box::new(register(Register::plain())),
        "cas-register" => Box::new(register(Register::cas())),
        "kv" => match initial {
            None | Some(Value::Null) => Box::new(Linearizable::new(Kv::default())),
            Some(Value::String(text)) => Box::new(Linearizable::new(Kv::default().with_initial(text))),
            Some(value) => return Err(JudgeError::Initial { model: "kv", value: value.to_string() }),
        },
        "queue" => {
            refuse("queue")?;
            Box::new(Linearizable::new(Queue::default()))
        }
        "set" => {
            refuse("set")?;
            Box::new(Set::default())
        }
        "linearizable-set" => {
            refuse("linearizable-set")?;
            Box::new(Linearizable::new(GrowSet::default()))
        }
        "mutex" => {
            refuse("mutex")?;
            Box::new(Linearizable::new(Mutex::plain()))
        }
        "lock" => {
            refuse("lock")?;
            Box::new(Linearizable::new(Mutex::fenced()))
        }
        "sections" => {
            refuse("sections")?;
            Box::new(Lock)
        }
        "list-append" => {
            refuse("list-append")?;
            Box::new(ListAppend::promising(question.promised.unwrap_or(Level::STRICT_SERIALIZABLE)))
        }
        "rw-register" => {
            refuse("rw-register")?;
            Box::new(RwRegister::promising(question.promised.unwrap_or(Level::STRICT_SERIALIZABLE)))
        }
        "consensus" => {
            refuse("consensus")?;
            Box::new(Consensus)
        }
        "bank" => {
            refuse("bank")?;
            Box::new(Bank::new(BANK))
        }
        "atomic-commitment" => {
            refuse("atomic-commitment")?;
            Box::new(AtomicCommitment)
        }
        "linearizable-bank" => {
            refuse("linearizable-bank")?;
            Box::new(Linearizable::new(models::Bank::new(BANK)))
        }
        other => {
            let checker = by_name(other).ok_or_else(|| JudgeError::UnknownModel(other.to_owned()))?;
            refuse(checker.name())?;
            checker
        }
    };
    Ok(checker.check(&recording.history, budget))
}
