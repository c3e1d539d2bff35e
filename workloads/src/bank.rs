//! Banks: move amounts between accounts, read all accounts at once.

use rand::RngExt;
use rand::seq::SliceRandom;
use rashomon_core::generator::{Asked, Generator, Invocation, Keys, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{Kind, Op, Value};
use serde_json::json;

use crate::workload::{Request, Workload, WorkloadInfo, expect_type};

/// The bank workload: money is neither made nor lost, and no transfer is ever half there.
///
/// The shapes of operations are those of Jepsen's bank, with two additions. Each transfer has an `id`, and each account
/// that is read tells its transfers beside its balance; so a checker knows of every single transfer whether a read saw
/// it, on both sides, where totals alone would let two mistakes cancel out. A key is a bank of its own; keys retire
/// so that a whole read stays small.
///
/// A bank is there as soon as it is named. It has [`ACCOUNTS`](Bank::ACCOUNTS) accounts, numbered from 0, each with
/// [`OPENING`](Bank::OPENING) in it at first: a system that serves the workload must know as much.
#[derive(Debug)]
pub struct Bank {
    keys: Keys,
    last_transfer: u32,
}

/// How many banks are in use at a time.
const ACTIVE_KEYS: usize = 3;
/// The most that is moved at once.
const MOST_MOVED: i64 = 5;
impl Bank {
    /// The accounts of a bank.
    pub const ACCOUNTS: u32 = 6;
    /// What is in each account at first.
    pub const OPENING: i64 = 20;
    /// The ops of a bank before a fresh one takes its place.
    pub const OPS: u64 = 150;

    /// What the harness needs to know.
    pub const INFO: WorkloadInfo = WorkloadInfo {
        name: "bank",
        summary: "move amounts between accounts on different shards and read all accounts, each in a transaction",
        ops: &["transfer", "read"],
        checkers: &["atomic-commitment", "bank", "linearizable-bank", "stats", "availability"],
        make: || Box::new(Bank::new()),
    };

    /// A fresh workload.
    pub fn new() -> Bank {
        Bank { keys: Keys::with_limits(ACTIVE_KEYS, Bank::OPS, Keys::INFOS), last_transfer: 0 }
    }
}

impl Default for Bank {
    fn default() -> Bank {
        Bank::new()
    }
}

impl Generator<Invocation> for Bank {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        let key = self.keys.draw(asked.rng);
        let invocation = if asked.rng.random_range(0..5_u8) < 2 {
            Invocation::new("read", key, Value::Null)
        } else {
            self.last_transfer += 1;
            let mut accounts: Vec<u32> = (0..Bank::ACCOUNTS).collect();
            accounts.shuffle(asked.rng);
            let amount = asked.rng.random_range(1..=MOST_MOVED);
            let value = json!({
                "id": self.last_transfer, "from": accounts[0], "to": accounts[1], "amount": amount,
            });
            Invocation::new("transfer", key, value)
        };
        Next::Do(asked.thread(), invocation)
    }

    fn update(&mut self, _thread: usize, op: &Op) {
        if let (Kind::Info, Some(key)) = (op.kind, &op.key) {
            self.keys.info(key);
        }
    }
}

impl Workload for Bank {
    fn request(&self, invocation: &Invocation) -> Request {
        let key = ("key", invocation.key.clone().into());
        let field = |name| invocation.value[name].clone();
        match invocation.f {
            "read" => Request::new("read_accounts", [key]).read_only(),
            _ => Request::new(
                "transfer",
                [
                    key,
                    ("id", field("id")),
                    ("from", field("from")),
                    ("to", field("to")),
                    ("amount", field("amount")),
                ],
            ),
        }
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        if invocation.f != "read" {
            return expect_type(reply, "transfer_ok").map(|()| invocation.value.clone());
        }
        expect_type(reply, "read_accounts_ok")?;
        let Some(Value::Array(accounts)) = reply.get("accounts") else {
            return Err("read_accounts_ok without a list of accounts".to_owned());
        };
        let mut read = rashomon_core::Map::new();
        for (number, account) in accounts.iter().enumerate() {
            let transfers = account["transfers"].as_array();
            if !account["balance"].is_i64() || !transfers.is_some_and(|ids| ids.iter().all(Value::is_u64)) {
                return Err(format!("account {number} is {account}, not a balance and a list of transfers"));
            }
            read.insert(number.to_string(), account.clone());
        }
        Ok(Value::Object(read))
    }

    fn final_reads(&self) -> Vec<Invocation> {
        self.keys.all().iter().map(|key| Invocation::new("read", key.as_str(), Value::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rashomon_core::{Seed, Time};

    use super::*;

    #[test]
    fn transfers_have_names_of_their_own_and_two_accounts() {
        let (mut bank, mut rng) = (Bank::new(), Seed(5).rng());
        let (mut ids, mut pairs, mut reads) = (BTreeSet::new(), BTreeSet::new(), 0);
        for _ in 0..2000 {
            let mut asked = Asked { now: Time::ZERO, free: &[0, 1], threads: 2, rng: &mut rng };
            let Next::Do(_, invocation) = bank.next(&mut asked) else { panic!("the workload is endless") };
            if invocation.f == "read" {
                reads += 1;
                continue;
            }
            let number = |field: &str| invocation.value[field].as_u64().unwrap();
            assert!(ids.insert(number("id")));
            assert_ne!(number("from"), number("to"));
            assert!((1..=5).contains(&number("amount")));
            pairs.insert((number("from"), number("to")));
        }
        assert_eq!(pairs.len(), 30, "every pair of accounts");
        assert!((600..1000).contains(&reads));
    }

    #[test]
    fn a_read_is_accounts_by_number() {
        let bank = Bank::new();
        let read = Invocation::new("read", "0", Value::Null);
        let answer = |text: &str| bank.response(&read, &serde_json::from_str(text).unwrap());
        assert_eq!(
            answer(r#"{"type":"read_accounts_ok","accounts":[{"balance":20,"transfers":[3]}]}"#),
            Ok(json!({"0": {"balance": 20, "transfers": [3]}}))
        );
        for nonsense in [
            r#"{"type":"read_accounts_ok"}"#,
            r#"{"type":"read_accounts_ok","accounts":[20]}"#,
            r#"{"type":"read_accounts_ok","accounts":[{"balance":"much","transfers":[]}]}"#,
            r#"{"type":"read_accounts_ok","accounts":[{"balance":20,"transfers":["a"]}]}"#,
            r#"{"type":"transfer_ok"}"#,
        ] {
            assert!(answer(nonsense).is_err(), "{nonsense}");
        }
    }
}
