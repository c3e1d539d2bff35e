//! The clients of the system under test, as one state machine in the interpreter's own thread.
//!
//! Every open call is an [`Attempts`] and at most one connection. The outcome rules are the core's; here it
//! is only told what happened on a socket. At tens of thousands of ops a second a thread or task per client
//! would cost more than the op.
//!
//! A connection is kept for the next attempt on that node, whoever makes it: the session is in the request.
//! One whose attempt timed out is closed, so a late reply reaches nobody.

mod connection;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddrV4;

use rashomon_core::client::{Attempt, Attempts, Policy, Step};
use rashomon_core::rpc::Body;
use rashomon_core::{Call, Event, NodeId, Time};

use crate::agenda::Agenda;
use crate::poller::{Poller, Ready};
use connection::{Connection, Progress};

/// How many idle connections to one node are kept.
const MOST_IDLE: usize = 64;

/// A call that has not ended.
#[derive(Debug)]
struct Open {
    attempts: Attempts,
    body: Body,
    /// The connection of the current attempt, and the node that it goes to.
    trying: Option<(u64, NodeId)>,
}

/// What is known of a node.
#[derive(Debug)]
struct Server {
    address: SocketAddrV4,
    idle: Vec<u64>,
    absent: bool,
    /// Attempts that were under way or begun while the node was dead or stopped.
    waits: u64,
}

/// All clients.
#[derive(Debug)]
pub(crate) struct Clients {
    policy: Policy,
    nodes: Vec<NodeId>,
    servers: BTreeMap<NodeId, Server>,
    open: BTreeMap<u64, Open>,
    connections: BTreeMap<u64, Connection>,
    agenda: Agenda<u64>,
    next_msg_id: u64,
    first_token: u64,
    next_token: u64,
}

impl Clients {
    /// No calls yet. Connections get tokens from `first_token` on.
    pub(crate) fn new(
        policy: Policy,
        addresses: &BTreeMap<NodeId, SocketAddrV4>,
        first_token: u64,
    ) -> Clients {
        let server =
            |address: &SocketAddrV4| Server { address: *address, idle: Vec::new(), absent: false, waits: 0 };
        Clients {
            policy,
            nodes: addresses.keys().copied().collect(),
            servers: addresses.iter().map(|(node, address)| (*node, server(address))).collect(),
            open: BTreeMap::new(),
            connections: BTreeMap::new(),
            agenda: Agenda::new(),
            next_msg_id: 1,
            first_token,
            next_token: first_token,
        }
    }

    /// Whether the token is a connection's.
    pub(crate) fn owns(&self, token: u64) -> bool {
        token >= self.first_token
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Time> {
        self.agenda.next()
    }

    /// Attempts that had to do with a dead or stopped node so far.
    pub(crate) fn waits(&self, node: NodeId) -> u64 {
        self.servers[&node].waits
    }

    /// From now on a node is dead or stopped, or not.
    pub(crate) fn set_absent(&mut self, node: NodeId, absent: bool) {
        let pending = self.open.values().filter(|open| open.trying.is_some_and(|(_, to)| to == node)).count();
        let server = self.servers.get_mut(&node).expect("every node has a server");
        if absent && !server.absent {
            server.waits += pending as u64;
        }
        server.absent = absent;
    }

    /// Closes the idle connections to a node whose process is dead.
    pub(crate) fn forget_idle(&mut self, node: NodeId) {
        let server = self.servers.get_mut(&node).expect("every node has a server");
        for token in server.idle.drain(..) {
            self.connections.remove(&token);
        }
    }

    /// Begins a call.
    pub(crate) fn call(&mut self, call: Call, now: Time, poller: &Poller, events: &mut VecDeque<Event>) {
        let Call { process, sequence, home, read_only, mut body } = call;
        let first = self.nodes.iter().position(|node| *node == home).unwrap_or(0);
        let nodes = self.nodes.iter().cycle().skip(first).take(self.nodes.len()).copied().collect();
        body.insert("session".to_owned(), process.into());
        body.insert("sequence".to_owned(), sequence.into());
        let attempts = Attempts::new(self.policy, nodes, read_only, now);
        let before = self.open.insert(process, Open { attempts, body, trying: None });
        assert!(before.is_none(), "process {process} has a call open already");
        self.advance(process, now, poller, events);
    }

    /// Lets a call take its next step, until it has to wait or is over.
    fn advance(&mut self, process: u64, now: Time, poller: &Poller, events: &mut VecDeque<Event>) {
        loop {
            let Some(open) = self.open.get_mut(&process) else { return };
            match open.attempts.step(now) {
                Step::Try(node, until) => match self.attempt(process, node, poller) {
                    Ok(token) => {
                        let open = self.open.get_mut(&process).expect("it was there a line ago");
                        open.trying = Some((token, node));
                        self.agenda.set(process, until);
                        return;
                    }
                    Err(attempt) => {
                        let open = self.open.get_mut(&process).expect("it was there a line ago");
                        open.attempts.ended(attempt);
                    }
                },
                Step::Pause(until) => {
                    self.agenda.set(process, until);
                    return;
                }
                Step::Finish(outcome) => {
                    self.agenda.cancel(&process);
                    self.open.remove(&process);
                    events.push_back(Event::Completion { process, outcome });
                    return;
                }
            }
        }
    }

    /// Sends a request, over a connection that is there or a new one.
    fn attempt(&mut self, process: u64, node: NodeId, poller: &Poller) -> Result<u64, Attempt> {
        let msg_id = self.next_msg_id;
        self.next_msg_id += 1;
        let open = self.open.get_mut(&process).expect("only open calls make attempts");
        open.body.insert("msg_id".to_owned(), msg_id.into());
        let mut line = serde_json::to_vec(&open.body).expect("a JSON object has a JSON text");
        line.push(b'\n');
        let server = self.servers.get_mut(&node).expect("calls go to nodes that exist");
        server.waits += u64::from(server.absent);
        if let Some(token) = server.idle.pop() {
            let connection = self.connections.get_mut(&token).expect("idle connections are open");
            return match connection.request(process, msg_id, line, poller) {
                Ok(()) => Ok(token),
                Err(error) => {
                    self.connections.remove(&token);
                    Err(Attempt::Doubtful(format!("sending failed: {error}")))
                }
            };
        }
        let token = self.next_token;
        self.next_token += 1;
        match Connection::open(server.address, token, node, poller) {
            Ok(mut connection) => {
                // Not connected yet, so the line is only put aside.
                connection.prepare(process, msg_id, line);
                self.connections.insert(token, connection);
                Ok(token)
            }
            // Nothing was sent, whatever the reason.
            Err(_) => Err(Attempt::Refused),
        }
    }

    /// Takes up what happened on a connection.
    pub(crate) fn handle(&mut self, ready: Ready, now: Time, poller: &Poller, events: &mut VecDeque<Event>) {
        // It may have been closed by an event of the same batch.
        let Some(connection) = self.connections.get_mut(&ready.token) else { return };
        let node = connection.node();
        match connection.progress(ready, poller) {
            Progress::Nothing => {}
            Progress::Answered(process, attempt) => {
                let server = self.servers.get_mut(&node).expect("connections lead to nodes that exist");
                if server.idle.len() < MOST_IDLE {
                    server.idle.push(ready.token);
                } else {
                    self.connections.remove(&ready.token);
                }
                self.ended(process, attempt, now, poller, events);
            }
            Progress::Broken(ended) => {
                self.close(ready.token);
                if let Some((process, attempt)) = ended {
                    self.ended(process, attempt, now, poller, events);
                }
            }
        }
    }

    fn ended(
        &mut self,
        process: u64,
        attempt: Attempt,
        now: Time,
        poller: &Poller,
        events: &mut VecDeque<Event>,
    ) {
        let Some(open) = self.open.get_mut(&process) else { return };
        open.trying = None;
        open.attempts.ended(attempt);
        self.advance(process, now, poller, events);
    }

    fn close(&mut self, token: u64) {
        if let Some(connection) = self.connections.remove(&token) {
            let server =
                self.servers.get_mut(&connection.node()).expect("connections lead to nodes that exist");
            server.idle.retain(|other| *other != token);
        }
    }

    /// Ends the attempts whose time is over, and the pauses.
    pub(crate) fn expire(&mut self, now: Time, poller: &Poller, events: &mut VecDeque<Event>) {
        while let Some(process) = self.agenda.pop_due(now) {
            let Some(open) = self.open.get_mut(&process) else { continue };
            match open.trying.take() {
                Some((token, _)) => {
                    // A request that never left cannot have been carried out.
                    let sent = self.connections.get(&token).is_some_and(Connection::has_sent);
                    let attempt =
                        if sent { Attempt::Doubtful("timed out".to_owned()) } else { Attempt::Refused };
                    open.attempts.ended(attempt);
                    self.close(token);
                    self.advance(process, now, poller, events);
                }
                None => self.advance(process, now, poller, events),
            }
        }
    }

    /// Closes all connections.
    pub(crate) fn hang_up(&mut self) {
        self.open.clear();
        self.connections.clear();
        self.servers.values_mut().for_each(|server| server.idle.clear());
    }
}
