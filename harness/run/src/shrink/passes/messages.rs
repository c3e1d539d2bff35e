//! Messages that the network need not have touched.

use std::collections::BTreeSet;

use rashomon_core::Link;
use rashomon_sim::Override;

use super::super::bench::Bench;
use super::super::minimize::minimize;
use crate::schedule::Schedule;

/// How often what a message that is let pass brings about is looked at again.
const ROUNDS: u32 = 4;

/// Lets messages pass that were dropped, delayed, repeated or damaged, but for those that matter.
pub(super) fn untouched(bench: &Bench<'_>, mut story: Schedule) -> Schedule {
    let mut matter: BTreeSet<(Link, u64)> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let touched: Vec<(Link, u64)> =
            bench.touched(&story).into_iter().filter(|message| !matter.contains(message)).collect();
        if touched.is_empty() {
            break;
        }
        let all: BTreeSet<(Link, u64)> = touched.iter().copied().collect();
        let but = |kept: &[(Link, u64)]| -> Schedule {
            let kept: BTreeSet<&(Link, u64)> = kept.iter().collect();
            let passed = all.iter().filter(|message| !kept.contains(message));
            let mut messages = story.messages.clone();
            messages.extend(passed.map(|message| (*message, Override::Pass)));
            Schedule { messages, ..story.clone() }
        };
        let left = minimize(touched, &|count, kept| bench.first(count, &|number| but(&kept(number))));
        story = but(&left);
        matter.extend(left);
    }
    story
}
