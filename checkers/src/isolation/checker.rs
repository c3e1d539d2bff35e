//! The verdict on transactions.

use std::collections::BTreeMap;

use rashomon_core::{History, Kind, Validity, Verdict};

use super::arrangement::suspects;
use super::because::explain;
use super::dependencies::{Among, Unobserved, depend};
use super::finding::Findings;
use super::graph::{Graph, TooLarge};
use super::hunt::hunt;
use super::level::{Isolation, Level, Levels, Order};
use super::lists::Lists;
use super::micro_ops::Names;
use super::observed::Observed;
use super::stream::Stream;
use super::table::Table;
use super::transactions::Transactions;
use crate::{Budget, Checker, Follow};

/// Judges transactions over lists that they append to and read whole, in the terms of Jepsen's Elle.
///
/// Operations of any `f`, whose value is a list of micro-ops `["append", key, value]` and `["r", key, list]`; values are
/// unique per key. As a read shows the order of all appends before it, dependencies between transactions are known and not
/// guessed. Each isolation level is *violated*, by an anomaly that is told; *holds*, when nothing that it forbids is there;
/// or *unknown*. The verdict is that of the level that was promised.
///
/// A transaction that ended `info` counts as done when a read shows one of its appends; what it read is not known. One that
/// failed must not be seen.
#[derive(Clone, Copy, Debug)]
pub struct ListAppend {
    promised: Level,
    timed: bool,
}

impl Default for ListAppend {
    fn default() -> ListAppend {
        ListAppend::promising(Level::STRICT_SERIALIZABLE)
    }
}

impl ListAppend {
    /// A checker of a database that promises this level.
    pub fn promising(promised: Level) -> ListAppend {
        ListAppend { promised, timed: true }
    }

    fn stream(self) -> Stream {
        let stream = Stream::lists(self.promised);
        if self.timed { stream } else { stream.untimed() }
    }

    /// Of histories that say nothing of real time, but only in which order each process did what.
    pub fn untimed(self) -> ListAppend {
        ListAppend { timed: false, ..self }
    }
}

impl Checker for ListAppend {
    fn name(&self) -> &'static str {
        "list-append"
    }

    fn about(&self) -> &'static str {
        "transactions that append to lists and read them are isolated as promised, strict serializability if nothing else \
         is said"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        let mut stream = self.stream();
        stream.follow(history, budget);
        stream.verdict(budget)
    }

    fn follow(&self) -> Option<Box<dyn Follow + '_>> {
        Some(Box::new(self.stream()))
    }
}

/// Why levels of real time are unknown.
pub(super) const UNTIMED: &str = "the history says nothing of real time";

/// What both kinds of transactions must show to be judged at all; the error says what is missing.
pub(super) fn observed_anything(transactions: &Transactions, reads: usize) -> Result<(), String> {
    if transactions.count(Kind::Ok) == 0 {
        return Err("vacuous: no transaction succeeded".to_owned());
    }
    if reads == 0 {
        return Err("vacuous: no transaction that succeeded read anything".to_owned());
    }
    Ok(())
}

/// The verdict on lists, once all was read.
pub(super) fn judge(
    lists: &Lists,
    names: &Names,
    transactions: &Transactions,
    promised: Level,
    budget: &Budget<'_>,
) -> Result<Verdict, String> {
    observed_anything(transactions, lists.read)?;
    let observed = Observed::new(lists, names, transactions);
    let mut findings = Findings::default();
    let among = Among::new(&suspects(&observed, Box::new(|| findings = observed.anomalies()), budget)?);
    // Where reads contradict each other, what they show of the order is no ground to say that a level holds.
    let sure = lists.strays.is_empty() && !findings.counts.contains_key("incompatible-order");
    let search = |unobserved: Unobserved| {
        let graph = Graph::build(among.list.len() as u32, |edges| {
            transactions.order(&among.list, edges);
            depend(&observed, &among, unobserved, edges);
        })?;
        let found = hunt(&graph, budget);
        Ok::<_, TooLarge>(found.renamed(&among.list))
    };
    let found = search(Unobserved::Open)?;
    for cycle in &found.cycles {
        findings.add(&cycle.name(), cycle.rules_out(), || {
            explain(cycle, transactions, |from, class, to| observed.why(from, class, to))
        });
    }
    let violated = findings.violated();
    let mut open = observed.order_is_open();
    // Some order of the appends that no read shows is enough to say that a level holds, as one is as good as another.
    let mut guessed = Levels::default();
    if open && !found.exhausted {
        let guess = search(Unobserved::Guessed)?;
        guessed = guess.cycles.iter().fold(Levels::default(), |all, cycle| all.and(cycle.rules_out()));
        if guess.exhausted {
            guessed = Levels::from(&[Isolation::ReadUncommitted], Order::Plain);
        }
        open = Level::all().any(|level| {
            level.forbids_concurrent_writers() && guessed.contains(level) && !violated.contains(level)
        });
    }
    let table = Table::new(violated, |level| {
        let known = !level.forbids_concurrent_writers() || !open || !guessed.contains(level);
        let timed = transactions.timed() || level.order != Order::RealTime;
        !found.exhausted && sure && known && timed
    });
    let mut unknown = Vec::new();
    if found.exhausted {
        unknown.push("time budget exhausted in the search for cycles".to_owned());
    } else if !sure {
        unknown.push("reads contradict each other, so the order of appends is not known".to_owned());
    } else if open {
        unknown.push("appends that no read shows may have been made in any order".to_owned());
    }
    if !transactions.timed() {
        unknown.push(UNTIMED.to_owned());
    }
    let facts = Facts { transactions, findings, table, unknown };
    Ok(facts
        .verdict("list-append", promised)
        .with_stat("suspects", among.list.len())
        .with_stat("components", found.components)
        .with_stat("appends", lists.appended())
        .with_stat("reads", lists.read))
}

/// All that is known of a history of transactions.
pub(super) struct Facts<'a> {
    pub(super) transactions: &'a Transactions,
    pub(super) findings: Findings,
    pub(super) table: Table,
    /// Why levels are unknown.
    pub(super) unknown: Vec<String>,
}

impl Facts<'_> {
    /// The verdict of a database that promised this level: its anomalies are those that rule the level out.
    pub(super) fn verdict(mut self, checker: &str, promised: Level) -> Verdict {
        let total = self.transactions.len();
        let ok = self.transactions.count(Kind::Ok);
        self.findings.list.sort_by_key(|finding| std::cmp::Reverse(finding.rules_out.count()));
        let counted = |accused: bool| {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for (name, kinds) in &self.findings.counts {
                let kinds = kinds.iter().filter(|(levels, _)| levels.contains(promised) == accused);
                let count: usize = kinds.map(|(_, count)| count).sum();
                counts.extend((count > 0).then_some((name.as_str(), count)));
            }
            counts
        };
        let (counts, allowed) = (counted(true), counted(false));
        let accused = self.findings.list.iter().filter(|finding| finding.rules_out.contains(promised));
        let anomalies: Vec<_> = accused.map(|finding| finding.accuse(self.transactions)).collect();
        let list = |counts: &BTreeMap<&str, usize>| {
            counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
        };
        let strongest: Vec<String> = self.table.strongest().iter().map(Level::to_string).collect();
        let holds = if strongest.is_empty() {
            "no level is known to hold".to_owned()
        } else {
            format!("{} holds", strongest.join(" and "))
        };
        let sizes = format!("{total} transactions, {ok} of them ok");
        let verdict = match self.table.of(promised) {
            Validity::Invalid => {
                let first = &anomalies[0];
                let summary = format!(
                    "{}: {}; {promised} is violated by {}; {holds}; {sizes}",
                    first.name,
                    first.because,
                    list(&counts)
                );
                Verdict::invalid(checker, summary, anomalies)
            }
            Validity::Unknown => {
                let mut verdict = Verdict::unknown(
                    checker,
                    format!("whether {promised} holds is not known: {}", self.unknown.join("; ")),
                );
                verdict.summary = format!("{}; {holds}; {sizes}", verdict.summary);
                verdict
            }
            Validity::Valid => {
                let weaker = if allowed.is_empty() {
                    String::new()
                } else {
                    format!(", with what it allows: {}", list(&allowed))
                };
                Verdict::valid(checker, format!("{sizes}: {promised} holds{weaker}"))
            }
        };
        verdict
            .with_stat("levels", self.table.to_json())
            .with_stat("promised", promised.to_string())
            .with_stat("transactions", total)
            .with_stat("anomalies", serde_json::json!(counts))
            .with_stat("allowed_anomalies", serde_json::json!(allowed))
    }
}
