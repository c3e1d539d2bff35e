//! The primary: it numbers the commands, has the backup acknowledge each, and answers.

use std::collections::VecDeque;

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{NodeId, Probe, Ticket};

use super::bugs::Bug;
use super::message::{Message, Operation};
use super::server::{Role, Server};
use super::system::{Cx, Timer};
use super::transfer::Transfer;
use super::view::OpNumber;
use crate::kv::{Ask, Proposal, Query, Reply, Request};

/// The most requests that wait at one primary: one that is cut off must not collect them without end.
const MOST_WAITING: usize = 4096;

/// The bytes of JSON that the commands of one message fill at most.
const MESSAGE_BYTES: usize = 5 << 10;

/// What a primary keeps in mind.
#[derive(Debug, Default)]
pub(super) struct Primary {
    /// The state on its way to the backup; while there is one, nobody is answered.
    pub(super) transfer: Option<Transfer>,
    /// What the backup has: everything up to here. Meaningless during a transfer.
    acknowledged: OpNumber,
    /// The commands behind that, which the backup may lack.
    unacknowledged: VecDeque<Operation>,
    /// The last command that was sent.
    sent: OpNumber,
    /// Counts the rounds in the life of the process.
    round: u64,
    /// The latest round that the backup has echoed.
    confirmed: u64,
    /// The requests that wait for an answer.
    waiting: Vec<Waiting>,
}

/// A request that was run, and whose answer is held back.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    /// What the backup must have before the answer goes out: all that the answer reflects.
    number: OpNumber,
    /// The round that it must have confirmed; 0 for a command, whose own acknowledgement says as much.
    round: u64,
    answer: Result<Reply, RpcError>,
    command: bool,
}

impl Primary {
    /// Tells all who wait that another serves. What was numbered may have reached the backup.
    pub(super) fn abandon(self, primary: Option<NodeId>, cx: &mut Cx<'_>) {
        for waiting in self.waiting {
            let error = if waiting.command {
                RpcError::new(ErrorCode::Crash, "no longer the primary; the backup may have it")
            } else {
                RpcError::unavailable("no longer the primary", primary)
            };
            cx.refuse(waiting.ticket, error);
        }
    }
}

impl Server {
    /// Begins a view as its primary, or begins again in one. Whoever waits since the view before waits on: it was
    /// the primary then too.
    pub(super) fn lead(&mut self, cx: &mut Cx<'_>) {
        let mut primary = match std::mem::replace(&mut self.role, Role::Spare) {
            Role::Primary(primary) => primary,
            Role::Spare | Role::Backup(_) => Primary::default(),
        };
        primary.unacknowledged.clear();
        primary.acknowledged = self.number;
        primary.sent = self.number;
        primary.transfer = self.view.backup.map(|_| self.begin_transfer());
        self.role = Role::Primary(primary);
        cx.probe(self.describe("transfer"));
        if self.view.backup.is_some() {
            self.resend(cx);
        } else {
            cx.cancel_timer(Timer::Resend);
            self.begin_to_serve(cx);
        }
    }

    /// The backup has the state of the view, or there is none.
    fn begin_to_serve(&mut self, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("primary").with("term", self.view.number).with("op", self.number));
        self.commit(cx);
        self.answer(cx);
    }

    fn commit(&self, cx: &mut Cx<'_>) {
        if let Role::Primary(primary) = &self.role {
            cx.probe(Probe::new("commit").with("view", self.view.number).with("op", primary.acknowledged));
        }
    }

    /// Takes a request.
    pub(super) fn take(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        let Role::Primary(primary) = &self.role else { return };
        if primary.waiting.len() >= MOST_WAITING {
            cx.refuse(ticket, RpcError::unavailable("too many requests wait already", None));
            return;
        }
        match request.ask {
            Ask::Query(query) => self.read(ticket, &query, cx),
            Ask::Command(command) => self.order(ticket, Proposal { id: request.id, command }, cx),
        }
    }

    /// Runs a command, and holds its answer back. A repeated request is numbered like any other: the session table,
    /// which primary and backup read at the same place of the sequence, says that it is a repetition.
    fn order(&mut self, ticket: Ticket, proposal: Proposal, cx: &mut Cx<'_>) {
        let operation = Operation { number: self.number.next(), proposal };
        let answer = self.run(operation.clone(), cx).reply();
        let early = self.has(Bug::AckBeforeReplication);
        let Role::Primary(primary) = &mut self.role else { return };
        let number = operation.number;
        primary.unacknowledged.push_back(operation);
        if early {
            respond(ticket, answer, cx);
        } else {
            primary.waiting.push(Waiting { ticket, number, round: 0, answer, command: true });
        }
        self.pass_on(cx);
    }

    /// Reads, and holds the answer back until it is certain that nobody else served meanwhile, and that all it
    /// reflects will last.
    fn read(&mut self, ticket: Ticket, query: &Query, cx: &mut Cx<'_>) {
        let answer = self.machine.answer(query);
        if self.has(Bug::LocalRead) {
            cx.reply(ticket, answer);
            return;
        }
        let number = self.number;
        let Role::Primary(primary) = &mut self.role else { return };
        primary.round += 1;
        let round = primary.round;
        primary.waiting.push(Waiting { ticket, number, round, answer: Ok(answer), command: false });
        self.pass_on(cx);
    }

    /// Brings what is new to the backup, or does without where there is none.
    fn pass_on(&mut self, cx: &mut Cx<'_>) {
        let Role::Primary(primary) = &mut self.role else { return };
        if self.view.backup.is_none() {
            primary.unacknowledged.clear();
            primary.acknowledged = self.number;
            primary.confirmed = primary.round;
            self.commit(cx);
            self.answer(cx);
        } else if primary.transfer.is_none() {
            self.replicate(cx);
        }
    }

    /// Sends the backup the first commands that it may lack, and the latest round.
    pub(super) fn replicate(&mut self, cx: &mut Cx<'_>) {
        let (Role::Primary(primary), Some(backup)) = (&mut self.role, self.view.backup) else { return };
        let mut operations = Vec::new();
        let mut bytes = 0;
        for operation in &primary.unacknowledged {
            bytes += operation.bytes();
            if bytes > MESSAGE_BYTES {
                break;
            }
            operations.push(operation.clone());
        }
        if let Some(last) = operations.last() {
            primary.sent = primary.sent.max(last.number);
        }
        let (view, life, round) = (self.view.number, self.life, primary.round);
        cx.send(backup, Message::Replicate { view, operations, life, round });
    }

    /// Repeats what the backup has not answered, in case it was lost.
    pub(super) fn resend(&mut self, cx: &mut Cx<'_>) {
        let Role::Primary(primary) = &self.role else { return };
        if primary.transfer.is_some() {
            self.send_chunk(cx);
        } else if !primary.waiting.is_empty() || !primary.unacknowledged.is_empty() {
            self.replicate(cx);
        }
        cx.set_timer(Timer::Resend, self.config.ping);
    }

    /// Takes the backup's word for what it has, and that it was in the view after the round began.
    pub(super) fn on_acknowledge(&mut self, number: OpNumber, round: (u64, u64), cx: &mut Cx<'_>) {
        let Role::Primary(primary) = &mut self.role else { return };
        let (life, round) = round;
        if life == self.life {
            primary.confirmed = primary.confirmed.max(round.min(primary.round));
        }
        let mut more = false;
        if let Some(transfer) = &primary.transfer {
            if number < transfer.number {
                return;
            }
            primary.transfer = None;
            more = !primary.unacknowledged.is_empty() || !primary.waiting.is_empty();
            self.begin_to_serve(cx);
        }
        let Role::Primary(primary) = &mut self.role else { return };
        let before = primary.acknowledged;
        while let Some(first) = primary.unacknowledged.pop_front_if(|first| first.number <= number) {
            primary.acknowledged = first.number;
        }
        let advanced = primary.acknowledged > before;
        more |= primary.unacknowledged.back().is_some_and(|last| last.number > primary.sent);
        if advanced {
            self.commit(cx);
        }
        self.answer(cx);
        if more {
            self.replicate(cx);
        }
    }

    /// Answers those whose wait is over.
    fn answer(&mut self, cx: &mut Cx<'_>) {
        let Role::Primary(primary) = &mut self.role else { return };
        if primary.transfer.is_some() {
            return;
        }
        if self.view.backup.is_none() {
            primary.confirmed = primary.round;
        }
        let (acknowledged, confirmed) = (primary.acknowledged, primary.confirmed);
        let (ready, waiting) = std::mem::take(&mut primary.waiting)
            .into_iter()
            .partition(|waiting| waiting.number <= acknowledged && waiting.round <= confirmed);
        primary.waiting = waiting;
        let ready: Vec<Waiting> = ready;
        for waiting in ready {
            respond(waiting.ticket, waiting.answer, cx);
        }
    }
}

fn respond(ticket: Ticket, answer: Result<Reply, RpcError>, cx: &mut Cx<'_>) {
    match answer {
        Ok(reply) => cx.reply(ticket, reply),
        Err(error) => cx.refuse(ticket, error),
    }
}
