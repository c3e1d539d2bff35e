//! The certificate of a valid history, and its verification.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Op};
use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::Model;

/// For each key, an order of its operations that explains every answer: the indices of their invocations.
pub type Witness<'h> = BTreeMap<Option<&'h str>, Vec<u64>>;

/// When an operation that never returned ended.
const OPEN: u32 = u32::MAX;

/// Why an order is not a witness.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// Not an operation of that key, or one that certainly did not happen.
    #[error("{0} is not an operation of this key that may have happened")]
    Stranger(u64),
    /// An operation happens twice.
    #[error("operation {0} stands in the order twice")]
    Twice(u64),
    /// An operation that happened is not in the order.
    #[error("operation {0} happened and is not in the order")]
    Missing(u64),
    /// Two operations stand the wrong way round.
    #[error("operation {0} was over before operation {1} began and comes after it")]
    RealTime(u64, u64),
    /// The model does not allow it.
    #[error("operation {0} is impossible in the state that the order gives it")]
    Impossible(u64),
    /// The model does not know an operation.
    #[error("{0}")]
    Unfit(String),
}

/// Replays a witness against the history and the model: one step per operation.
///
/// It shares nothing with the search, neither its lists nor what it knows of effects, so that a mistake there
/// cannot hide here. Operations that are `ok` must all be in the order, unless the model says that they constrain
/// nothing; `info` ones may be; and each must come before all that began after it was over.
pub fn verify<M: Model>(model: M, history: &History, witness: &Witness<'_>) -> Result<(), WitnessError> {
    let mut ledger = Ledger::new(model);
    for pair in history.pairs() {
        let line = ledger.announce(pair.invoke);
        ledger.tell(line, &pair);
    }
    ledger.verify(witness)
}

/// What the verifier keeps of a history: a line for each operation, in the order of their calls.
#[derive(Debug)]
pub(crate) struct Ledger<M: Model> {
    model: M,
    lines: Vec<Line<M::Action>>,
    keys: Vec<Option<String>>,
    numbers: FxHashMap<Option<String>, usize>,
    /// The first operation that the model does not know, and the reason.
    unfit: Option<(u32, String)>,
}

#[derive(Debug)]
struct Line<A> {
    call: u32,
    /// [`OPEN`] for one that never returned.
    ended: u32,
    /// Which of the keys it is on.
    key: u32,
    /// What it claims, if it may have happened and constrains anything.
    claims: Option<A>,
}

impl<M: Model> Ledger<M> {
    pub(crate) fn new(model: M) -> Ledger<M> {
        Ledger { model, lines: Vec::new(), keys: Vec::new(), numbers: FxHashMap::default(), unfit: None }
    }

    /// Takes an operation that begins, and gives the number of its line.
    pub(crate) fn announce(&mut self, invoke: &Op) -> usize {
        let last = self.lines.last().map_or(0, |line| line.key as usize);
        let key = if self.keys.get(last) == Some(&invoke.key) { Some(last) } else { None };
        let key = key.or_else(|| self.numbers.get(&invoke.key).copied());
        let key = key.unwrap_or_else(|| {
            self.keys.push(invoke.key.clone());
            self.numbers.insert(invoke.key.clone(), self.keys.len() - 1);
            self.keys.len() - 1
        });
        self.lines.push(Line { call: invoke.index as u32, ended: OPEN, key: key as u32, claims: None });
        self.lines.len() - 1
    }

    /// Takes the end of the operation with that line.
    pub(crate) fn tell(&mut self, line: usize, pair: &Pair<'_>) {
        let line = &mut self.lines[line];
        if let Some(end) = pair.completion.filter(|op| op.kind == Kind::Ok) {
            line.ended = end.index as u32;
        } else if pair.outcome() == Kind::Fail {
            return;
        }
        match self.model.action(pair) {
            Ok(claims) => line.claims = claims,
            Err(reason) => {
                self.unfit.get_or_insert((line.call, reason));
            }
        }
    }

    /// What an operation takes, in bytes.
    pub(crate) const EACH: usize = size_of::<Line<M::Action>>();

    /// Makes room for so many operations.
    pub(crate) fn expect(&mut self, operations: usize) {
        // Without that room it goes on all the same.
        let _ = self.lines.try_reserve_exact(operations);
        self.model.expect(operations);
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * Self::EACH
    }

    /// Replays a witness.
    pub(crate) fn verify(&self, witness: &Witness<'_>) -> Result<(), WitnessError> {
        self.replay(witness.iter().map(|(key, order)| (*key, order.iter().copied())))
    }

    /// Replays a witness of which the orders are made on the way.
    pub(crate) fn replay<'k>(
        &self,
        witness: impl Iterator<Item = (Option<&'k str>, impl Iterator<Item = u64>)>,
    ) -> Result<(), WitnessError> {
        if let Some((call, reason)) = &self.unfit {
            return Err(WitnessError::Unfit(format!("op {call}: {reason}")));
        }
        let mut placed = vec![false; self.lines.len()];
        for (key, order) in witness {
            let mut state = self.model.initial();
            let mut latest_call = None;
            let mut near = 0;
            for index in order {
                let stranger = || WitnessError::Stranger(index);
                near = self.find(index, near).ok_or_else(stranger)?;
                let line = &self.lines[near];
                let action = line.claims.as_ref().ok_or_else(stranger)?;
                if self.keys[line.key as usize].as_deref() != key {
                    return Err(stranger());
                }
                if std::mem::replace(&mut placed[near], true) {
                    return Err(WitnessError::Twice(index));
                }
                if let Some(call) = latest_call
                    && line.ended < call
                {
                    return Err(WitnessError::RealTime(index, u64::from(call)));
                }
                latest_call = latest_call.max(Some(line.call));
                if !self.model.apply(&mut state, action) {
                    return Err(WitnessError::Impossible(index));
                }
            }
        }
        let required = |line: &Line<M::Action>| line.claims.is_some() && line.ended != OPEN;
        match self.lines.iter().zip(&placed).find(|(line, placed)| !**placed && required(line)) {
            Some((line, _)) => Err(WitnessError::Missing(u64::from(line.call))),
            None => Ok(()),
        }
    }

    /// The number of the line of a call. Most often it is near the one before.
    fn find(&self, call: u64, near: usize) -> Option<usize> {
        let is_before = |line: &Line<M::Action>| u64::from(line.call) < call;
        let (mut reach, mut low, mut high) = (1, near, near);
        while low > 0 && !is_before(&self.lines[low]) {
            low = near.saturating_sub(reach);
            reach *= 2;
        }
        reach = 1;
        while high < self.lines.len() && is_before(&self.lines[high]) {
            high = (near + reach).min(self.lines.len());
            reach *= 2;
        }
        let at = low + self.lines.get(low..high)?.partition_point(is_before);
        self.lines.get(at).filter(|line| u64::from(line.call) == call).map(|_| at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Witness, WitnessError, verify};
    use crate::models::Register;
    use crate::notation::history;

    fn judge(order: &[u64]) -> Result<(), WitnessError> {
        let history = history(
            "0 invoke write 1\n\
             0 ok write 1\n\
             1 invoke read\n\
             2 invoke write 2\n\
             1 ok read 2\n\
             2 info write 2\n\
             3 invoke write 3\n\
             3 fail write 3",
        );
        verify(Register::cas(), &history, &Witness::from([(None, order.to_vec())]))
    }

    #[test]
    fn a_witness_passes() {
        assert_eq!(judge(&[0, 3, 2]), Ok(()));
    }

    #[test]
    fn each_way_to_be_wrong_is_told_apart() {
        assert_eq!(judge(&[0, 3]), Err(WitnessError::Missing(2)));
        assert_eq!(judge(&[0, 2]), Err(WitnessError::Impossible(2)));
        assert_eq!(judge(&[3, 2, 0]), Err(WitnessError::RealTime(0, 3)));
        assert_eq!(judge(&[0, 3, 2, 3]), Err(WitnessError::Twice(3)));
        assert_eq!(judge(&[0, 6, 3, 2]), Err(WitnessError::Stranger(6)));
        assert_eq!(judge(&[0, 99, 3, 2]), Err(WitnessError::Stranger(99)));
    }
}
