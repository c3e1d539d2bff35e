//! The participant: it keeps some of the accounts, does its part of each transaction, and votes.

use std::collections::BTreeMap;

use rand::RngExt;
use rashomon_core::rpc::RpcError;
use rashomon_core::{BootError, Node, NodeId, Probe, Setup, Ticket, Value};

use super::account::{Account, AccountId, AccountNumber, Accounts, MOST_TRANSFERS, Transfer, Write};
use super::bugs::Bug;
use super::locks::Locks;
use super::message::Message;
use super::options::Config;
use super::outcomes::{Outcome, Outcomes};
use super::record::{ParticipantDisk, Prepared, Record};
use super::request::Request;
use super::system::{Cx, Timer, TwoPhaseCommitProtocol};
use super::transaction::{Decision, Refusal, Task, TransactionId, Vote};

/// A part of a transaction that is done and not yet voted on. It is in memory alone.
#[derive(Debug)]
struct Work {
    /// What was read.
    read: Vec<(AccountNumber, Account)>,
    /// What would be installed.
    writes: Vec<Write>,
}

/// A part of a transaction that is voted for, and whose end is not known: the participant is in doubt.
#[derive(Debug)]
pub(super) struct Doubt {
    pub(super) prepared: Prepared,
    /// How often it has asked what became of it.
    pub(super) inquiries: u64,
}

/// A participant. What it voted for is on disk before the vote leaves.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) config: Config,
    pub(super) accounts: Accounts,
    pub(super) locks: Locks,
    work: BTreeMap<TransactionId, Work>,
    pub(super) doubts: BTreeMap<TransactionId, Doubt>,
    pub(super) outcomes: Outcomes,
    /// Marks the life of this process; drawn when it begins.
    life: u64,
    /// The records behind the last checkpoint.
    logged: u64,
}

impl Participant {
    /// A participant that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<Participant, BootError> {
        let config = Config::new(setup)?;
        let ParticipantDisk { accounts, prepared, outcomes, logged } = ParticipantDisk::replay(records)?;
        // Whatever it was waiting for may have come and gone: it asks at once.
        let doubts =
            prepared.into_iter().map(|(id, prepared)| (id, Doubt { prepared, inquiries: 1 })).collect();
        let (locks, work) = (Locks::default(), BTreeMap::new());
        Ok(Participant { config, accounts, locks, work, doubts, outcomes, life: 0, logged })
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    /// Does its part, so far as nothing is promised by it.
    fn on_execute(&mut self, id: TransactionId, task: &Task, cx: &mut Cx<'_>) {
        if !self.work.contains_key(&id) {
            if self.doubts.contains_key(&id) || self.outcomes.is_over(id) {
                self.to_coordinator(Message::Refused { transaction: id, why: Refusal::Aborted }, cx);
                return;
            }
            match self.attempt(id, task, cx) {
                Ok(work) => drop(self.work.insert(id, work)),
                Err(why) => {
                    self.unlock(id, cx);
                    self.to_coordinator(Message::Refused { transaction: id, why }, cx);
                    return;
                }
            }
            // Until it votes it may abort on its own, and does when it is forgotten.
            cx.set_timer(Timer::Idle(id), self.config.idle);
        }
        let accounts = self.work[&id].read.clone();
        self.to_coordinator(Message::Executed { transaction: id, life: self.life, accounts }, cx);
    }

    /// Takes the locks, and says what was read and what would be written.
    fn attempt(&mut self, id: TransactionId, task: &Task, cx: &mut Cx<'_>) -> Result<Work, Refusal> {
        match task {
            Task::Read { bank, accounts } => {
                if !self.has(Bug::PartialVisibility) {
                    self.lock(id, bank, accounts, false, cx)?;
                }
                let read =
                    accounts.iter().map(|account| (*account, self.accounts.get(bank, *account))).collect();
                Ok(Work { read, writes: Vec::new() })
            }
            Task::Move { bank, transfer } => {
                let Transfer { id: transfer, from, to, amount } = *transfer;
                let mine = |account: &AccountNumber| self.config.shard(*account) == self.config.me;
                let accounts: Vec<AccountNumber> = [from, to].into_iter().filter(mine).collect();
                self.lock(id, bank, &accounts, true, cx)?;
                let mut writes = Vec::new();
                for account in accounts {
                    let before = self.accounts.get(bank, account);
                    let balance = before.balance + if account == from { -amount } else { amount };
                    if balance < 0 {
                        return Err(Refusal::Insufficient);
                    }
                    if before.transfers.len() >= MOST_TRANSFERS {
                        return Err(Refusal::Full);
                    }
                    writes.push(Write { bank: bank.clone(), account, balance, transfer });
                }
                Ok(Work { read: Vec::new(), writes })
            }
        }
    }

    fn lock(
        &mut self,
        id: TransactionId,
        bank: &str,
        accounts: &[AccountNumber],
        exclusive: bool,
        cx: &mut Cx<'_>,
    ) -> Result<(), Refusal> {
        let ids: Vec<AccountId> = accounts.iter().map(|account| (bank.to_owned(), *account)).collect();
        if !self.locks.acquire(id, &ids, exclusive) {
            return Err(Refusal::Conflict);
        }
        let names: Vec<String> = ids.iter().map(|(bank, account)| format!("{bank}/{}", account.0)).collect();
        let probe = Probe::new("lock").with("transaction", id).with("accounts", names);
        cx.probe(probe.with("exclusive", exclusive));
        Ok(())
    }

    pub(super) fn unlock(&mut self, id: TransactionId, cx: &mut Cx<'_>) {
        if self.locks.release(id) {
            cx.probe(Probe::new("unlock").with("transaction", id));
        }
    }

    /// The first phase: it can commit if it still has what it did, in the same life.
    fn on_prepare(&mut self, id: TransactionId, life: u64, writers: Vec<NodeId>, cx: &mut Cx<'_>) {
        let again = match self.outcomes.get(id) {
            _ if self.doubts.contains_key(&id) => Some(Vote::Yes),
            Some(Outcome::Read) => Some(Vote::ReadOnly),
            Some(Outcome::Aborted) => Some(Vote::No),
            // The coordinator has all votes, and this question is late.
            Some(Outcome::Committed) => return,
            None if self.outcomes.is_over(id) && !self.works_on(id) => return,
            None => None,
        };
        if let Some(vote) = again {
            self.to_coordinator(Message::Vote { transaction: id, vote }, cx);
            return;
        }
        let Some(work) = self.work.remove(&id).filter(|_| life == self.life) else {
            self.abort(id, cx);
            self.vote(id, Vote::No, cx);
            return;
        };
        cx.cancel_timer(Timer::Idle(id));
        if work.writes.is_empty() {
            self.outcomes.insert(id, Outcome::Read);
            self.vote(id, Vote::ReadOnly, cx);
            self.unlock(id, cx);
            return;
        }
        let prepared = Prepared { writes: work.writes, writers: writers.clone() };
        let record = Record::Prepared { transaction: id, writes: prepared.writes.clone(), writers };
        self.doubts.insert(id, Doubt { prepared, inquiries: 0 });
        if self.has(Bug::VoteBeforeForce) {
            self.vote(id, Vote::Yes, cx);
            self.log(record, cx);
        } else {
            self.log(record, cx);
            self.vote(id, Vote::Yes, cx);
        }
        if self.has(Bug::EarlyLockRelease) {
            self.unlock(id, cx);
        }
    }

    fn vote(&self, id: TransactionId, vote: Vote, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("vote").with("transaction", id).with("vote", vote.name()));
        self.to_coordinator(Message::Vote { transaction: id, vote }, cx);
    }

    /// Gives up what it did not vote for.
    pub(super) fn abort(&mut self, id: TransactionId, cx: &mut Cx<'_>) {
        if self.work.remove(&id).is_some() {
            cx.cancel_timer(Timer::Idle(id));
        }
        self.unlock(id, cx);
        self.outcomes.insert(id, Outcome::Aborted);
    }

    /// Whether it did its part and has not voted.
    pub(super) fn works_on(&self, id: TransactionId) -> bool {
        self.work.contains_key(&id)
    }

    pub(super) fn to_coordinator(&self, message: Message, cx: &mut Cx<'_>) {
        cx.send(self.config.coordinator, message);
    }

    /// Writes a record, and now and then replaces the log by the state.
    pub(super) fn log(&mut self, record: Record, cx: &mut Cx<'_>) {
        cx.persist(record);
        self.logged += 1;
        if self.logged < self.config.checkpoint_every {
            return;
        }
        let mut records: Vec<Record> = self
            .accounts
            .iter()
            .map(|((bank, account), state)| Record::Account {
                bank: bank.clone(),
                account: *account,
                state: state.clone(),
            })
            .collect();
        records.push(Record::Forgotten { transaction: self.outcomes.forgotten() });
        records.extend(self.outcomes.iter().filter_map(|(transaction, outcome)| {
            let decision = match outcome {
                Outcome::Committed => Decision::Commit,
                Outcome::Aborted => Decision::Abort,
                Outcome::Read => return None,
            };
            Some(Record::Decided { transaction, decision })
        }));
        records.extend(self.doubts.iter().map(|(id, doubt)| Record::Prepared {
            transaction: *id,
            writes: doubt.prepared.writes.clone(),
            writers: doubt.prepared.writers.clone(),
        }));
        self.logged = 0;
        cx.checkpoint(records);
    }

    /// Says what its disk remembers, and takes the locks of what it voted for.
    fn recover(&mut self, cx: &mut Cx<'_>) {
        let with = |outcome: Outcome| -> Vec<Value> {
            self.outcomes.iter().filter(|(_, one)| *one == outcome).map(|(id, _)| id.into()).collect()
        };
        let doubts: Vec<TransactionId> = self.doubts.keys().copied().collect();
        cx.probe(
            Probe::new("boot")
                .with("prepared", doubts.iter().map(|id| Value::from(*id)).collect::<Vec<Value>>())
                .with("committed", with(Outcome::Committed))
                .with("aborted", with(Outcome::Aborted)),
        );
        for id in doubts {
            let writes = &self.doubts[&id].prepared.writes;
            let Some(bank) = writes.first().map(|write| write.bank.clone()) else { continue };
            let accounts: Vec<AccountNumber> = writes.iter().map(|write| write.account).collect();
            // Nobody else can hold them: two that are prepared never needed the same.
            let locked = self.lock(id, &bank, &accounts, true, cx);
            debug_assert!(
                locked.is_ok() || self.has(Bug::EarlyLockRelease),
                "{id} was prepared with its locks"
            );
        }
    }
}

impl Node<TwoPhaseCommitProtocol> for Participant {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        self.life = cx.rng().random();
        self.recover(cx);
        self.inquire(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        let coordinator = from == self.config.coordinator;
        match message {
            Message::Execute { transaction, task } if coordinator => self.on_execute(transaction, &task, cx),
            Message::Prepare { transaction, life, writers } if coordinator => {
                self.on_prepare(transaction, life, writers, cx);
            }
            Message::Decide { transaction, decision } => self.on_decide(from, transaction, decision, cx),
            Message::Inquire { transaction } => self.on_inquire(from, transaction, cx),
            // These are for the coordinator to say, or to hear.
            Message::Execute { .. }
            | Message::Prepare { .. }
            | Message::Executed { .. }
            | Message::Refused { .. }
            | Message::Vote { .. }
            | Message::Acknowledge { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Inquire => self.inquire(cx),
            Timer::Idle(id) if self.works_on(id) => self.abort(id, cx),
            Timer::Idle(_) | Timer::Resend | Timer::GiveUp(_) => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, _request: Request, cx: &mut Cx<'_>) {
        let coordinator = Some(self.config.coordinator);
        cx.refuse(ticket, RpcError::unavailable("a participant takes no requests", coordinator));
    }
}
