//! A cluster, its clients and its faults in virtual time.

mod check;
mod client;
mod cluster;
mod disk;
mod nemesis;

pub(crate) use client::Clients;
pub(crate) use cluster::{Cluster, Happening};
pub(crate) use nemesis::Nemesis;

use std::time::Duration;

use rashomon_core::{FaultKind, Map, Seed, Value};

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) nodes: u16,
    pub(crate) bug: Option<&'static str>,
    pub(crate) options: Map<String, Value>,
    pub(crate) kinds: Vec<FaultKind>,
    /// How long faults strike; afterwards everything is healed and progress is demanded.
    pub(crate) time_limit: Duration,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What was wrong: an invariant, an answer that no order explains, or no progress after the heal.
    pub(crate) accusations: Vec<String>,
    pub(crate) ok: usize,
    pub(crate) fail: usize,
    pub(crate) info: usize,
    pub(crate) leaders: usize,
    pub(crate) restores: usize,
    pub(crate) lost_records: usize,
}

impl Run {
    pub(crate) fn clean(nodes: u16) -> Run {
        Run {
            nodes,
            bug: None,
            options: Map::new(),
            kinds: FaultKind::ALL
                .iter()
                .map(|(kind, ..)| *kind)
                .filter(|kind| *kind != FaultKind::Membership)
                .collect(),
            time_limit: Duration::from_secs(4),
        }
    }

    pub(crate) fn with_option(mut self, name: &str, value: u64) -> Run {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// Runs it: faults, then the heal, then final reads that must succeed.
    pub(crate) fn go(&self, seed: Seed) -> Report {
        let mut cluster = Cluster::new(self, seed);
        let mut clients = Clients::new(5, &cluster, seed.split("clients"));
        let mut nemesis = Nemesis::new(self.kinds.clone(), seed.split("nemesis"));
        clients.start(&mut cluster);
        nemesis.start(&mut cluster);
        let limit = rashomon_core::Time::ZERO + self.time_limit;
        let mut healed = false;
        let end = limit + Duration::from_secs(10);
        while let Some(happening) = cluster.next(if healed { end } else { limit }) {
            match happening {
                Happening::Quiet if healed => break,
                Happening::Quiet => {
                    nemesis.stop(&mut cluster);
                    clients.finish(&mut cluster);
                    healed = true;
                }
                Happening::Client(event) => clients.take(event, &mut cluster),
                Happening::Nemesis(step) => nemesis.take(step, &mut cluster),
            }
            if healed && clients.done() {
                break;
            }
        }
        let mut report = cluster.report();
        clients.judge(&mut report);
        report
    }
}
