//! Whether every transfer happened as a whole or not at all, by what clients saw.

mod transfers;

use rashomon_core::{Anomaly, History, Kind, Process, Verdict};

use crate::{Budget, Checker};
use transfers::{Fate, Transfers};

/// The anomalies of one kind that are told one by one; the others are counted.
const TOLD: usize = 8;

/// Atomic commitment, as far as it can be judged from a history of a [bank](crate::bank).
///
/// A transfer is a transaction with two writes, on accounts that different nodes keep, and a read tells of each account
/// which transfers it has had. So a read *shows* a transfer on both sides, on one, or not at all. A transfer is
/// *known to be committed* when it was acknowledged, or when a read showed it: that is how `info` is resolved.
///
/// - *partial visibility*: a read shows it on one side only: so the two sides decided differently (AC1), or a read may
///   see between two of its writes;
/// - *aborted read* (G1a): a read shows it, and it failed;
/// - *lost commit*: it was acknowledged, and is missing from the last read that began after that, and was never seen
///   again;
/// - *reversed decision* (AC2): the same, where it was not acknowledged but a read had shown it;
/// - *phantom transfer*: a read shows it, and nobody had asked for it by then;
/// - *duplicate effect*: a read shows it twice on one side;
/// - *misplaced effect*: a read shows it on an account that has no part in it.
///
/// Each is *invalid*. A read that merely lacks a transfer which a later one shows is stale, which atomic
/// commitment does not forbid; linearizability does.
///
/// AC5, that all decide once every failure is repaired, is *unknown* where, after the last event of the nemesis, a
/// bank was asked for and could never be read: somebody may still hold its accounts. AC3 and AC4, and what nodes decide
/// and nobody reads, are white-box: the invariants of the chapter judge them.
///
/// *Unknown*, too, when no read showed a transfer.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtomicCommitment;

impl Checker for AtomicCommitment {
    fn name(&self) -> &'static str {
        "atomic-commitment"
    }

    fn about(&self) -> &'static str {
        "every transfer happens on both sides or on none, as its client was told, and stays"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        let transfers = match Transfers::follow(history, budget) {
            Ok(transfers) => transfers,
            Err(reason) => return Verdict::unknown(self.name(), reason),
        };
        let mut anomalies: Vec<Anomaly> = Vec::new();
        for fate in Fate::WRONG {
            anomalies.extend(transfers.with(fate).take(TOLD).map(|transfer| transfer.accuse(fate)));
        }
        let count = |fate: Fate| transfers.with(fate).count();
        let mut listed = vec![format!("{} transfers", transfers.len())];
        for fate in Fate::ALL {
            let many = count(fate);
            if many > 0 || fate == Fate::Shown {
                listed.push(format!("{many} {}", fate.words()));
            }
        }
        let summary = listed.join(", ");
        let mut verdict = if let Some(first) = anomalies.first() {
            let summary = format!("{}: {}; {summary}", first.name, first.because);
            Verdict::invalid(self.name(), summary, anomalies)
        } else if count(Fate::Shown) == 0 {
            Verdict::unknown(self.name(), format!("vacuous: no read showed a transfer; {summary}"))
        } else {
            let blocked = blocked(history);
            match blocked.first() {
                None => Verdict::valid(self.name(), summary),
                Some(first) => {
                    let mut verdict = Verdict::unknown(self.name(), first.clone());
                    verdict.unknown = blocked;
                    verdict
                }
            }
        };
        for fate in Fate::ALL {
            verdict = verdict.with_stat(fate.name(), count(fate));
        }
        verdict.with_stat("transfers", transfers.len())
    }
}

/// The banks that were asked for after the last event of the nemesis and could never be read, and the transfers that
/// may be the cause: one line each.
fn blocked(history: &History) -> Vec<String> {
    let Some(healed) = history.ops().iter().rposition(|op| op.process == Process::Nemesis) else {
        return Vec::new();
    };
    let mut banks: std::collections::BTreeMap<Option<&str>, (bool, Vec<u64>)> =
        std::collections::BTreeMap::new();
    for pair in history.pairs() {
        let late = pair.invoke.index > healed as u64;
        match (pair.invoke.f.as_str(), pair.outcome()) {
            ("read", outcome) if late => {
                let read = &mut banks.entry(pair.invoke.key.as_deref()).or_default().0;
                *read |= outcome == Kind::Ok;
            }
            _ => {}
        }
    }
    for pair in history.pairs().filter(|pair| pair.invoke.f == "transfer" && pair.outcome() == Kind::Info) {
        if let Some((_, open)) = banks.get_mut(&pair.invoke.key.as_deref()) {
            open.push(pair.invoke.index);
        }
    }
    banks
        .into_iter()
        .filter(|(_, (read, _))| !read)
        .map(|(key, (_, open))| {
            let key = key.unwrap_or("without a name");
            format!(
                "AC5: bank {key} could not be read after all was healed; the transfers of unknown end are those of the \
                 ops {open:?}"
            )
        })
        .collect()
}
