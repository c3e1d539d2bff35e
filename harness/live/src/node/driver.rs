//! The main loop of a node process.

use std::time::Duration;

use rashomon_core::rpc::RpcError;
use rashomon_core::{
    Context, Effect, Gate, MonotonicClock, Node, NodeId, Probe, Protocol, Rng, Setup, System, Ticket, Time,
    WallClock,
};
use serde::Serialize;

use super::console::Console;
use super::disk::Disk;
use super::peers::Peers;
use super::server::{Asked, Server};
use super::{NodeConfig, NodeError, doing};
use crate::agenda::Agenda;
use crate::clock::Clock;
use crate::control::{ClockState, NodeCounters, Order, Report};
use crate::poller::{Interest, Poller, Ready, Waker};

const DISK: u64 = 0;
const STDIN: u64 = 1;
const PEERS: u64 = 16;
const CLIENTS: u64 = 1024;

/// How many messages of one peer are handled before others get a turn.
const PEER_BATCH: usize = 64;

/// How often counters that have changed are reported.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// An effect that others can see.
#[derive(Debug)]
enum Visible<P: Protocol> {
    Send(NodeId, P::Message),
    Reply(Ticket, Result<P::Reply, RpcError>),
    Probe(Probe),
}

/// A state machine and the world around it.
pub(super) struct Driver<S: System> {
    me: NodeId,
    clock: Clock,
    /// What the node is told when it asks for the time.
    wall: WallClock,
    /// What its timers keep to.
    monotonic: MonotonicClock,
    rng: Rng,
    node: Box<dyn Node<S::Protocol>>,
    effects: Vec<Effect<S::Protocol>>,
    timers: Agenda<<S::Protocol as Protocol>::Timer>,
    gate: Gate<Visible<S::Protocol>>,
    poller: Poller,
    wakes: Waker,
    disk: Disk,
    peers: Peers,
    server: Server,
    console: Console,
    counters: NodeCounters,
    reported: NodeCounters,
    report_at: Time,
}

/// The JSON of something that the state machine emitted.
fn json(what: &'static str, value: &impl Serialize) -> Result<Vec<u8>, NodeError> {
    serde_json::to_vec(value).map_err(|error| NodeError::Unspeakable { what, reason: error.to_string() })
}

impl<S: System> Driver<S> {
    /// Restores the log, opens every socket, and starts the state machine.
    pub(super) fn start(config: NodeConfig) -> Result<Driver<S>, NodeError> {
        let poller = Poller::new().map_err(doing("making a poller"))?;
        let wakes = Waker::new().map_err(doing("making a waker"))?;
        poller.add(&wakes, DISK, Interest::Read).map_err(doing("waiting for the disk"))?;
        let console = Console::open()?;
        poller.add(std::io::stdin(), STDIN, Interest::Read).map_err(doing("waiting for orders"))?;
        let seed = config
            .seed
            .split("node")
            .split_number(config.me.0.into())
            .split_number(config.incarnation.into());
        let (disk, restored) = Disk::open(&config.log, seed.split("disk"), config.slowness, wakes.clone())?;
        eprintln!(
            "{} starts, incarnation {}: {} records in the log, {} torn bytes dropped",
            config.me,
            config.incarnation,
            restored.records.len(),
            restored.dropped
        );
        let records = restored
            .records
            .iter()
            .enumerate()
            .map(|(number, payload)| {
                serde_json::from_slice(payload)
                    .map_err(|error| NodeError::Record { number, reason: error.to_string() })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let peers = Peers::open(&config, &poller, PEERS)?;
        let server = Server::open(config.clients, &poller, CLIENTS)?;
        let setup = Setup { me: config.me, nodes: config.nodes, bugs: config.bugs, options: config.options };
        let node = S::boot(&setup, records)?;
        let mut driver = Driver {
            me: config.me,
            clock: config.clock,
            monotonic: MonotonicClock::new(config.clock.now(), config.wall.rate()),
            wall: config.wall,
            rng: seed.rng(),
            node,
            effects: Vec::new(),
            timers: Agenda::new(),
            gate: Gate::new(),
            poller,
            wakes,
            disk,
            peers,
            server,
            console,
            counters: NodeCounters::default(),
            reported: NodeCounters::default(),
            report_at: config.clock.now() + REPORT_INTERVAL,
        };
        driver.step(|node, cx| node.on_start(cx))?;
        driver.console.report(&Report::Ready)?;
        Ok(driver)
    }

    /// Serves until the harness closes standard input.
    pub(super) fn run(mut self) -> Result<(), NodeError> {
        let mut ready: Vec<Ready> = Vec::new();
        let mut asked: Vec<Asked> = Vec::new();
        loop {
            self.fire_timers()?;
            self.report()?;
            self.server.settle(&self.poller)?;
            self.console.flush()?;
            let next = self.timers.next().map(|timer| self.monotonic.instant(timer));
            let next = next.map_or(self.report_at, |timer| timer.min(self.report_at));
            let timeout = next.since(self.clock.now());
            self.poller.wait(Some(timeout), &mut ready).map_err(doing("waiting"))?;
            for ready in &ready {
                match ready.token {
                    DISK => self.release()?,
                    STDIN => match self.console.orders()? {
                        Some(orders) => orders.into_iter().try_for_each(|order| self.obey(order))?,
                        None => return Ok(()),
                    },
                    token if self.peers.owns(token) => self.hear(token)?,
                    CLIENTS => self.server.accept(&self.poller)?,
                    client => {
                        if ready.writable {
                            self.server.write(client);
                        }
                        if ready.readable {
                            self.server.read(client, &mut asked);
                        }
                    }
                }
            }
            for line in asked.drain(..) {
                if let Some((ticket, request)) = self.server.understand(line) {
                    self.step(|node, cx| node.on_request(ticket, request, cx))?;
                }
            }
        }
    }

    fn fire_timers(&mut self) -> Result<(), NodeError> {
        let now = self.monotonic.reading(self.clock.now());
        // A timer that sets itself again for at once waits for the next round, like everybody else.
        for _ in 0..self.timers.len() {
            let Some(timer) = self.timers.pop_due(now) else { break };
            self.step(|node, cx| node.on_timer(timer, cx))?;
        }
        Ok(())
    }

    fn hear(&mut self, token: u64) -> Result<(), NodeError> {
        for _ in 0..PEER_BATCH {
            let Some((from, payload)) = self.peers.receive(token, &mut self.counters)? else { break };
            match serde_json::from_slice(payload) {
                Ok(message) => {
                    self.counters.received += 1;
                    self.step(|node, cx| node.on_message(from, message, cx))?;
                }
                Err(error) => {
                    eprintln!("a message of {from} with a valid checksum makes no sense: {error}");
                    self.counters.damaged += 1;
                }
            }
        }
        Ok(())
    }

    /// One input of the state machine, and what it wants done.
    fn step(
        &mut self,
        input: impl FnOnce(&mut dyn Node<S::Protocol>, &mut Context<'_, S::Protocol>),
    ) -> Result<(), NodeError> {
        let mut effects = std::mem::take(&mut self.effects);
        let now = self.wall.reading(self.clock.now());
        let mut cx = Context::new(self.me, now, &mut self.rng, &mut effects);
        input(self.node.as_mut(), &mut cx);
        for effect in effects.drain(..) {
            self.carry_out(effect)?;
        }
        self.effects = effects;
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect<S::Protocol>) -> Result<(), NodeError> {
        match effect {
            Effect::Persist(record) => {
                let payload = json("a record", &record)?;
                self.disk.append(self.gate.persist(), payload);
                Ok(())
            }
            Effect::Checkpoint(records) => {
                let payloads =
                    records.iter().map(|record| json("a record", record)).collect::<Result<_, _>>()?;
                self.disk.checkpoint(self.gate.persist(), payloads);
                Ok(())
            }
            Effect::Send(to, message) => self.emit(Visible::Send(to, message)),
            Effect::Reply(ticket, reply) => self.emit(Visible::Reply(ticket, reply)),
            Effect::Probe(probe) => self.emit(Visible::Probe(probe)),
            // Timers are the node's own memory: nobody sees them, so they need not wait for the disk.
            Effect::SetTimer(timer, after) => {
                self.timers.set(timer, self.monotonic.reading(self.clock.now()) + after);
                Ok(())
            }
            Effect::CancelTimer(timer) => {
                self.timers.cancel(&timer);
                Ok(())
            }
        }
    }

    fn emit(&mut self, effect: Visible<S::Protocol>) -> Result<(), NodeError> {
        match self.gate.emit(effect) {
            Some(effect) => self.act(effect),
            None => Ok(()),
        }
    }

    /// Lets go what waited for records that are durable now.
    fn release(&mut self) -> Result<(), NodeError> {
        self.wakes.seen();
        self.gate.durable(self.disk.durable()?);
        while let Some(effect) = self.gate.release() {
            self.act(effect)?;
        }
        Ok(())
    }

    fn act(&mut self, effect: Visible<S::Protocol>) -> Result<(), NodeError> {
        match effect {
            Visible::Send(to, message) => {
                let payload = json("a message", &message)?;
                self.peers.send(to, &payload, &mut self.counters)
            }
            Visible::Reply(ticket, reply) => self.server.reply(ticket, &reply),
            Visible::Probe(probe) => self.console.probe(&probe),
        }
    }

    fn obey(&mut self, order: Order) -> Result<(), NodeError> {
        let id = match order {
            Order::Ping { id } => id,
            Order::SlowDisk { id, slowness } => {
                self.disk.slow_down(slowness);
                id
            }
            // Timers keep to the monotonic clock, which goes on from where it is: a jump fires none.
            Order::Clock { id, wall } => {
                self.monotonic.set_rate(self.clock.now(), wall.rate());
                self.wall = wall;
                id
            }
        };
        let counters = self.count();
        let clock = ClockState { ahead: self.wall.error(self.clock.now()), rate: self.monotonic.rate() };
        self.console.report(&Report::Done { id, counters, clock })
    }

    /// The counters as of now.
    fn count(&mut self) -> NodeCounters {
        (self.counters.records, self.counters.syncs, self.counters.slow_syncs) = self.disk.counts();
        self.counters
    }

    fn report(&mut self) -> Result<(), NodeError> {
        let now = self.clock.now();
        // A slow sync is told at once: the power may fail before the next report, and it did bite.
        let slow_syncs = self.disk.counts().2;
        if now < self.report_at && slow_syncs == self.reported.slow_syncs {
            return Ok(());
        }
        self.report_at = now + REPORT_INTERVAL;
        let counters = self.count();
        if counters == self.reported {
            return Ok(());
        }
        self.reported = counters;
        self.console.report(&Report::Counters { counters })
    }
}
