//! What clients ask and are told.

use rashomon_core::rpc::RequestId;
use rashomon_core::{Map, Value};
use serde::{Deserialize, Serialize};

use super::account::{ACCOUNTS, Account, AccountNumber, Transfer};

/// The longest name of a bank, in bytes.
pub const LONGEST_NAME: usize = 64;

/// What a client wants done as one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Move an amount.
    Transfer(Transfer),
    /// Read all accounts.
    Read,
}

/// A request, parsed from a body such as `{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":3}` or
/// `{"type":"read_accounts","key":"b"}`. `session` and `sequence` come together or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Request {
    /// The session and sequence, where the client gave them.
    pub id: Option<RequestId>,
    /// The bank.
    pub bank: String,
    /// What it asks.
    pub ask: Ask,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Operation {
    Transfer { key: String, id: u32, from: u32, to: u32, amount: i64 },
    ReadAccounts { key: String },
}

impl TryFrom<Map<String, Value>> for Request {
    type Error = String;

    fn try_from(body: Map<String, Value>) -> Result<Request, String> {
        let id = RequestId::of(&body)?;
        let operation = Operation::deserialize(Value::Object(body)).map_err(|error| error.to_string())?;
        let (bank, ask) = match operation {
            Operation::ReadAccounts { key } => (key, Ask::Read),
            Operation::Transfer { key, id, from, to, amount } => {
                if from >= ACCOUNTS || to >= ACCOUNTS || from == to {
                    return Err(format!("a transfer is between two of the accounts 0 to {}", ACCOUNTS - 1));
                }
                if !(1..=i64::from(u32::MAX)).contains(&amount) {
                    return Err(format!("an amount of {amount}; it is at least 1 and fits 32 bits"));
                }
                (
                    key,
                    Ask::Transfer(Transfer { id, from: AccountNumber(from), to: AccountNumber(to), amount }),
                )
            }
        };
        if bank.len() > LONGEST_NAME {
            let length = bank.len();
            return Err(format!("a bank's name of {length} bytes; the longest allowed has {LONGEST_NAME}"));
        }
        Ok(Request { id, bank, ask })
    }
}

/// What a client is told when its transaction committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// To `transfer`.
    TransferOk,
    /// To `read_accounts`.
    ReadAccountsOk {
        /// The accounts in order.
        accounts: Vec<Account>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn bodies_are_read() {
        let transfer = parse(
            r#"{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":3,"session":1,"sequence":2,"msg_id":4}"#,
        );
        let expected = Transfer { id: 7, from: AccountNumber(0), to: AccountNumber(5), amount: 3 };
        assert_eq!(
            transfer,
            Ok(Request {
                id: Some(RequestId { session: 1, sequence: 2 }),
                bank: "b".into(),
                ask: Ask::Transfer(expected)
            })
        );
        let read = parse(r#"{"type":"read_accounts","key":"b"}"#);
        assert_eq!(read, Ok(Request { id: None, bank: "b".into(), ask: Ask::Read }));
    }

    #[test]
    fn a_body_that_makes_no_sense_is_refused_with_the_reason() {
        let error = |text: &str| parse(text).unwrap_err();
        let transfer = |rest: &str| error(&format!(r#"{{"type":"transfer","key":"b","id":1,{rest}}}"#));
        assert!(transfer(r#""from":1,"to":1,"amount":1"#).contains("between two"));
        assert!(transfer(r#""from":1,"to":6,"amount":1"#).contains("0 to 5"));
        assert!(transfer(r#""from":1,"to":2,"amount":0"#).contains("at least 1"));
        assert!(transfer(r#""from":1,"to":2"#).contains("missing field `amount`"));
        assert!(transfer(r#""from":1,"to":2,"amount":1,"session":1"#).contains("without `sequence`"));
        assert!(error(r#"{"type":"fly","key":"b"}"#).contains("unknown variant `fly`"));
        let long = format!(r#"{{"type":"read_accounts","key":"{}"}}"#, "k".repeat(LONGEST_NAME + 1));
        assert!(error(&long).contains("longest allowed"));
    }
}
