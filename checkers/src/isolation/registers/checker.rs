//! The verdict on transactions over registers.

use rashomon_core::{History, Verdict};

use super::accesses::Registers;
use super::commits::Decision;
use super::dependencies::Observed;
use super::serial::{Outcome, serial};
use super::versions::Versions;
use crate::isolation::because::explain;
use crate::isolation::checker::{Facts, UNTIMED, observed_anything};
use crate::isolation::finding::Findings;
use crate::isolation::graph::Graph;
use crate::isolation::hunt::hunt;
use crate::isolation::level::{Isolation, Level, Levels, Order};
use crate::isolation::micro_ops::Names;
use crate::isolation::stream::Stream;
use crate::isolation::table::Table;
use crate::isolation::transactions::Transactions;
use crate::{Budget, Checker, Follow};

/// Judges transactions over registers that they write and read, in the terms of Jepsen's Elle.
///
/// Operations of any `f`, whose value is a list of micro-ops `["w", key, value]` and `["r", key, value]`, where `null` is
/// nothing; values are unique per key. A read names its writer, but the order of writes shows only where a transaction
/// read a version and wrote the next. A level is *violated* by what was found; the levels up to causal consistency are
/// decided, and serializability almost always, by an order of all transactions or by few that have none; prefix
/// consistency and the snapshot levels are *unknown* where neither a cycle nor such an order is known.
#[derive(Clone, Copy, Debug)]
pub struct RwRegister {
    promised: Level,
    timed: bool,
}

impl Default for RwRegister {
    fn default() -> RwRegister {
        RwRegister::promising(Level::STRICT_SERIALIZABLE)
    }
}

impl RwRegister {
    /// A checker of a database that promises this level.
    pub fn promising(promised: Level) -> RwRegister {
        RwRegister { promised, timed: true }
    }

    fn stream(self) -> Stream {
        let stream = Stream::registers(self.promised);
        if self.timed { stream } else { stream.untimed() }
    }

    /// Of histories that say nothing of real time, but only in which order each process did what.
    pub fn untimed(self) -> RwRegister {
        RwRegister { timed: false, ..self }
    }
}

impl Checker for RwRegister {
    fn name(&self) -> &'static str {
        "rw-register"
    }

    fn about(&self) -> &'static str {
        "transactions that write and read registers are isolated as promised, strict serializability if nothing else is \
         said; unknown where the order of writes does not show"
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

/// The verdict on registers, once all was read.
pub(in crate::isolation) fn judge(
    registers: Registers,
    names: &Names,
    transactions: &Transactions,
    promised: Level,
    budget: &Budget<'_>,
) -> Result<Verdict, String> {
    observed_anything(transactions, registers.read)?;
    let registers = registers.settled();
    let observed = Observed::new(&registers, transactions);
    let strongest = if transactions.timed() { Order::RealTime } else { Order::Session };
    let outcome = serial(&observed, strongest, budget);
    let mut facts = if let Outcome::Found = outcome {
        let table = Table::new(Levels::default(), |level| level == serializable(strongest));
        Facts { transactions, findings: Findings::default(), table, unknown: Vec::new() }
    } else {
        search(&observed, names, (strongest, outcome), budget)?
    };
    if !transactions.timed() {
        facts.unknown.push(UNTIMED.to_owned());
    }
    let verdict = facts.verdict("rw-register", promised);
    Ok(verdict.with_stat("writes", registers.writes.len()).with_stat("reads", registers.read))
}

fn serializable(order: Order) -> Level {
    Level { isolation: Isolation::Serializable, order }
}

/// The levels of the columns up to this one, row by row.
fn columns(strongest: Order) -> impl Iterator<Item = Level> {
    Level::all().filter(move |level| level.order <= strongest)
}

/// What is known where no order that is so strong was found, and what came of looking for it.
fn search<'a>(
    observed: &Observed<'a>,
    names: &Names,
    (strongest, outcome): (Order, Outcome),
    budget: &Budget<'_>,
) -> Result<Facts<'a>, String> {
    let transactions = observed.transactions;
    let versions = Versions::of(observed.registers, &observed.happened)?;
    let graph = Graph::build(transactions.len() as u32, |edges| {
        let all: Vec<u32> = transactions.numbers().collect();
        transactions.order(&all, edges);
        observed.depend(&versions, edges);
    })?;
    let found = hunt(&graph, budget);
    let mut findings = observed.anomalies(names, &versions);
    for cycle in &found.cycles {
        findings.add(&cycle.name(), cycle.rules_out(), || {
            explain(cycle, transactions, |from, class, to| observed.why(names, from, class, to))
        });
    }
    let mut holds = Levels::default();
    if !found.exhausted {
        // What a read shows was committed before: that is all that these two are about.
        let weak = [Isolation::ReadUncommitted, Isolation::ReadCommitted];
        holds = columns(strongest).filter(|level| weak.contains(&level.isolation)).fold(holds, Levels::with);
        let decided = [Isolation::ReadAtomic, Isolation::Causal];
        for level in columns(strongest).filter(|level| decided.contains(&level.isolation)) {
            if findings.violated().contains(level) {
                continue;
            }
            match observed.decide(level, names, budget)? {
                Decision::Holds => holds = holds.with(level),
                Decision::Violated(finding) => {
                    findings.add(&finding.name.clone(), finding.rules_out, || finding);
                }
                Decision::Unknown => {}
            }
        }
    }
    let (mut first, mut none) = (Some(outcome), None);
    for order in Order::ALL.into_iter().rev().filter(|order| *order <= strongest) {
        let outcome = first.take();
        if findings.violated().contains(serializable(order)) {
            continue;
        }
        match outcome.unwrap_or_else(|| serial(observed, order, budget)) {
            Outcome::Found => {
                holds = holds.with(serializable(order));
                break;
            }
            // What has no order at all has none that keeps to more.
            Outcome::Impossible(suspects) => none = observed.unserializable(order, &suspects).or(none),
            Outcome::Unknown => {}
        }
    }
    if let Some(finding) = none {
        findings.add(&finding.name.clone(), finding.rules_out, || finding);
    }
    let table = Table::new(findings.violated(), |level| holds.contains(level));
    let mut unknown = vec![
        "registers do not show the order of all writes, so what was found is not all there may be".to_owned(),
    ];
    if found.exhausted {
        unknown.push("time budget exhausted in the search for cycles".to_owned());
    }
    Ok(Facts { transactions, findings, table, unknown })
}
