//! One input of a state machine, and what comes of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rashomon_core::{Context, Effect, Event, Happening, Node, NodeId, System};

use super::{Due, SimWorld};
use crate::disk::Job;
use crate::host::{Tenant, Visible};
use crate::trace;

/// More steps in a millisecond than any machine takes: whoever takes them will never come to rest.
const MOST_STEPS: u32 = 100_000;

impl<S: System> SimWorld<S> {
    /// Gives a node one input and carries out what it wants done. A node that is not there is given nothing.
    pub(super) fn step(
        &mut self,
        node: NodeId,
        input: impl FnOnce(&mut dyn Node<S::Protocol>, &mut Context<'_, S::Protocol>),
    ) {
        let now = self.now;
        let host = &mut self.hosts[usize::from(node.0) - 1];
        if host.listens() && !host.paces(now, MOST_STEPS) {
            let reason =
                format!("an endless loop: more than {MOST_STEPS} steps in the millisecond before {now}");
            return self.crash(node, reason);
        }
        let Tenant::Process(state) = &mut host.tenant else { return };
        let mut effects = std::mem::take(&mut self.effects);
        let mut cx = Context::new(node, host.wall.reading(now), &mut host.rng, &mut effects);
        // A node that panics is a process that ended, here as elsewhere. It is never entered again.
        let end = catch_unwind(AssertUnwindSafe(|| input(state.as_mut(), &mut cx)));
        let outcome = match end {
            Ok(()) => effects.drain(..).try_for_each(|effect| self.carry_out(node, effect)),
            Err(panic) => Err(describe(panic.as_ref())),
        };
        effects.clear();
        self.effects = effects;
        match outcome {
            Ok(()) => self.begin_sync(node),
            Err(reason) => self.crash(node, reason),
        }
    }

    fn carry_out(&mut self, node: NodeId, effect: Effect<S::Protocol>) -> Result<(), String> {
        match effect {
            Effect::Persist(record) => {
                let host = self.host(node);
                host.gate.persist();
                host.counters.records += 1;
                host.disk.give(Job::Append(record));
                Ok(())
            }
            Effect::Checkpoint(records) => {
                let host = self.host(node);
                host.gate.persist();
                host.counters.records += records.len() as u64;
                host.disk.give(Job::Checkpoint(records));
                Ok(())
            }
            Effect::Send(to, message) => self.emit(node, Visible::Send(to, message)),
            Effect::Reply(ticket, reply) => self.emit(node, Visible::Reply(ticket, reply)),
            Effect::Probe(probe) => self.emit(node, Visible::Probe(probe)),
            // Timers are the node's own memory: nobody sees them, so they need not wait for the disk.
            Effect::SetTimer(timer, after) => {
                let now = self.now;
                let host = self.host(node);
                let due = host.monotonic.reading(now) + after;
                host.timers.set(timer, due);
                let at = host.monotonic.instant(due).max(now);
                if host.timers.needs_wake(at) {
                    self.queue.push(at, Due::Wake(node));
                }
                Ok(())
            }
            Effect::CancelTimer(timer) => {
                self.host(node).timers.cancel(&timer);
                Ok(())
            }
        }
    }

    fn emit(&mut self, node: NodeId, effect: Visible<S::Protocol>) -> Result<(), String> {
        match self.host(node).gate.emit(effect) {
            Some(effect) => self.act(node, effect),
            None => Ok(()),
        }
    }

    fn act(&mut self, node: NodeId, effect: Visible<S::Protocol>) -> Result<(), String> {
        match effect {
            Visible::Send(to, message) => self.send(node, to, message),
            Visible::Reply(ticket, reply) => self.reply(node, ticket, reply),
            Visible::Probe(probe) => {
                let at = self.now;
                self.tracer.note(at, || Happening::Probe { at, node, said: probe.clone() });
                self.events.push_back(Event::Probe { at, node, probe });
                Ok(())
            }
        }
    }

    /// Begins a sync of all that waits for one, unless one is under way.
    fn begin_sync(&mut self, node: NodeId) {
        let (seed, sync) = (self.seeds.sync.split_number(node.0.into()), self.config.timing.sync);
        let host = self.host(node);
        if host.disk.begin_sync() == 0 {
            return;
        }
        host.syncing = host.gate.persisted();
        host.counters.syncs += 1;
        let seed = seed.split_number(host.counters.syncs);
        let mut takes = sync.draw(seed);
        if let Some(slowness) = host.slowness() {
            host.counters.slow_syncs += 1;
            takes += slowness.draw(seed.split_number(1));
        }
        let incarnation = host.incarnation;
        self.queue.push(self.now + takes, Due::Synced(node, incarnation));
    }

    /// A process learns that a sync is over: what waited for it is let go, and the next begins.
    pub(super) fn release(&mut self, node: NodeId) {
        let host = self.host(node);
        host.gate.durable(host.syncing);
        while let Some(effect) = self.host(node).gate.release() {
            if let Err(reason) = self.act(node, effect) {
                return self.crash(node, reason);
            }
        }
        self.begin_sync(node);
    }

    /// Fires the timers whose time has come, and asks to be woken for the next.
    pub(super) fn fire_timers(&mut self, node: NodeId) {
        let now = self.now;
        // A timer that sets itself again for at once waits for the next round, like everybody else.
        for _ in 0..self.host(node).timers.len() {
            let host = self.host(node);
            let local = host.monotonic.reading(now);
            let Some(timer) = host.timers.pop_due(local) else { break };
            self.tracer.note(now, || Happening::Timer { at: now, node, timer: trace::text(&timer) });
            self.step(node, |state, cx| state.on_timer(timer, cx));
        }
        self.await_timers(node);
    }

    /// Asks to be woken for the next timer.
    pub(super) fn await_timers(&mut self, node: NodeId) {
        let now = self.now;
        let host = self.host(node);
        let Some(next) = host.timers.next() else { return };
        let at = host.monotonic.instant(next).max(now);
        if host.timers.needs_wake(at) {
            self.queue.push(at, Due::Wake(node));
        }
    }
}

/// What a panic said.
fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let said =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", said.unwrap_or("without a word"))
}
