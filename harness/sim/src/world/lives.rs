//! Processes coming and going.

use rashomon_core::{Event, Happening, NodeId, Seed, Setup, System};

use super::{Due, SimWorld};
use crate::host::{Input, Tenant};

impl<S: System> SimWorld<S> {
    /// Starts a process. It takes a while until it is there.
    pub(super) fn launch(&mut self, node: NodeId) {
        let host = self.host(node);
        host.incarnation += 1;
        host.tenant = Tenant::Booting;
        let incarnation = host.incarnation;
        let key = self.life(self.seeds.boot, node);
        let takes = self.config.timing.boot.draw(key);
        self.queue.push(self.now + takes, Due::Boot(node, incarnation));
    }

    /// The seed of the current life of a node.
    fn life(&self, seed: Seed, node: NodeId) -> Seed {
        seed.split_number(node.0.into()).split_number(self.host_ref(node).incarnation.into())
    }

    /// A process is about to be there, unless it has died meanwhile or is stopped.
    pub(super) fn begin(&mut self, node: NodeId, incarnation: u32) {
        let host = self.host(node);
        if host.incarnation != incarnation || !host.is_alive() {
            return;
        }
        if host.is_paused() {
            host.wait(Input::Boot);
            return;
        }
        self.boot(node);
    }

    /// Restores the log and starts the state machine.
    pub(super) fn boot(&mut self, node: NodeId) {
        let setup = Setup { me: node, ..self.setup.clone() };
        let rng = self.life(self.seeds.node, node).rng();
        let through_json = self.config.through_json;
        let host = self.host(node);
        host.rng = rng;
        let records = if through_json {
            match host.disk.records_through_json() {
                Ok(records) => records,
                Err(error) => {
                    return self.crash(node, format!("a record does not survive its own encoding: {error}"));
                }
            }
        } else {
            host.disk.records()
        };
        match S::boot(&setup, records) {
            Ok(state) => {
                let (at, incarnation) = (self.now, self.host_ref(node).incarnation);
                self.tracer.note(at, || Happening::Boot { at, node, incarnation });
                self.host(node).tenant = Tenant::Process(state);
                self.step(node, |state, cx| state.on_start(cx));
                if self.host_ref(node).listens() {
                    self.returns(node);
                }
            }
            Err(error) => self.crash(node, error.to_string()),
        }
    }

    /// A process ends by itself.
    pub(super) fn crash(&mut self, node: NodeId, report: String) {
        self.hang_up(node);
        let at = self.now;
        self.tracer.note(at, || Happening::End { at, node, how: report.clone() });
        let host = self.host(node);
        host.tenant = Tenant::Crashed(report.clone());
        host.disk.killed();
        host.clear();
        self.events.push_back(Event::Crash { node, report });
    }

    /// Ends a process from outside. Tells how many bytes of its log that cost.
    pub(super) fn kill(&mut self, node: NodeId, power_off: bool) -> u64 {
        self.hang_up(node);
        let (at, how) = (self.now, if power_off { "power failed" } else { "killed" });
        self.tracer.note(at, || Happening::End { at, node, how: how.to_owned() });
        let mut rng = self.life(self.seeds.power_off, node).rng();
        let host = self.host(node);
        host.tenant = Tenant::Nobody;
        let lost = if power_off {
            host.disk.power_off(&mut rng)
        } else {
            host.disk.killed();
            0
        };
        host.clear();
        lost
    }

    /// A sync is over. A stopped process learns of it only when it goes on.
    pub(super) fn synced(&mut self, node: NodeId, incarnation: u32) {
        let host = self.host(node);
        if host.incarnation != incarnation || !host.listens() {
            return;
        }
        let writes = host.disk.synced();
        let paused = host.is_paused();
        if paused {
            host.wait(Input::Synced);
        }
        let at = self.now;
        self.tracer.note(at, || Happening::Durable { at, node, writes });
        if !paused {
            self.release(node);
        }
    }

    /// The time has come for which a node asked.
    pub(super) fn wake(&mut self, node: NodeId) {
        let now = self.now;
        let host = self.host(node);
        // A stopped process fires its timers when it goes on.
        if host.timers.wakes(now) && host.listens() && !host.is_paused() {
            self.fire_timers(node);
        }
    }

    /// A stopped process goes on: it takes up what came meanwhile, and fires the timers that are late. Which of
    /// the two it does first is as the scheduler of a real machine has it: nobody knows.
    pub(super) fn resume(&mut self, node: NodeId) {
        let at = self.now;
        self.tracer.note(at, || Happening::Resumed { at, node });
        let key = self.seeds.resume.split_number(node.0.into()).split_number(self.now.0);
        let timers_first = key.0.is_multiple_of(2);
        if timers_first && self.host_ref(node).listens() {
            self.fire_timers(node);
        }
        while let Some(input) = self.host(node).waiting.pop_front() {
            match input {
                Input::Boot => self.boot(node),
                Input::Message(letter) => self.hear(node, letter),
                Input::Request(asked) => self.serve(node, asked),
                Input::Synced => self.release(node),
            }
        }
        if self.host_ref(node).listens() {
            self.fire_timers(node);
        }
    }

    /// Sets a node's clocks as its faults have them now. No timer fires for it, but those that are set are due at
    /// another instant when the rate changes.
    pub(super) fn set_clocks(&mut self, node: NodeId) {
        let now = self.now;
        let host = self.host(node);
        host.wall.set(now, host.skewed_by.values().copied().collect());
        host.monotonic.set_rate(now, host.wall.rate());
        host.timers.forget_wake();
        self.await_timers(node);
    }
}
