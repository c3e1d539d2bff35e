//! The levels of transactions over lists, against an oracle that tries every order and every visibility.

mod transactions;

use proptest::prelude::*;
use rashomon_checkers::isolation::{Isolation, Level, ListAppend, Order};
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use transactions::{op, transactions};

/// A micro-op as the oracle sees it.
#[derive(Clone, Debug)]
enum MicroOp {
    Append(usize, i64),
    Read(usize, Option<Vec<i64>>),
}

#[derive(Clone, Debug)]
struct Transaction {
    process: u64,
    kind: Kind,
    invoke: u64,
    completion: Option<u64>,
    micro_ops: Vec<MicroOp>,
}

impl Transaction {
    fn appends(&self, key: usize) -> impl Iterator<Item = i64> {
        self.micro_ops.iter().filter_map(move |micro_op| match micro_op {
            MicroOp::Append(other, value) if *other == key => Some(*value),
            _ => None,
        })
    }
}

fn parse(history: &History) -> Vec<Transaction> {
    let pairs = history.pairs().map(|pair| {
        let kind = pair.outcome();
        let value = if kind == Kind::Ok { &pair.completion.unwrap().value } else { &pair.invoke.value };
        let micro_op = |value: &Value| {
            let key = usize::from(value[1] == "y" || value[1] == 1);
            if value[0] == "append" {
                return MicroOp::Append(key, value[2].as_i64().unwrap());
            }
            let list = value[2].as_array().map(|list| list.iter().map(|one| one.as_i64().unwrap()).collect());
            MicroOp::Read(key, list)
        };
        Transaction {
            process: match pair.invoke.process {
                rashomon_core::Process::Client(number) => number,
                rashomon_core::Process::Nemesis => unreachable!(),
            },
            kind,
            invoke: pair.invoke.index,
            completion: pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| op.index),
            micro_ops: value.as_array().unwrap().iter().map(micro_op).collect(),
        }
    });
    pairs.collect()
}

/// One attempt to explain a history: the transactions that happened, in the order of arbitration.
struct Attempt<'a> {
    order: Vec<&'a Transaction>,
}

impl Attempt<'_> {
    /// The list of a key that the transaction at a place leaves, and all before it in the order.
    fn list(&self, key: usize, through: Option<usize>) -> Vec<i64> {
        let count = through.map_or(0, |place| place + 1);
        self.order[..count].iter().flat_map(|transaction| transaction.appends(key)).collect()
    }

    fn writes(&self, place: usize, key: usize) -> bool {
        self.order[place].appends(key).next().is_some()
    }

    /// Whether each read is what the last visible writer left and the transaction itself appended so far.
    fn external_and_internal(&self, visible: &[u32]) -> bool {
        (0..self.order.len()).all(|place| {
            let mut own: Vec<(usize, i64)> = Vec::new();
            self.order[place].micro_ops.iter().all(|micro_op| match micro_op {
                MicroOp::Append(key, value) => {
                    own.push((*key, *value));
                    true
                }
                MicroOp::Read(_, None) => true,
                MicroOp::Read(key, Some(list)) => {
                    let seen = |other: &usize| visible[place] >> other & 1 == 1 && self.writes(*other, *key);
                    let writer = (0..place).rev().find(seen);
                    // After an append of its own it sees the version that it installs, which is after all before it.
                    let installed = (0..place).rev().find(|other| self.writes(*other, *key));
                    if own.iter().any(|(other, _)| other == key) && writer != installed {
                        return false;
                    }
                    let mut expected = self.list(*key, writer);
                    expected.extend(own.iter().filter(|(other, _)| other == key).map(|(_, value)| *value));
                    *list == expected
                }
            })
        })
    }

    /// Whether each read, for itself, is what some earlier writer left, and something that the transaction appended.
    fn committed(&self) -> bool {
        (0..self.order.len()).all(|place| {
            let mut own: Vec<(usize, i64)> = Vec::new();
            self.order[place].micro_ops.iter().all(|micro_op| match micro_op {
                MicroOp::Append(key, value) => {
                    own.push((*key, *value));
                    true
                }
                MicroOp::Read(_, None) => true,
                MicroOp::Read(key, Some(list)) => {
                    let own: Vec<i64> =
                        own.iter().filter(|(other, _)| other == key).map(|(_, value)| *value).collect();
                    let installed = self.list(*key, place.checked_sub(1));
                    if (1..=own.len()).any(|count| *list == [&installed[..], &own[..count]].concat()) {
                        return true;
                    }
                    let writers = (0..place).filter(|other| self.writes(*other, *key)).map(Some);
                    writers.chain([None]).any(|writer| *list == self.list(*key, writer))
                }
            })
        })
    }

    fn before(&self, order: Order, one: usize, two: usize) -> bool {
        let (one, two) = (self.order[one], self.order[two]);
        let ended = one.completion.is_some_and(|end| end < two.invoke);
        match order {
            Order::Plain => false,
            Order::Session => ended && one.process == two.process,
            Order::RealTime => ended,
        }
    }

    /// Whether this order explains the history at this level, with some visibility.
    fn explains(&self, level: Level) -> bool {
        let count = self.order.len();
        let pairs: Vec<(usize, usize)> =
            (0..count).flat_map(|two| (0..two).map(move |one| (one, two))).collect();
        let forced = |one: usize, two: usize| self.before(level.order, one, two);
        // What comes later in the order cannot be seen.
        if pairs.iter().any(|(one, two)| forced(*two, *one)) {
            return false;
        }
        if level.isolation == Isolation::ReadCommitted {
            return self.committed();
        }
        (0..1_u32 << pairs.len()).any(|mask| {
            let mut visible = vec![0_u32; count];
            for (bit, (one, two)) in pairs.iter().enumerate() {
                visible[*two] |= (mask >> bit & 1) << one;
            }
            let sees = |two: usize, one: usize| visible[two] >> one & 1 == 1;
            let included = pairs.iter().all(|(one, two)| sees(*two, *one) || !forced(*one, *two));
            let transitive = || {
                (0..count).all(|two| {
                    (0..two).filter(|one| sees(two, *one)).all(|one| visible[one] & !visible[two] == 0)
                })
            };
            let prefix = || {
                (0..count).all(|two| {
                    (0..two).filter(|one| sees(two, *one)).all(|one| (0..one).all(|zero| sees(two, zero)))
                })
            };
            let no_conflict = || {
                pairs.iter().all(|(one, two)| {
                    sees(*two, *one) || !(0..KEYS).any(|key| self.writes(*one, key) && self.writes(*two, key))
                })
            };
            let total = || pairs.iter().all(|(one, two)| sees(*two, *one));
            included
                && match level.isolation {
                    Isolation::ReadUncommitted | Isolation::ReadCommitted => unreachable!(),
                    Isolation::ReadAtomic => true,
                    Isolation::Causal => transitive(),
                    Isolation::Prefix => prefix(),
                    Isolation::ParallelSnapshot => transitive() && no_conflict(),
                    Isolation::Snapshot => prefix() && no_conflict(),
                    Isolation::RepeatableRead | Isolation::Serializable => total(),
                }
                && self.external_and_internal(&visible)
        })
    }
}

const KEYS: usize = 2;

/// Whether the history can be explained at this level: with some of the transactions of unknown end, in some order.
fn explained(transactions: &[Transaction], level: Level) -> bool {
    let sure: Vec<&Transaction> = transactions.iter().filter(|one| one.kind == Kind::Ok).collect();
    let open: Vec<&Transaction> = transactions.iter().filter(|one| one.kind == Kind::Info).collect();
    (0..1_usize << open.len()).any(|mask| {
        let mut list = sure.clone();
        list.extend(open.iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1).map(|(_, one)| *one));
        permutations(&mut list, 0, &mut |order| Attempt { order: order.to_vec() }.explains(level))
    })
}

fn permutations<'a>(
    list: &mut Vec<&'a Transaction>,
    from: usize,
    found: &mut impl FnMut(&[&'a Transaction]) -> bool,
) -> bool {
    if from == list.len() {
        return found(list);
    }
    (from..list.len()).any(|place| {
        list.swap(from, place);
        let answer = permutations(list, from + 1, found);
        list.swap(from, place);
        answer
    })
}

#[test]
fn the_oracle_knows_the_famous_histories() {
    for (text, holds, violated) in [
        ("0 ok x= y+1\n1 ok y= x+2", "strong-snapshot-isolation", "serializable"),
        ("0 ok x+1\n1 ok y+1\n2 ok x=1 y=\n3 ok x= y=1", "parallel-snapshot-isolation", "prefix"),
        ("0 ok x= x+1\n1 ok x= x+2", "prefix", "parallel-snapshot-isolation"),
        ("0 ok x+1 y+1\n1 ok x=1 y=", "read-committed", "read-atomic"),
        ("0 ok x+1\n--\n1 ok x=", "strong-session-serializable", "strong-read-atomic"),
    ] {
        let history = transactions(text);
        assert!(explained(&parse(&history), holds.parse().unwrap()), "{holds} of {text}");
        assert!(!explained(&parse(&history), violated.parse().unwrap()), "{violated} of {text}");
    }
}

type Choice = (u8, u8, u8);

/// A history of a database that is wrong in many ways: each transaction works on a snapshot that may be old, each read may
/// be older or newer, each append may come in the middle.
fn history(choices: &[Choice]) -> History {
    let mut choices = choices.iter().copied();
    let mut draw = move || choices.next().unwrap_or_default();
    let mut lists: Vec<Vec<i64>> = vec![Vec::new(); KEYS];
    let mut ops = Vec::new();
    let mut open: Vec<(u64, Kind, Vec<Value>, Vec<Value>)> = Vec::new();
    let mut next = 0;
    let (size, lies, clients) = draw();
    for number in 0..2 + u64::from(size % 3) {
        let (who, end, count) = draw();
        let process = u64::from(who) % (1 + u64::from(clients % 4));
        // A client's last transaction ends before its next begins; others end now and then.
        let ends = |one: &(u64, Kind, Vec<Value>, Vec<Value>)| one.0 == process || end / 16 % 3 == 0;
        let (closed, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(ends);
        open = rest;
        for (process, kind, asked, results) in closed {
            ops.push(op(kind, process, if kind == Kind::Ok { results } else { asked }.into()));
        }
        let kind = match end % 16 {
            0 => Kind::Fail,
            1 | 2 => Kind::Info,
            _ => Kind::Ok,
        };
        let snapshot = lists.clone();
        let (mut asked, mut results) = (Vec::new(), Vec::new());
        let mut own: Vec<Vec<i64>> = vec![Vec::new(); KEYS];
        for _ in 0..=count % 3 {
            let (what, key, how) = draw();
            let key = usize::from(key) % KEYS;
            if what % 2 == 0 {
                next += 1;
                let micro_op = json!(["append", key, next]);
                own[key].push(next);
                let wrong = how % 16 == 0 && lies % 2 == 0 && !lists[key].is_empty();
                if kind != Kind::Fail || how % 8 == 1 {
                    let place = if wrong { lists[key].len() - 1 } else { lists[key].len() };
                    lists[key].insert(place, next);
                }
                asked.push(micro_op.clone());
                results.push(micro_op);
            } else {
                let mut list = snapshot[key].clone();
                match how % 8 {
                    // Older, by one or more.
                    0 => drop(list.pop()),
                    1 => list.truncate(list.len() / 2),
                    // As it is now, own appends and others' among it.
                    2 => list.clone_from(&lists[key]),
                    3 if lies % 4 == 1 => list.reverse(),
                    4 if lies % 8 == 3 => list.push(99),
                    5 if lies % 8 == 5 => list.extend(list.first().copied()),
                    _ => {}
                }
                if how % 8 != 2 {
                    list.extend(&own[key]);
                }
                if lies % 4 == 2 && how / 8 % 8 == 0 {
                    list.push(next + 1);
                }
                asked.push(json!(["r", key, null]));
                results.push(json!(["r", key, list]));
            }
        }
        ops.push(op(
            Kind::Invoke,
            process + 100 * number * u64::from(kind == Kind::Info),
            asked.clone().into(),
        ));
        open.push((process + 100 * number * u64::from(kind == Kind::Info), kind, asked, results));
    }
    for (process, kind, asked, results) in open {
        ops.push(op(kind, process, if kind == Kind::Ok { results } else { asked }.into()));
    }
    History::new(ops).unwrap()
}

fn cases(usual: u32) -> u32 {
    std::env::var("RASHOMON_CASES").map_or(usual, |text| text.parse().expect("RASHOMON_CASES is a number"))
}

/// The histories judged, and in how many of them each level was explained, violated or left open.
fn compare(history: &History) -> Result<(), TestCaseError> {
    let verdict = ListAppend::default().check(history, &Budget::unlimited());
    let Some(levels) = verdict.stats.get("levels") else {
        prop_assert!(verdict.summary.starts_with("vacuous"), "{}", verdict.summary);
        return Ok(());
    };
    let transactions = parse(history);
    for level in Level::all().filter(|level| level.isolation != Isolation::ReadUncommitted) {
        let expected = explained(&transactions, level);
        let found = levels[level.isolation.name()][level.order.name()].as_str().unwrap();
        let agrees = match found {
            "holds" => expected,
            "violated" => !expected,
            _ => [Isolation::ParallelSnapshot, Isolation::Snapshot].contains(&level.isolation),
        };
        prop_assert!(
            agrees,
            "{level}: {found}, and it is {expected} that it can be explained\n{verdict:#?}\n{transactions:#?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn levels_agree_with_the_oracle(choices in proptest::collection::vec(any::<Choice>(), 8..24)) {
        compare(&history(&choices))?;
    }
}
