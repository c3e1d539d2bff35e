//! The verdict on transactions over registers.

use rashomon_core::{History, Verdict};

use super::because::explain;
use super::checker::{Facts, UNTIMED, observed_anything};
use super::graph::{Class, Graph};
use super::hunt::hunt;
use super::level::{Isolation, Level, Order};
use super::micro_ops::Names;
use super::registers::Registers;
use super::replay::replay;
use super::stream::Stream;
use super::table::Table;
use super::transactions::Transactions;
use crate::{Budget, Checker, Follow};

/// Judges transactions over registers that they write and read, in the terms of Jepsen's Elle.
///
/// Operations of any `f`, whose value is a list of micro-ops `["w", key, value]` and `["r", key, value]`, where `null` is
/// nothing; values are unique per key. A read names its writer, but the order of writes shows only where a transaction
/// read a version and wrote the next. So the search for cycles is incomplete by nature: a level is *violated* by what was
/// found, and *holds* only where doing the transactions one by one explained every read; otherwise it is *unknown*.
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
pub(super) fn judge(
    registers: &Registers,
    names: &Names,
    transactions: &Transactions,
    promised: Level,
    budget: &Budget<'_>,
) -> Result<Verdict, String> {
    observed_anything(transactions, registers.read)?;
    let happened = registers.happened(transactions);
    let versions = registers.versions(&happened)?;
    let all: Vec<u32> = transactions.numbers().collect();
    let graph = Graph::build(transactions.len() as u32, |edges| {
        transactions.order(&all, edges);
        registers.depend(&happened, &versions, edges);
    })?;
    let found = hunt(&graph, budget);
    let mut findings = registers.anomalies(transactions, names, &versions);
    for cycle in &found.cycles {
        findings.add(&cycle.name(), cycle.rules_out(), || {
            explain(cycle, transactions, |from, class, to| registers.why(names, from, class, to))
        });
    }
    let violated = findings.violated();
    let all = Class::WW.with(Class::WR).with(Class::RW);
    let proved = |order: Order| {
        let classes = match order {
            Order::Plain => all,
            Order::Session => all.with(Class::PROCESS),
            Order::RealTime => all.with(Class::PROCESS).with(Class::REALTIME),
        };
        let level = Level { isolation: Isolation::Serializable, order };
        (transactions.timed() || order != Order::RealTime)
            && !violated.contains(level)
            && replay(registers, transactions, &happened, &graph, classes, budget)
    };
    // The strongest that can be shown; the weaker ones follow.
    let shown = Order::ALL.into_iter().rev().find(|order| proved(*order));
    let table = Table::new(violated, |level| {
        level.isolation == Isolation::Serializable && Some(level.order) == shown
    });
    let mut unknown = vec![
        "registers do not show the order of all writes, so what was found is not all there may be".to_owned(),
    ];
    if found.exhausted {
        unknown.push("time budget exhausted in the search for cycles".to_owned());
    }
    if !transactions.timed() {
        unknown.push(UNTIMED.to_owned());
    }
    let facts = Facts { transactions, findings, table, unknown };
    Ok(facts
        .verdict("rw-register", promised)
        .with_stat("edges", graph.edges())
        .with_stat("components", found.components)
        .with_stat("writes", registers.writes.len())
        .with_stat("reads", registers.read))
}
