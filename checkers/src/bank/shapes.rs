//! What operations on a bank look like.

use rashomon_core::Value;

/// How a bank begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its accounts, numbered from 0.
    pub accounts: u32,
    /// What is in each of them.
    pub balance: i64,
}

/// An amount that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// Its name.
    pub id: u64,
    /// Who gives.
    pub from: u32,
    /// Who takes.
    pub to: u32,
    /// How much.
    pub amount: i64,
}

/// What a read says of all accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The accounts in the order of their numbers.
    pub accounts: Vec<Line>,
}

/// What a read says of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which account.
    pub number: u32,
    /// How much is in it.
    pub balance: i64,
    /// The transfers that took from it or gave to it, in their order; `None` where a read tells balances alone.
    pub transfers: Option<Vec<u64>>,
}

impl Opening {
    /// What is in all accounts together, always.
    pub fn total(self) -> i128 {
        i128::from(self.accounts) * i128::from(self.balance)
    }
}

impl Transfer {
    /// The transfer that the value of an op describes: `{"id": 7, "from": 0, "to": 5, "amount": 3}`.
    pub fn parse(value: &Value) -> Result<Transfer, String> {
        let account = |field: &str| value[field].as_u64().and_then(|number| u32::try_from(number).ok());
        let (id, amount) = (value["id"].as_u64(), value["amount"].as_i64().filter(|amount| *amount > 0));
        match (id, account("from"), account("to"), amount) {
            (Some(id), Some(from), Some(to), Some(amount)) if from != to => {
                Ok(Transfer { id, from, to, amount })
            }
            _ => Err(format!(
                "a transfer has an id, two accounts (from, to) and a positive amount, not {value}"
            )),
        }
    }

    /// What it adds to an account.
    pub fn change(&self, account: u32) -> i64 {
        match account {
            account if account == self.from => -self.amount,
            account if account == self.to => self.amount,
            _ => 0,
        }
    }
}

impl Statement {
    /// The accounts that the value of an `ok` read tells: an object from the number of each to its balance, or to
    /// `{"balance": 17, "transfers": [4, 9]}`.
    pub fn parse(value: &Value) -> Result<Statement, String> {
        let wrong =
            || format!("a read of a bank tells the balance of each account by its number, not {value}");
        let mut accounts = Vec::new();
        for (name, account) in value.as_object().ok_or_else(wrong)? {
            let number = name.parse().map_err(|_| wrong())?;
            let (balance, transfers) = match account {
                Value::Object(line) => {
                    let ids = line.get("transfers").and_then(Value::as_array).ok_or_else(wrong)?;
                    let ids: Option<Vec<u64>> = ids.iter().map(Value::as_u64).collect();
                    (line.get("balance").and_then(Value::as_i64), Some(ids.ok_or_else(wrong)?))
                }
                other => (other.as_i64(), None),
            };
            accounts.push(Line { number, balance: balance.ok_or_else(wrong)?, transfers });
        }
        accounts.sort_by_key(|line| line.number);
        Ok(Statement { accounts })
    }

    /// The numbers of the accounts.
    pub fn numbers(&self) -> Vec<u32> {
        self.accounts.iter().map(|line| line.number).collect()
    }

    /// What is in all accounts together.
    pub fn total(&self) -> i128 {
        self.accounts.iter().map(|line| i128::from(line.balance)).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_shapes_of_a_read_are_understood() {
        let plain = Statement::parse(&json!({"10": 4, "2": -1})).unwrap();
        let line = |number, balance| Line { number, balance, transfers: None };
        assert_eq!(plain.accounts, [line(2, -1), line(10, 4)]);
        assert_eq!(plain.total(), 3);
        let full = Statement::parse(&json!({"0": {"balance": 4, "transfers": [7, 9]}})).unwrap();
        assert_eq!(full.accounts, [Line { number: 0, balance: 4, transfers: Some(vec![7, 9]) }]);
    }

    #[test]
    fn what_is_no_read_and_no_transfer_is_refused() {
        for value in [
            json!(null),
            json!([1]),
            json!({"a": 1}),
            json!({"0": "1"}),
            json!({"0": {"balance": 1}}),
            json!({"0": {"balance": 1, "transfers": ["x"]}}),
        ] {
            assert!(Statement::parse(&value).unwrap_err().contains("by its number"), "{value}");
        }
        assert!(Transfer::parse(&json!({"id": 1, "from": 0, "to": 1, "amount": 5})).is_ok());
        for value in [
            json!(null),
            json!({"id": 1, "from": 0, "to": 0, "amount": 5}),
            json!({"id": 1, "from": 0, "to": 1, "amount": 0}),
            json!({"from": 0, "to": 1, "amount": 5}),
            json!({"id": -1, "from": 0, "to": 1, "amount": 5}),
        ] {
            assert!(Transfer::parse(&value).is_err(), "{value}");
        }
    }
}
