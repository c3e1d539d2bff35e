//! Sums: a counter, and a bank.

use rashomon_core::{Map, Op, Value};
use serde_json::json;

use super::stream::{Answer, Asked, Lie, Object};
use super::{Draws, Plant};
use crate::BANK;

/// The most that one add adds.
const MOST: u64 = 5;

/// Half adds and half reads.
pub(super) struct Counter {
    sum: u64,
    /// What is added at most by all who were asked.
    asked: u64,
    clients: u64,
}

impl Counter {
    pub(super) fn new(clients: u64) -> Counter {
        Counter { sum: 0, asked: 0, clients }
    }
}

impl Object for Counter {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        if draws.below(2) == 0 {
            return Asked::new("read", Value::Null);
        }
        let amount = 1 + draws.below(MOST);
        self.asked += amount;
        Asked::new("add", amount)
    }

    fn apply(&mut self, op: &Op) -> Answer {
        if let Some(amount) = op.value.as_u64() {
            self.sum += amount;
            return Answer::ok(amount);
        }
        Answer::ok(self.sum)
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        if !op.value.is_null() {
            return None;
        }
        let answer = match plant {
            // More than others can add while the reader is slow to hear of it.
            Plant::Overcount => self.asked + MOST * 100 * self.clients,
            Plant::Undercount if self.sum > 0 => self.sum / 2,
            _ => return None,
        };
        Some(Lie::Told(Answer::ok(answer)))
    }
}

/// The bank of the workload `bank`, with transfers between its accounts and reads of all.
pub(super) struct Accounts {
    balances: Vec<i64>,
    transfers: u64,
}

impl Default for Accounts {
    fn default() -> Accounts {
        Accounts { balances: vec![BANK.balance; BANK.accounts as usize], transfers: 0 }
    }
}

fn statement(balances: &[i64]) -> Value {
    let accounts =
        balances.iter().enumerate().map(|(account, balance)| (account.to_string(), json!(balance)));
    Value::Object(accounts.collect::<Map<String, Value>>())
}

impl Object for Accounts {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        if draws.below(2) == 0 {
            return Asked::new("read", Value::Null);
        }
        self.transfers += 1;
        let accounts = u64::from(BANK.accounts);
        let from = draws.below(accounts);
        let to = (from + 1 + draws.below(accounts - 1)) % accounts;
        let amount = 1 + draws.below(MOST);
        Asked::new("transfer", json!({"id": self.transfers, "from": from, "to": to, "amount": amount}))
    }

    fn apply(&mut self, op: &Op) -> Answer {
        let place = |field: &str| op.value[field].as_u64().map(|account| account as usize);
        let (Some(from), Some(to), Some(amount)) = (place("from"), place("to"), op.value["amount"].as_i64())
        else {
            return Answer::ok(statement(&self.balances));
        };
        if self.balances[from] < amount {
            return Answer::fail(op.value.clone());
        }
        self.balances[from] -= amount;
        self.balances[to] += amount;
        Answer::ok(op.value.clone())
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        if !op.value.is_null() {
            return None;
        }
        let mut shown = self.balances.clone();
        match plant {
            Plant::WrongTotal => shown[0] += 1,
            Plant::NegativeBalance => {
                shown[1] += shown[0] + 1;
                shown[0] = -1;
            }
            _ => return None,
        }
        Some(Lie::Told(Answer::ok(statement(&shown))))
    }
}
