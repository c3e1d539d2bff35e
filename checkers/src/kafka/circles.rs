//! Transactions that saw each other's messages in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rashomon_core::{History, Kind, Process};

use super::logs::{Logs, Traces, tell};
use super::transactions::Transactions;
use crate::Budget;
use crate::accusations::Accusations;
use crate::circle::{self, Link, Member};

/// Who must come before whom. Vertices beyond the transactions stand for instants.
#[derive(Debug, Default)]
struct Order {
    sent: Vec<(u32, u32)>,
    process: Vec<(u32, u32)>,
    time: Vec<(u32, u32)>,
}

impl Order {
    fn of(transactions: &Transactions<'_>, logs: &Logs, history: &History) -> Order {
        let mut order = Order::default();
        for traces in logs.messages.values() {
            let Some(writer) =
                traces.writer.filter(|writer| transactions.list[*writer].outcome != Kind::Fail)
            else {
                continue;
            };
            let readers = traces.readers.iter().filter(|reader| **reader != writer);
            order.sent.extend(readers.map(|reader| (writer as u32, *reader as u32)));
        }
        // In the order of events: what ended comes before an instant, and that before what begins after it.
        let mut events: BTreeMap<u64, (u32, bool)> = BTreeMap::new();
        for (transaction, number) in transactions.list.iter().zip(0..) {
            events.insert(transaction.pair.invoke.index, (number, true));
            if let Some(end) = transaction.pair.completion.filter(|_| transaction.outcome == Kind::Ok) {
                events.insert(end.index, (number, false));
            }
        }
        let mut instant: Option<(u32, bool)> = None;
        let mut next = transactions.list.len() as u32;
        let mut last: BTreeMap<Process, u32> = BTreeMap::new();
        for (index, (number, begins)) in events {
            let process = history.ops()[index as usize].process;
            if begins {
                if let Some((at, used)) = &mut instant {
                    order.time.push((*at, number));
                    *used = true;
                }
                order.process.extend(last.get(&process).map(|before| (*before, number)));
                continue;
            }
            let at = match instant {
                Some((at, false)) => at,
                before => {
                    order.time.extend(before.map(|(before, _)| (before, next)));
                    instant = Some((next, false));
                    next += 1;
                    next - 1
                }
            };
            order.time.push((number, at));
            last.insert(process, number);
        }
        order
    }
}

/// Accuses of circles: first of those by messages alone, then of those that need the order of a process, then real time.
pub(super) fn accuse(
    transactions: &Transactions<'_>,
    logs: &Logs,
    history: &History,
    accusations: &mut Accusations,
    budget: &Budget<'_>,
) -> Result<(), String> {
    let order = Order::of(transactions, logs, history);
    let mut edges = order.sent.clone();
    let mut told: BTreeSet<u32> = BTreeSet::new();
    for (name, more) in
        [("G1c", &[][..]), ("G1c-process", &order.process[..]), ("G1c-realtime", &order.time[..])]
    {
        edges.extend(more);
        budget.spend(0, edges.len() * size_of::<(u32, u32)>() * 4)?;
        let graph: DiGraph<(), ()> = DiGraph::from_edges(&edges);
        for part in kosaraju_scc(&graph) {
            let part: BTreeSet<u32> = part.into_iter().map(|vertex| vertex.index() as u32).collect();
            if part.len() < 2 || !part.is_disjoint(&told) {
                continue;
            }
            let circle = shortest(&graph, &part);
            accusations.add(name, || {
                let real: Vec<usize> =
                    circle.iter().map(|vertex| *vertex as usize).filter(|vertex| *vertex < transactions.list.len()).collect();
                let words: Vec<String> = real
                    .iter()
                    .map(|number| format!("op {}", transactions.list[*number].pair.invoke.index))
                    .collect();
                let because = format!(
                    "each of these comes before the next, and the last before the first, for it sent what that one \
                     polled or was over before that one began: {}",
                    words.join(", ")
                );
                let members: Vec<Member> =
                    real.iter().map(|number| Member::of(&transactions.list[*number].pair)).collect();
                let next = real.iter().cycle().skip(1);
                let links: Vec<Link> =
                    real.iter().zip(next).map(|(one, two)| why(transactions, logs, *one, *two)).collect();
                let mut anomaly = tell(transactions, name, crate::models::Datum::from_number(0), because, real);
                anomaly.key = None;
                anomaly.details.extend(circle::details(&members, &links));
                anomaly
            });
            told.extend(part);
        }
    }
    Ok(())
}

/// Why one transaction comes before another: by a message if there is one, else by its process, else in time.
fn why(transactions: &Transactions<'_>, logs: &Logs, one: usize, two: usize) -> Link {
    let sent = |traces: &Traces| traces.writer == Some(one) && traces.readers.contains(&two);
    if let Some(((key, value), _)) = logs.messages.iter().find(|(_, traces)| sent(traces)) {
        let (key, value) = (transactions.name(*key), transactions.value(*value));
        let because = format!("it sent {value} to {key}, and the other polled it");
        return Link::new("wr", Some(key), because);
    }
    let [one, two] = [one, two].map(|number| &transactions.list[number].pair);
    let (process, ended) = (one.invoke.process, one.completion.unwrap_or(one.invoke).index);
    if process == two.invoke.process {
        return Link::new("process", None, format!("process {process} did it earlier"));
    }
    let begun = two.invoke.index;
    let because = format!("it ended at event {ended}, before the other began at event {begun}");
    Link::new("realtime", None, because)
}

/// A shortest circle through one vertex of a strongly connected part.
fn shortest(graph: &DiGraph<(), ()>, part: &BTreeSet<u32>) -> Vec<u32> {
    let Some(start) = part.first().copied() else { return Vec::new() };
    let mut from: BTreeMap<u32, u32> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(vertex) = queue.pop_front() {
        let next = graph.neighbors(NodeIndex::from(vertex)).map(|next| next.index() as u32);
        for next in next.filter(|next| part.contains(next)) {
            if next == start {
                let mut circle = vec![vertex];
                while let Some(before) = circle.last().and_then(|last| from.get(last)) {
                    circle.push(*before);
                }
                circle.reverse();
                return circle;
            }
            from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                vertex
            });
        }
    }
    unreachable!("each vertex of a strongly connected part is on a circle")
}
