//! Each transfer's life.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Kind, Map};

use crate::Budget;
use crate::accusations::{anomaly, completed};
use crate::bank::{Statement, Transfer};

/// What can become of a transfer. A transfer may have several fates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Shown,
    /// Its end was unknown, until a read showed it.
    Resolved,
    PartialVisibility,
    AbortedRead,
    LostCommit,
    ReversedDecision,
    Phantom,
    Duplicate,
    Misplaced,
}

impl Fate {
    pub(super) const ALL: [Fate; 9] = [
        Fate::Shown,
        Fate::Resolved,
        Fate::PartialVisibility,
        Fate::AbortedRead,
        Fate::LostCommit,
        Fate::ReversedDecision,
        Fate::Phantom,
        Fate::Duplicate,
        Fate::Misplaced,
    ];

    /// Those that are anomalies, the worst first.
    pub(super) const WRONG: [Fate; 7] = [
        Fate::PartialVisibility,
        Fate::AbortedRead,
        Fate::LostCommit,
        Fate::ReversedDecision,
        Fate::Phantom,
        Fate::Duplicate,
        Fate::Misplaced,
    ];

    /// The name of the figure, and of the anomaly.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fate::Shown => "shown",
            Fate::Resolved => "resolved",
            Fate::PartialVisibility => "partial-visibility",
            Fate::AbortedRead => "aborted-read",
            Fate::LostCommit => "lost-commit",
            Fate::ReversedDecision => "reversed-decision",
            Fate::Phantom => "phantom-transfer",
            Fate::Duplicate => "duplicate-effect",
            Fate::Misplaced => "misplaced-effect",
        }
    }

    /// How a count of it is told.
    pub(super) fn words(self) -> &'static str {
        match self {
            Fate::Shown => "shown by a read",
            Fate::Resolved => "of unknown end were seen to have happened",
            Fate::PartialVisibility => "on one side only",
            Fate::AbortedRead => "failed and yet shown",
            Fate::LostCommit => "acknowledged and lost",
            Fate::ReversedDecision => "shown and lost",
            Fate::Phantom => "from nowhere",
            Fate::Duplicate => "done twice",
            Fate::Misplaced => "on a wrong account",
        }
    }
}

/// What reads say of one transfer. Reads are named by their places among those of the bank.
#[derive(Debug, Default)]
struct Traces<'h> {
    asked: Option<(Transfer, Pair<'h>)>,
    /// The reads that show it, in order.
    shown: Vec<u32>,
    /// The first read that shows it on one side only, and that side.
    partial: Option<(u32, u32)>,
    twice: Option<(u32, u32)>,
    misplaced: Option<(u32, u32)>,
}

/// One bank: the reads of it in the order of their invocations.
#[derive(Debug, Default)]
struct Part<'h> {
    reads: Vec<Pair<'h>>,
    transfers: BTreeMap<u64, Traces<'h>>,
    statements: Vec<Statement>,
}

/// One transfer and what became of it.
#[derive(Debug)]
pub(super) struct Life<'h> {
    id: u64,
    asked: Option<(Transfer, Pair<'h>)>,
    /// The op whose completion first made it known that it is committed.
    known: Option<Pair<'h>>,
    first_shown: Option<Pair<'h>>,
    last_shown: Option<Pair<'h>>,
    /// The last read that began after it was known and does not show it, if none showed it since.
    lost: Option<Pair<'h>>,
    /// The first read that shows it before it was asked for.
    phantom: Option<Pair<'h>>,
    /// A read, and the account on which it shows what it does.
    partial: Option<(Pair<'h>, u32)>,
    twice: Option<(Pair<'h>, u32)>,
    misplaced: Option<(Pair<'h>, u32)>,
}

/// All transfers of all banks in a history.
#[derive(Debug)]
pub(super) struct Transfers<'h> {
    list: Vec<Life<'h>>,
}

impl<'h> Transfers<'h> {
    /// Follows every transfer. The error says what cannot be understood, or that the budget is spent.
    pub(super) fn follow(history: &'h History, budget: &Budget<'_>) -> Result<Transfers<'h>, String> {
        let mut parts: BTreeMap<Option<&str>, Part<'h>> = BTreeMap::new();
        let mut showings = 0_usize;
        for pair in history.pairs() {
            let part = parts.entry(pair.invoke.key.as_deref()).or_default();
            let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
            match pair.invoke.f.as_str() {
                "transfer" => {
                    let transfer = Transfer::parse(&pair.invoke.value).map_err(told)?;
                    let traces = part.transfers.entry(transfer.id).or_default();
                    if let Some((_, first)) = traces.asked.replace((transfer, pair)) {
                        let first = first.invoke.index;
                        return Err(told(format!(
                            "the transfer {} was asked for before, in op {first}",
                            transfer.id
                        )));
                    }
                }
                "read" => {
                    let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) else { continue };
                    let statement = Statement::parse(&answer.value).map_err(told)?;
                    for line in &statement.accounts {
                        let ids = line.transfers.as_ref().ok_or_else(|| {
                            told("a read must tell the transfers of each account".to_owned())
                        })?;
                        showings += ids.len();
                    }
                    part.reads.push(pair);
                    part.statements.push(statement);
                }
                other => return Err(told(format!("a bank has no operation `{other}`"))),
            }
            // Each is kept as it was read, and once more for its transfer.
            if showings.saturating_mul(size_of::<u64>() * 2) > budget.bytes {
                return Err("memory budget exhausted".to_owned());
            }
            if pair.invoke.index.is_multiple_of(512) && (budget.expired)() {
                return Err("time budget exhausted".to_owned());
            }
        }
        let mut list = Vec::new();
        for mut part in parts.into_values() {
            for (statement, read) in std::mem::take(&mut part.statements).into_iter().zip(0..) {
                if read % 512 == 0 && (budget.expired)() {
                    return Err("time budget exhausted".to_owned());
                }
                part.take(read, &statement);
            }
            let reads = &part.reads;
            list.extend(part.transfers.iter().map(|(id, traces)| Life::new(*id, traces, reads)));
        }
        Ok(Transfers { list })
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn with(&self, fate: Fate) -> impl Iterator<Item = &Life<'h>> {
        self.list.iter().filter(move |life| life.has(fate))
    }
}

impl Part<'_> {
    /// Notes what a read shows.
    fn take(&mut self, read: u32, statement: &Statement) {
        // The accounts on which it shows each transfer.
        let mut sides: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for line in &statement.accounts {
            for id in line.transfers.iter().flatten() {
                sides.entry(*id).or_default().push(line.number);
            }
        }
        for (id, accounts) in sides {
            let traces = self.transfers.entry(id).or_default();
            traces.shown.push(read);
            if let Some(pair) = accounts.windows(2).find(|pair| pair[0] == pair[1]) {
                traces.twice.get_or_insert((read, pair[0]));
            }
            let Some((transfer, _)) = &traces.asked else { continue };
            let both = [transfer.from, transfer.to];
            if let Some(wrong) = accounts.iter().find(|account| !both.contains(account)) {
                traces.misplaced.get_or_insert((read, *wrong));
            }
            let there: Vec<u32> = both.into_iter().filter(|account| accounts.contains(account)).collect();
            if let [only] = there[..] {
                traces.partial.get_or_insert((read, only));
            }
        }
    }
}

impl<'h> Life<'h> {
    fn new(id: u64, traces: &Traces<'h>, reads: &[Pair<'h>]) -> Life<'h> {
        let at = |place: u32| reads[place as usize];
        let shown = || traces.shown.iter().map(|place| at(*place));
        let acknowledged = traces.asked.map(|(_, op)| op).filter(|op| op.outcome() == Kind::Ok);
        let known = acknowledged.into_iter().chain(shown()).min_by_key(completed);
        let known_at = known.as_ref().map_or(u64::MAX, completed);
        let later = reads.partition_point(|read| read.invoke.index < known_at);
        // The last place that is not among the places shown, found from the end of both.
        let mut missing = reads.len();
        for place in traces.shown.iter().rev() {
            if *place as usize + 1 != missing {
                break;
            }
            missing -= 1;
        }
        let last_shown = shown().max_by_key(completed);
        let seen_after =
            |read: &Pair<'_>| last_shown.is_some_and(|shown| completed(&shown) > read.invoke.index);
        let lost = (missing > later).then(|| reads[missing - 1]).filter(|read| !seen_after(read));
        let begun = |read: &Pair<'_>| traces.asked.is_some_and(|(_, op)| op.invoke.index < completed(read));
        let phantom = shown().find(|read| !begun(read));
        let with = |found: Option<(u32, u32)>| found.map(|(place, account)| (at(place), account));
        Life {
            id,
            known,
            first_shown: shown().next(),
            last_shown,
            lost,
            phantom,
            partial: with(traces.partial),
            twice: with(traces.twice),
            misplaced: with(traces.misplaced),
            asked: traces.asked,
        }
    }

    fn outcome(&self) -> Option<Kind> {
        self.asked.map(|(_, op)| op.outcome())
    }

    fn has(&self, fate: Fate) -> bool {
        match fate {
            Fate::Shown => self.first_shown.is_some(),
            Fate::Resolved => self.first_shown.is_some() && self.outcome() == Some(Kind::Info),
            Fate::PartialVisibility => self.partial.is_some(),
            Fate::AbortedRead => self.first_shown.is_some() && self.outcome() == Some(Kind::Fail),
            Fate::LostCommit => self.lost.is_some() && self.outcome() == Some(Kind::Ok),
            Fate::ReversedDecision => self.lost.is_some() && self.outcome() != Some(Kind::Ok),
            Fate::Phantom => self.phantom.is_some(),
            Fate::Duplicate => self.twice.is_some(),
            Fate::Misplaced => self.misplaced.is_some(),
        }
    }

    /// The anomaly that this fate is.
    pub(super) fn accuse(&self, fate: Fate) -> Anomaly {
        let id = self.id;
        let index = |pair: Option<Pair<'_>>| pair.map_or(0, |pair| pair.invoke.index);
        let op = index(self.asked.map(|(_, op)| op));
        let between = self.asked.map_or_else(
            || format!("transfer {id}"),
            |(transfer, _)| {
                format!("transfer {id} from account {} to {} (op {op})", transfer.from, transfer.to)
            },
        );
        let (shown, because): (Vec<Option<Pair<'h>>>, String) = match fate {
            Fate::Shown | Fate::Resolved => (vec![self.first_shown], format!("a read showed {between}")),
            Fate::PartialVisibility => {
                let (read, side) = self.partial.map_or((None, 0), |(read, side)| (Some(read), side));
                let other =
                    self.asked.map_or(
                        0,
                        |(transfer, _)| if side == transfer.from { transfer.to } else { transfer.from },
                    );
                let because =
                    format!("{} showed {between} on account {side} and not on account {other}", reader(read));
                (vec![read], because)
            }
            Fate::AbortedRead => {
                let because = format!(
                    "{between} failed and so certainly did not happen, yet {} showed it",
                    reader(self.first_shown)
                );
                (vec![self.first_shown], because)
            }
            Fate::LostCommit | Fate::ReversedDecision => {
                let known = match self.known {
                    Some(known) if known.invoke.f == "transfer" => format!("{between} was acknowledged"),
                    known => format!("{} showed {between}", reader(known)),
                };
                let after = match self.last_shown {
                    Some(last) if Some(last.invoke.index) != self.known.map(|known| known.invoke.index) => {
                        format!("nor did any after op {}", last.invoke.index)
                    }
                    _ => "nor did any after it".to_owned(),
                };
                let because = format!(
                    "{known}, yet {}, which began after that, did not show it, {after}",
                    reader(self.lost)
                );
                (vec![self.known, self.last_shown, self.lost], because)
            }
            Fate::Phantom => {
                let cause = match self.asked {
                    None => "nobody ever asked for it".to_owned(),
                    Some((_, asked)) => format!("it was asked for only later, in op {}", asked.invoke.index),
                };
                (vec![self.phantom], format!("{} showed transfer {id}, but {cause}", reader(self.phantom)))
            }
            Fate::Duplicate => {
                let (read, side) = self.twice.map_or((None, 0), |(read, side)| (Some(read), side));
                (vec![read], format!("{} showed {between} more than once on account {side}", reader(read)))
            }
            Fate::Misplaced => {
                let (read, side) = self.misplaced.map_or((None, 0), |(read, side)| (Some(read), side));
                (vec![read], format!("{} showed {between} on account {side}", reader(read)))
            }
        };
        let ops = shown.into_iter().chain([self.asked.map(|(_, op)| op)]).flatten().collect();
        let mut details = Map::new();
        details.insert("transfer".to_owned(), id.into());
        anomaly(fate.name(), because, ops, details)
    }
}

/// The node that answered a read, and which read.
fn reader(read: Option<Pair<'_>>) -> String {
    let Some(read) = read else { return "a read".to_owned() };
    let node = read.completion.and_then(|op| op.node.as_deref());
    match node {
        Some(node) => format!("a read from {node} (op {})", read.invoke.index),
        None => format!("a read (op {})", read.invoke.index),
    }
}
