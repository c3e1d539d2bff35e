//! What a search is asked: which claims bind, and which are merely possible.

use super::partition::{NEVER, Partition};
use crate::Model;

/// A claim as it takes part in a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its place in the partition.
    pub(crate) claim: u32,
    pub(crate) call: u32,
    /// [`NEVER`] makes it optional.
    pub(crate) ret: u32,
}

/// Everything the partition claims.
pub(crate) fn whole<M: Model>(partition: &Partition<M>) -> Vec<Item> {
    prefix(partition, NEVER)
}

/// What the partition claims about the events before the rank `end`: an operation that returned later had not
/// returned yet.
pub(crate) fn prefix<M: Model>(partition: &Partition<M>, end: u32) -> Vec<Item> {
    let before = partition.claims.partition_point(|claim| claim.call < end);
    (0..before)
        .map(|index| {
            let claim = &partition.claims[index];
            let ret = if claim.ret < end { claim.ret } else { NEVER };
            Item { claim: index as u32, call: claim.call, ret }
        })
        .filter(|item| item.ret != NEVER || !partition.claims[item.claim as usize].effect.is_pure())
        .collect()
}

/// What remains when all claims but those in `keep`, which is sorted, are set aside: their reads vanish, and their
/// updates may take effect at any time or never.
///
/// Whatever order explains all claims also explains this, so when nothing explains this, nothing explains all.
/// Only the claims of the `field` are looked at: all, or those that could matter.
pub(crate) fn kept<M: Model>(
    partition: &Partition<M>,
    field: impl Iterator<Item = usize>,
    keep: &[usize],
) -> Vec<Item> {
    let item = |index: usize| {
        let claim = &partition.claims[index];
        if keep.binary_search(&index).is_ok() {
            Some(Item { claim: index as u32, call: claim.call, ret: claim.ret })
        } else if claim.effect.is_pure() {
            None
        } else {
            Some(Item { claim: index as u32, call: 0, ret: NEVER })
        }
    };
    let mut items: Vec<Item> = field.filter_map(item).collect();
    items.sort_by_key(|item| item.call);
    items
}
