//! The certificate of a valid history, and its verification.

use std::collections::BTreeMap;

use rashomon_core::{History, Kind};
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
pub fn verify<M: Model>(mut model: M, history: &History, witness: &Witness<'_>) -> Result<(), WitnessError> {
    // By the index of the invocation: what it claims, and when it ended.
    let mut claims: Vec<Option<(M::Action, u32)>> = Vec::new();
    claims.resize_with(history.ops().len(), || None);
    let mut keys = history.pairs().map(|pair| pair.invoke.key.as_deref());
    let first_key = keys.next().flatten();
    let mut one_key = true;
    for pair in history.pairs() {
        one_key &= pair.invoke.key.as_deref() == first_key;
        if pair.outcome() == Kind::Fail {
            continue;
        }
        if let Some(action) = model.action(&pair).map_err(WitnessError::Unfit)? {
            let ended = pair.completion.filter(|op| op.kind == Kind::Ok);
            claims[pair.invoke.index as usize] = Some((action, ended.map_or(OPEN, |op| op.index as u32)));
        }
    }
    let mut placed = vec![false; claims.len()];
    for (key, order) in witness {
        let mut state = model.initial();
        let mut latest_call = None;
        for index in order {
            let claim = usize::try_from(*index).ok().and_then(|place| claims.get(place));
            let Some(Some((action, ended))) = claim else { return Err(WitnessError::Stranger(*index)) };
            let its = if one_key { first_key } else { history.ops()[*index as usize].key.as_deref() };
            if its != *key {
                return Err(WitnessError::Stranger(*index));
            }
            if std::mem::replace(&mut placed[*index as usize], true) {
                return Err(WitnessError::Twice(*index));
            }
            if let Some(call) = latest_call
                && u64::from(*ended) < call
            {
                return Err(WitnessError::RealTime(*index, call));
            }
            latest_call = latest_call.max(Some(*index));
            if !model.apply(&mut state, action) {
                return Err(WitnessError::Impossible(*index));
            }
        }
    }
    let required = |claim: &Option<(M::Action, u32)>| claim.as_ref().is_some_and(|(_, ended)| *ended != OPEN);
    match claims.iter().zip(&placed).position(|(claim, placed)| !placed && required(claim)) {
        Some(index) => Err(WitnessError::Missing(index as u64)),
        None => Ok(()),
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
