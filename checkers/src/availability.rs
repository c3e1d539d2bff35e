//! When operations succeeded.

use std::time::Duration;

use rashomon_core::{History, Kind, Process, Time, Verdict};
use serde_json::json;

use crate::{Budget, Checker};

/// The parts into which the time of a history is divided.
const BINS: u64 = 50;

/// Measures the fraction of operations that succeeded over time, and the longest time in which none did.
///
/// For information: *valid* whenever something was observed, since how much availability is owed is for a
/// workload to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Availability;

impl Checker for Availability {
    fn name(&self) -> &'static str {
        "availability"
    }

    fn about(&self) -> &'static str {
        "the fraction of operations that succeeded over time, and the longest gap without any; for information"
    }

    fn check(&self, history: &History, _budget: &Budget<'_>) -> Verdict {
        let clients = || history.ops().iter().filter(|op| op.process != Process::Nemesis);
        let (Some(start), Some(end)) = (clients().map(|op| op.time).min(), clients().map(|op| op.time).max())
        else {
            return Verdict::unknown(self.name(), "vacuous: the history has no operation");
        };
        let width = end.since(start).div_f64(BINS as f64).max(Duration::from_nanos(1));
        // For each bin: operations that ended ok there, and all that were invoked there and did not.
        let mut bins = vec![(0_u64, 0_u64); BINS as usize];
        let mut successes = vec![start];
        for pair in history.pairs() {
            let succeeded = pair.completion.filter(|op| op.kind == Kind::Ok);
            let bin = |time: Time| {
                let place = time.since(start).as_nanos() / width.as_nanos().max(1);
                usize::try_from(place).unwrap_or(usize::MAX).min(BINS as usize - 1)
            };
            match succeeded {
                Some(op) => {
                    bins[bin(op.time)].0 += 1;
                    successes.push(op.time);
                }
                None => bins[bin(pair.invoke.time)].1 += 1,
            }
        }
        successes.push(end);
        successes.sort_unstable();
        let (gap, from) = successes
            .windows(2)
            .map(|pair| (pair[1].since(pair[0]), pair[0]))
            .max_by_key(|(gap, from)| (*gap, std::cmp::Reverse(*from)))
            .unwrap_or_default();
        let ok: u64 = bins.iter().map(|bin| bin.0).sum();
        let all: u64 = ok + bins.iter().map(|bin| bin.1).sum::<u64>();
        let fraction = if all == 0 { 0.0 } else { ok as f64 / all as f64 };
        let summary = format!(
            "{:.1}% of {all} operations ok; longest time without any: {:.3} s, from {from}",
            100.0 * fraction,
            gap.as_secs_f64()
        );
        Verdict::valid(self.name(), summary)
            .with_stat("fraction", fraction)
            .with_stat("longest_gap", json!({ "from": from, "duration": gap.as_nanos() as u64 }))
            .with_stat("bin", width.as_nanos() as u64)
            .with_stat("start", json!(start))
            .with_stat("ok", bins.iter().map(|bin| bin.0).collect::<Vec<_>>())
            .with_stat("not_ok", bins.iter().map(|bin| bin.1).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{History, Validity};

    use super::Availability;
    use crate::notation::history;
    use crate::{Budget, Checker};

    #[test]
    fn the_longest_gap_is_found_with_its_start() {
        let history = history(
            "0 invoke read\n0 ok read\n0 invoke read\n0 fail read\n0 invoke read\n0 fail read\n\
             0 invoke read\n0 ok read\n0 invoke read\n0 ok read",
        );
        let verdict = Availability.check(&history, &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Valid);
        assert_eq!(verdict.stats["longest_gap"]["from"], 1_000_000);
        assert_eq!(verdict.stats["longest_gap"]["duration"], 6_000_000);
        assert_eq!(verdict.stats["fraction"], 0.6);
    }

    #[test]
    fn nothing_is_unknown() {
        let verdict = Availability.check(&History::default(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Unknown);
    }
}
