//! Whether what was decided was decided once, and was proposed.

mod decree;

use std::collections::BTreeMap;

use rashomon_core::{Anomaly, History, Verdict};

use crate::models::Values;
use crate::{Budget, Checker};
use decree::Decree;

/// The anomalies of one kind that are told one by one; the others are counted.
const TOLD: usize = 8;

/// Judges consensus: of the values that are proposed for a key, at most one is decided, ever.
///
/// Operations: `propose` with the value proposed, whose `ok` value is the one decided; `learn`, whose `ok` value is
/// the one decided, or nil. Each key is a decree of its own. An *answer* is an `ok` that is not nil: it says what is
/// decided.
///
/// Required, and *invalid* otherwise:
///
/// - *agreement*: all answers about a key name the same value, whoever gave them and whenever, the final reads among
///   them;
/// - *integrity*: a node decides once: two answers of one node about a key never differ, also when the node started
///   again in between. Every breach of it is one of agreement too, and is told as both;
/// - *validity*: a value that an answer names was proposed on that key, by an operation that began before the answer
///   came. One that ended `fail` certainly did not happen, so nothing that it proposed may be decided; one that ended
///   `info`, or not at all, may have been heard, so its value may be.
///
/// Not required, and never held against anybody:
///
/// - that a proposer is told its own value;
/// - that a node knows what others know: nil says that it knows nothing now. It may say so after another was told the
///   decision, and after it knew the decision itself, for a node that starts again may have to learn anew. Such
///   answers are counted as `late_nils`;
/// - *termination*: no algorithm can promise it while messages are lost, and a history does not say when they cease
///   to be. How many keys were decided is counted; keys of which nobody heard a decision are `undecided`.
///
/// *Unknown* when no answer names a value, because then nothing was put to the test.
#[derive(Clone, Copy, Debug, Default)]
pub struct Consensus;

impl Checker for Consensus {
    fn name(&self) -> &'static str {
        "consensus"
    }

    fn about(&self) -> &'static str {
        "agreement, integrity, validity: at most one value is decided for a key, and it was proposed"
    }

    fn check<'h>(&self, history: &'h History, budget: &Budget<'_>) -> Verdict {
        let mut values = Values::default();
        let mut decrees: BTreeMap<Option<&str>, Decree<'h>> = BTreeMap::new();
        for pair in history.pairs() {
            let decree = decrees.entry(pair.invoke.key.as_deref()).or_default();
            if let Err(reason) = decree.take(pair, &mut values) {
                return Verdict::unknown(self.name(), reason);
            }
            if pair.invoke.index.is_multiple_of(512) && (budget.expired)() {
                return Verdict::unknown(self.name(), "time budget exhausted");
            }
        }
        for decree in decrees.values_mut() {
            decree.close();
        }
        let accusations: [fn(&Decree<'h>, &Values) -> Option<Anomaly>; 3] =
            [Decree::disagreement, Decree::change, Decree::invention];
        let mut anomalies = Vec::new();
        let mut counts = Vec::new();
        for accuse in accusations {
            let told = anomalies.len();
            let mut found = decrees.iter().filter_map(|(key, decree)| {
                let key = key.map(str::to_owned);
                accuse(decree, &values).map(|anomaly| Anomaly { key, ..anomaly })
            });
            anomalies.extend(found.by_ref().take(TOLD));
            let more = found.count();
            if let Some(first) = anomalies.get(told) {
                counts.push(format!("{} on {}", first.name, anomalies.len() - told + more));
            }
        }
        let sum = |count: fn(&Decree<'h>) -> usize| decrees.values().map(count).sum::<usize>();
        let decided = decrees.values().filter(|decree| decree.decided()).count();
        let answers = sum(Decree::answers);
        let verdict = match anomalies.first() {
            Some(first) => {
                let summary = format!(
                    "{} does not hold: {}; of {} keys, violated: {}",
                    first.name,
                    first.because,
                    decrees.len(),
                    counts.join(", ")
                );
                Verdict::invalid(self.name(), summary, anomalies)
            }
            None if decided == 0 => Verdict::unknown(self.name(), "vacuous: nobody was told a decision"),
            None => {
                let summary = format!(
                    "{decided} of {} keys decided, {answers} answers: one value for each key, and it was proposed",
                    decrees.len()
                );
                Verdict::valid(self.name(), summary)
            }
        };
        verdict
            .with_stat("keys", decrees.len())
            .with_stat("decided", decided)
            .with_stat("undecided", decrees.len() - decided)
            .with_stat("proposals", sum(Decree::proposals))
            .with_stat("answers", answers)
            .with_stat("late_nils", sum(Decree::late_nils))
    }
}
