//! Several registers, read and written together.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model};

/// Registers by name, where one operation may read and write several of them at once.
///
/// Operations, as in Knossos: `txn`, `read` or `write` with a list of micro-operations, each `["r", register, value]`
/// or `["w", register, value]` (`read` and `write` are taken too), done in their order. The values read are those of
/// the completion. A history is linearizable for this model when the transactions are strictly serializable, so there
/// is one state of all registers, and no partition by register.
#[derive(Clone, Debug)]
pub struct MultiRegister {
    values: Values,
    initial: Value,
    nil_reads_anything: bool,
}

/// What one operation on a [`MultiRegister`] claims: its micro-operations.
pub type MultiRegisterAction = Arc<[Access]>;

/// One micro-operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The register had this value.
    Read(Datum, Datum),
    /// The register has this value from then on.
    Write(Datum, Datum),
}

impl Default for MultiRegister {
    fn default() -> MultiRegister {
        MultiRegister { values: Values::default(), initial: Value::Null, nil_reads_anything: false }
    }
}

impl MultiRegister {
    /// The same registers with other values at first: an object from registers to values, where those not named have
    /// `null`, or one value for all of them.
    pub fn with_initial(mut self, initial: &Value) -> MultiRegister {
        self.initial = initial.clone();
        self
    }

    /// The same registers, where a read of `null` means that the value read was not recorded.
    pub fn with_nil_reading_anything(mut self, yes: bool) -> MultiRegister {
        self.nil_reads_anything = yes;
        self
    }

    fn access(&mut self, micro_op: &Value) -> Result<Option<Access>, String> {
        let parts = micro_op.as_array().map(Vec::as_slice);
        let Some([verb, register, value]) = parts else {
            return Err(format!("a micro-operation is [verb, register, value], not {micro_op}"));
        };
        match verb.as_str() {
            Some("r" | "read") if value.is_null() && self.nil_reads_anything => Ok(None),
            Some("r" | "read") => {
                Ok(Some(Access::Read(self.values.intern(register), self.values.intern(value))))
            }
            Some("w" | "write") => {
                Ok(Some(Access::Write(self.values.intern(register), self.values.intern(value))))
            }
            _ => Err(format!("a micro-operation reads (`r`) or writes (`w`), unlike {micro_op}")),
        }
    }

    /// What the register was at first.
    fn first(&self, register: Datum) -> Value {
        match &self.initial {
            Value::Object(by_name) => {
                let name = self.values.get(register);
                let text = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                by_name.get(&text).cloned().unwrap_or_default()
            }
            same => same.clone(),
        }
    }
}

impl Model for MultiRegister {
    /// The registers that were written.
    type State = Arc<BTreeMap<Datum, Datum>>;
    type Action = MultiRegisterAction;

    fn name(&self) -> &'static str {
        "multi-register"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<MultiRegisterAction>, String> {
        if !matches!(pair.invoke.f.as_str(), "txn" | "read" | "write") {
            return Err(format!("the model multi-register has no operation `{}`", pair.invoke.f));
        }
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok);
        let said = answer.map_or(&pair.invoke.value, |op| &op.value);
        let Some(list) = said.as_array() else {
            return Err(format!(
                "an operation on several registers is a list of micro-operations, not {said}"
            ));
        };
        let mut accesses = Vec::new();
        for micro_op in list {
            accesses.extend(self.access(micro_op)?);
        }
        if answer.is_none() {
            // What it would have read is not known, only that it read.
            accesses.retain(|access| matches!(access, Access::Write(..)));
        }
        Ok((!accesses.is_empty()).then(|| accesses.into()))
    }

    fn step(&self, state: &Self::State, action: &MultiRegisterAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &MultiRegisterAction) -> bool {
        action.iter().all(|access| match *access {
            Access::Read(register, value) => match state.get(&register) {
                Some(now) => *now == value,
                None => self.values.get(value) == self.first(register),
            },
            Access::Write(register, value) => {
                Arc::make_mut(state).insert(register, value);
                true
            }
        })
    }

    fn effect(&self, action: &MultiRegisterAction) -> Effect<Self::State> {
        if action.iter().all(|access| matches!(access, Access::Read(..))) {
            Effect::Pure
        } else {
            Effect::Any
        }
    }

    fn show(&self, state: &Self::State) -> Value {
        let name = |register: Datum| {
            let name = self.values.get(register);
            name.as_str().map_or_else(|| name.to_string(), str::to_owned)
        };
        let shown = state.iter().map(|(register, value)| (name(*register), self.values.get(*value)));
        Value::Object(shown.collect())
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * 16 + 64
    }
}
