//! How the story of two-phase commit is told.

use rashomon_core::Probe;
use rashomon_systems::two_phase_commit::{
    Decision, Message, Record, Refusal, Task, Timer, TwoPhaseCommit, Vote,
};

use crate::stage::Cast;

pub(super) type Stage = crate::stage::Stage<TwoPhaseCommit>;

/// A coordinator and three participants: n2 keeps the accounts 0 and 1, n3 2 and 3, n4 4 and 5.
pub(super) fn four(bugs: &[&str]) -> Stage {
    Stage::new(4, bugs, &[])
}

impl Cast for TwoPhaseCommit {
    fn message(message: &Message) -> Option<String> {
        Some(match message {
            Message::Execute { transaction, task: Task::Read { accounts, .. } } => {
                let accounts: Vec<String> = accounts.iter().map(|account| account.0.to_string()).collect();
                format!("{transaction}: read {}", accounts.join(" and "))
            }
            Message::Execute { transaction, task: Task::Move { transfer, .. } } => {
                format!(
                    "{transaction}: move {} from {} to {}",
                    transfer.amount, transfer.from.0, transfer.to.0
                )
            }
            Message::Executed { transaction, accounts, .. } if accounts.is_empty() => {
                format!("{transaction}: done")
            }
            Message::Executed { transaction, accounts, .. } => {
                let line =
                    accounts.iter().map(|(account, state)| format!("{} has {}", account.0, state.balance));
                format!("{transaction}: done, {}", line.collect::<Vec<String>>().join(", "))
            }
            Message::Refused { transaction, why } => {
                let why = match why {
                    Refusal::Conflict => "it is locked",
                    Refusal::Insufficient => "there is not enough",
                    Refusal::Full => "the account is full",
                    Refusal::Aborted => "I have given up",
                };
                format!("{transaction}: no, {why}")
            }
            Message::Prepare { transaction, .. } => format!("{transaction}: can you commit?"),
            Message::Vote { transaction, vote: Vote::Yes } => format!("{transaction}: yes"),
            Message::Vote { transaction, vote: Vote::ReadOnly } => format!("{transaction}: yes, I only read"),
            Message::Vote { transaction, vote: Vote::No } => format!("{transaction}: no"),
            Message::Decide { transaction, decision: Decision::Commit } => format!("{transaction}: commit"),
            Message::Decide { transaction, decision: Decision::Abort } => format!("{transaction}: abort"),
            Message::Acknowledge { transaction } => format!("{transaction}: I have committed"),
            Message::Inquire { transaction } => format!("{transaction}: what became of it?"),
        })
    }

    fn timer(timer: &Timer) -> Option<String> {
        let text = match timer {
            Timer::Resend => "repeats itself",
            Timer::Inquire => "waits",
            Timer::GiveUp(_) | Timer::Idle(_) => "has waited too long",
        };
        Some(text.to_owned())
    }

    fn probe(probe: &Probe) -> Option<String> {
        let field =
            |field: &str| probe.fields.get(field).and_then(|value| value.as_str()).unwrap_or_default();
        let transaction = field("transaction");
        match probe.probe.as_str() {
            "lock" => Some(format!("locks {} for {transaction}", probe.fields["accounts"])),
            "unlock" => Some(format!("lets the locks of {transaction} go")),
            "decide" => Some(format!("decides: {} {transaction}", field("decision"))),
            "blocked" => Some(format!("is blocked in {transaction}")),
            _ => None,
        }
    }

    fn record(record: &Record) -> Option<String> {
        Some(match record {
            Record::Epoch { epoch } => format!("life {epoch}"),
            Record::Commit { transaction, .. } => format!("commit {transaction}"),
            Record::End { transaction } => format!("{transaction} is ended"),
            Record::Session(request) => format!("session {}", request.session),
            Record::Prepared { transaction, .. } => format!("prepared {transaction}"),
            Record::Decided { transaction, decision: Decision::Commit } => format!("committed {transaction}"),
            Record::Decided { transaction, decision: Decision::Abort } => format!("aborted {transaction}"),
            Record::Forgotten { transaction } => format!("forgotten up to {transaction}"),
            Record::Account { account, .. } => format!("account {}", account.0),
        })
    }
}

impl Stage {
    /// The participant's timer for inquiries fires so often. The first time after a vote it only waits.
    pub(super) fn waits(&mut self, node: u16, times: usize) {
        for _ in 0..times {
            self.fires(node, Timer::Inquire);
        }
    }
}
