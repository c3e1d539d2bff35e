//! The checker of sequential consistency.

use rashomon_core::{Anomaly, History, Validity, Value, Verdict};

use super::accesses::{Access, Accesses, Version};
use super::graph::{Edge, Graph};
use super::guarantees::{accuse, anomaly, garbage, told};
use crate::linearizable::Linearizable;
use crate::models::Register;
use crate::{Budget, Checker};

/// The kinds of edges: all the same.
const ALL: u8 = 1;

/// Decides whether registers are sequentially consistent, where written values are unique.
///
/// - *Valid*: there is one key, and its versions have an order that all sessions keep to, which was replayed; or the
///   history is linearizable, which says more.
/// - *Invalid*: one key alone has no such order. The anomaly is `not-sequential`, with a cycle of versions; or `lost-update`,
///   two cas of the same version; or `future-read`, a session that reads what it writes only then.
/// - *Unknown*: several keys each of which has an order, which need not fit together (NP-hard); a value written twice;
///   nothing succeeded; the budget ran out.
#[derive(Clone, Debug, Default)]
pub struct Sequential {
    initial: Value,
    nil_reads_anything: bool,
}

/// The versions of a key, where those that follow each other by cas stand together.
struct Blocks {
    /// For each version the first of its block, and its place there.
    of: Vec<(Version, u32)>,
}

impl Sequential {
    /// The same checker, for registers with another value at first.
    pub fn with_initial(self, value: &Value) -> Sequential {
        Sequential { initial: value.clone(), ..self }
    }

    /// The same checker, where an `ok` read of `null` means that the value read was not recorded.
    pub fn with_nil_reading_anything(self, yes: bool) -> Sequential {
        Sequential { nil_reads_anything: yes, ..self }
    }

    fn judge(&self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let accesses = Accesses::of(history, &self.initial, self.nil_reads_anything, budget)?;
        let accused = |anomaly: Anomaly| {
            let summary = format!("{}: {}", anomaly.name, anomaly.because);
            Verdict::invalid(self.name(), summary, vec![anomaly])
        };
        if let Some(anomaly) = garbage(history, &accesses) {
            return Ok(accused(anomaly));
        }
        let found = Blocks::of(history, &accesses).and_then(|blocks| {
            let graph = blocks.pairs(history, &accesses)?;
            match graph.order(ALL) {
                Ok(order) => Ok((blocks, order)),
                Err(cycle) => Err(Box::new(accuse("not-sequential", history, &accesses, &cycle))),
            }
        });
        if (budget.expired)() {
            return Err("time budget exhausted".to_owned());
        }
        let (blocks, order) = match found {
            Ok(found) => found,
            Err(anomaly) => return Ok(accused(*anomaly)),
        };
        if accesses.keys.len() == 1 {
            blocks.replay(&accesses, &order)?;
            let operations: usize = accesses.sessions.values().map(Vec::len).sum();
            let summary =
                format!("one order keeps to every session and explains all {operations} operations");
            return Ok(Verdict::valid(self.name(), summary));
        }
        let register = Register::cas().with_initial(&self.initial);
        let stricter = Linearizable::new(register.with_nil_reading_anything(self.nil_reads_anything));
        if stricter.judge(history, budget).valid == Validity::Valid {
            return Ok(Verdict::valid(
                self.name(),
                "the history is linearizable, so it is sequentially consistent",
            ));
        }
        Err(format!(
            "each of the {} keys has an order of its own; whether they fit together is NP-hard (Gibbons and Korach 1997)",
            accesses.keys.len()
        ))
    }
}

impl Blocks {
    /// A clash is two cas of the same version, or cas that follow each other in a circle.
    fn of(history: &History, accesses: &Accesses<'_>) -> Result<Blocks, Box<Anomaly>> {
        let count = accesses.versions.len();
        let mut next: Vec<Option<(Version, u32)>> = vec![None; count];
        let mut made = vec![None; count];
        for access in accesses.sessions.values().flatten() {
            let (Some(from), Some(to)) = (access.reads, access.writes) else { continue };
            if let Some((_, other)) = next[from as usize].replace((to, access.op)) {
                let because = format!(
                    "{} (op {other}) and {} (op {}) both found {}, which was there once only",
                    told(history, other),
                    told(history, access.op),
                    access.op,
                    accesses.versions[from as usize].1
                );
                let key = accesses.keys[accesses.versions[from as usize].0 as usize];
                return Err(Box::new(anomaly("lost-update", history, key, [other, access.op], because)));
            }
            made[to as usize] = Some((from, access.op));
        }
        let mut of = vec![(Edge::NO_OP, 0); count];
        for root in (0..count).filter(|version| made[*version].is_none()) {
            let mut version = Some(root as Version);
            for place in 0.. {
                let Some(here) = version else { break };
                of[here as usize] = (root as Version, place);
                version = next[here as usize].map(|(to, _)| to);
            }
        }
        if let Some(stray) = of.iter().position(|(root, _)| *root == Edge::NO_OP) {
            let mut ops = Vec::new();
            let mut version = stray;
            while let Some((from, op)) = made[version].filter(|(_, op)| !ops.contains(op)) {
                ops.push(op);
                version = from as usize;
            }
            let because = "these cas each need a value that one of the others gave first".to_owned();
            let key = accesses.keys[accesses.versions[stray].0 as usize];
            return Err(Box::new(anomaly("not-sequential", history, key, ops, because)));
        }
        Ok(Blocks { of })
    }

    /// The pairs of blocks that an order must keep to. A clash is within a block.
    fn pairs(&self, history: &History, accesses: &Accesses<'_>) -> Result<Graph, Box<Anomaly>> {
        let mut graph = Graph { nodes: accesses.versions.len() as u32, edges: Vec::new() };
        for (version, (key, _, writer)) in accesses.versions.iter().enumerate() {
            let root = self.of[version].0;
            if let Some(writer) = writer.filter(|_| root != *key) {
                graph.edge(*key, root, ALL, (Edge::NO_OP, writer));
            }
        }
        for ((key, _), session) in &accesses.sessions {
            let mut before: Option<(Version, u32)> = None;
            for access in session {
                for version in [access.reads, access.writes].into_iter().flatten() {
                    let (root, place) = self.of[version as usize];
                    if let Some((earlier, op)) = before.filter(|(_, op)| *op != access.op) {
                        let (other, late) = self.of[earlier as usize];
                        let own = access.writes == Some(version) && earlier == version;
                        if other != root {
                            graph.edge(other, root, ALL, (op, access.op));
                        } else if late > place || own {
                            let because = format!(
                                "{} (op {op}) came before {} (op {}) in its session, but the value of the second is \
                                 the older one, or was given only by it",
                                told(history, op),
                                told(history, access.op),
                                access.op
                            );
                            let key = accesses.keys[*key as usize];
                            return Err(Box::new(anomaly(
                                "future-read",
                                history,
                                key,
                                [op, access.op],
                                because,
                            )));
                        }
                    }
                    if access.done {
                        before = Some((version, access.op));
                    }
                }
            }
        }
        Ok(graph)
    }

    /// Puts all accesses in the order of their blocks and does them one by one.
    fn replay(&self, accesses: &Accesses<'_>, order: &[u32]) -> Result<(), String> {
        let mut rank = vec![0_usize; order.len()];
        for (place, root) in order.iter().enumerate() {
            rank[*root as usize] = place;
        }
        let at = |version: Version| {
            let (root, place) = self.of[version as usize];
            (rank[root as usize], place)
        };
        // Of each version first what gives it, then its readers.
        let mut line: Vec<((usize, u32), bool, u32, &Access)> = accesses
            .sessions
            .values()
            .flatten()
            .filter_map(|access| {
                let version = access.writes.or(access.reads)?;
                Some((at(version), access.writes.is_none(), access.op, access))
            })
            .collect();
        line.sort_unstable_by_key(|(at, reads, op, _)| (*at, *reads, *op));
        let mut value: Version = 0;
        let mut places =
            vec![0_usize; accesses.sessions.values().flatten().map(|a| a.op as usize + 1).max().unwrap_or(0)];
        for (place, (_, _, op, access)) in line.iter().enumerate() {
            if access.reads.is_some_and(|read| read != value) {
                return Err(format!(
                    "the order found does not replay: op {op} is impossible where it stands"
                ));
            }
            value = access.writes.unwrap_or(value);
            places[*op as usize] = place;
        }
        for session in accesses.sessions.values() {
            let mut latest = None;
            for access in session {
                let place = places[access.op as usize];
                if latest.is_some_and(|latest| place < latest) {
                    return Err(format!("the order found does not keep to the session of op {}", access.op));
                }
                if access.done {
                    latest = Some(place);
                }
            }
        }
        Ok(())
    }
}

impl Checker for Sequential {
    fn name(&self) -> &'static str {
        "sequential"
    }

    fn about(&self) -> &'static str {
        "one order of the operations, which keeps to each session's, explains every answer of a register"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
