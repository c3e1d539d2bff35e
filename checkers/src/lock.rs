//! Mutual exclusion, judged by what was done under a lock.

mod acks;
mod anomaly;
mod evidence;
mod journal;

use rashomon_core::{Anomaly, History, Kind, Verdict};

use crate::{Budget, Checker};
use evidence::Evidence;

/// The anomalies of one kind that are told one by one; the others are counted.
const TOLD: usize = 8;

/// Judges critical sections by their effects at the resource that the lock protects.
///
/// Who believed to hold the lock at which time is no evidence: a process that stood still believes what it likes. What
/// counts is the *journal* of a key, every effect that the resource ever accepted, in order.
///
/// Operations: `work` with a name that is unique, one critical section, whose `ok` value is an object of `work`, `token`
/// (null where there are none), the value `read` and the value `wrote` last; `read`, whose `ok` value is the journal: a
/// list of `[work, token, "read" or "write", value]`. Keys are separate locks. The value of a key is 0 at first; a
/// section reads it once, and then writes it raised by one, once or several times.
///
/// - *overlapping-sections*: an effect of a section after another section has begun;
/// - *stale-token*: an effect with a smaller token than one before it;
/// - *token-reuse*: one token in two sections; *token-went-back*: a section that began after another was acknowledged,
///   with no greater token; *token-changed*: two tokens in one section;
/// - *lost-update*: two sections found the same value, or one wrote over what another wrote;
/// - *lost-effect*: acknowledged, or shown by a read, and missing afterwards;
/// - *rewritten-journal*: two journals of which neither begins with the other;
/// - *phantom-effect*: of a section that nobody asked for by then, or that certainly failed; *repeated-effect*: not the
///   next of its section; *wrong-read*: not of the value that was last written; *wrong-answer*: an answer that the
///   journal contradicts; *out-of-order*: a section before another that was acknowledged before it was asked for.
///
/// A section that ended `info` may have done all of its effects, the first few, or none. All of these are *invalid*.
/// *Unknown* when no read that began after an acknowledged section succeeded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lock;

impl Checker for Lock {
    fn name(&self) -> &'static str {
        "lock"
    }

    fn about(&self) -> &'static str {
        "critical sections do not overlap in their effects, tokens rise, and no acknowledged effect is lost"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        let succeeded =
            |f: &str| history.pairs().filter(|pair| pair.outcome() == Kind::Ok && pair.invoke.f == f).count();
        let (sections, reads) = (succeeded("work"), succeeded("read"));
        if sections == 0 {
            return Verdict::unknown(self.name(), "vacuous: no critical section was acknowledged");
        }
        let evidence = match Evidence::gather(history, budget) {
            Ok(evidence) => evidence,
            Err(reason) => return Verdict::unknown(self.name(), reason),
        };
        let mut anomalies: Vec<Anomaly> = Vec::new();
        let (mut effects, mut confirmed) = (0, 0);
        for key in &evidence.keys {
            if (budget.expired)() {
                return Verdict::unknown(self.name(), "time budget exhausted");
            }
            let sections = key.sections(&mut anomalies);
            key.compare_journals(&mut anomalies);
            confirmed += key.acknowledgements(&sections, &mut anomalies);
            effects += key.journal.len();
        }
        let summary = format!(
            "{sections} critical sections acknowledged on {} keys, {confirmed} of them confirmed by {reads} journals \
             with {effects} effects",
            evidence.keys.len()
        );
        let found = anomalies.len();
        anomalies.sort_by_key(|anomaly| anomaly::rank(&anomaly.name));
        anomalies.truncate(TOLD);
        let verdict = if let Some(first) = anomalies.first() {
            let key = first.key.as_ref().map_or_else(String::new, |key| format!("key {key}: "));
            let summary = format!("{key}{}: {}; {summary}", first.name, first.because);
            Verdict::invalid(self.name(), summary, anomalies)
        } else if confirmed == 0 {
            let reason = format!("vacuous: no journal was read after a critical section; {summary}");
            Verdict::unknown(self.name(), reason)
        } else {
            Verdict::valid(self.name(), summary)
        };
        verdict
            .with_stat("sections", sections)
            .with_stat("confirmed", confirmed)
            .with_stat("reads", reads)
            .with_stat("effects", effects)
            .with_stat("keys", evidence.keys.len())
            .with_stat("anomalies", found)
    }
}
