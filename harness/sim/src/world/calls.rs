//! The clients: every open call is an [`Attempts`] and at most one request under way.
//!
//! The outcome rules are the core's. A request to a dead process is refused at once; one that was under way when
//! the process died is doubtful; one that was not answered in time is doubtful, and its late answer reaches
//! nobody. Clients do not pass the switch.

use std::collections::BTreeMap;

use rashomon_core::client::{Attempt, Attempts, Policy, Step};
use rashomon_core::rpc::{RpcError, parse_reply, parse_request};
use rashomon_core::{Call, Event, Happening, NodeId, Protocol, System, Ticket, Value};
use serde::Serialize;

use super::{Due, SimWorld};
use crate::host::{Asked, Input};
use crate::trace;

/// A call that has not ended.
struct Open<R> {
    attempts: Attempts,
    /// What it asks, parsed once for all attempts.
    request: Result<R, RpcError>,
    trying: Option<Trying>,
    /// The pause that it is in.
    pause: u64,
}

/// The attempt that a call is waiting for.
struct Trying {
    attempt: u64,
    node: NodeId,
    /// Whether an answer is on its way.
    answered: bool,
}

/// All open calls.
pub(super) struct Calls<R> {
    policy: Policy,
    open: BTreeMap<u64, Open<R>>,
    /// Whose attempt each ticket is, until it is answered or given up.
    tickets: BTreeMap<u64, u64>,
    /// Numbers attempts and pauses.
    counter: u64,
}

impl<R> Calls<R> {
    pub(super) fn new(policy: Policy) -> Calls<R> {
        Calls { policy, open: BTreeMap::new(), tickets: BTreeMap::new(), counter: 0 }
    }

    /// Attempts that wait for a node.
    pub(super) fn pending(&self, node: NodeId) -> usize {
        self.open
            .values()
            .filter(|open| open.trying.as_ref().is_some_and(|trying| trying.node == node))
            .count()
    }
}

impl<S: System> SimWorld<S> {
    /// Begins a call.
    pub(super) fn begin_call(&mut self, call: Call) {
        let Call { process, sequence, home, read_only, mut body } = call;
        let first = self.index(home).unwrap_or(0);
        let nodes = &self.setup.nodes;
        let nodes = nodes[first..].iter().chain(&nodes[..first]).copied().collect();
        body.insert("session".to_owned(), process.into());
        body.insert("sequence".to_owned(), sequence.into());
        let attempts = Attempts::new(self.calls.policy, nodes, read_only, self.now);
        let open = Open { attempts, request: parse_request(body), trying: None, pause: 0 };
        let before = self.calls.open.insert(process, open);
        assert!(before.is_none(), "process {process} has a call open already");
        self.go_on(process);
    }

    /// Lets a call take its next step, until it has to wait or is over.
    fn go_on(&mut self, process: u64) {
        let Some(open) = self.calls.open.get_mut(&process) else { return };
        loop {
            match open.attempts.step(self.now) {
                Step::Try(node, until) => {
                    let host = &mut self.hosts[usize::from(node.0) - 1];
                    host.counters.missed += u64::from(host.absent);
                    if !host.listens() {
                        let (at, request) = (self.now, &open.request);
                        self.tracer.note(at, || Happening::Request {
                            at,
                            process,
                            node,
                            attempt: 0,
                            arrives: None,
                            text: trace::text(request),
                        });
                        open.attempts.ended(Attempt::Refused);
                        continue;
                    }
                    self.calls.counter += 1;
                    let attempt = self.calls.counter;
                    open.trying = Some(Trying { attempt, node, answered: false });
                    self.calls.tickets.insert(attempt, process);
                    let asked = Asked { attempt, request: open.request.clone() };
                    let way = self.config.timing.client.draw(self.seeds.client.split_number(2 * attempt));
                    let (at, arrives) = (self.now, self.now + way);
                    self.tracer.note(at, || Happening::Request {
                        at,
                        process,
                        node,
                        attempt,
                        arrives: Some(arrives),
                        text: trace::text(&asked.request),
                    });
                    self.queue.push(arrives, Due::Request(node, host.incarnation, asked));
                    self.queue.push(until, Due::Patience(process, attempt));
                    return;
                }
                Step::Pause(until) => {
                    self.calls.counter += 1;
                    open.pause = self.calls.counter;
                    self.queue.push(until, Due::Patience(process, open.pause));
                    return;
                }
                Step::Finish(outcome) => {
                    self.calls.open.remove(&process);
                    self.events.push_back(Event::Completion { process, outcome });
                    return;
                }
            }
        }
    }

    /// A request arrives.
    pub(super) fn ask(
        &mut self,
        node: NodeId,
        incarnation: u32,
        asked: Asked<<S::Protocol as Protocol>::Request>,
    ) {
        let host = self.host(node);
        // Its client has noticed already that the process is gone.
        if host.incarnation != incarnation || !host.listens() {
            return;
        }
        if host.is_paused() {
            // A full queue of connections does not tell its clients; they will run out of patience.
            host.wait(Input::Request(asked));
            return;
        }
        self.serve(node, asked);
    }

    /// A process takes up a request, whether or not its client still waits.
    pub(super) fn serve(&mut self, node: NodeId, asked: Asked<<S::Protocol as Protocol>::Request>) {
        match asked.request {
            Ok(request) => {
                let ticket = Ticket(asked.attempt);
                self.step(node, |state, cx| state.on_request(ticket, request, cx));
            }
            Err(error) => self.answer(node, asked.attempt, Attempt::Error(error)),
        }
    }

    /// A node answers a ticket. Nobody hears it when the client has given up, or was answered before.
    pub(super) fn reply(
        &mut self,
        node: NodeId,
        ticket: Ticket,
        reply: Result<impl Serialize, RpcError>,
    ) -> Result<(), String> {
        if !self.calls.tickets.contains_key(&ticket.0) {
            return Ok(());
        }
        let attempt = match reply {
            Err(error) => Attempt::Error(error),
            Ok(reply) => {
                let body = serde_json::to_value(reply)
                    .map_err(|error| format!("a reply cannot be written as JSON: {error}"))?;
                let Value::Object(body) = body else {
                    return Err(format!("a reply must be an object with a `type`, and is {body}"));
                };
                if !body.get("type").is_some_and(Value::is_string) {
                    let body = Value::Object(body);
                    return Err(format!("a reply must be an object with a `type`, and is {body}"));
                }
                match parse_reply(body) {
                    Ok(Ok(body)) => Attempt::Reply(body),
                    Ok(Err(error)) => Attempt::Error(error),
                    Err(reason) => Attempt::Doubtful(format!("unparsable reply: {reason}")),
                }
            }
        };
        self.answer(node, ticket.0, attempt);
        Ok(())
    }

    fn answer(&mut self, node: NodeId, attempt: u64, end: Attempt) {
        let Some(process) = self.calls.tickets.get(&attempt).copied() else { return };
        let Some(trying) = self.calls.open.get_mut(&process).and_then(|open| open.trying.as_mut()) else {
            return;
        };
        if trying.attempt != attempt || trying.node != node {
            return;
        }
        trying.answered = true;
        self.calls.tickets.remove(&attempt);
        self.tell(process, node, attempt, end);
    }

    /// Sends the end of an attempt on its way to the client.
    fn tell(&mut self, process: u64, node: NodeId, attempt: u64, end: Attempt) {
        let way = self.config.timing.client.draw(self.seeds.client.split_number(2 * attempt + 1));
        let (at, arrives) = (self.now, self.now + way);
        self.tracer.note(at, || Happening::Answer {
            at,
            process,
            node,
            attempt,
            arrives,
            text: trace::text(&end),
        });
        self.queue.push(arrives, Due::Ended(process, attempt, end));
    }

    /// The clients of a process notice that it died, but for those whose answer is on its way.
    pub(super) fn hang_up(&mut self, node: NodeId) {
        let mut lost = Vec::new();
        for (process, open) in &mut self.calls.open {
            if let Some(trying) =
                open.trying.as_mut().filter(|trying| trying.node == node && !trying.answered)
            {
                trying.answered = true;
                lost.push((*process, trying.attempt));
            }
        }
        for (process, attempt) in lost {
            self.calls.tickets.remove(&attempt);
            self.tell(process, node, attempt, Attempt::Doubtful("connection reset".to_owned()));
        }
    }

    /// The end of an attempt reaches its client, if it still waits for it.
    pub(super) fn ended(&mut self, process: u64, attempt: u64, end: Attempt) {
        let Some(open) = self.calls.open.get_mut(&process) else { return };
        if open.trying.as_ref().is_some_and(|trying| trying.attempt == attempt) {
            open.trying = None;
            open.attempts.ended(end);
            self.go_on(process);
        }
    }

    /// A client has waited long enough, for an answer or in a pause.
    pub(super) fn expire(&mut self, process: u64, wait: u64) {
        let Some(open) = self.calls.open.get_mut(&process) else { return };
        match &open.trying {
            Some(trying) if trying.attempt == wait => {
                open.trying = None;
                self.calls.tickets.remove(&wait);
                open.attempts.ended(Attempt::Doubtful("timed out".to_owned()));
            }
            None if open.pause == wait => {}
            Some(_) | None => return,
        }
        self.go_on(process);
    }
}
