//! Delta debugging: a list from which nothing can be left out.
//!
//! Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input* (2002), in the form that only takes
//! away: large pieces first, then smaller ones, and single items until none can go.

/// Tries candidates by their numbers, and gives the first that still fails.
pub(super) type First<'a, T> = &'a dyn Fn(usize, &(dyn Fn(usize) -> Vec<T> + Sync)) -> Option<usize>;

/// What is left of `items` when no single one can be left out any more. The items themselves are known to fail.
pub(super) fn minimize<T: Clone + Sync>(mut items: Vec<T>, first: First<'_, T>) -> Vec<T> {
    if items.is_empty() || first(1, &|_| Vec::new()).is_some() {
        return Vec::new();
    }
    let mut size = items.len().div_ceil(2);
    loop {
        let mut from = 0;
        let mut removed = false;
        while from < items.len() {
            let pieces = (items.len() - from).div_ceil(size);
            let without = |piece: usize| {
                let begin = from + piece * size;
                let end = (begin + size).min(items.len());
                items[..begin].iter().chain(&items[end..]).cloned().collect::<Vec<T>>()
            };
            let Some(piece) = first(pieces, &without) else { break };
            items = without(piece);
            from += piece * size;
            removed = true;
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if !removed {
            return items;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Minimizes with a predicate, and counts how often it was asked.
    fn run(items: Vec<u32>, fails: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let asked = Cell::new(0);
        let left = minimize(items, &|count, candidate| {
            (0..count).find(|number| {
                asked.set(asked.get() + 1);
                fails(&candidate(*number))
            })
        });
        (left, asked.get())
    }

    #[test]
    fn what_fails_without_anything_is_empty() {
        assert_eq!(run((0..50).collect(), |_| true), (vec![], 1));
        assert_eq!(run(vec![], |_| panic!("there is nothing to try")), (vec![], 0));
    }

    #[test]
    fn a_single_culprit_among_many_takes_few_attempts() {
        let (left, asked) = run((0..1000).collect(), |items| items.contains(&613));
        assert_eq!(left, [613]);
        assert!(asked < 60, "{asked} attempts");
    }

    proptest! {
        /// Where more never helps, exactly what is needed is left, in its order.
        #[test]
        fn exactly_what_is_needed_is_left(count in 1_u32..60, needed in prop::collection::btree_set(0_u32..60, 1..6)) {
            let needed: BTreeSet<u32> = needed.into_iter().map(|item| item % count).collect();
            let fails = |items: &[u32]| needed.iter().all(|item| items.contains(item));
            let (left, _) = run((0..count).collect(), fails);
            prop_assert_eq!(left, needed.into_iter().collect::<Vec<_>>());
        }

        /// Whatever the predicate, what is left fails, and without any one item does not.
        #[test]
        fn nothing_can_be_left_out(count in 1_u32..40, salt in any::<u64>()) {
            let all: Vec<u32> = (0..count).collect();
            let fails = |items: &[u32]| {
                let mixed = items.iter().fold(salt, |hash, item| (hash ^ u64::from(*item)).wrapping_mul(0x0100_0000_01b3));
                items.len() == count as usize || (mixed >> 7).is_multiple_of(3)
            };
            let (left, _) = run(all, fails);
            prop_assert!(left.is_empty() || fails(&left));
            for place in 0..left.len() {
                let mut less = left.clone();
                less.remove(place);
                prop_assert!(!fails(&less), "{less:?} of {left:?} fails as well");
            }
        }
    }
}
