//! A bank, as one linearizable object.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};
use serde_json::json;

use crate::bank::{Opening, Statement, Transfer};
use crate::{Effect, Model};

/// A bank between whose accounts amounts are moved, and that is read as a whole.
///
/// Every transaction of the bank is one operation on this object, so a bank is linearizable exactly when its
/// transactions are strictly serializable. An account knows the transfers that made its balance, in their order, so that
/// nearly every state is known from some read, and the search has little to guess.
///
/// Operations, as `f` and value: `transfer` with `{"id", "from", "to", "amount"}`, possible when the account has as
/// much; `read` with an object from the name of each account to its `{"balance", "transfers"}` when `ok`.
#[derive(Clone, Debug)]
pub struct Bank {
    opening: Opening,
}

/// An account at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountState {
    balance: i64,
    transfers: Vec<u64>,
}

/// What one operation on a [`Bank`] claims.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BankAction {
    /// This was moved.
    Transfer(Transfer),
    /// These were the accounts.
    Read(Arc<Vec<Arc<AccountState>>>),
    /// An answer that no bank can give, since it has other accounts.
    Impossible,
}

impl Bank {
    /// A bank that begins like this.
    pub fn new(opening: Opening) -> Bank {
        Bank { opening }
    }

    fn read(&self, answer: &Value) -> Result<BankAction, String> {
        let statement = Statement::parse(answer)?;
        if statement.accounts.len() != self.opening.accounts as usize {
            return Ok(BankAction::Impossible);
        }
        let mut accounts = Vec::new();
        for (account, expected) in statement.accounts.iter().zip(0..) {
            if account.number != expected {
                return Ok(BankAction::Impossible);
            }
            let Some(transfers) = account.transfers.clone() else {
                return Err("the model bank needs reads that tell the transfers of each account".to_owned());
            };
            accounts.push(Arc::new(AccountState { balance: account.balance, transfers }));
        }
        Ok(BankAction::Read(Arc::new(accounts)))
    }
}

impl Model for Bank {
    type State = Arc<Vec<Arc<AccountState>>>;
    type Action = BankAction;

    fn name(&self) -> &'static str {
        "bank"
    }

    fn initial(&self) -> Self::State {
        let account = Arc::new(AccountState { balance: self.opening.balance, transfers: Vec::new() });
        Arc::new(vec![account; self.opening.accounts as usize])
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<BankAction>, String> {
        match pair.invoke.f.as_str() {
            "transfer" => {
                Transfer::parse(&pair.invoke.value).map(|transfer| Some(BankAction::Transfer(transfer)))
            }
            "read" => match pair.completion.filter(|op| op.kind == Kind::Ok) {
                None => Ok(None),
                Some(answer) => self.read(&answer.value).map(Some),
            },
            other => Err(format!("the model bank has no operation `{other}`")),
        }
    }

    fn step(&self, state: &Self::State, action: &BankAction) -> Option<Self::State> {
        match action {
            BankAction::Transfer(transfer) => {
                let (from, to) = (transfer.from as usize, transfer.to as usize);
                if state.get(from)?.balance < transfer.amount || to >= state.len() || from == to {
                    return None;
                }
                let mut next = Vec::clone(state);
                for (place, change) in [(from, -transfer.amount), (to, transfer.amount)] {
                    let account = Arc::make_mut(&mut next[place]);
                    account.balance = account.balance.checked_add(change)?;
                    account.transfers.push(transfer.id);
                }
                Some(Arc::new(next))
            }
            BankAction::Read(accounts) => (state == accounts).then(|| state.clone()),
            BankAction::Impossible => None,
        }
    }

    fn effect(&self, action: &BankAction) -> Effect<Self::State> {
        match action {
            BankAction::Transfer(_) => Effect::Any,
            BankAction::Read(accounts) => Effect::Observe(accounts.clone()),
            BankAction::Impossible => Effect::Pure,
        }
    }

    fn reachable(&self, from: &Self::State, to: &Self::State) -> bool {
        from.iter().zip(to.iter()).all(|(from, to)| to.transfers.starts_with(&from.transfers))
    }

    fn show(&self, state: &Self::State) -> Value {
        let accounts: BTreeMap<String, Value> = state
            .iter()
            .enumerate()
            .map(|(number, account)| {
                (number.to_string(), json!({"balance": account.balance, "transfers": account.transfers}))
            })
            .collect();
        json!(accounts)
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.iter().map(|account| account.transfers.len() * 8 + 64).sum::<usize>() + 64
    }
}
