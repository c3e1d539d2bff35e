//! Whether money was made or lost.

mod shapes;

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Kind, Map, Verdict};
use serde_json::json;

pub use shapes::{Line, Opening, Statement, Transfer};

use crate::accusations::anomaly;
use crate::{Budget, Checker};

/// The anomalies of one kind that are told one by one; the others are counted.
const TOLD: usize = 8;

/// Looks at every read of a bank by itself, in the terms of Jepsen's `bank`.
///
/// Operations: `transfer`, which moves an amount between two accounts; `read`, whose `ok` value tells all accounts
/// ([`Statement`]). Keys are banks of their own.
///
/// - *wrong accounts*: an account is missing, or is none of the bank's;
/// - *wrong total*: the balances do not add up to what the bank began with;
/// - *negative balance*: an account has less than nothing, where that is forbidden;
/// - *wrong balance*: a balance is not what the bank began with and the transfers that the same read tells make it.
///
/// Where it is not known what a bank began with, its first read that succeeds tells it, and balances are not compared with
/// transfers.
///
/// Each is *invalid*. Whatever became of a transfer, `info` or not, leaves the total as it is, so none of the four asks
/// how it ended. *Unknown* when no read succeeded, or when a value makes no sense.
#[derive(Clone, Debug)]
pub struct Bank {
    beginning: Beginning,
    negative_allowed: bool,
}

/// What is known of how a bank begins.
#[derive(Clone, Debug)]
enum Beginning {
    /// All accounts with the same balance.
    Even(Opening),
    /// A balance for each account.
    Told(Statement),
    /// Nothing: the first read of each bank that succeeds tells its accounts and their total.
    FirstRead,
}

/// What is wrong with one read.
struct Fault {
    name: &'static str,
    because: String,
    /// The transfers that show it, beside the read.
    transfers: Vec<u64>,
}

impl Bank {
    /// For banks that begin like this, and whose balances are never negative.
    pub fn new(opening: Opening) -> Bank {
        Bank { beginning: Beginning::Even(opening), negative_allowed: false }
    }

    /// For banks that begin with these balances, which are never negative.
    pub fn beginning_with(statement: Statement) -> Bank {
        Bank { beginning: Beginning::Told(statement), negative_allowed: false }
    }

    /// For banks of which it is not known how they begin: the first read that succeeds tells it, and the others must have
    /// the same accounts and the same total. Balances are never negative.
    pub fn as_first_read() -> Bank {
        Bank { beginning: Beginning::FirstRead, negative_allowed: false }
    }

    /// The same, where a balance may be negative.
    pub fn with_negative_balances(self) -> Bank {
        Bank { negative_allowed: true, ..self }
    }

    /// All that is wrong with a read of a bank whose `first` read is that one.
    fn faults(
        &self,
        statement: &Statement,
        first: &Statement,
        transfers: &BTreeMap<u64, (Transfer, Pair<'_>)>,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut find = |name, because, transfers| faults.push(Fault { name, because, transfers });
        let numbers: Vec<u32> = statement.accounts.iter().map(|line| line.number).collect();
        let (accounts, total) = match &self.beginning {
            Beginning::Even(opening) => ((0..opening.accounts).collect(), opening.total()),
            Beginning::Told(told) => (told.numbers(), told.total()),
            Beginning::FirstRead => (first.numbers(), first.total()),
        };
        if numbers != accounts {
            let because = match &self.beginning {
                Beginning::Even(Opening { accounts: expected, .. }) => {
                    format!("showed the accounts {numbers:?}, not the {expected} from 0 on")
                }
                Beginning::Told(_) | Beginning::FirstRead => {
                    format!("showed the accounts {numbers:?}, where there were {accounts:?} at first")
                }
            };
            find("wrong-accounts", because, vec![]);
        } else if statement.total() != total {
            let balances: Vec<i64> = statement.accounts.iter().map(|line| line.balance).collect();
            let because = format!(
                "showed the balances {balances:?}, {} together, where there are always {}",
                statement.total(),
                total
            );
            find("wrong-total", because, vec![]);
        }
        for line in &statement.accounts {
            if line.balance < 0 && !self.negative_allowed {
                find(
                    "negative-balance",
                    format!("showed {} in account {}", line.balance, line.number),
                    vec![],
                );
            }
            let (Some(ids), Beginning::Even(opening)) = (&line.transfers, &self.beginning) else { continue };
            // A transfer that nobody asked for is for the checker of atomic commitment to find.
            let changes: Option<Vec<i64>> = ids
                .iter()
                .map(|id| transfers.get(id).map(|(transfer, _)| transfer.change(line.number)))
                .collect();
            let Some(changes) = changes else { continue };
            let expected =
                i128::from(opening.balance) + changes.iter().copied().map(i128::from).sum::<i128>();
            if expected != i128::from(line.balance) {
                let because = format!(
                    "showed {} in account {}, where {} at first and the transfers {ids:?} make {expected}",
                    line.balance, line.number, opening.balance
                );
                find("wrong-balance", because, ids.clone());
            }
        }
        faults
    }
}

/// All reads that succeeded, and the transfers by their ids.
struct Banks<'h> {
    reads: Vec<(Pair<'h>, Statement)>,
    transfers: BTreeMap<Option<&'h str>, BTreeMap<u64, (Transfer, Pair<'h>)>>,
}

fn understand<'h>(history: &'h History, budget: &Budget<'_>) -> Result<Banks<'h>, String> {
    let mut banks = Banks { reads: Vec::new(), transfers: BTreeMap::new() };
    let mut bytes = 0_usize;
    for pair in history.pairs() {
        let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
        match pair.invoke.f.as_str() {
            // A transfer without an id is one that no read can name.
            "transfer" => {
                if let Ok(transfer) = Transfer::parse(&pair.invoke.value) {
                    let key = pair.invoke.key.as_deref();
                    banks.transfers.entry(key).or_default().insert(transfer.id, (transfer, pair));
                }
                bytes = bytes.saturating_add(size_of::<(u64, Transfer, Pair<'_>)>());
            }
            "read" => {
                let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) else { continue };
                let statement = Statement::parse(&answer.value).map_err(told)?;
                for line in &statement.accounts {
                    bytes +=
                        size_of::<Line>() + line.transfers.as_ref().map_or(0, Vec::len) * size_of::<u64>();
                }
                banks.reads.push((pair, statement));
            }
            other => return Err(told(format!("a bank has no operation `{other}`"))),
        }
        if bytes > budget.bytes {
            return Err("memory budget exhausted".to_owned());
        }
        if pair.invoke.index.is_multiple_of(512) && (budget.expired)() {
            return Err("time budget exhausted".to_owned());
        }
    }
    Ok(banks)
}

impl Checker for Bank {
    fn name(&self) -> &'static str {
        "bank"
    }

    fn about(&self) -> &'static str {
        "every read of a bank adds up to what is in it, no balance is negative, and each is what its transfers make it"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        let banks = match understand(history, budget) {
            Ok(banks) => banks,
            Err(reason) => return Verdict::unknown(self.name(), reason),
        };
        if banks.reads.is_empty() {
            return Verdict::unknown(self.name(), "vacuous: no read succeeded");
        }
        if matches!(self.beginning, Beginning::FirstRead) && banks.reads.len() < 2 {
            return Verdict::unknown(
                self.name(),
                "vacuous: there is one read, and nothing to compare it with",
            );
        }
        let none = BTreeMap::new();
        let mut firsts: BTreeMap<Option<&str>, &Statement> = BTreeMap::new();
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut anomalies: Vec<Anomaly> = Vec::new();
        for (place, (read, statement)) in banks.reads.iter().enumerate() {
            if place.is_multiple_of(512) && (budget.expired)() && anomalies.is_empty() {
                return Verdict::unknown(self.name(), "time budget exhausted");
            }
            let transfers = banks.transfers.get(&read.invoke.key.as_deref()).unwrap_or(&none);
            let first = firsts.entry(read.invoke.key.as_deref()).or_insert(statement);
            for fault in self.faults(statement, first, transfers) {
                let count = counts.entry(fault.name).or_default();
                *count += 1;
                if *count <= TOLD {
                    let causes =
                        fault.transfers.iter().filter_map(|id| transfers.get(id)).map(|(_, pair)| *pair);
                    anomalies.push(accuse(&fault, *read, causes.collect()));
                }
            }
        }
        let reads = banks.reads.len();
        let keys: std::collections::BTreeSet<_> =
            banks.reads.iter().map(|(read, _)| read.invoke.key.as_deref()).collect();
        let verdict = match anomalies.first() {
            None => {
                let keys = keys.len();
                Verdict::valid(
                    self.name(),
                    match &self.beginning {
                        Beginning::Even(opening) => {
                            format!("{reads} reads of {keys} banks: each adds up to {}", opening.total())
                        }
                        Beginning::Told(told) => {
                            format!("{reads} reads of {keys} banks: each adds up to {}", told.total())
                        }
                        Beginning::FirstRead => {
                            format!("{reads} reads of {keys} banks: each adds up to what the first one does")
                        }
                    },
                )
            }
            Some(first) => {
                let listed: Vec<String> =
                    counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
                let summary =
                    format!("{}: {}; {} in {reads} reads", first.name, first.because, listed.join(", "));
                Verdict::invalid(self.name(), summary, anomalies)
            }
        };
        verdict.with_stat("reads", reads).with_stat("faults", json!(counts))
    }
}

fn accuse<'a>(fault: &Fault, read: Pair<'a>, mut ops: Vec<Pair<'a>>) -> Anomaly {
    let who = read.completion.and_then(|op| op.node.as_deref()).unwrap_or("the read");
    let because = format!("{who} (op {}) {}", read.invoke.index, fault.because);
    ops.push(read);
    anomaly(fault.name, because, ops, Map::new())
}
