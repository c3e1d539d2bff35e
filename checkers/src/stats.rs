//! How often each kind of operation succeeded.

use std::collections::BTreeMap;

use rashomon_core::{History, Kind, Verdict};
use serde_json::json;

use crate::quantiles::quantiles;
use crate::{Budget, Checker};

/// Counts outcomes and measures latencies for each `f`.
///
/// *Unknown* when some `f` never succeeded: nothing was learnt of it, and a test that meant to exercise it is
/// vacuous there. Never *invalid*.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats;

#[derive(Default)]
struct Count {
    ok: u64,
    fail: u64,
    info: u64,
    latencies: Vec<std::time::Duration>,
}

impl Checker for Stats {
    fn name(&self) -> &'static str {
        "stats"
    }

    fn about(&self) -> &'static str {
        "how often and how fast each kind of operation succeeded; unknown when one never did"
    }

    fn check(&self, history: &History, _budget: &Budget<'_>) -> Verdict {
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for pair in history.pairs() {
            let count = counts.entry(&pair.invoke.f).or_default();
            match pair.outcome() {
                Kind::Ok => count.ok += 1,
                Kind::Fail => count.fail += 1,
                Kind::Info | Kind::Invoke => count.info += 1,
            }
            if let Some(end) = pair.completion.filter(|op| op.kind == Kind::Ok) {
                count.latencies.push(end.time.since(pair.invoke.time));
            }
        }
        if counts.is_empty() {
            return Verdict::unknown(self.name(), "vacuous: the history has no operation");
        }
        let sum = |of: fn(&Count) -> u64| counts.values().map(of).sum::<u64>();
        let (ok, fail, info) = (sum(|c| c.ok), sum(|c| c.fail), sum(|c| c.info));
        let summary = format!("{} operations: {ok} ok, {fail} fail, {info} info", ok + fail + info);
        let never: Vec<String> = counts
            .iter()
            .filter(|(_, count)| count.ok == 0)
            .map(|(f, count)| {
                format!("vacuous: `{f}` never succeeded ({} fail, {} info)", count.fail, count.info)
            })
            .collect();
        let mut verdict = Verdict::valid(self.name(), summary);
        if !never.is_empty() {
            verdict = Verdict::unknown(self.name(), format!("{}; {}", verdict.summary, never.join("; ")));
            verdict.unknown = never;
        }
        let by_f: serde_json::Map<String, serde_json::Value> = counts
            .into_iter()
            .map(|(f, count)| {
                let latency = quantiles(count.latencies);
                let row =
                    json!({ "ok": count.ok, "fail": count.fail, "info": count.info, "latency": latency });
                (f.to_owned(), row)
            })
            .collect();
        verdict
            .with_stat("ok", ok)
            .with_stat("fail", fail)
            .with_stat("info", info)
            .with_stat("by_f", serde_json::Value::Object(by_f))
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{History, Validity};

    use super::Stats;
    use crate::notation::history;
    use crate::{Budget, Checker};

    #[test]
    fn outcomes_are_counted_by_f() {
        let history =
            history("0 invoke read\n1 invoke write 1\n0 ok read\n1 ok write 1\n0 invoke read\n0 fail read");
        let verdict = Stats.check(&history, &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Valid);
        assert_eq!(verdict.stats["by_f"]["read"]["ok"], 1);
        assert_eq!(verdict.stats["by_f"]["read"]["fail"], 1);
        assert_eq!(verdict.stats["by_f"]["write"]["latency"]["max"], 2_000_000);
    }

    #[test]
    fn an_f_that_never_succeeded_is_vacuous() {
        let history = history("0 invoke read\n0 ok read\n1 invoke cas [1,2]\n1 fail cas [1,2]");
        let verdict = Stats.check(&history, &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Unknown);
        assert_eq!(verdict.unknown, ["vacuous: `cas` never succeeded (1 fail, 0 info)"]);
    }

    #[test]
    fn nothing_is_unknown() {
        let verdict = Stats.check(&History::default(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Unknown);
    }
}
