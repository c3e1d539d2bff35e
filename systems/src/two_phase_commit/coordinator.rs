//! The coordinator: it takes requests, has the participants do their parts, asks for votes, and decides.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::rpc::{ErrorCode, RequestId, RpcError};
use rashomon_core::{BootError, Node, NodeId, Probe, Setup, Ticket, Value};

use super::account::{ACCOUNTS, Account, AccountNumber};
use super::bugs::Bug;
use super::message::Message;
use super::options::Config;
use super::record::{Committed, CoordinatorDisk, Record};
use super::request::{Ask, Reply, Request};
use super::sessions::{Progress, Sessions};
use super::system::{Cx, Timer, TwoPhaseCommitProtocol};
use super::transaction::{Decision, Refusal, Task, TransactionId, Vote};

/// The most transactions that are under way: a coordinator that is cut off must not collect them without end.
const MOST_ACTIVE: usize = 4096;

/// A transaction on which nothing is decided. It is in memory alone: when the coordinator forgets it, it is aborted.
#[derive(Debug)]
struct Active {
    request: Option<RequestId>,
    /// Everybody who waits for its end.
    tickets: Vec<Ticket>,
    tasks: BTreeMap<NodeId, Task>,
    /// Who has done its task, and in which life.
    executed: BTreeMap<NodeId, u64>,
    /// What was read.
    accounts: BTreeMap<AccountNumber, Account>,
    votes: BTreeMap<NodeId, Vote>,
}

/// The coordinator. A decision to commit is on disk before anybody can tell that it was made.
#[derive(Debug)]
pub(super) struct Coordinator {
    config: Config,
    epoch: u64,
    /// The transactions that were begun in this epoch.
    begun: u64,
    active: BTreeMap<TransactionId, Active>,
    /// What is decided to be committed, until all writers have acknowledged it.
    committed: BTreeMap<TransactionId, Committed>,
    sessions: Sessions,
    /// The records in the log.
    logged: u64,
}

impl Active {
    fn writers(&self) -> Vec<NodeId> {
        self.tasks.iter().filter(|(_, task)| task.writes()).map(|(node, _)| *node).collect()
    }

    /// Whether all have done their parts, so that it is time to vote.
    fn votes_now(&self) -> bool {
        self.executed.len() == self.tasks.len()
    }
}

impl Coordinator {
    /// A coordinator that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<Coordinator, BootError> {
        let config = Config::new(setup)?;
        let CoordinatorDisk { epoch, committed, sessions, logged } = CoordinatorDisk::replay(records)?;
        let sessions = Sessions::restore(sessions);
        Ok(Coordinator {
            config,
            epoch: epoch + 1,
            begun: 0,
            active: BTreeMap::new(),
            committed,
            sessions,
            logged,
        })
    }

    /// Takes a request: a new one begins a transaction, a repeated one waits for its end or is told it.
    fn take(&mut self, ticket: Ticket, request: &Request, cx: &mut Cx<'_>) {
        // A read that is repeated is simply read again.
        let name = request.id.filter(|_| request.ask != Ask::Read);
        if let Some(id) = name {
            match self.sessions.progress(id) {
                Progress::New => {}
                Progress::UnderWay(transaction) => {
                    if let Some(active) = self.active.get_mut(&transaction) {
                        active.tickets.push(ticket);
                    }
                    return;
                }
                Progress::Committed => return cx.reply(ticket, Reply::TransferOk),
                Progress::Aborted(error) => return cx.refuse(ticket, error),
                Progress::Past => {
                    let error = RpcError::new(ErrorCode::Crash, "the session has gone on since");
                    return cx.refuse(ticket, error);
                }
            }
        }
        if self.active.len() >= MOST_ACTIVE {
            let error = RpcError::unavailable("too many transactions are under way", None);
            return cx.refuse(ticket, error);
        }
        self.begun += 1;
        let id = TransactionId { epoch: self.epoch, number: self.begun };
        if let Some(name) = name {
            self.sessions.begin(name, id);
        }
        let active = Active {
            request: name,
            tickets: vec![ticket],
            tasks: self.tasks(request),
            executed: BTreeMap::new(),
            accounts: BTreeMap::new(),
            votes: BTreeMap::new(),
        };
        for (node, task) in &active.tasks {
            cx.send(*node, Message::Execute { transaction: id, task: task.clone() });
        }
        self.active.insert(id, active);
        cx.set_timer(Timer::GiveUp(id), self.config.give_up);
    }

    /// Who must do what.
    fn tasks(&self, request: &Request) -> BTreeMap<NodeId, Task> {
        let bank = &request.bank;
        match request.ask {
            Ask::Transfer(transfer) => [transfer.from, transfer.to]
                .into_iter()
                .map(|account| (self.config.shard(account), Task::Move { bank: bank.clone(), transfer }))
                .collect(),
            Ask::Read => {
                let mut shards: BTreeMap<NodeId, Vec<AccountNumber>> = BTreeMap::new();
                for account in (0..ACCOUNTS).map(AccountNumber) {
                    shards.entry(self.config.shard(account)).or_default().push(account);
                }
                let task = |accounts| Task::Read { bank: bank.clone(), accounts };
                shards.into_iter().map(|(node, accounts)| (node, task(accounts))).collect()
            }
        }
    }

    /// When all parts are done all locks are held, and the vote may begin.
    fn on_executed(
        &mut self,
        from: NodeId,
        id: TransactionId,
        life: u64,
        accounts: Vec<(AccountNumber, Account)>,
        cx: &mut Cx<'_>,
    ) {
        let Some(active) = self.active.get_mut(&id) else { return self.presume(from, id, cx) };
        if !active.tasks.contains_key(&from) || active.executed.contains_key(&from) {
            return;
        }
        active.executed.insert(from, life);
        active.accounts.extend(accounts);
        if active.votes_now() {
            self.ask_for_votes(id, cx);
        }
    }

    /// The first phase, for those who have not voted.
    fn ask_for_votes(&self, id: TransactionId, cx: &mut Cx<'_>) {
        let Some(active) = self.active.get(&id) else { return };
        let writers = active.writers();
        for (node, life) in active.executed.iter().filter(|(node, _)| !active.votes.contains_key(node)) {
            cx.send(*node, Message::Prepare { transaction: id, life: *life, writers: writers.clone() });
        }
    }

    fn on_vote(&mut self, from: NodeId, id: TransactionId, vote: Vote, cx: &mut Cx<'_>) {
        let Some(active) = self.active.get_mut(&id) else { return self.presume(from, id, cx) };
        if !active.tasks.contains_key(&from) {
            return;
        }
        active.votes.insert(from, vote);
        if vote == Vote::No {
            let error = RpcError::new(ErrorCode::Abort, format!("{from} could not keep its part"));
            self.abort(id, error, cx);
        } else if active.votes.len() == active.tasks.len() {
            self.commit(id, cx);
        }
    }

    /// All have voted, and nobody against it.
    fn commit(&mut self, id: TransactionId, cx: &mut Cx<'_>) {
        let Some(active) = self.active.remove(&id) else { return };
        cx.cancel_timer(Timer::GiveUp(id));
        let writers = active.writers();
        if writers.is_empty() {
            // All are done already. The accounts were read while all locks were held.
            for ticket in &active.tickets {
                cx.reply(
                    *ticket,
                    Reply::ReadAccountsOk { accounts: active.accounts.values().cloned().collect() },
                );
            }
            return;
        }
        if let Some(request) = active.request {
            self.sessions.commit(request);
        }
        let (request, untold) = (active.request, writers.iter().copied().collect());
        self.committed.insert(id, Committed { request, writers: writers.clone(), untold });
        if !self.has(Bug::DecisionNotLogged) {
            self.log(Record::Commit { transaction: id, request, writers }, cx);
        }
        cx.probe(decided(id, Decision::Commit, &active));
        self.tell(id, cx);
        for ticket in active.tickets {
            cx.reply(ticket, Reply::TransferOk);
        }
    }

    /// The second phase, for those who have not acknowledged it.
    fn tell(&self, id: TransactionId, cx: &mut Cx<'_>) {
        for node in self.committed.get(&id).iter().flat_map(|committed| &committed.untold) {
            cx.send(*node, Message::Decide { transaction: id, decision: Decision::Commit });
        }
    }

    /// Gives up a transaction. Nothing is written: what is not on disk is presumed aborted.
    fn abort(&mut self, id: TransactionId, error: RpcError, cx: &mut Cx<'_>) {
        let Some(active) = self.active.remove(&id) else { return };
        cx.cancel_timer(Timer::GiveUp(id));
        cx.probe(decided(id, Decision::Abort, &active));
        for node in active.tasks.keys() {
            cx.send(*node, Message::Decide { transaction: id, decision: Decision::Abort });
        }
        for ticket in active.tickets {
            cx.refuse(ticket, error.clone());
        }
        if let Some(request) = active.request {
            self.sessions.abort(request, error);
        }
    }

    /// Answers for a transaction on which it decides nothing any more. One that is committed and not ended is on disk;
    /// any other was aborted, or else all who would ask have long acknowledged that it was not.
    fn presume(&self, asker: NodeId, id: TransactionId, cx: &mut Cx<'_>) {
        let decision = if self.committed.contains_key(&id) { Decision::Commit } else { Decision::Abort };
        cx.send(asker, Message::Decide { transaction: id, decision });
    }

    fn on_acknowledge(&mut self, from: NodeId, id: TransactionId, cx: &mut Cx<'_>) {
        let Some(committed) = self.committed.get_mut(&id) else { return };
        committed.untold.remove(&from);
        if committed.untold.is_empty() {
            self.committed.remove(&id);
            // Not forced: without it everybody would be told again, and acknowledge again.
            self.log(Record::End { transaction: id }, cx);
        }
    }

    fn refused(&mut self, from: NodeId, id: TransactionId, why: Refusal, cx: &mut Cx<'_>) {
        let (code, text) = match why {
            Refusal::Conflict => (ErrorCode::TxnConflict, "another transaction holds an account"),
            Refusal::Insufficient => (ErrorCode::PreconditionFailed, "the account has not enough"),
            Refusal::Full => (ErrorCode::PreconditionFailed, "the account takes no more transfers"),
            Refusal::Aborted => (ErrorCode::Abort, "a participant has given up"),
        };
        if self.active.get(&id).is_some_and(|active| active.tasks.contains_key(&from)) {
            self.abort(id, RpcError::new(code, text), cx);
        }
    }

    /// Repeats what was not answered, in case it was lost.
    fn resend(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(Timer::Resend, self.config.resend);
        for (id, active) in &self.active {
            if active.votes_now() {
                self.ask_for_votes(*id, cx);
                continue;
            }
            for (node, task) in active.tasks.iter().filter(|(node, _)| !active.executed.contains_key(node)) {
                cx.send(*node, Message::Execute { transaction: *id, task: task.clone() });
            }
        }
        for id in self.committed.keys() {
            self.tell(*id, cx);
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    /// Writes a record, and now and then replaces the log by the state.
    fn log(&mut self, record: Record, cx: &mut Cx<'_>) {
        cx.persist(record);
        self.logged += 1;
        if self.logged < self.config.checkpoint_every {
            return;
        }
        let mut records = vec![Record::Epoch { epoch: self.epoch }];
        records.extend(self.sessions.committed().map(Record::Session));
        records.extend(self.committed.iter().map(|(id, committed)| Record::Commit {
            transaction: *id,
            request: committed.request,
            writers: committed.writers.clone(),
        }));
        self.logged = 0;
        cx.checkpoint(records);
    }
}

fn decided(id: TransactionId, decision: Decision, active: &Active) -> Probe {
    let names = |nodes: BTreeSet<&NodeId>| -> Vec<Value> {
        nodes.into_iter().map(|node| node.to_string().into()).collect()
    };
    let agreed = active.votes.iter().filter(|(_, vote)| **vote != Vote::No).map(|(node, _)| node).collect();
    Probe::new("decide")
        .with("transaction", id)
        .with("decision", decision.name())
        .with("participants", names(active.tasks.keys().collect()))
        .with("agreed", names(agreed))
}

impl Node<TwoPhaseCommitProtocol> for Coordinator {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        // No name of a transaction is ever given twice.
        self.log(Record::Epoch { epoch: self.epoch }, cx);
        let committed: Vec<Value> = self.committed.keys().map(|id| Value::from(*id)).collect();
        cx.probe(Probe::new("boot").with("committed", committed));
        cx.probe(Probe::new("coordinator").with("term", self.epoch));
        if self.has(Bug::RecoveryGuessesAbort) {
            for (id, committed) in std::mem::take(&mut self.committed) {
                for node in committed.writers {
                    cx.send(node, Message::Decide { transaction: id, decision: Decision::Abort });
                }
            }
        }
        self.resend(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if !self.config.participants.contains(&from) {
            return;
        }
        match message {
            Message::Executed { transaction, life, accounts } => {
                self.on_executed(from, transaction, life, accounts, cx);
            }
            Message::Refused { transaction, why } => self.refused(from, transaction, why, cx),
            Message::Vote { transaction, vote } => self.on_vote(from, transaction, vote, cx),
            Message::Acknowledge { transaction } => self.on_acknowledge(from, transaction, cx),
            Message::Inquire { transaction } => {
                // While it waits for votes it knows no more than who asks.
                if !self.active.contains_key(&transaction) {
                    self.presume(from, transaction, cx);
                }
            }
            // These are for a participant to hear.
            Message::Execute { .. } | Message::Prepare { .. } | Message::Decide { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Resend => self.resend(cx),
            Timer::GiveUp(id) => {
                let error = RpcError::new(ErrorCode::Abort, "not all have voted in time");
                self.abort(id, error, cx);
            }
            Timer::Inquire | Timer::Idle(_) => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        self.take(ticket, &request, cx);
    }
}
